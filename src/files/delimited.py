"""Delimited text: what separates its cells, where its header stands, how its numbers are written; then its columns."""

import codecs
import csv
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import reduce
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from src.base.errors import DataError, truncate
from src.base.findings import Findings
from src.base.paths import relative
from src.files.contents import HEAD_BYTES, Contents, unpacked
from src.files.raw import DATE, Raw, Wanted

# Tried in this order: a decimal comma looks like a separator, and a semicolon or a tab like nothing else.
DELIMITERS = {"\t": "tab", ";": "semicolon", "|": "vertical bar", ",": "comma"}
# A time, four prices.
FEWEST_COLUMNS = 5
MOST_HEAD_ROWS = 200
ABSENT = ["", "NA", "N/A", "#N/A", "NaN", "nan", "NAN", "null", "NULL", "Null", "None", "none", "-"]
NUMBER = re.compile(r"[+-]?(?:\d[\d.,]*|[.,]\d+)(?:[eE][+-]?\d+)?")
ISO_UTC = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:?\d\d)")
ISO_NAIVE = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?")
WHOLE = re.compile(r"-?\d{1,18}")
GROUPED = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+")
BLOCK_BYTES = 1 << 22


class Layout(NamedTuple):
    """How the text is laid out: what separates cells, the lines before the first bar, the header, the first rows."""

    delimiter: str
    n_skipped: int
    names: list[str] | None
    head: list[list[str]]


def read_delimited(path: Path, contents: Contents, found: Findings) -> Raw:
    """Understand the layout of a text file; `DataError` if it has none that bars could have."""
    layout = _layout(path, contents, found)
    decimal, thousands = _how_numbers_are_written(layout)
    if decimal == ",":
        found.notes.append("numbers with a decimal comma")
        if shown := next((cell for row in layout.head for cell in row if GROUPED.fullmatch(cell)), ""):
            found.warnings.append(f"numbers such as {shown} are read with a decimal comma, not as thousands")

    def read(wanted: Mapping[int, Wanted]) -> dict[int, pa.ChunkedArray]:
        if not layout.head:
            return {place: pa.chunked_array([pa.array([], type=pa.string())]) for place in wanted}
        types = {place: _type_of(layout.head, place, how, thousands) for place, how in wanted.items()}
        columns = _columns(path, contents, layout, decimal, types, found)
        if columns is not None:
            return columns
        # Where some cell is not as the first ones are: as text, each can be named.
        texts = _columns(path, contents, layout, decimal, dict.fromkeys(types, pa.string()), found) or {}
        return _without_headers(texts, layout.names)

    return Raw(layout.names, layout.head, read, decimal, thousands)


def _layout(path: Path, contents: Contents, found: Findings) -> Layout:
    """Tell what separates the cells and where the bars begin, from the first lines."""
    lines = _lines(contents)
    for delimiter, name in DELIMITERS.items():
        rows = list(csv.reader(lines, delimiter=delimiter, skipinitialspace=True))
        if len(rows) != len(lines):
            continue
        counts = Counter(len(row) for row in rows if len(row) >= FEWEST_COLUMNS)
        n_columns, n_rows = counts.most_common(1)[0] if counts else (0, 0)
        if n_rows * 2 >= sum(map(bool, rows)):
            found.notes.append(f"text in {contents.encoding.removesuffix('-sig').upper()}, cells separated by {name}")
            return _with_header(rows, n_columns, delimiter, found)
    shown = truncate(next((line for line in lines if line.strip()), ""), 100)
    names = ", ".join(DELIMITERS.values())
    msg = (
        f"{relative(path)}: expected a line for each bar, {FEWEST_COLUMNS + 1} cells or more separated by {names}; "
        f"its first line is {shown!r}"
    )
    raise DataError(msg)


def _lines(contents: Contents) -> list[str]:
    """Return the first lines; the last of a head that is full is torn."""
    decoder = codecs.getincrementaldecoder(contents.encoding)(errors="replace")
    text = decoder.decode(contents.head)
    lines = re.split(r"\r\n|\n|\r", text)
    return lines[:-1] if len(contents.head) == HEAD_BYTES and len(lines) > 1 else lines


def _with_header(rows: list[list[str]], n_columns: int, delimiter: str, found: Findings) -> Layout:
    """Tell banner, header and bars apart; a header may have a cell more or less than the bars, an empty one."""
    first = next(at for at, row in enumerate(rows) if len(row) == n_columns)
    names = _names_before(rows, first, n_columns)
    if names is None and _is_header(rows[first]):
        names, first = rows[first], first + 1
    n_banner = sum(map(bool, rows[: first - (names is not None)]))
    data = [row for row in rows[first:] if len(row) == n_columns]
    more = list(takewhile(lambda row: not any(map(_is_value, row)), data)) if names else []
    for row in more:
        # As pandas writes the name of an index under those of the columns.
        filled = [place for place, cell in enumerate(row) if cell.strip()]
        if names and len(filled) == 1:
            names = [cell if place != filled[0] else row[place] for place, cell in enumerate(names)]
    if more:
        last = next((at for at, row in enumerate(rows[first:], first) if any(map(_is_value, row))), len(rows))
        first = last
        found.notes.append(f"{len(more)} more lines of header are left out")
    if n_banner:
        shown = truncate(delimiter.join(next(row for row in rows if row)), 60)
        found.notes.append(f"{n_banner} lines before the {'header' if names else 'bars'} are left out: {shown!r}")
    head = data[len(more) :][:MOST_HEAD_ROWS]
    cleaned = None if names is None else [name.strip().lstrip("#").strip() for name in names]
    return Layout(delimiter, first, cleaned, head)


