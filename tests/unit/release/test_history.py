"""The order of promoted versions, and how they are read."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from src.base import paths
from src.release.history import Promoted, _first_of_each, _in_production, _where, promotions
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
    paths.METADATA.parent.mkdir(parents=True, exist_ok=True)
    paths.METADATA.write_text(json.dumps(metadata_of(version)))
    paths.LOCK.write_text(lock)
    if metrics is not None:
        paths.METRICS.parent.mkdir(parents=True, exist_ok=True)
        paths.METRICS.write_text(json.dumps(metrics))
    checkout.commit(f"Promote {version}")


def metadata_of(version: str) -> dict[str, Any]:
    """What is read of a promotion's metadata."""
    scores, training = {"roc_auc": 0.6, "brier_skill": 0.1, "f1_score": 0.5}, {"samples_count": 9}
    moment = {"created_at": "2026-01-04T12:30:00Z"}
    return {"version": version, **moment, "performance_metrics": scores, "training_info": training}


def listed() -> list[str]:
    return [one.version for one in promotions()]


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


def changed(**values: object) -> bytes:
    """The metadata of version 1.1.0 with other values."""
    return json.dumps(metadata_of("1.1.0") | values).encode()


DAMAGES = {
    "merge marks": b'<<<<<<< HEAD\n{"version": "1.1.0"\n=======\n{"version": "1.2.0"\n>>>>>>> theirs\n',
    "empty": b"",
    "cut off": changed()[:-9],
    "a list": b"[]",
    "no text": b'{"version": "\xff"}',
    "nested without end": b"[" * 100_000,
    "a version by hand": changed(version="2.0.0-hotfix"),
    "other digits": changed(version="1.1.\u0661"),
    "endless digits": changed(version=f"1.1.{'9' * 5000}"),
    "a number": changed(version=1.1),
    "no moment": changed(created_at="yesterday"),
    "no zone": changed(created_at="2026-01-04T12:30:00"),
    "no number": changed(more=float("nan")),
    "no scores": changed(performance_metrics=None),
    "no rows": changed(training_info={}),
    "bars of another shape": changed(training_info={"samples_count": 9, "data": []}),
    "a verdict of another shape": changed(gate="yes"),
}


@pytest.mark.parametrize("content", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_commit_is_named_once_and_passed_over(
    content: bytes, repository: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    """As history does not change, nobody could ever mend it; the versions before and after it stay."""
    promote(repository, "1.0.0")
    paths.METADATA.write_bytes(content)
    damaged = repository.commit("damaged")
    promote(repository, "1.2.0")
    assert (listed(), listed()) == (["1.2.0", "1.0.0"], ["1.2.0", "1.0.0"])
    (warning,) = capsys.readouterr().err.splitlines()
    assert warning.startswith(f"warning: commit {damaged[:7]} is passed over, it holds no promotion that can be read (")


def test_a_version_of_a_merged_branch_is_listed(repository: Checkout) -> None:
    """Also where the merge took the other side's metadata: git would leave that branch out."""
    promote(repository, "1.0.0")
    repository.run("git", "switch", "--quiet", "--create", "other")
    promote(repository, "1.1.0")
    repository.run("git", "switch", "--quiet", "-")
    promote(repository, "1.0.1")
    repository.run("git", "merge", "--quiet", "--strategy", "ours", "--no-edit", "other")
    assert sorted(listed()) == ["1.0.0", "1.0.1", "1.1.0"]


METRICS = {
    "no JSON": (b"<<<<<<< HEAD", "reports/metrics.json cannot be read"),
    "a list": (b"[]", "reports/metrics.json cannot be read"),
    "no text": (b"\xff", "reports/metrics.json cannot be read"),
    "no intervals": (b"{}", ""),
    "of another shape": (b'{"intervals": {"scores": {"ensemble": {"roc_auc": 1, "f1_score": ["a", 1]}}}}', ""),
}


@pytest.mark.parametrize(("content", "words"), METRICS.values(), ids=METRICS)
def test_intervals_that_cannot_be_read_hide_no_version(
    content: bytes, words: str, repository: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    """It can be brought back, and its scores are those of its metadata."""
    paths.METRICS.parent.mkdir(parents=True)
    paths.METRICS.write_bytes(content)
    promote(repository, "1.0.0")
    (found,) = promotions()
    assert found.scores["roc_auc"] == {"value": 0.6, "interval": None}
    commit = repository.run("git", "rev-parse", "HEAD").strip()[:7]
    warning = f"warning: commit {commit}: the intervals of version 1.0.0 are not known, {words}\n"
    assert capsys.readouterr().err == (warning if words else "")


@pytest.mark.parametrize(
    "lock", ["", "stages: {}", LOCK.replace("md5: ", "md4: ")], ids=["empty", "lacks it", "no md5"]
)
def test_a_version_whose_files_are_not_known_is_named(
    lock: str, repository: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    """By its commit, with the reason; no cache is asked."""
    promote(repository, "1.0.0", lock)
    (found,) = promotions()
    assert _where(found, stores=None) == "gone"
    warning = f"warning: commit {found.commit[:7]}: the files of version 1.0.0 are not known, its dvc.lock has no stage"
    assert capsys.readouterr().err.startswith(warning)


def test_metadata_that_are_damaged_now_are_in_production_nowhere(
    repository: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was promoted before can still be listed, and brought back."""
    promote(repository, "1.0.0")
    assert _in_production() == ("1.0.0", "2026-01-04T12:30:00Z")
    paths.METADATA.write_bytes(DAMAGES["merge marks"])
    assert (_in_production(), listed()) == ((None, None), ["1.0.0"])
    assert capsys.readouterr().err.startswith("warning: it is not known which version is in production: ")


def promoted(version: str, created_at: str, commit: str) -> Promoted:
    return Promoted(version, commit, {"version": version, "created_at": created_at}, {}, "")


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
