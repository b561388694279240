"""Tables as files: Parquet with a checksum on every page, CSV for the points of plots."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import types

from src.base.errors import DataError
from src.base.paths import relative
from src.base.storage import read_bytes, write_bytes

# Minute bars since Bitcoin's first block are ten million.
MOST_ROWS, MOST_BYTES, LONGEST_TEXT = 20_000_000, 8_000_000_000, 200


def write_frame(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame with its index to Parquet, a checksum on every page."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pandas(frame), sink, compression="zstd", write_page_checksum=True)
    write_bytes(sink.getvalue().to_pybytes(), path)


def read_frame(path: Path) -> pd.DataFrame:
    """Read a frame back; `DataError` if a page's checksum does not match."""
    content = read_bytes(path)
    try:
        return read_table(content).to_pandas()
    except MemoryError as error:
        msg = f"{relative(path)}: out of memory ({error}); free some, or if that is no help delete it; then `dvc repro`"
        raise DataError(msg) from error
    except (pa.ArrowException, OSError, LookupError, TypeError, ValueError) as error:
        msg = f"{relative(path)}: damaged Parquet file ({error}); delete it, then run `dvc repro`"
        raise DataError(msg) from error


def read_table(content: bytes) -> pa.Table:
    """Read Parquet whose columns hold a number, a time or a short text in each row.

    `pyarrow.ArrowException` if a page's checksum does not match, the rows are not as many as stated, or a few bytes
    stand for more than any history of bars holds.
    """
    schema = pq.read_schema(pa.BufferReader(content))
    _refuse_wide(schema)
    texts = [field.name for field in schema if _is_text(field.type)]
    file = pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True, read_dictionary=texts)
    sizes = [file.metadata.row_group(group).total_byte_size for group in range(file.num_row_groups)]
    if file.metadata.num_rows > MOST_ROWS or sum(sizes) > MOST_BYTES:
        came = f"{file.metadata.num_rows:,} rows of {sum(sizes):,} bytes"
        msg = f"{came}, expected at most {MOST_ROWS:,} of {MOST_BYTES:,}"
        raise pa.ArrowInvalid(msg)
    table = _with_short_texts(file.read(), schema, texts)
    stated = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
    if not table.num_rows == sum(stated) == file.metadata.num_rows:
        msg = f"the footer states {file.metadata.num_rows} rows, its groups {sum(stated)}, {table.num_rows} were read"
        raise pa.ArrowInvalid(msg)
    return table


def read_feather(content: bytes) -> pa.Table:
    """Read Feather, with the limits of `read_table`; `pyarrow.ArrowException` if it is damaged or beyond them."""
    file = pa.ipc.open_file(pa.BufferReader(content))
    _refuse_wide(file.schema)
    batches, n_rows, n_bytes = [], 0, 0
    for at in range(file.num_record_batches):
        batches.append(file.get_batch(at))
        n_rows, n_bytes = n_rows + batches[-1].num_rows, n_bytes + batches[-1].nbytes
        if n_rows > MOST_ROWS or n_bytes > MOST_BYTES:
            msg = f"more than {n_rows:,} rows of {n_bytes:,} bytes, expected at most {MOST_ROWS:,} of {MOST_BYTES:,}"
            raise pa.ArrowInvalid(msg)
    return pa.Table.from_batches(batches, file.schema).replace_schema_metadata()


def _refuse_wide(schema: pa.Schema) -> None:
    if wide := [field.name for field in schema if not _is_plain(field.type)]:
        msg = f"column {wide[0]} is of type {schema.field(wide[0]).type}, expected a number, a time or a text"
        raise pa.ArrowInvalid(msg)


def _is_text(kind: pa.DataType) -> bool:
    return types.is_string(kind) or types.is_large_string(kind)


def _is_plain(kind: pa.DataType) -> bool:
    return _is_text(kind) or any(is_one(kind) for is_one in (types.is_primitive, types.is_decimal, types.is_null))


def _with_short_texts(table: pa.Table, schema: pa.Schema, names: list[str]) -> pa.Table:
    """Write out each text that Parquet keeps once for all its rows, if all are short."""
    for name in names:
        column = table[name]
        longest = max((pc.max(pc.binary_length(chunk.dictionary)).as_py() or 0 for chunk in column.chunks), default=0)
        if longest > LONGEST_TEXT:
            msg = f"column {name} holds a text of {longest:,} bytes, expected at most {LONGEST_TEXT}"
            raise pa.ArrowInvalid(msg)
        table = table.set_column(table.schema.get_field_index(name), name, column.cast(schema.field(name).type))
    return table


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write the points of a plot, without the index."""
    write_bytes(frame.to_csv(index=False, lineterminator="\n").encode(), path)
