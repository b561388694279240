"""What all doors refuse alike, and the latest row or why there is none."""

import pandas as pd
import pytest

from src.base.errors import DataError
from src.features.feature_manager import FeatureManager
from src.features.stream import FeatureStream

WRONG_TIMES = {
    "no zone": (lambda bars: bars.tz_localize(None), "times without a zone .*tz_localize"),
    "half past": (lambda bars: bars.set_index(bars.index + pd.Timedelta("30min")), "opens off the grid of 1h"),
    "last instants": (lambda bars: bars.set_index(bars.index + pd.Timedelta("3599.999s")), "opens off the grid of 1h"),
    "quarters": (
        lambda bars: bars.set_index(pd.date_range("2020-01-01", periods=len(bars), freq="15min", tz="UTC")),
        "comes 15m after the one before it; expected bars of 1h",
    ),
    "this hour's": (
        lambda bars: bars.set_index(pd.date_range(end=pd.Timestamp.now("UTC").floor("h"), periods=len(bars), freq="h")),
        "is not closed yet",
    ),
}


@pytest.mark.parametrize(("change", "words"), WRONG_TIMES.values(), ids=WRONG_TIMES)
def test_one_strictness_at_all_doors(change, words, manager, walk):
    """What the features of a frame refuse, the stream refuses, too, and in a column as in an index."""
    wrong = change(walk)
    strict = FeatureManager(manager.settings, "1h")
    for bars in (wrong, wrong.reset_index(names="time")):
        with pytest.raises(DataError, match=words):
            strict.generate_features(bars)
        with pytest.raises(DataError, match=words):
            strict.latest(bars)
    in_words = r"in UTC, or with its offset|off the grid|15m after the last one|not closed yet"
    with pytest.raises(DataError, match=in_words):
        FeatureStream(manager.settings, "1h").warm_up(wrong)


def test_the_latest_row_is_of_the_newest_bar(manager, walk):
    """It is the last row, as long as the newest bar has one; after a gap there is none, and the words say why."""
    n_bars = manager.settings.warm_up_bars
    pd.testing.assert_frame_equal(manager.latest(walk), manager.generate_features(walk).iloc[[-1]])
    torn = walk.drop(walk.index[-3])
    assert manager.generate_features(torn).index[-1] == walk.index[-4]
    since = f"2 bars without a gap since the gap before .*, expected {n_bars}, the warm-up; {n_bars - 2} more bars are"
    with pytest.raises(DataError, match=f"the newest bar, .*, has no features: {since}"):
        manager.latest(torn)
    with pytest.raises(DataError, match=f"has no features: {n_bars - 1} bars without a gap in all"):
        manager.latest(walk.iloc[: n_bars - 1])