def _names_before(rows: list[list[str]], first: int, n_columns: int) -> list[str] | None:
    """Return the header where it stands before the first row as long as the bars: with a cell more, or one less."""
    before = rows[first - 1] if first else []
    if len(before) == n_columns - 1 and _is_header(before) and all(not row[-1].strip() for row in rows[first:] if row):
        return [*before, ""]
    if len(before) == n_columns + 1 and _is_header(before) and not before[-1].strip():
        return before[:-1]
    return None


def _is_header(row: Sequence[str]) -> bool:
    return not any(map(_is_value, row)) and sum(bool(cell.strip()) for cell in row) >= FEWEST_COLUMNS - 1


def _is_value(cell: str) -> bool:
    """Tell whether a cell holds a number or a time."""
    return bool(NUMBER.fullmatch(cell.strip()) or DATE.search(cell))


def _how_numbers_are_written(layout: Layout) -> tuple[str, str]:
    """Return the decimal mark and what stands between thousands, empty if nothing does."""
    cells = {cell.strip() for row in layout.head for cell in row}
    numbers = [cell for cell in cells if NUMBER.fullmatch(cell) and not DATE.search(cell)]
    commas, points = [cell for cell in numbers if "," in cell], [cell for cell in numbers if "." in cell]
    if not commas:
        return ".", ""
    last = [cell for cell in commas if "." in cell]
    if last:
        return (",", ".") if last[0].rfind(",") > last[0].rfind(".") else (".", ",")
    grouped = all(map(GROUPED.fullmatch, commas))
    if points or (grouped and layout.delimiter != ";"):
        return ".", ","
    return ",", ""


def _type_of(head: Sequence[Sequence[str]], place: int, how: Wanted, thousands: str) -> pa.DataType:
    """Choose what a column is read as, from its first cells."""
    cells = [row[place].strip() for row in head if place < len(row) and row[place].strip() not in ABSENT]
    if how != "time":
        return pa.string() if how == "text" or thousands else pa.float64()
    for pattern, kind in ((WHOLE, pa.int64()), (ISO_UTC, pa.timestamp("us", "UTC")), (ISO_NAIVE, pa.timestamp("us"))):
        if cells and all(map(pattern.fullmatch, cells)):
            return kind
    return pa.string()


def _without_headers(columns: dict[int, pa.ChunkedArray], names: list[str] | None) -> dict[int, pa.ChunkedArray]:
    """Empty the rows that repeat the header, as files that were joined have them."""
    if names is None:
        return columns
    repeated = [pc.equal(pc.utf8_trim_whitespace(column), names[place]) for place, column in columns.items()]
    is_header = pc.fill_null(reduce(pc.and_, repeated), fill_value=False)
    if not pc.any(is_header).as_py():
        return columns
    return {place: pc.if_else(is_header, None, column) for place, column in columns.items()}


def _columns(
    path: Path, contents: Contents, layout: Layout, decimal: str, types: dict[int, pa.DataType], found: Findings
) -> dict[int, pa.ChunkedArray] | None:
    """Read columns whole, None if a cell is not of its column's type; a row of another length is a problem."""
    n_columns = len(layout.head[0]) if layout.head else len(layout.names or [])
    names = [f"{place}" for place in range(n_columns)]
    wrong: list[pa_csv.InvalidRow] = []

    def note(row: pa_csv.InvalidRow) -> str:
        wrong.append(row)
        return "skip"

    with unpacked(path) as stream:
        source = pa.PythonFile(stream, mode="r")
        encoding = contents.encoding.removesuffix("-sig")
        if encoding != "utf-8":
            source = pa.transcoding_input_stream(source, encoding, "utf-8")
        how = (
            pa_csv.ReadOptions(skip_rows=layout.n_skipped, column_names=names, block_size=BLOCK_BYTES),
            pa_csv.ParseOptions(delimiter=layout.delimiter, invalid_row_handler=note),
            pa_csv.ConvertOptions(
                column_types={f"{place}": kind for place, kind in types.items()},
                include_columns=[f"{place}" for place in types],
                null_values=ABSENT,
                strings_can_be_null=True,
                decimal_point=decimal,
            ),
        )
        try:
            table = pa_csv.read_csv(source, *how)
        except pa.ArrowInvalid:
            if set(types.values()) == {pa.string()}:
                raise
            return None
    if wrong:
        shown = truncate(wrong[0].text, 100)
        more = f"; {len(wrong) - 1} more lines are so" if len(wrong) > 1 else ""
        words = f"expected {n_columns} cells in each line, got {wrong[0].actual_columns} in {shown!r}{more}; mend it"
        if not any(problem.words == words for problem in found.problems):
            found.refuse(words)
    return {place: table[f"{place}"] for place in types}
