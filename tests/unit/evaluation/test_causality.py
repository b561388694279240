"""The leak finder finds every leak that was planted, says how it came about, and accuses no clean code."""

import re

import numpy as np
import pandas as pd
import pytest

from src.base.errors import DataError
from src.evaluation import causality
from src.evaluation.causality import find_leaks
from src.features.feature_manager import FeatureManager

LEAKS = {
    "shift(-1)": (lambda b: b["close"].shift(-1), r"^shift\(-1\)"),
    "shift(-5) of a change": (lambda b: b["close"].pct_change().shift(-5), r"^shift\(-5\)"),
    "the next open": (lambda b: b["open"].shift(-1) / b["close"], r"^shift\(-1\)"),
    "the next volume": (lambda b: b["volume"].shift(-1), r"^shift\(-1\)"),
    "np.roll": (lambda b: pd.Series(np.roll(b["close"], -2), b.index), r"^(shift\(-2\)|global)"),
    "centred mean": (lambda b: b["close"].rolling(11, center=True).mean(), "^centred window: it reaches 5 bars ahead"),
    "centred maximum": (lambda b: b["high"].rolling(7, center=True).max(), "^centred window"),
    "smoothed both ways": (lambda b: b["close"][::-1].ewm(span=5).mean()[::-1], "^(centred window|global)"),
    "bfill": (lambda b: b["close"].rolling(20).mean().bfill(), "^bfill"),
    "global z-score": (lambda b: (b["close"] - b["close"].mean()) / b["close"].std(), "^global scaling"),
    "global rank": (lambda b: b["volume"].rank(pct=True), "^global scaling"),
    "global minimum and maximum": (lambda b: b["volume"] / b["volume"].max(), "^global scaling"),
    "filled with the mean": (lambda b: b["close"].rolling(20).mean().fillna(b["close"].mean()), "^global scaling"),
    "demeaned by the whole": (lambda b: b["close"].pct_change() - b["close"].pct_change().mean(), "^global scaling"),
    "high of the running day": (lambda b: b["high"].groupby(b.index.floor("D")).transform("max"), "^open bar"),
    "close of the running 4 hours": (
        lambda b: b["close"].resample("4h").last().reindex(b.index, method="ffill"),
        "^open bar",
    ),
    "interpolated": (lambda b: b["close"].where(b["volume"] > b["volume"].rolling(9).median()).interpolate(), "^"),
    "counted from the end": (lambda b: pd.Series(np.arange(len(b))[::-1], b.index, dtype=float), "^global|^the end"),
    "quantile bins of the whole": (lambda b: pd.qcut(b["volume"], 50, labels=False).astype(float), "^global scaling"),
    "only where something rare follows": (
        lambda b: (b["close"].pct_change().shift(-1) > 0.012).astype(float),
        "^shift|^the end|^global",
    ),
}
CLEAN = {
    "mean": lambda b: b["close"].rolling(20).mean(),
    "expanding z-score": lambda b: (b["close"] - b["close"].expanding().mean()) / b["close"].expanding().std(),
    "high of the day so far": lambda b: b["high"].groupby(b.index.floor("D")).cummax(),
    "close of the last whole 4 hours": lambda b: (
        b["close"].resample("4h").last().shift(1).reindex(b.index, method="ffill")
    ),
    "ffill": lambda b: b["close"].where(b["volume"] > 50).ffill(),
    "hour": lambda b: pd.Series(b.index.hour, b.index, dtype=float),
    "without the last row": lambda b: b["close"].pct_change().iloc[:-1],
    "without the warm-up": lambda b: b["close"].rolling(30).std().dropna(),
    "exponential": lambda b: b["close"].ewm(span=30).mean(),
}


@pytest.fixture(scope="module")
def walk(make_bars):
    return make_bars(800, seed=11)


@pytest.mark.parametrize("name", LEAKS)
def test_planted(name, walk, monkeypatch):
    """Each is found, even at a third of the cuts; its row lies before the bar it depends on, and its cause is told."""
    monkeypatch.setattr(causality, "N_CUTS", 10)
    leak, cause = LEAKS[name]
    (found,) = find_leaks(lambda bars: leak(bars).rename("planted"), walk)
    assert found.feature == "planted"
    assert pd.Timestamp(found.row) < pd.Timestamp(found.depends_on)
    assert re.search(cause, found.cause)


@pytest.mark.parametrize("name", CLEAN)
def test_clean(name, walk):
    """No clean function is accused."""
    assert find_leaks(CLEAN[name], walk) == []


def test_shipped_features(walk, params):
    """The shipped features are clean, at any cut."""
    manager = FeatureManager(params.features.model_copy(update={"warm_up_bars": 60}))
    assert find_leaks(manager.generate_features, walk) == []


def test_rows_left_out(walk):
    """A leak beside rows that the function left out is found and told like any other."""
    found = find_leaks(lambda b: b["close"].shift(-1).where(b.index.hour % 5 == 0).dropna().rename("x"), walk)
    assert [finding.cause.split(":")[0] for finding in found] == ["shift(-1)"]


def test_one_among_many(walk):
    """Only the leaking columns are named, in their order."""
    found = find_leaks(
        lambda b: pd.DataFrame({"a": b["close"].shift(-1), "b": b["close"], "c": b["close"] / b["close"].max()}), walk
    )
    assert [finding.feature for finding in found] == ["a", "c"]


def test_bars_are_not_changed(walk):
    """A function that writes into its bars is searched all the same, and the caller's bars stay as they are."""

    def careless(bars):
        bars["close"] = bars["close"].shift(-1)
        return bars["close"]

    before = walk.copy()
    assert len(find_leaks(careless, walk)) == 1
    pd.testing.assert_frame_equal(walk, before)


def test_chance(walk):
    """A function that draws anew each time cannot be checked."""
    rng = np.random.default_rng()
    with pytest.raises(DataError, match="other values for the same bars"):
        find_leaks(lambda b: pd.Series(rng.normal(size=len(b)), b.index), walk)


def test_other_rows(walk):
    """Nor one that leaves out other rows each time."""
    left_out = iter(range(5))
    with pytest.raises(DataError, match="other values for the same bars"):
        find_leaks(lambda b: b["close"].iloc[next(left_out) :], walk)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda b: b["close"].reset_index(drop=True), "indexed by open times"),
        (lambda b: b["close"].iloc[:0], "gave no row for 800 bars"),
        (lambda b: b["close"].to_numpy(), "expected a DataFrame or Series"),
    ],
    ids=["other index", "no rows", "an array"],
)
def test_no_features(function, words, walk):
    """What gives no features of these bars is refused in words."""
    with pytest.raises(DataError, match=words):
        find_leaks(function, walk)
