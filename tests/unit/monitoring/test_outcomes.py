"""Predictions against what happened."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.base.params import Label
from src.monitoring.outcomes import Realised, judge_outcomes, measure, realised

LONG_AGO = datetime(2019, 1, 1, tzinfo=UTC)
LABEL = Label(horizon_bars=1, threshold=0.003)
PROMOTED = {name: {"value": 0.1, "interval": [0.0, 0.2]} for name in ("f1_score", "brier_skill", "roc_auc")}


def rows_of(n_rows: int, skill: float, seed: int = 1) -> pd.DataFrame:
    """Forecasts between a coin's throw (0) and knowing it (1), of independent rises."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n_rows)
    probability = 0.5 + skill * (y - 0.5) * 0.9
    index = pd.date_range("2020-01-01T00:00Z", periods=n_rows, freq="1h")
    decision = (probability > 0.5).astype(int) if skill else rng.integers(0, 2, n_rows)
    return pd.DataFrame({"probability": probability, "decision": decision, "target": y}, index)


def verdicts(rows, limits, promoted=PROMOTED):
    return {one.name: one.verdict for one in judge_outcomes(Realised(rows, 0), measure(rows, 1), promoted, limits)}


def test_predictions_meet_their_outcomes():
    """By hand: rises of 1 %, 0.1 % and a fall; the last bar's outcome is open, another's prediction is missing."""
    times = pd.date_range("2020-01-01T00:00Z", periods=5, freq="1h")
    bars = pd.DataFrame({"close": [100.0, 101.0, 101.1, 90.0, 95.0]}, times)
    log = pd.DataFrame({"probability": 0.4, "decision": 0, "model_version": "1"}, times.delete(1))
    rows, in_training = realised(log, bars, LABEL, 10, LONG_AGO)
    assert in_training == 0
    assert rows["target"].tolist() == [1, 0, 1]
    assert list(rows.index) == [times[0], times[2], times[3]]
    assert list(realised(log, bars, LABEL, 2, LONG_AGO).rows.index) == [times[2], times[3]]


def test_a_gap_in_the_bars_leaves_the_outcome_open():
    """The close after the gap is not the next one."""
    times = pd.date_range("2020-01-01T00:00Z", periods=6, freq="1h").delete(2)
    bars = pd.DataFrame({"close": np.arange(100.0, 105.0)}, times)
    log = pd.DataFrame({"probability": 0.4, "decision": 0, "model_version": "1"}, times)
    assert times[1] not in realised(log, bars, LABEL, 10, LONG_AGO).rows.index


@settings(derandomize=True, deadline=None, max_examples=200)
@given(
    logged=st.sets(st.integers(0, 79), min_size=1),
    missing=st.sets(st.integers(0, 79), max_size=20),
    n_bars=st.integers(2, 90),
    honest=st.integers(-5, 85),
)
def test_no_row_that_training_knew_is_scored(logged, missing, n_bars, honest):
    """Whatever is logged: scored rows are of bars from there on, and with those left out they are the newest ones."""
    times = pd.date_range("2020-01-01T00:00Z", periods=80, freq="1h")
    bars = pd.DataFrame({"close": np.arange(100.0, 180.0)}, times).drop(times[sorted(missing)])
    log = pd.DataFrame({"probability": 0.4, "decision": 0, "model_version": "1"}, times[sorted(logged)])
    honest_from = times[0] + honest * pd.Timedelta(hours=1)
    rows, in_training = realised(log, bars, LABEL, n_bars, honest_from)
    everything = realised(log, bars, LABEL, n_bars, LONG_AGO).rows
    assert (rows.index >= honest_from).all()
    assert in_training + len(rows) == len(everything) <= n_bars
    assert in_training == (everything.index < honest_from).sum()
    pd.testing.assert_frame_equal(rows, everything[everything.index >= honest_from])


def test_scores_of_the_training_get_no_verdict(limits):
    """However good they are; it is said how many were left out, and a rule that is unknown is no alert."""
    (judgement,) = judge_outcomes(Realised(rows_of(0, 0.9), 720), None, PROMOTED, limits)
    assert (judgement.verdict, judgement.value) == ("unknown", 0)
    assert judgement.words.endswith("; 720 more are left out, the model was fitted on their bars")


def test_the_calibration_gap_is_the_mean_forecast_less_what_came():
    """By hand: forecasts of 0.6 on average, of which a half came."""
    rows = rows_of(400, 0.0).assign(probability=0.6)
    gap = measure(rows, 1)["calibration_gap"]
    assert gap["value"] == pytest.approx(0.6 - rows["target"].mean(), abs=1e-8)
    assert gap["interval"][0] < gap["value"] < gap["interval"][1]


def test_a_model_that_knows_raises_no_alert(limits):
    """Every rule is asked, and says yes."""
    found = verdicts(rows_of(400, 0.9), limits)
    assert set(found.values()) == {"passed"}
    assert len(found) == 6


def test_a_model_that_throws_coins_and_promised_more_raises_alerts(limits):
    """Below the floor of F1, and below all that was promised; a coin of 0.5 is calibrated."""
    promised = {name: {"value": 0.9, "interval": [0.8, 0.95]} for name in PROMOTED}
    found = verdicts(rows_of(400, 0.0), limits, promised)
    assert found == {
        "weighted F1, live": "failed",
        "Brier skill, live": "passed",
        "weighted F1 as promoted": "failed",
        "Brier skill as promoted": "failed",
        "AUC as promoted": "failed",
        "calibration, live": "passed",
    }


@pytest.mark.parametrize(("shift", "verdict"), [(0.05, "passed"), (0.25, "failed"), (-0.25, "failed")])
def test_forecasts_that_are_off_on_average(limits, shift, verdict):
    """In either direction."""
    rows = rows_of(400, 0.0)
    found = verdicts(rows.assign(probability=rows["target"].mean() + shift), limits)
    assert found["calibration, live"] == verdict


def test_a_promotion_without_intervals_cannot_be_compared_with(limits):
    """The first evaluations had none."""
    found = verdicts(rows_of(400, 0.9), limits, {name: {"value": 0.1, "interval": None} for name in PROMOTED})
    assert [name for name, verdict in found.items() if verdict == "unknown"] == [
        "weighted F1 as promoted",
        "Brier skill as promoted",
        "AUC as promoted",
    ]


@pytest.mark.parametrize("rows", [rows_of(199, 0.9), rows_of(0, 0.9), rows_of(400, 0.9).assign(target=1)])
def test_no_verdict_on_too_little(limits, rows):
    """Fewer rows than params.yaml asks for, or one class only."""
    assert verdicts(rows, limits) == {"outcomes": "unknown"}
