"""Files of bars, and how they are read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from src.base.params import Data
from src.policy import Policy
from src.sources.file import read_file
from tests.files_of_bars import HEADER, NUMBERS, lines

Read = Callable[..., pd.DataFrame]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes a file, from text or bytes."""

    def make(content: str | bytes, name: str = "bars.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return make


@pytest.fixture(scope="session")
def data(params: Policy) -> Callable[..., Data]:
    """A function that gives the shipped settings without a window, with other answers."""
    plain = params.data.model_copy(update={"start": None, "end": None, "timeframe": "1h"})

    return lambda **answers: Data.model_validate(plain.model_dump() | answers)


@pytest.fixture(scope="session")
def table_of(data: Callable[..., Data]) -> Callable[..., tuple[pd.DataFrame, list[str]]]:
    """A function that reads a file: its rows, and the names of what was ignored."""
    return lambda path, **answers: read_file(path, data(**answers))


@pytest.fixture(scope="session")
def bars_of(table_of: Callable[..., tuple[pd.DataFrame, list[str]]]) -> Read:
    """A function that reads a file, and indexes its numbers by time."""

    def read(path: Path, **answers: Any) -> pd.DataFrame:
        return table_of(path, **answers)[0].set_index("time")

    return read


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One folder for all files: each test writes its own over the last."""
    return tmp_path_factory.mktemp("times")


@pytest.fixture(scope="module")
def from_csv(folder, table_of):
    """A function that puts times into a CSV file, and reads them from there."""

    def read(*times, **answers):
        path = folder / "bars.csv"
        path.write_text(lines(HEADER, *(f'"{time}",{NUMBERS}' for time in times)), encoding="utf-8")
        return table_of(path, **answers)[0]["time"].tolist()

    return read


@pytest.fixture(scope="module")
def from_parquet(folder, table_of):
    """A function that puts times into a Parquet file, and reads them from there."""

    def read(times, **answers):
        path = folder / "bars.parquet"
        names = ["open", "high", "low", "close", "volume"]
        prices = {name: [float(number)] * len(times) for name, number in zip(names, NUMBERS.split(","), strict=True)}
        pq.write_table(pa.table({"time": pa.array(times)} | prices), path)
        return table_of(path, **answers)[0]["time"].tolist()

    return read
