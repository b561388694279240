"""Read and write files so that a reader sees the old content or the new, and damage is noticed.

Equal input gives equal bytes: no clock, no host, fixed compression, keys in the order given.
"""

import json
import os
import pickle
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from src.errors import DataError
from src.paths import relative

PICKLE_PROTOCOL = 5
UNREADABLE_PICKLE = (pickle.UnpicklingError, EOFError, AttributeError, ImportError, LookupError, TypeError, ValueError)


def write_bytes(content: bytes, path: Path) -> None:
    """Write aside in the same folder, then move into place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.write_bytes(content)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def read_bytes(path: Path) -> bytes:
    """Return the file's bytes; `DataError` names a file that is not there."""
    try:
        return path.read_bytes()
    except OSError as error:
        msg = f"{relative(path)}: cannot be read ({error.strerror}); run `dvc repro` to make it"
        raise DataError(msg) from error


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


def write_json(content: Mapping[str, Any], path: Path) -> None:
    """Write JSON that any parser reads: NaN and infinity are refused."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    write_bytes(f"{text}\n".encode(), path)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; `DataError` if the file holds anything else."""
    text = read_bytes(path)
    try:
        content = json.loads(text, parse_constant=_refuse_constant)
    except ValueError as error:
        msg = f"{relative(path)}: not valid JSON ({error}); restore it with `git checkout`"
        raise DataError(msg) from error
    if not isinstance(content, dict):
        msg = f"{relative(path)}: expected a JSON object, got {type(content).__name__}"
        raise DataError(msg)
    return content


def utc_text(moment: datetime) -> str:
    """Write a moment in UTC as all files here do, such as 2019-10-17T09:00:00Z."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _refuse_constant(name: str) -> None:
    """Refuse the words that Python's JSON knows and no other."""
    msg = f"{name} is no JSON number"
    raise ValueError(msg)


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write the points of a plot, without the index."""
    write_bytes(frame.to_csv(index=False, lineterminator="\n").encode(), path)


def write_pickle(thing: object, path: Path) -> None:
    """Pickle with a fixed protocol; joblib would write padding bytes that differ from run to run."""
    write_bytes(pickle.dumps(thing, protocol=PICKLE_PROTOCOL), path)


def read_pickle(path: Path) -> Any:  # noqa: ANN401 - a pickle can hold anything
    """Unpickle a file that this pipeline wrote and DVC tracks; never one from elsewhere."""
    content = read_bytes(path)
    try:
        return pickle.loads(content)  # noqa: S301 - see the docstring
    except UNREADABLE_PICKLE as error:
        msg = f"{relative(path)}: damaged pickle ({error}); delete it, then run `dvc repro`"
        raise DataError(msg) from error
