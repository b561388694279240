"""Parquet and Feather: columns that have types already."""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from src.base import tables
from src.base.errors import DataError, truncate
from src.base.findings import Findings
from src.base.paths import relative
from src.files.contents import Contents, unpacked
from src.files.raw import Raw, Wanted

N_HEAD_ROWS = 200


def read_binary(path: Path, contents: Contents, found: Findings) -> Raw:
    """Read Parquet or Feather, the levels of an index as columns; `DataError` if it is damaged."""
    with unpacked(path) as stream:
        content = stream.read()
    try:
        table = tables.read_table(content) if contents.kind == "parquet" else tables.read_feather(content)
    except (OSError, pa.ArrowException) as error:
        words = truncate(" ".join(str(error).split()))
        msg = f"{relative(path)}: cannot be read ({words}); mend it, or data.path in params.yaml"
        raise DataError(msg) from error
    found.notes.append(f"a table in {contents.kind.capitalize()}")
    return of_table(table)


def of_table(table: pa.Table) -> Raw:
    """Return the columns of a table; an index that has no name is a column without one."""
    names = ["" if name.startswith("__index_level_") else name for name in table.column_names]
    head = [list(map(_text, row.values())) for row in table.slice(0, N_HEAD_ROWS).to_pylist()]

    def read(wanted: Mapping[int, Wanted]) -> dict[int, pa.ChunkedArray]:
        return {place: table.column(place) for place in wanted}

    return Raw(names, head, read)


def _text(value: object) -> str:
    return "" if value is None else str(value)
