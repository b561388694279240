"""The twelve features bar by bar, in O(1), from a state that can be saved."""

from collections.abc import Mapping
from datetime import UTC, datetime
from math import inf, isfinite
from typing import Any, Self

import numpy as np

from btc_signal.bar import Bar, read_bar
from btc_signal.catalog import FEATURE_MANAGER_VERSION, FEATURE_NAMES
from btc_signal.exceptions import DataError, GapError
from btc_signal.state_json import from_plain, to_plain
from btc_signal.stream_state import Progress, Recursion
from btc_signal.times import is_on_grid, read_timeframe, timeframe_text, utc_text

WINDOWS = (
    *("macd_fast", "macd_slow", "macd_signal", "bollinger_window", "zscore_window", "volume_ratio_window"),
    "warm_up_bars",
)


class FeatureStream:
    """Makes the features of one closed bar after the other: the rows of `FeatureManager.generate_features`.

    The work per bar does not grow with the number of bars, and the rows are equal to the last bit: TA-Lib's recursions,
    one step at a time. A bar that is refused leaves the stream as it was.

    Parameters
    ----------
    settings : mapping
        Windows and warm-up in bars, by name: the `feature_settings` of a model's metadata, so that what serves is what
        trained.
    timeframe : str
        Length of a bar, such as 1h: `training_info.data.timeframe` there.
    """

    def __init__(self, settings: Any, timeframe: str) -> None:  # noqa: ANN401 - whatever `dict` takes
        self.settings = _checked(settings)
        try:
            self._step = read_timeframe(timeframe)
        except (TypeError, ValueError) as error:
            raise DataError(str(error)) from error
        self._recursion = Recursion(self.settings)
        self._warm_up_bars = self.settings["warm_up_bars"]
        if self._warm_up_bars <= self._recursion.n_start:
            longest = self._recursion.n_start
            msg = f"warm_up_bars is {self._warm_up_bars}, expected more than {longest}, the longest window"
            raise DataError(msg)
        self._at = Progress()

    @classmethod
    def of_model(cls, metadata: Mapping[str, Any]) -> Self:
        """Make the stream of a model by its metadata: what serves is what trained; `DataError` if they hold neither."""
        try:
            return cls(metadata["feature_settings"], metadata["training_info"]["data"]["timeframe"])
        except (KeyError, TypeError) as error:
            msg = f"the metadata of version {metadata.get('version')} lack {error}; restore them with `git checkout`"
            raise DataError(msg) from error

    @property
    def timeframe(self) -> str:
        """Length of a bar."""
        return timeframe_text(self._step)

    @property
    def last_time(self) -> datetime | None:
        """Open time of the last bar taken; None before the first."""
        return self._at.time

    @property
    def missing_bars(self) -> int:
        """How many unbroken bars are still needed for the first row; 0 once the warm-up is complete."""
        return max(0, self._warm_up_bars - self._at.n_bars)

    def update(self, bar: Mapping[str, Any]) -> np.ndarray | None:
        """Take the next closed bar, as `btc_signal.bar.read_bar` reads it, and return its features, shape (12,).

        They are for ``model.predict_proba([row])``; None while the warm-up is not complete. `GapError` if bars are
        missing between the last one and this: feed them first, or let `warm_up` take this bar. `DataError` names a bar
        that is a duplicate, late, not closed yet, or invalid.
        """
        checked = read_bar(bar)
        missing = self._missing_before(checked, self._at.time)
        if missing:
            first = utc_text(checked.time - missing * self._step)
            msg = f"{checked.name}: {missing} bars from {first} on are missing; feed them first, or let warm_up take it"
            raise GapError(msg)
        self._at, row = self._take(checked, self._at)
        return row

    def warm_up(self, bars: Any) -> np.ndarray | None:  # noqa: ANN401 - records, or a frame of them
        """Take closed bars from the past, oldest first, all of them or none; return the features of the last.

        `bars` are as `update` takes them, or a DataFrame. A gap is accepted and starts the warm-up anew, between two of
        these bars and before the first.
        """
        records = _records(bars) if hasattr(bars, "reset_index") else bars
        at, row = self._at, None
        for checked in map(read_bar, records):
            missing = self._missing_before(checked, at.time)
            at, row = self._take(checked, Progress() if missing else at)
        self._at = at
        return row

    def state(self) -> dict[str, Any]:
        """Return all that `from_state` needs to go on, as plain JSON; its size does not grow."""
        return {
            "feature_manager_version": FEATURE_MANAGER_VERSION,
            "timeframe": self.timeframe,
            "settings": dict(self.settings),
            "progress": to_plain(self._at),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any], settings: Any, timeframe: str) -> Self:  # noqa: ANN401 - as above
        """Go on where `state` was taken; the next rows are those of the stream that was never stopped.

        `DataError` if the state is damaged, or was made with other settings, another timeframe or other features.
        """
        stream = cls(settings, timeframe)
        expected = stream.state() | {"progress": None}
        for name in expected.keys() - {"progress"}:
            found = state.get(name) if isinstance(state, dict) else state
            if found != expected[name]:
                msg = f"state of another stream: expected {name} {expected[name]}, got {found}; warm up anew"
                raise DataError(msg)
        try:
            stream._at = from_plain(state["progress"], stream._recursion)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            msg = f"damaged state ({error}); warm up anew"
            raise DataError(msg) from error
        return stream

    def __repr__(self) -> str:
        last = utc_text(self.last_time) if self.last_time else "no bar yet"
        return f"{type(self).__name__}(timeframe={self.timeframe}, last={last}, missing_bars={self.missing_bars})"

    def _take(self, bar: Bar, at: Progress) -> tuple[Progress, np.ndarray | None]:
        """Return how far a stream at `at` comes with a checked bar, and the bar's row."""
        n_bars = at.n_bars + 1
        if at.memory is None:
            gathered = (*at.gathered, bar)
            if n_bars < self._recursion.n_start:
                return Progress(n_bars, bar.time, gathered), None
            return Progress(n_bars, bar.time, (), self._recursion.start(gathered)), None
        row, memory = self._recursion.step(at.memory, bar)
        if not isfinite(sum(row)):
            values = ", ".join(f"{name} {value!r}" for name, value in zip(FEATURE_NAMES, row, strict=True))
            msg = f"{bar.name}: expected finite features, got {values}; is the bar right?"
            raise DataError(msg)
        return Progress(n_bars, bar.time, (), memory), np.array(row) if n_bars >= self._warm_up_bars else None

    def _missing_before(self, bar: Bar, last: datetime | None) -> int:
        """Count the bars between the `last` one and this; refuse a bar whose time cannot be the next."""
        time, step = bar.time, self._step
        now = datetime.now(UTC)
        if time + step > now:
            msg = f"{bar.name} is not closed yet, it is {utc_text(now)} now; wait for its close, or set the clock"
            raise DataError(msg)
        if last is None:
            if not is_on_grid(time, step):
                msg = f"{bar.name} opens off the grid of {self.timeframe}; give the time at which it opens"
                raise DataError(msg)
            return 0
        if time - last == step:
            return 0
        if time <= last:
            words = "duplicate bar" if time == last else f"late: the last one is {utc_text(last)}"
            msg = f"{bar.name}: {words}; leave it out"
            raise DataError(msg)
        if (time - last) % step:
            came = timeframe_text(time - last)
            msg = f"{bar.name} comes {came} after the last one, bars come every {self.timeframe}; leave it out"
            raise DataError(msg)
        return (time - last) // step - 1


def _checked(settings: Any) -> dict[str, Any]:  # noqa: ANN401 - as in `FeatureStream`
    """Return settings that hold a window of two bars or more under every name, and a width above 0."""
    try:
        checked = dict(settings)
    except (TypeError, ValueError):
        checked = {}
    windows = {name: value for name, value in checked.items() if name != "bollinger_width"}
    width = checked.get("bollinger_width")
    if (
        windows.keys() != set(WINDOWS)
        or not all(type(value) is int and value >= 2 for value in windows.values())  # noqa: PLR2004 - bars
        or not windows["macd_fast"] < windows["macd_slow"]
        or not (isinstance(width, float | int) and 0 < width < inf)
    ):
        msg = f"expected the feature settings of params.yaml ({', '.join(WINDOWS)}, bollinger_width), got {settings!r}"
        raise DataError(msg)
    return checked


def _records(bars: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - a frame of pandas, which is not imported
    """Return the rows of a frame; an index of moments without a name is that of the open times."""
    is_unnamed = bars.index.name is None and hasattr(bars.index, "tz")
    return (bars.rename_axis("time") if is_unnamed else bars).reset_index().to_dict("records")
