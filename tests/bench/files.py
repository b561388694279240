"""A long history as CSV: what `inspect` and `fetch` make of it, against `pandas.read_csv` alone."""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from src.base import paths
from src.base.params import Data
from src.gate.timing import time_interleaved
from src.sources.file import read_bars
from src.sources.inspect import ENTERS, inspect
from tests.bench.result import result

N_ROWS = 4_000_000
MIB = 2**20


def compare_files() -> Iterator[dict[str, Any]]:
    """Four million minutes: seconds, and the memory of a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "minutes.csv"
        _write(file)
        hourly = Data(source="file", path=str(file), exchange="", symbol="", timeframe="1h", start=None, end=None)
        found = inspect(file)
        assert (found.status, found.to_plain()["bars"]) == (ENTERS, N_ROWS)
        ways = {"inspect": lambda: inspect(file), "pandas.read_csv": lambda: pd.read_csv(file)}
        yield result("4 million rows of CSV inspected", "s", time_interleaved(ways, rounds=5))
        ways = {"read as hourly bars": lambda: read_bars(file, hourly), "pandas.read_csv": lambda: pd.read_csv(file)}
        yield result("4 million rows of CSV fetched", "s", time_interleaved(ways, rounds=5))
        held = {"inspect": _most_held(file), "three times the file": 3 * file.stat().st_size / MIB}
        yield result("memory of inspect, at most", "MiB", {name: np.array([size]) for name, size in held.items()})


def _most_held(file: Path) -> float:
    """Return the MiB that a process of its own held at most."""
    # By the kernel's account of this program alone: what getrusage says begins with its parent.
    code = (
        "from pathlib import Path; from src.sources.inspect import inspect; "
        f"inspect(Path({str(file)!r})); print(Path('/proc/self/status').read_text())"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=paths.ROOT, stdout=subprocess.PIPE, text=True, check=True)
    (kib,) = re.findall(r"^VmHWM:\s+(\d+) kB$", done.stdout, re.MULTILINE)
    return int(kib) * 1024 / MIB


def _write(file: Path) -> None:
    """Write a random walk of minutes."""
    random = np.random.default_rng(0)
    close = 8000 * np.exp(np.cumsum(random.normal(0, 3e-4, N_ROWS)))
    opening = np.concatenate([[8000], close[:-1]])
    times = 1_420_070_400 + 60 * np.arange(N_ROWS)
    columns = {
        "time": times,
        "open": opening,
        "high": np.maximum(opening, close) + 1,
        "low": np.minimum(opening, close),
    }
    pd.DataFrame({**columns, "close": close, "volume": random.lognormal(1, 1, N_ROWS)}).round(4).to_csv(
        file, index=False
    )
