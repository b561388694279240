"""Bars as JSON lines, one object a line, such as a feed writes them."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from src.errors import DataError


def read_lines(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Read JSON objects as their lines come; empty lines are passed over.

    Raises
    ------
    DataError
        Naming the line that is no JSON object.
    """
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            content = json.loads(line)
        except ValueError as error:
            msg = f"line {number}: not valid JSON ({error}); expected one bar a line"
            raise DataError(msg) from error
        if not isinstance(content, dict):
            msg = f"line {number}: expected a JSON object with a bar's time and values, got {line.strip()[:60]}"
            raise DataError(msg)
        yield content
