"""Intervals: each draw is scored as its rows would be, and dependent rows are drawn together."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.evaluation.intervals import (
    block_length,
    bootstrap_scores,
    describe_intervals,
    draw_counts,
    interval_of,
    score_weighted,
)
from src.evaluation.metrics import Forecast, score

RNG = np.random.default_rng(1)
N_ROWS = 400
Y = (RNG.uniform(size=N_ROWS) < 0.3).astype(int)
FORECAST = Forecast.from_probability(np.clip(0.3 + 0.2 * Y + RNG.normal(0, 0.1, N_ROWS), 0.01, 0.99), 0.5)
NOISE = Forecast.from_probability(RNG.uniform(0.01, 0.99, N_ROWS), 0.5)


def autocorrelated(share, n_rows=4_000):
    """A series that keeps `share` of its last value."""
    noise = np.random.default_rng(3).normal(size=n_rows)
    values = np.zeros(n_rows)
    for t in range(1, n_rows):
        values[t] = share * values[t - 1] + noise[t]
    return values


@settings(derandomize=True, deadline=None, max_examples=100)
@given(data=st.data())
def test_a_draw_is_scored_as_its_rows(data):
    """Rows that were drawn several times count as often: the scores are those of the rows written out."""
    n_rows = data.draw(st.integers(4, 12))
    y = np.array(data.draw(st.lists(st.integers(0, 1), min_size=n_rows, max_size=n_rows)))
    levels = st.sampled_from([0.05, 0.2, 0.5, 0.55, 0.9])
    probability = np.array(data.draw(st.lists(levels, min_size=n_rows, max_size=n_rows)))
    counts = np.array(data.draw(st.lists(st.integers(0, 3), min_size=n_rows, max_size=n_rows)))
    forecast = Forecast.from_probability(probability, 0.5)
    drawn = np.repeat(np.arange(n_rows), counts)
    if len(set(y[drawn])) < 2:
        return
    weighted = score_weighted(y, forecast, counts.reshape(1, -1))
    expected = score(y[drawn], Forecast(probability[drawn], forecast.decision[drawn]))
    assert {name: draws[0] for name, draws in weighted.items()} == pytest.approx(
        {name: expected[name] for name in weighted}, abs=1e-7
    )


def test_auc_by_hand():
    """A pair that is ranked rightly counts 1, a tie half, by how often both were drawn."""
    y = np.array([1, 0, 1, 0])
    forecast = Forecast.from_probability(np.array([0.9, 0.6, 0.6, 0.2]), 0.5)
    counts = np.array([[1, 1, 1, 1], [2, 1, 1, 0]])
    # pairs: 0.9 over 0.6 and 0.2, 0.6 ties 0.6 and beats 0.2: 3.5 of 4; drawn 2, 1, 1, 0 times: 2.5 of 3
    np.testing.assert_allclose(score_weighted(y, forecast, counts)["roc_auc"], [3.5 / 4, 2.5 / 3])


def test_a_certainty_that_was_wrong():
    """Its log loss is infinite, and has no interval."""
    certain = Forecast(Y[::-1].astype(float), Y[::-1])
    bootstrap = bootstrap_scores(Y, {"certain": certain, "forecast": FORECAST}, seed=1)
    assert bootstrap.interval("certain", "log_loss") is None
    assert bootstrap.difference("forecast", "certain", "log_loss") is None
    assert bootstrap.interval("forecast", "log_loss") is not None


def test_the_score_lies_within_its_interval():
    """An interval holds the score of the rows themselves."""
    bootstrap = bootstrap_scores(Y, {"forecast": FORECAST}, seed=1)
    for name, value in score(Y, FORECAST).items():
        if name in bootstrap.draws["forecast"] and name != "expected_calibration_error":
            low, high = bootstrap.interval("forecast", name)
            assert low < value < high


def test_skill_and_noise():
    """A forecast with skill has its AUC above 0.5 with all of its interval; noise has 0.5 inside."""
    bootstrap = bootstrap_scores(Y, {"forecast": FORECAST, "noise": NOISE}, seed=1)
    assert bootstrap.interval("forecast", "roc_auc")[0] > 0.5
    low, high = bootstrap.interval("noise", "roc_auc")
    assert low < 0.5 < high
    assert bootstrap.difference("forecast", "noise", "roc_auc")[0] > 0


def test_a_forecast_against_itself():
    """On the same draws nothing is better than itself."""
    bootstrap = bootstrap_scores(Y, {"one": FORECAST, "same": FORECAST}, seed=1)
    assert bootstrap.difference("one", "same", "roc_auc") == [0, 0]


def test_seed():
    """The same seed draws the same rows, another one others."""
    np.testing.assert_array_equal(draw_counts(50, 5, seed=1), draw_counts(50, 5, seed=1))
    assert (draw_counts(50, 5, seed=1) != draw_counts(50, 5, seed=2)).any()


def test_counts():
    """Every draw has as many rows as there are, each as likely as any other."""
    counts = draw_counts(200, 10, seed=1)
    assert (counts.sum(axis=1) == 200).all()
    np.testing.assert_allclose(counts.mean(axis=0), 1, atol=0.2)


def test_blocks():
    """Neighbours are drawn together: longer blocks, fewer beginnings."""
    beginnings = [np.abs(np.diff(draw_counts(500, length, seed=1).astype(int))).mean() for length in (1, 50)]
    assert beginnings[1] < beginnings[0] / 5


def test_block_length():
    """The more a series depends on its past, the longer its blocks; of several series the longest counts."""
    calm, persistent = autocorrelated(0.0), autocorrelated(0.9)
    assert block_length(calm) < 10 < block_length(persistent)
    assert block_length(np.column_stack([calm, persistent])) == block_length(persistent)


def test_coverage():
    """About 95 of 100 intervals of a mean of dependent values hold the true mean."""
    held = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        values = np.convolve(rng.normal(size=1_019), np.ones(20) / 20, mode="valid")
        counts = draw_counts(1_000, block_length(values), seed=seed)
        low, high = interval_of(counts @ values / 1_000)
        held += low < 0 < high
    # With blocks of one row it would be some 20 of 60.
    assert held >= 50


def test_description():
    """The report names level, draws and blocks, an interval for every score, and every difference with its own."""
    forecasts = {"forecast": FORECAST, "noise": NOISE}
    scores = {name: score(Y, forecast) for name, forecast in forecasts.items()}
    described = describe_intervals(bootstrap_scores(Y, forecasts, seed=1), scores, "forecast")
    assert (described["level"], described["n_resamples"]) == (0.95, 1_000)
    assert set(described["scores"]) == {"forecast", "noise"}
    difference, low, high = described["forecast_less"]["noise"]["roc_auc"]
    assert difference == pytest.approx(scores["forecast"]["roc_auc"] - scores["noise"]["roc_auc"], abs=1e-8)
    assert low < difference < high
