"""JSON as exchanges and trading bots keep bars: a list of lists, of objects, or an object of columns."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from src.base.errors import DataError, truncate
from src.base.findings import Findings
from src.base.json_keys import each_key_once
from src.base.paths import relative
from src.files.binary import of_table
from src.files.contents import Contents, unpacked
from src.files.orders import PLAIN, order_of
from src.files.raw import Raw

# Of an object of columns, as TradingView's data feeds have them.
SHORT = {"t": "time", "o": "open", "h": "high", "l": "low", "c": "close", "v": "volume"}


def read_json(path: Path, contents: Contents, found: Findings) -> Raw:
    """Find the bars in a JSON document, or in JSON lines; `DataError` if there are none."""
    name = relative(path)
    try:
        with unpacked(path) as stream:
            text = stream.read().decode(contents.encoding)
        content = _parse(text)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        msg = f"{name}: not valid JSON ({truncate(str(error))}); mend it"
        raise DataError(msg) from error
    bars = max(_lists_in(content), key=len, default=[])
    if not bars:
        msg = f"{name}: no list of bars in it; expected lists or objects, one a bar"
        raise DataError(msg)
    found.notes.append("JSON")
    kinds = {type(bar) for bar in bars}
    if kinds == {dict}:
        # In the order in which they come first.
        names = list(dict.fromkeys(key for bar in bars for key in bar))
        return _raw([[bar.get(key) for key in names] for bar in bars], names)
    if kinds == {list} and len({len(bar) for bar in bars}) == 1:
        names = order_of(bars)
        found.notes.append(f"lists without names, understood as {', '.join(names)}")
        return _raw(bars, names)
    msg = f"{name}: expected bars of one kind and one length, got {truncate(str(bars[0]), 80)} and others unlike it"
    raise DataError(msg)


def _parse(text: str) -> Any:  # noqa: ANN401 - JSON
    """Parse a document; if it ends early, a line at a time."""
    try:
        return json.loads(text, object_pairs_hook=each_key_once)
    except json.JSONDecodeError:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2 or not lines[0].rstrip().endswith(("}", "]")):  # noqa: PLR2004 - one line was tried
            raise
        return [json.loads(line, object_pairs_hook=each_key_once) for line in lines]


def _lists_in(content: Any) -> Iterator[list[Any]]:  # noqa: ANN401 - JSON
    """Yield the lists of lists or objects, however deep, and columns turned into lists."""
    if isinstance(content, dict):
        columns = {key: value for key, value in content.items() if isinstance(value, list) and not _are_bars(value)}
        lengths = {len(column) for column in columns.values()}
        if len(columns) >= len(PLAIN) - 1 and len(lengths) == 1:
            names = [SHORT.get(key, key) for key in columns]
            yield [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]
            return
        for value in content.values():
            yield from _lists_in(value)
    elif isinstance(content, list):
        if _are_bars(content):
            yield content
        else:
            for value in content:
                yield from _lists_in(value)


def _are_bars(content: Sequence[Any]) -> bool:
    """Tell whether a list holds bars: objects or lists of plain values."""
    first = content[0] if content else None
    values = first.values() if isinstance(first, dict) else first if isinstance(first, list) else ()
    return len(values) >= len(PLAIN) - 1 and not any(isinstance(value, dict | list) for value in values)


def _raw(bars: Sequence[Sequence[Any]], names: list[str]) -> Raw:
    """Make columns of the bars; numbers that stand as text stay text."""
    columns = list(zip(*bars, strict=True))
    table = pa.table([_column(values) for values in columns], names=[f"{place}" for place in range(len(names))])
    return of_table(table)._replace(names=names)


def _column(values: Sequence[Any]) -> pa.Array:
    """Return numbers or texts; what is a mixture is text."""
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, UnicodeEncodeError):
        return pa.array(list(map(_as_text, values)))


def _as_text(value: object) -> str | None:
    if isinstance(value, str):
        return value.encode(errors="replace").decode()  # half a pair of surrogates is no text
    return None if value is None else json.dumps(value)
