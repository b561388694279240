"""What many tests share: the bundled bars, the shipped parameters, and small bars made by hand."""

import gc
import os
import signal
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import src.base.openmp

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from btc_signal.graph import MemberGraph
from src.base import paths, tables
from src.ml.ensemble import ProductionEnsemble
from src.policy import Policy, load_policy
from src.training.export import build_graph
from src.training.fit import fit
from src.training.members.member import MEMBERS, build_member
from tests.checkouts import Checkout, build_once, build_promoted, build_small, build_two_versions, copy_work_tree
from tests.leftovers import Leftovers
from tests.order import Order
from tests.warm import programs as warm

SMALL_TESTS = ("tests/unit/", "tests/properties/")


class ByFixtures(LoadScopeScheduling):
    """Give the tests of a module to one process where they share a fixture or are small, others to whichever is free.

    Small tests that are given out one by one wait for the next longer than they run.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if file.startswith(SMALL_TESTS) or _has_module_fixture(file) else nodeid


@cache
def _has_module_fixture(file: str) -> bool:
    return 'scope="module"' in (paths.ROOT / file).read_text()


def pytest_configure(config: pytest.Config) -> None:
    """Let Ctrl-C be heard in the background too, where a shell has it ignored; programs that tests start inherit it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    config.pluginmanager.register(Order())
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Leftovers(config.rootpath))
        warm.set_up()


def pytest_collection_finish() -> None:
    """Search what is there for good, packages and tests, for garbage no more: a tenth of the time of small tests."""
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Share the tests out over processes."""
    return ByFixtures(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Have one process more than cores, as each waits now and then for what it started."""
    return (os.cpu_count() or 1) + 1


def pytest_sessionfinish(session: pytest.Session) -> None:
    """End what the tests shared, before it is seen what they leave behind."""
    if not hasattr(session.config, "workerinput"):
        warm.tear_down()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Also where no test ran."""
    if not hasattr(config, "workerinput"):
        warm.tear_down()


@pytest.fixture(scope="session")
def params() -> Policy:
    """The parameters as shipped."""
    return load_policy()


@pytest.fixture(scope="session")
def bars() -> pd.DataFrame:
    """The 20,111 bundled bars; copy before changing."""
    return tables.read_frame(paths.SAMPLE)


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
def members(params: Policy) -> dict[str, Pipeline]:
    """The three real members, five trees each, fitted on noise."""
    small = {key: getattr(params.train, key).model_copy(update={"n_estimators": 5}) for key in MEMBERS}
    train = params.train.model_copy(update=small)
    X = np.random.default_rng(3).uniform(1, 2, (600, 12))
    y = (X[:, 2] > 1.5).astype(int)
    return {
        name: fit(build_member(key, train, trend=1, seed=1, n_jobs=1), X, y, half_life_rows=None)
        for key, name in MEMBERS.items()
    }


@pytest.fixture(scope="session")
def candidate(members: dict[str, Pipeline]) -> ProductionEnsemble:
    """Those members as one graph; leave its weights as they are."""
    return ProductionEnsemble(MemberGraph(build_graph(members)))


BuiltOnce = Callable[[str, Callable[[Path], object]], Checkout]


@pytest.fixture(scope="session")
def built_once(tmp_path_factory: pytest.TempPathFactory) -> BuiltOnce:
    """A function that builds a checkout in a folder of its own, once for all processes that test."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    return partial(build_once, shared)


@pytest.fixture(scope="session")
def reproduced(built_once: BuiltOnce, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A clone without a cache in which the whole pipeline ran once, on all bundled bars; leave it as it is."""

    def build(root: Path) -> None:
        checkout = copy_work_tree(tmp_path_factory.mktemp("origin")).clone(root)
        assert len(checkout.repro()) == 7

    return built_once("reproduced", build)


@pytest.fixture(scope="session")
def small(built_once: BuiltOnce) -> Checkout:
    """A checkout with few bars, few trees and no promoted model, reproduced and committed; put back what you change."""
    return built_once("small", build_small)


@pytest.fixture(scope="session")
def promoted(built_once: BuiltOnce, small: Checkout) -> Checkout:
    """A small repository whose first model was promoted and pushed; copy before changing."""
    return built_once("promoted", partial(build_promoted, small))


@pytest.fixture(scope="session")
def two_versions(built_once: BuiltOnce, promoted: Checkout) -> Checkout:
    """A repository that promoted and pushed 1.0.0 and, with other weights, 1.1.0; copy before changing."""
    return built_once("two_versions", partial(build_two_versions, promoted))
