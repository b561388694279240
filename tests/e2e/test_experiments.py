"""`dvc exp run -S`: every kind of value reaches params.yaml as what it is, and a sweep queues every combination."""

import json
from typing import Any

import pytest
import yaml

from tests.checkouts import Checkout

# As docs/experiments.md; most of it is what DVC does.
pytestmark = pytest.mark.endure
# What is set, where, and what params.yaml then holds. Most change no output, so that one run is enough.
OVERRIDES: dict[str, tuple[tuple[str, ...], Any]] = {
    "train.lgbm.num_leaves=7": (("train", "lgbm", "num_leaves"), 7),
    "train.lgbm.learning_rate=5e-2": (("train", "lgbm", "learning_rate"), 0.05),
    "ensemble.weights={lightgbm:0.25,xgboost:0.25,random_forest:0.5}": (
        ("ensemble", "weights"),
        {"lightgbm": 0.25, "xgboost": 0.25, "random_forest": 0.5},
    ),
    "gate.newest_bar_age_max_h=24": (("gate", "newest_bar_age_max_h"), 24),
    "monitor.late_bars_max=null": (("monitor", "late_bars_max"), None),
    "data.symbol='BTC/JPY (spot), 1h'": (("data", "symbol"), "BTC/JPY (spot), 1h"),
}


@pytest.fixture(scope="module")
def checkout(small: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """That checkout, to be experimented in."""
    return small.copy(tmp_path_factory.mktemp("experiments") / "repository")


@pytest.fixture
def workspace(checkout: Checkout) -> Checkout:
    """The same, back at its commit."""
    return checkout.restore()


def _params(checkout: Checkout) -> dict[str, Any]:
    return yaml.safe_load((checkout.root / "params.yaml").read_text())


def _set(overrides: list[str]) -> list[str]:
    return [word for override in overrides for word in ("-S", override)]


def test_a_value_arrives_as_what_it_is(workspace: Checkout) -> None:
    """A whole number, a fraction, a section, null and text; nothing else changes, and what they feed runs."""
    expected = _params(workspace)
    for path, value in OVERRIDES.values():
        section = expected
        for key in path[:-1]:
            section = section[key]
        section[path[-1]] = value
    said = workspace.run("dvc", "exp", "run", "--name", "all", *_set(list(OVERRIDES)))
    assert _params(workspace) == expected
    assert "Running stage 'train_lgbm'" in said
    assert "Running stage 'train_rf'" not in said
    assert "all" in workspace.run("dvc", "exp", "list", "--name-only")


def test_a_parameter_that_is_not_there_is_refused(workspace: Checkout) -> None:
    """A slip of the finger is no experiment, and changes nothing."""
    before = _params(workspace)
    assert "leafs" in workspace.run("dvc", "exp", "run", "-S", "train.lgbm.leafs=7", expect=255)
    assert _params(workspace) == before


def test_a_sweep_queues_every_combination(workspace: Checkout) -> None:
    """Choices and a range, crossed; nothing runs yet."""
    sweep = ["train.rf.max_depth=4,5", "ensemble.decision_threshold=range(0.4,0.6,0.1)"]
    workspace.run("dvc", "exp", "run", "--queue", *_set(sweep))
    (_, *shown) = json.loads(workspace.run("dvc", "exp", "show", "--json", "--drop", ".*"))
    queued = [
        part["data"]["params"]["params.yaml"]["data"]
        for commit in shown
        for experiment in commit["experiments"] or []
        for part in experiment["revs"]
        if experiment["executor"] and experiment["executor"]["state"] == "queued"
    ]
    found = sorted((params["train"]["rf"]["max_depth"], params["ensemble"]["decision_threshold"]) for params in queued)
    assert found == [(4, 0.4), (4, 0.5), (5, 0.4), (5, 0.5)]
    workspace.run("dvc", "queue", "remove", "--all")
