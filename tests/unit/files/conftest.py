"""Files of bars, and how they are read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from src.base.params import Data
from src.policy import Policy
from src.sources.file import read_file

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
