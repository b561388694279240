"""What the stage fetch reads and writes."""

import pytest

from src.base import paths


@pytest.fixture
def outputs(tmp_path, monkeypatch):
    """The two files that fetch writes, in a folder of their own."""
    monkeypatch.setattr(paths, "BARS", tmp_path / "out" / "bars.parquet")
    monkeypatch.setattr(paths, "DATA_QUALITY", tmp_path / "out" / "data_quality.json")
    return paths.BARS, paths.DATA_QUALITY


@pytest.fixture
def mine(make_bars):
    """Two days of hourly bars: the last without a trade, three hours of the first day missing."""
    bars = make_bars(48)
    bars.loc[bars.index[-1], "volume"] = 0.0
    return bars.drop(bars.index[[5, 6, 12]])
