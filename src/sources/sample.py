"""The bars that the repository brings along."""

from datetime import datetime
from pathlib import Path

import pandas as pd

from src.base import paths
from src.base.params import Data
from src.sources.file import read_bars, read_file, unanswered


def file_of(_data: Data) -> Path:
    """Return the bundled file."""
    return paths.SAMPLE


def rows(data: Data, _now: datetime) -> tuple[pd.DataFrame, list[str]]:
    """Read the bundled file."""
    return read_file(paths.SAMPLE, unanswered(data))


def newest_close(data: Data, _now: datetime) -> datetime:
    """Return when the last bundled bar closed."""
    return read_bars(paths.SAMPLE, unanswered(data)).index[-1].to_pydatetime() + data.step
