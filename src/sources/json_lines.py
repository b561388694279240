"""Bars as JSON lines, one object a line, such as a feed writes them."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, BinaryIO

from src.base.errors import DataError, truncate

# Far above any bar; a feed that never ends a line would fill the memory.
LONGEST_LINE = 1_000_000


class TwiceError(ValueError):
    """A key stands twice in an object: which value counts is anyone's guess."""


def read_lines(feed: BinaryIO, first: int = 1) -> Iterator[dict[str, Any]]:
    """Read JSON objects as their lines come, empty ones left out; `DataError` names a line that is none.

    `first` is the number of the first line.
    """
    for number, line in enumerate(iter(lambda: feed.readline(LONGEST_LINE + 1), b""), start=first):
        if not line.strip():
            continue
        if len(line) > LONGEST_LINE:
            msg = f"line {number}: expected one bar, at most {LONGEST_LINE:,} bytes; end each with a line feed"
            raise DataError(msg)
        try:
            content = json.loads(line.decode(), object_pairs_hook=each_key_once)
        except (ValueError, RecursionError) as error:
            msg = f"line {number}: not valid JSON ({error}); expected one bar a line"
            raise DataError(msg) from error
        if not isinstance(content, dict):
            came = line.strip()[:60].decode(errors="replace")
            msg = f"line {number}: expected a JSON object with a bar's time and values, got {came}"
            raise DataError(msg)
        yield content


def each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of its keys and values, as `json` calls it; `TwiceError` names a key that stands twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        msg = f"{truncate(twice, 60)!r} twice"
        raise TwiceError(msg)
    return found
