"""The order of promoted versions, and how they are read."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from src.base import paths
from src.base.errors import DataError
from src.release.history import Promoted, _first_of_each, promotions
from src.repo import git
from tests.checkouts import Checkout

OUT = {"path": "models/production/production_ensemble.pkl", "hash": "md5", "md5": "0" * 32, "size": 1}
LOCK = yaml.safe_dump({"schema": "2.0", "stages": {"ensemble": {"cmd": "true", "outs": [OUT]}}})


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    """An empty repository, which the project takes for its own."""
    for name in ("METADATA", "METRICS", "LOCK"):
        monkeypatch.setattr(paths, name, tmp_path / paths.relative(getattr(paths, name)))
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    checkout = Checkout(tmp_path)
    checkout.run("git", "init", "--quiet")
    return checkout


def promote(checkout: Checkout, version: str, lock: str = LOCK, metrics: dict[str, Any] | None = None) -> None:
    """Commit what a promotion commits."""
    scores, training = {"roc_auc": 0.6, "brier_skill": 0.1, "f1_score": 0.5}, {"samples_count": 9}
    metadata = {"version": version, "created_at": version, "performance_metrics": scores, "training_info": training}
    paths.METADATA.parent.mkdir(parents=True, exist_ok=True)
    paths.METADATA.write_text(json.dumps(metadata))
    paths.LOCK.write_text(lock)
    if metrics is not None:
        paths.METRICS.parent.mkdir(parents=True, exist_ok=True)
        paths.METRICS.write_text(json.dumps(metrics))
    checkout.commit(f"Promote {version}")


def test_a_long_history_takes_no_more_gits(repository: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    """Metadata, files and intervals of every version, also of the first, which had none; a removal is no version."""
    promote(repository, "1.0.0")
    paths.METADATA.unlink()
    repository.commit("removed")
    for patch in range(1, 9):
        promote(repository, f"1.0.{patch}", metrics={"intervals": {"scores": {"ensemble": {"roc_auc": [0.5, 0.7]}}}})
    started: list[str] = []
    run_git = git.run_git
    monkeypatch.setattr(git, "run_git", lambda *given, **named: started.append(given[1]) or run_git(*given, **named))
    found = promotions()
    assert started == ["rev-parse", "log", "cat-file"]
    assert [one.version for one in found] == [f"1.0.{patch}" for patch in range(8, -1, -1)]
    assert [one.scores["roc_auc"]["interval"] for one in found] == [*[[0.5, 0.7]] * 8, None]
    assert {digest for one in found for digest in one.digests} == {"0" * 32}


@pytest.mark.parametrize(
    "lock", ["", "stages: {}", LOCK.replace("md5: ", "md4: ")], ids=["empty", "lacks it", "no md5"]
)
def test_a_promotion_whose_files_are_not_known_is_named(lock: str, repository: Checkout) -> None:
    """By its commit, with the reason."""
    promote(repository, "1.0.0", lock)
    commit = repository.run("git", "rev-parse", "--short=7", "HEAD").strip()
    with pytest.raises(DataError, match=rf"^commit {commit} holds a promotion that cannot be read \("):
        promotions()


def promoted(version: str, created_at: str, commit: str) -> Promoted:
    return Promoted(version, commit, {"version": version, "created_at": created_at}, {}, [])


def test_the_order_is_that_of_the_commits() -> None:
    """A clock that was set back, or stood still, neither moves a version nor hides one."""
    found = [
        promoted("1.0.0", "2020", "rolled back"),
        promoted("1.2.0", "2020", "clock stood still"),
        promoted("1.1.0", "1990", "clock set back"),
        promoted("1.0.0", "2020", "first"),
    ]
    listed = [(one.version, one.commit) for one in _first_of_each(found)]
    assert listed == [("1.2.0", "clock stood still"), ("1.1.0", "clock set back"), ("1.0.0", "first")]
