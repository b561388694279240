"""The number of the next version, and what decides on it."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from src.base import paths
from src.gate.changes import what_changed
from src.release.versions import next_version
from src.repo.dvc_lock import DvcLock

LOCK = yaml.safe_load((paths.ROOT / "dvc.lock").read_text())["stages"]


@pytest.mark.parametrize(
    ("versions", "change", "following"),
    [
        pytest.param(["1.0.0"], "patch", "1.0.1", id="patch"),
        pytest.param(["1.2.3"], "minor", "1.3.0", id="minor"),
        pytest.param(["1.2.3"], "major", "2.0.0", id="major"),
        pytest.param([], "major", "1.0.0", id="the first"),
        pytest.param(["2.3.9", "2.3.10"], "patch", "2.3.11", id="numbers, not letters"),
        pytest.param(["1.0.0", "1.1.0", "1.0.1"], "patch", "1.1.1", id="after the highest, not the newest"),
    ],
)
def test_a_version_is_given_once(versions: list[str], change: str, following: str) -> None:
    """One number of the highest is raised, and those after it are 0."""
    assert next_version(versions, change) == following


def file_of(stage: str, path: str) -> Callable[[dict[str, Any]], None]:
    """Another hash of a dependency of that stage, in every stage that has it."""

    def change(lock: dict[str, Any]) -> None:
        assert path in [dep["path"] for dep in lock[stage]["deps"]]
        for dep in [dep for one in lock.values() for dep in one["deps"] if dep["path"] == path]:
            dep["md5"] = "0" * 32

    return change


def param_of(stage: str, *keys: str) -> Callable[[dict[str, Any]], None]:
    """Another value of a parameter of that stage, in every stage that has it."""

    def change(lock: dict[str, Any]) -> None:
        assert keys[0] in lock[stage]["params"]["params.yaml"]
        for section in [one["params"]["params.yaml"] for one in lock.values()]:
            if keys[0] in section:
                for key in keys[:-1]:
                    section = section[key]  # noqa: PLW2901 - the walk down
                section[keys[-1]] = "other"

    return change


def changed_by(*changes: Callable[[dict[str, Any]], None]) -> str:
    """What changed from the work tree's dvc.lock to the same with these changes."""
    after = copy.deepcopy(LOCK)
    for change in changes:
        change(after)
    return what_changed(DvcLock(stages=LOCK), DvcLock(stages=after))


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        pytest.param(lambda _: None, "patch", id="nothing"),
        pytest.param(param_of("fetch", "data", "end"), "patch", id="later bars"),
        pytest.param(param_of("fetch", "data", "start"), "patch", id="a window that rolls"),
        pytest.param(file_of("featurize", "data/raw/bars.parquet"), "patch", id="other bars"),
        pytest.param(file_of("fetch", "src/sources"), "patch", id="how bars are read"),
        pytest.param(param_of("evaluate", "backtest", "fee_bps"), "patch", id="what trading costs"),
        pytest.param(file_of("evaluate", "src/evaluation"), "patch", id="how it is scored"),
        pytest.param(param_of("fetch", "data", "symbol"), "minor", id="another market"),
        pytest.param(param_of("featurize", "label", "threshold"), "minor", id="another label"),
        pytest.param(param_of("ensemble", "ensemble", "weights", "lightgbm"), "minor", id="weights"),
        pytest.param(param_of("train_rf", "train.rf", "n_estimators"), "minor", id="a member's settings"),
        pytest.param(file_of("train_lgbm", "requirements.lock"), "minor", id="libraries"),
        pytest.param(file_of("featurize", "src/features"), "major", id="a feature"),
        pytest.param(file_of("train_xgb", "src/training"), "major", id="a member"),
        pytest.param(file_of("ensemble", "src/training"), "major", id="the graph"),
    ],
)
def test_what_changed(change: Callable[[dict[str, Any]], None], kind: str) -> None:
    """Bars move the last number, parameters and libraries the middle one, the model's code the first."""
    assert changed_by(change) == kind


def test_the_greatest_change_counts() -> None:
    """Code, parameters and bars at once."""
    assert changed_by(file_of("featurize", "src/features"), param_of("train_rf", "seed")) == "major"
