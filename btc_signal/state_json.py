"""The progress of a stream as plain JSON and back. What is read is checked: a state comes from a disk."""

from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise
from math import isfinite
from typing import Any

from btc_signal.bar import read_bar, read_time
from btc_signal.stream_state import Memory, Progress, Recursion
from btc_signal.talib_steps import Window


def to_plain(part: Any) -> Any:  # noqa: ANN401 - a progress, or any part of one
    """Write a progress as plain JSON; doubles keep every bit."""
    if isinstance(part, datetime):
        return part.isoformat()
    if hasattr(part, "_asdict"):
        return {name: to_plain(value) for name, value in part._asdict().items()}
    return [to_plain(value) for value in part] if isinstance(part, tuple) else part


def from_plain(content: Mapping[str, Any], recursion: Recursion) -> Progress:
    """Read what `to_plain` wrote.

    `ValueError`, `TypeError`, `KeyError` or `AttributeError` if no stream of this recursion can have come to it.
    """
    n_bars = _number(content["n_bars"], int)
    time, memory = content["time"], content["memory"]
    progress = Progress(
        n_bars,
        read_time(time) if n_bars else None,
        tuple(map(read_bar, content["gathered"])),
        _read(Memory, memory) if n_bars >= recursion.n_start else None,
    )
    if to_plain(progress) != content or not _fits(progress, recursion):
        msg = f"not what {n_bars} bars leave behind"
        raise ValueError(msg)
    return progress


def _fits(progress: Progress, recursion: Recursion) -> bool:
    """Tell whether there are as many values as the windows and the number of bars ask for."""
    memory = progress.memory
    if memory is None:
        times = [bar.time for bar in progress.gathered]
        in_order = all(before < after for before, after in pairwise(times))
        return in_order and len(times) == progress.n_bars and times[-1:] == [progress.time][: len(times)]
    windows = len(memory.closes), len(memory.volumes)
    lengths = max(recursion.bollinger, recursion.zscore), recursion.volume
    possible = min(memory.closes) > 0 and min(*memory.volumes, memory.gain, memory.loss, memory.true_range) >= 0
    return possible and memory.close == memory.closes[-1] and windows == lengths and not progress.gathered


def _read(kind: type, content: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a thing of that kind
    """Read a named tuple of numbers, of tuples of numbers, and of windows."""
    values = {}
    for name, annotation in kind.__annotations__.items():
        if annotation is Window:
            values[name] = _read(Window, content[name])
        elif annotation in {int, float}:
            values[name] = _number(content[name], annotation)
        else:
            values[name] = tuple(_number(value, float) for value in content[name])
    return kind(**values)


def _number(value: Any, kind: type[int | float]) -> Any:  # noqa: ANN401 - whatever stood there
    """Return a finite number of that kind; what counts something is not negative."""
    if not (type(value) is kind and isfinite(value) and (kind is float or value >= 0)):
        msg = f"{value!r} where {kind.__name__} was expected"
        raise ValueError(msg)
    return value
