"""The forecasts a model has to beat, worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from btc_signal.catalog import FEATURE_NAMES, TARGET
from src.base.params import load_params
from src.evaluation.baselines import forecast_baselines
from src.training.splits import Fold

#      row 0  1  2  3  4  5  6  7  8  9 10 11
LABELS = [1, 1, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0]
RANGES = [2, 3, 1, 4, 1, 1, 5, 2, 1, 2, 4, 1]
FOLDS = [Fold(1, np.arange(5), np.array([6, 7, 8])), Fold(2, np.arange(8), np.array([9, 10, 11]))]
NAMES = ["majority_class", "persistence", "base_rate", "volatility_only"]


@pytest.fixture
def dataset():
    index = pd.date_range("2020-01-01", periods=12, freq="h", tz="UTC", name="time")
    rows = pd.DataFrame(1.0, index=index, columns=list(FEATURE_NAMES))
    return rows.assign(close=100.0, atr_14=np.array(RANGES, dtype=float), **{TARGET: LABELS})


def forecasts(dataset, horizon_bars=1, half_life_rows=None, folds=FOLDS):
    shipped = load_params()
    other = {
        "label": shipped.label.model_copy(update={"horizon_bars": horizon_bars}),
        "train": shipped.train.model_copy(update={"half_life_rows": half_life_rows}),
        "ensemble": shipped.ensemble.model_copy(update={"decision_threshold": 0.5}),
    }
    return forecast_baselines(dataset, folds, shipped.model_copy(update=other))


def test_majority_class(dataset):
    """The majority class is that of the rows before the fold."""
    # rows 0 to 4 hold three rises of five, rows 0 to 7 four of eight, which is no majority
    majority = forecasts(dataset)["majority_class"]
    assert majority.decision.tolist() == [1, 1, 1, 0, 0, 0]
    assert majority.probability.tolist() == [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]


def test_base_rate(dataset):
    """The base rate is that of the rows before the fold."""
    base_rate = forecasts(dataset)["base_rate"]
    assert base_rate.probability.tolist() == [0.6, 0.6, 0.6, 0.5, 0.5, 0.5]
    assert base_rate.decision.tolist() == [1, 1, 1, 0, 0, 0]


def test_base_rate_of_a_past_that_fades(dataset):
    """The older a row, the less it counts, as for the members."""
    # half-life one row: rows 0 to 4 weigh 1/16, 1/8, 1/4, 1/2, 1, of which the rises 0, 1, 3 weigh 11/16 of 31/16
    base_rate = forecasts(dataset, half_life_rows=1)["base_rate"]
    assert base_rate.probability[:3].tolist() == [round(11 / 31, 9)] * 3


def test_a_fading_past_moves_the_regression(dataset):
    """Volatility alone is fitted with the same weights."""
    faded, whole = (forecasts(dataset, half_life_rows=h)["volatility_only"].probability for h in (1, None))
    assert (faded != whole).all()


@pytest.mark.parametrize(
    ("horizon_bars", "expected"),
    [
        # the labels of rows 5 6 7, 8 9 10
        (1, [0, 1, 0, 0, 0, 1]),
        # the labels of rows 3 4 5, 6 7 8
        (3, [1, 0, 0, 1, 0, 0]),
    ],
    ids=["one bar", "three bars"],
)
def test_persistence(horizon_bars, expected, dataset):
    """Persistence repeats the last label known at the bar."""
    persistence = forecasts(dataset, horizon_bars)["persistence"]
    assert persistence.decision.tolist() == expected
    assert persistence.probability.tolist() == expected


def test_volatility_ranks_by_range(dataset):
    """Volatility alone forecasts more rises where ranges are wider, if they came with rises before."""
    # rises among the training rows came with ranges of 2 3 4 and 5, falls with 1 and 2
    probability = forecasts(dataset)["volatility_only"].probability
    widths = [5, 2, 1, 2, 4, 1]
    for fold in (slice(0, 3), slice(3, 6)):
        order = np.argsort(widths[fold])
        assert (np.diff(probability[fold][order]) > 0).all()
    assert ((probability > 0) & (probability < 1)).all()


def test_volatility_knows_nothing_else(dataset):
    """Volatility alone knows nothing but the range over close."""
    before = forecasts(dataset)["volatility_only"].probability
    others = [name for name in FEATURE_NAMES if name not in {"atr_14", "close"}]
    rng = np.random.default_rng(1)
    dataset[others] = rng.normal(size=(12, len(others)))
    # powers of two, another for each row, leave the ratio the same to the bit
    dataset[["atr_14", "close"]] *= 2.0 ** rng.integers(-3, 4, (12, 1))
    np.testing.assert_array_equal(forecasts(dataset)["volatility_only"].probability, before)


def test_regression_optimum(dataset):
    """The regression meets the conditions of its optimum."""
    # L2-regularised on standardised x: residuals sum to 0, and those times x sum to the slope
    volatility = np.log(np.array(RANGES[:8]) / 100)
    x = (volatility - volatility.mean()) / volatility.std()
    in_training = forecasts(dataset, folds=[Fold(1, np.arange(8), np.arange(8))])["volatility_only"].probability
    residuals = np.array(LABELS[:8]) - in_training
    slope = np.polyfit(x, np.log(in_training / (1 - in_training)), 1)[0]
    assert residuals.sum() == pytest.approx(0, abs=1e-6)
    assert residuals @ x == pytest.approx(slope, abs=1e-6)


@pytest.mark.parametrize("cut", range(8, 12))
@pytest.mark.parametrize("horizon_bars", [1, 3])
def test_unknown_labels(horizon_bars, cut, dataset):
    """Labels not yet known at a bar change no forecast of it."""
    changed = dataset.assign(**{TARGET: np.where(np.arange(12) < cut, LABELS, 1 - np.array(LABELS))})
    before, after = forecasts(dataset, horizon_bars), forecasts(changed, horizon_bars)
    # the label of row `cut` is known `horizon_bars` later
    unaware = np.concatenate([fold.test for fold in FOLDS]) < cut + horizon_bars
    for name in NAMES:
        np.testing.assert_array_equal(after[name].probability[unaware], before[name].probability[unaware])


@pytest.mark.parametrize("name", NAMES)
def test_rows(name, dataset):
    """Every baseline forecasts every test row."""
    forecast = forecasts(dataset)[name]
    assert forecast.probability.shape == forecast.decision.shape == (6,)
