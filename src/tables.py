"""Tables as files: Parquet with a checksum on every page, CSV for the points of plots."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from src.errors import DataError
from src.paths import relative
from src.storage import read_bytes, write_bytes


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
    """Read Parquet; an Arrow error if a page's checksum does not match, or the rows are not as many as stated."""
    file = pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True)
    table = file.read()
    stated = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
    if not table.num_rows == sum(stated) == file.metadata.num_rows:
        msg = f"the footer states {file.metadata.num_rows} rows, its groups {sum(stated)}, {table.num_rows} were read"
        raise pa.ArrowInvalid(msg)
    return table


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write the points of a plot, without the index."""
    write_bytes(frame.to_csv(index=False, lineterminator="\n").encode(), path)
