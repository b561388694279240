"""What many tests share: the bundled bars, the shipped parameters, and small bars made by hand."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from src import paths, storage
from src.params import Params, load_params


@pytest.fixture(scope="session")
def params() -> Params:
    """The parameters as shipped."""
    return load_params()


@pytest.fixture(scope="session")
def bars() -> pd.DataFrame:
    """The 20,111 bundled bars; copy before changing."""
    return storage.read_frame(paths.SAMPLE)


@pytest.fixture(scope="session")
def make_bars() -> Callable[..., pd.DataFrame]:
    """A function that makes valid hourly bars of a seeded random walk."""

    def make(n_bars: int, *, seed: int = 0, start: str = "2020-01-01T00:00Z", step: str = "1h") -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        close = 10_000 * np.exp(np.cumsum(rng.normal(0, 0.005, n_bars)))
        opening = np.concatenate([[10_000], close[:-1]])
        spread = 1 + rng.uniform(0, 0.003, n_bars)
        return pd.DataFrame(
            {
                "open": opening,
                "high": np.maximum(opening, close) * spread,
                "low": np.minimum(opening, close) / spread,
                "close": close,
                "volume": rng.uniform(1, 100, n_bars),
            },
            index=pd.date_range(start, periods=n_bars, freq=step, name="time", unit="us"),
        )

    return make
