"""The population stability index, and how unusual it is."""

import math

import numpy as np
import pandas as pd
import pytest

from src.monitoring.drift import Drift, judge_drift, measure_drift, stability_index


def slow(n_rows: int, seed: int, shift: float = 0.0) -> pd.DataFrame:
    """A column that moves slowly, as hourly features do: neighbours correlate at 0.95."""
    steps, series = np.random.default_rng(seed).normal(0, 1, n_rows), np.zeros(n_rows)
    for i in range(1, n_rows):
        series[i] = 0.95 * series[i - 1] + steps[i]
    return pd.DataFrame({"column": series + shift})


def test_the_index_by_hand():
    """Of 50 and 50 to 80 and 20: 0.3 ln 1.6 and -0.3 ln 0.4."""
    found = stability_index(np.array([0.5, 0.5]), np.array([0.8, 0.2]))
    assert found == pytest.approx(0.3 * math.log(1.6) - 0.3 * math.log(0.4))
    assert stability_index(np.array([0.5, 0.5]), np.array([0.5, 0.5])) == 0


def test_training_windows_themselves_are_usual():
    """Of the windows of a series, few are among its own most unusual; a p-value per bar would refuse most of them."""
    reference = slow(10_000, 1)
    shares = [
        measure_drift(reference, reference.iloc[start : start + 500])[0].share_further for start in range(0, 9_501, 500)
    ]
    assert np.mean(np.array(shares) < 0.05) <= 0.1
    assert 0.3 < np.mean(shares) < 0.7


def test_the_same_process_raises_an_alert_seldom_and_another_level_always(limits):
    """Twenty new series of the same process, and the same shifted by three of its deviations."""
    reference = slow(10_000, 1)
    alerts = {
        shift: sum(
            next(judge_drift(measure_drift(reference, slow(500, 100 + seed, shift)), limits)).verdict == "failed"
            for seed in range(20)
        )
        for shift in (0.0, 10.0)
    }
    assert alerts[0.0] <= 2
    assert alerts[10.0] == 20


def test_a_column_without_enough_windows_is_not_judged(limits):
    """Four windows side by side cannot tell what is usual; nor can no value."""
    assert measure_drift(slow(400, 1), slow(100, 2)) == []
    assert measure_drift(slow(400, 1), slow(100, 2) * np.nan) == []
    assert [one.verdict for one in judge_drift([], limits)] == ["unknown"]


def test_a_constant_column_is_a_distribution_too():
    """All in one bin: next to no distance, and every window as far; another value lies far."""
    flat = pd.DataFrame({"column": np.ones(1_000)})
    (same,), (other,) = measure_drift(flat, flat.iloc[:100]), measure_drift(flat, flat.iloc[:100] - 1)
    assert (same.psi, same.share_further) == (pytest.approx(0, abs=0.05), 1.0)
    assert (other.psi > 1, other.share_further) == (True, 0.0)


@pytest.mark.parametrize(
    ("drift", "verdict"),
    [
        (Drift("rsi_14", 0.3, 0.0), "failed"),
        (Drift("rsi_14", 0.2, 0.0), "passed"),
        (Drift("rsi_14", 9.0, 0.02), "passed"),
        (Drift("close", 9.0, 0.0), "told"),
    ],
    ids=["far and unusual", "near", "usual", "the model does not see it"],
)
def test_an_alert_takes_both(drift, verdict, limits):
    """Far, and further than nearly all windows the model learned from."""
    assert next(judge_drift([drift], limits)).verdict == verdict
