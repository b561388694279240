"""The registry of sources, as params.yaml calls them. Each is a module of this room, with the functions of `Source`."""

from datetime import datetime
from pathlib import Path
from typing import Protocol

import pandas as pd

from src.bars.build import build_bars
from src.base.params import Data
from src.base.paths import relative
from src.sources import exchange, file, sample


class Source(Protocol):
    """A place that bars come from."""

    def file_of(self, data: Data, /) -> Path | None:
        """Return the file that the bars lie in; None if they are asked for over the network."""

    def rows(self, data: Data, now: datetime, /) -> tuple[pd.DataFrame, list[str]]:
        """Return rows as `build_bars` takes them, at least those of the window, and the names of ignored columns."""

    def newest_close(self, data: Data, now: datetime, /) -> datetime:
        """Return when the newest bar closes that the source has, whatever the window."""


# `src.base.params` has the same names, so that a wrong one is refused with its line, and says which are live.
SOURCES: dict[str, Source] = {"sample": sample, "file": file, "ccxt": exchange}


def bars_of(data: Data, now: datetime) -> pd.DataFrame:
    """Return the bars of a window, as `build_bars` does."""
    source = SOURCES[data.source]
    return build_bars(source.rows(data, now)[0], data, now, name_of(source.file_of(data)))[0]


def name_of(file: Path | None) -> str:
    """Return what a message calls the file of a source; empty where there is none."""
    return "" if file is None else relative(file)
