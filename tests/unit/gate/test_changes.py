"""What makes a later model another: by hash, and where hashes differ by what a rerun gives."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from src.base import paths
from src.base.errors import DataError
from src.gate.changes import what_changed
from src.repo.dvc_lock import DvcLock

LOCK = yaml.safe_load((paths.ROOT / "dvc.lock").read_text())["stages"]
(LIBRARIES,) = [dep["path"] for dep in LOCK["train_lgbm"]["deps"] if dep["path"].startswith("requirements")]
SAME: list[str] = []
GRAPH = paths.relative(paths.GRAPH)


@dataclass
class Champion:
    """A revision, as far as hashes are asked."""

    lock: DvcLock


class Rerun:
    """Stands for the rerun: gives what a test says, and counts."""

    def __init__(self, gives: list[str] | None) -> None:
        self.gives, self.n_asked = gives, 0

    def __call__(self, _: object) -> list[str]:
        """Return which files come out other."""
        self.n_asked += 1
        if self.gives is None:
            msg = "data/mine.csv does not exist"
            raise DataError(msg)
        return self.gives


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


def changed_by(rerun: Rerun, *changes: Callable[[dict[str, Any]], None]) -> tuple[str, str]:
    """What changed from the work tree's dvc.lock to the same with these changes."""
    after = copy.deepcopy(LOCK)
    for change in changes:
        change(after)
    return what_changed(Champion(DvcLock(stages=LOCK)), DvcLock(stages=after), rerun)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        pytest.param(lambda _: None, "patch", id="nothing"),
        pytest.param(param_of("fetch", "data", "end"), "patch", id="later bars"),
        pytest.param(param_of("fetch", "data", "start"), "patch", id="a window that rolls"),
        pytest.param(file_of("featurize", "data/raw/bars.parquet"), "patch", id="other bars"),
        pytest.param(param_of("evaluate", "backtest", "fee_bps"), "patch", id="what trading costs"),
        pytest.param(file_of("evaluate", "src/evaluation"), "patch", id="how it is scored"),
        pytest.param(param_of("fetch", "data", "symbol"), "minor", id="another market"),
        pytest.param(param_of("featurize", "label", "threshold"), "minor", id="another label"),
        pytest.param(param_of("ensemble", "ensemble", "weights", "lightgbm"), "minor", id="weights"),
        pytest.param(param_of("train_rf", "train.rf", "n_estimators"), "minor", id="a member's settings"),
    ],
)
def test_without_another_hash_nothing_is_rerun(change: Callable[[dict[str, Any]], None], kind: str) -> None:
    """Bars move the last number, parameters the middle one."""
    rerun = Rerun(None)
    assert changed_by(rerun, change)[0] == kind
    assert rerun.n_asked == 0


@pytest.mark.parametrize(
    ("path", "by_hash"),
    [
        pytest.param(LIBRARIES, "minor", id="libraries"),
        pytest.param("src/sources", "minor", id="how bars are read"),
        pytest.param("src/base", "minor", id="what all rooms stand on"),
        pytest.param("src/features", "major", id="a feature"),
        pytest.param("src/training", "major", id="a member"),
    ],
)
@pytest.mark.parametrize(
    ("gives", "words"),
    [
        pytest.param(SAME, "its graph and its out-of-fold files, byte for byte.", id="the same"),
        pytest.param([GRAPH], f"gives other bytes: {GRAPH}.", id="other"),
        pytest.param(None, "cannot be rerun with today's code, so the hashes decide: data/mine.csv", id="nothing"),
    ],
)
def test_another_hash_is_as_much_as_the_rerun_shows(
    path: str, by_hash: str, gives: list[str] | None, words: str
) -> None:
    """The same bytes are a patch; no bytes are as good as other ones, and the words say why."""
    (stage, *_) = [name for name, stage in LOCK.items() if path in [dep["path"] for dep in stage["deps"]]]
    kind, said = changed_by(Rerun(gives), file_of(stage, path))
    assert kind == ("patch" if gives == SAME else by_hash)
    assert said.startswith(f"Not the champion's hash: {path}.")
    assert words in said


def test_parameters_count_beside_a_hash() -> None:
    """The rerun has the champion's, so the same bytes leave theirs."""
    changes = (file_of("featurize", "src/features"), param_of("train_rf", "seed"))
    assert changed_by(Rerun(SAME), *changes)[0] == "minor"
    assert changed_by(Rerun([GRAPH]), *changes)[0] == "major"


def test_what_can_decide_nothing_is_not_rerun() -> None:
    """Libraries are never more than parameters are already."""
    rerun = Rerun(SAME)
    kind, said = changed_by(rerun, file_of("train_rf", LIBRARIES), param_of("train_rf", "seed"))
    assert (kind, rerun.n_asked) == ("minor", 0)
    assert said.endswith("other parameters: seed.")


@pytest.mark.parametrize(("gives", "kind"), [(SAME, "patch"), ([GRAPH], "major")], ids=["the same", "other"])
def test_a_champion_of_another_layout(gives: list[str], kind: str) -> None:
    """Its deps were single files, its libraries another lock, and a parameter that came since is today's."""
    before = copy.deepcopy(LOCK)
    for stage in before.values():
        names = [dep["path"] for dep in stage["deps"] if dep["path"].startswith(("src/", "requirements"))]
        stage["deps"] = [{"path": "requirements.lock", "hash": "md5", "md5": "1" * 32, "size": 1}] + [
            {"path": f"{name}/code.py", "hash": "md5", "md5": "1" * 32, "size": 1} for name in names
        ]
    del before["fetch"]["params"]["params.yaml"]["data"]["exchange"]
    found = what_changed(Champion(DvcLock(stages=before)), DvcLock(stages=LOCK), Rerun(gives))
    assert found.kind == kind
