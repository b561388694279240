"""Bars as JSON lines, one object a line, such as a feed writes them."""

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from src.base.errors import DataError
from src.base.json_keys import each_key_once

# Far above any bar; a feed that never ends a line would fill the memory.
LONGEST_LINE = 1_000_000


def read_lines(feed: BinaryIO, first: int = 1, name: str = "") -> Iterator[dict[str, Any]]:
    """Read JSON objects as their lines come, empty ones left out; `DataError` names a line that is none.

    `first` is the number of the first line, `name` that of the file, if it has one.
    """
    for number, line in enumerate(iter(lambda: feed.readline(LONGEST_LINE + 1), b""), start=first):
        if not line.strip():
            continue
        where = f"{name}, line {number}" if name else f"line {number}"
        if len(line) > LONGEST_LINE:
            msg = f"{where}: expected one bar, at most {LONGEST_LINE:,} bytes; end each with a line feed"
            raise DataError(msg)
        try:
            content = json.loads(line.decode(), object_pairs_hook=each_key_once)
        except (ValueError, RecursionError) as error:
            msg = f"{where}: not valid JSON ({error}); expected one bar a line"
            raise DataError(msg) from error
        if not isinstance(content, dict):
            came = line.strip()[:60].decode(errors="replace")
            msg = f"{where}: expected a JSON object with a bar's time and values, got {came}"
            raise DataError(msg)
        yield content
