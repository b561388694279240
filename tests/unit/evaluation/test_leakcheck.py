"""The whole check: clean as shipped, and each of its questions answered with a finding where something was planted."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from src.base.errors import DataError
from src.base.params import Split
from src.evaluation import leakcheck
from src.evaluation.leakcheck import check_callable, check_pipeline, load_callable, summary
from src.features import feature_manager


@pytest.fixture(scope="module")
def walk(make_bars):
    return make_bars(900, seed=12)


@pytest.fixture(scope="module")
def small(params):
    """The shipped parameters with a short warm-up; long enough for what a tenth of a year forgets."""
    return params.model_copy(update={"features": params.features.model_copy(update={"warm_up_bars": 400})})


def unclean(checks):
    return {check.name: check.details for check in checks if check.verdict != "passed"}


def test_as_shipped(walk, small):
    """Nothing is found in what is shipped, and every check says what it looked at."""
    checks = check_pipeline(walk, small)
    assert unclean(checks) == {}
    assert len(checks) == 8
    assert all(check.words for check in checks)


def test_leaking_feature(walk, small, monkeypatch):
    """A feature that looks ahead is found in the pipeline's own code."""
    compute = feature_manager.compute
    monkeypatch.setattr(
        feature_manager,
        "compute",
        lambda columns, settings: compute(columns, settings) | {"volume_ratio": np.roll(columns["close"], -1)},
    )
    found = unclean(check_pipeline(walk, small))
    assert [finding.feature for finding in found["no feature knows a later bar"]] == ["volume_ratio"]
    assert "batch and stream agree" in found


def test_stale_label(walk, small, monkeypatch):
    """A label that looks less far than stated is found."""
    monkeypatch.setattr(leakcheck, "make_labels", lambda close, _: (close.pct_change() > 0.003).astype(float))
    assert "labels look exactly as far as stated" in unclean(check_pipeline(walk, small))


def test_gap_of_folds(walk, small):
    """Folds without the gap that the horizon asks for are found, with the rows on both sides."""
    label = small.label.model_copy(update={"horizon_bars": 3})
    reaching = small.model_copy(update={"label": label, "split": Split(n_splits=3, gap=1)})
    findings = unclean(check_pipeline(walk, reaching))["no training label reaches into the test rows"]
    assert len(findings) == 3
    assert findings[0].row < findings[0].depends_on


def test_short_warm_up(walk, small):
    """A warm-up after which the start of the history still shows is found."""
    hasty = small.model_copy(update={"features": small.features.model_copy(update={"warm_up_bars": 60})})
    findings = unclean(check_pipeline(walk, hasty))["the warm-up is long enough"]
    assert "ema_50" in [finding.feature for finding in findings]


def test_duplicate(walk, small):
    """A z-score over the window of the bands is a copy of the position within them."""
    same = small.model_copy(update={"features": small.features.model_copy(update={"zscore_window": 20})})
    findings = unclean(check_pipeline(walk, same))["no column is constant or duplicated"]
    assert [finding.feature for finding in findings] == ["zscore"]
    assert "bb_position" in findings[0].cause


def test_open_bar(walk, small):
    """A newest bar that is not closed yet is found."""
    now = walk.index[-1].to_pydatetime()
    assert "the newest bar is closed" in unclean(check_pipeline(walk, small, now))
    assert unclean(check_pipeline(walk, small, datetime(2026, 1, 1, tzinfo=UTC))) == {}


def test_own_function(walk, small):
    """A user's own features: what looks ahead, what never varies, and what knows the label."""

    def features(bars):
        later = bars["close"].shift(-1) / bars["close"] - 1
        return pd.DataFrame({"later": later, "one": 1.0, "past": bars["close"].pct_change(3)})

    found = unclean(check_callable(features, walk, small))
    assert [finding.feature for finding in found["no feature knows a later bar"]] == ["later"]
    assert [finding.feature for finding in found["no column is constant or duplicated"]] == ["one"]
    assert [finding.feature for finding in found["no feature knows the label"]] == ["later"]


def test_own_clean_function(walk, small):
    assert unclean(check_callable(lambda bars: bars["close"].pct_change(3), walk, small)) == {}


def test_load_callable():
    """A function is found by module and name."""
    assert load_callable("src.evaluation.leakcheck:check_callable") is check_callable


@pytest.mark.parametrize("name", ["", "src", "src.nowhere:f", "src.evaluation.leakcheck:nothing", ":f"])
def test_no_callable(name):
    """What cannot be imported is named."""
    with pytest.raises(DataError, match="expected a function as module:function"):
        load_callable(name)


def test_summary(walk, small):
    """All of it as JSON for a machine."""
    plain = summary(check_callable(lambda bars: bars["close"].shift(-1).rename("later"), walk, small))
    assert plain["is_clean"] is False
    assert plain["checks"][0]["findings"][0]["feature"] == "later"
