"""From which bar on a model's scores are no training scores."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btc_signal.catalog import FEATURE_NAMES
from btc_signal.in_sample import first_unknown, honest_from, warning
from src.base import paths, storage
from src.base.errors import DataError
from src.base.params import Label
from src.features.labels import make_labels
from src.ml.ensemble import ProductionEnsemble

HOUR = timedelta(hours=1)
TRAINED = {"out_of_fold_window": {"last_open": "2020-01-01T03:00:00Z"}, "data": {"timeframe": "4h"}}


@settings(derandomize=True, deadline=None, max_examples=200)
@given(missing=st.sets(st.integers(0, 39), max_size=12), horizon_bars=st.integers(1, 5), n_training=st.integers(20, 38))
def test_training_knew_no_label_from_there_on_and_some_before(missing, horizon_bars, n_training):
    """Whatever bars are missing and however far the label looks; later bars change nothing about it."""
    times = pd.date_range("2020-01-01T00:00Z", periods=40, freq="1h")
    close = pd.Series(100 * 1.01 ** np.random.default_rng(1).normal(size=40), times).drop(times[sorted(missing)])
    label = Label(horizon_bars=horizon_bars, threshold=0.003)
    known = make_labels(close[close.index < times[n_training]], label).dropna()
    if known.empty:
        return
    honest = first_unknown(known.index[-1], HOUR)
    later = make_labels(close, label).dropna()
    assert (known.index < honest).all()
    assert set(later.index[later.index >= honest]).isdisjoint(known.index)
    assert (later.index[later.index >= honest] + horizon_bars * HOUR >= times[n_training]).all()


def test_without_gaps_it_is_the_first_bar_whose_label_the_training_bars_leave_open():
    """By hand: of ten bars the last two labels are open with a horizon of two, from 08:00 on."""
    times = pd.date_range("2020-01-01T00:00Z", periods=10, freq="1h")
    known = make_labels(pd.Series(np.arange(1.0, 11), times), Label(horizon_bars=2, threshold=0.003)).dropna()
    assert first_unknown(known.index[-1], HOUR) == datetime(2020, 1, 1, 8, tzinfo=UTC)


def test_the_shipped_model_has_one():
    """Its last training row opened at 08:00, or its promotion says it itself."""
    assert honest_from(storage.read_json(paths.METADATA)) == datetime(2019, 10, 17, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("metadata", "hour"),
    [
        (
            {"training_info": {**TRAINED, "honest_from": "2020-01-01T11:00:00Z"}, "created_at": "2021-01-01T00:00:00Z"},
            11,
        ),
        ({"training_info": TRAINED, "created_at": "2021-01-01T00:00:00Z"}, 7),
        ({"training_info": {"data": {"timeframe": "1h"}}, "created_at": "2020-01-01T22:00:00Z"}, 22),
        ({"training_info": {"out_of_fold_window": {}}, "created_at": "2020-01-01T22:00:00Z"}, 22),
        ({"created_at": "2020-01-01T22:00:00Z"}, 22),
    ],
    ids=["said", "a bar after the last training row", "of unknown window", "of unknown timeframe", "nothing known"],
)
def test_older_metadata_have_one_too(metadata, hour):
    """What is not known counts as training, up to the promotion."""
    assert honest_from(metadata) == datetime(2020, 1, 1, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"training_info": {"honest_from": None}, "created_at": "2021-01-01T00:00:00Z"},
        {"training_info": {"honest_from": "soon"}, "created_at": "2021-01-01T00:00:00Z"},
        {"training_info": {"honest_from": "2020-01-01T11:00:00+09:00"}},
        {"training_info": TRAINED | {"data": {"timeframe": "9 o'clock"}}},
        {"training_info": TRAINED | {"out_of_fold_window": {"last_open": "9999-12-31T23:00:00Z"}}},
        {"training_info": None, "created_at": "2021-01-01T00:00:00Z"},
    ],
)
def test_damaged_metadata_are_no_guess(metadata):
    """A time that is none is an error, with what to do."""
    with pytest.raises(DataError, match=r"no valid training_info\.honest_from .*; restore them with `git checkout`"):
        honest_from(metadata)


@pytest.mark.parametrize(
    ("n_bars", "words"),
    [
        (0, ""),
        (1, "in sample: bar 2020-01-01T00:00:00Z opened before 2020-01-01T02:00:00Z; "),
        (2, "in sample: 2 of 2 bars opened before 2020-01-01T02:00:00Z; "),
        (5, "in sample: 2 of 5 bars opened before 2020-01-01T02:00:00Z; "),
    ],
)
def test_bars_of_the_training_are_counted(n_bars, words):
    """How many, until when, and what it means; a bar that opens at that time is none of them."""
    start = datetime(2020, 1, 1, tzinfo=UTC)
    said = warning([start + hour * HOUR for hour in range(n_bars)], start + 2 * HOUR)
    assert said == (
        words and f"{words}the model was fitted on bars up to there, so scores or a backtest of them flatter"
    )
    assert warning([start + 2 * HOUR], start + 2 * HOUR) == ""


def test_validation_counts_the_rows_that_the_model_was_fitted_on(candidate):
    """Of a promoted model, where the rows have times: two of four opened before its first honest bar."""
    model = ProductionEnsemble.from_bytes(candidate.to_bytes())
    values, y = np.random.default_rng(2).uniform(1, 2, (4, 12)), [1, 0, 0, 0]
    rows = pd.DataFrame(values, pd.date_range("2020-01-01T00:00Z", periods=4, freq="1h"), list(FEATURE_NAMES))
    assert "in_training" not in model.validate_predictions(rows, y)
    model.metadata = {"training_info": {"honest_from": "2020-01-01T02:00:00Z"}}
    assert model.validate_predictions(rows, y)["in_training"] == 2
    assert "in_training" not in model.validate_predictions(values, y)
