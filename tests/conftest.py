"""What many tests share: the bundled bars, the shipped parameters, and small bars made by hand."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from src import paths, storage
from src.params import Params, load_params
from tests.checkouts import SMALL, Checkout, copy_work_tree


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


@pytest.fixture(scope="session")
def reproduced(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A clone without a cache in which the whole pipeline ran once, on all bundled bars; leave it as it is."""
    checkout = copy_work_tree(tmp_path_factory.mktemp("origin")).clone(tmp_path_factory.mktemp("user") / "clone")
    assert len(checkout.repro()) == 7
    return checkout


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout with few bars and few trees, reproduced and committed; put back what you change."""
    checkout = copy_work_tree(tmp_path_factory.mktemp("small"))
    checkout.set_params({**SMALL, ("gate", "f1_score_min"): 0.3})
    checkout.repro()
    checkout.commit("small")
    return checkout
