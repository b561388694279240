"""A promotion's parts: versions, what the gate and git have to say, and the content of the metadata."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from btc_signal.bundle import sha256
from btc_signal.catalog import FEATURE_NAMES
from src.base import paths, storage
from src.base.errors import DataError, GateError, PromotionError
from src.features.feature_manager import build_dataset
from src.gate.trials import params_hash
from src.ml.ensemble import ProductionEnsemble
from src.policy import Policy
from src.release.metadata import Promotion, build_metadata
from src.release.promote import _check_gate, _version
from src.release.transaction import check_committed
from src.repo.git import git
from src.repo.revision import Revision
from src.verdict.finding import Finding, overall
from tests.checkouts import Checkout

NOW = datetime(2026, 1, 4, 12, 30, tzinfo=UTC)
FILES = {"production_ensemble.onnx": b"graph", "production_ensemble.pkl": b"ensemble"}
PASSED = Finding("leaks", 0.0, 0.0, "passed", "8 checks are clean")
OWN = ["reports/gate.json", "reports/gate.md", "reports/trials.jsonl"]


def report_of(*judgements: Finding) -> dict[str, Any]:
    """A report of the gate on the ensemble above."""
    return {
        "verdict": overall(judgements),
        "judged_at": "2026-01-04T12:30:00Z",
        "candidate": sha256(FILES["production_ensemble.pkl"]),
        "judgements": [judgement.kept() for judgement in judgements],
        "in_words": [],
        "comparison": None,
    }


@pytest.mark.parametrize(
    ("verdict", "error", "words"),
    [
        pytest.param(
            "failed", GateError, r"^Not promoted: 1 of 2 rules failed\. weighted F1: 0\.59, at least 0\.6", id="no"
        ),
        pytest.param("unknown", PromotionError, r"^Not promoted: 1 of 2 rules unknown\. ", id="unknown"),
    ],
)
def test_what_the_gate_does_not_let_pass(verdict: str, error: type[PromotionError], words: str) -> None:
    """The rules that decided are named, and where the figures are; only a no is the gate's own error."""
    judgement = Finding("weighted F1", 0.59, 0.6, verdict, "0.59, at least 0.6 is asked")
    with pytest.raises(PromotionError, match=rf"{words}.* reports/gate\.md has the figures\.$") as refused:
        _check_gate(report_of(judgement, PASSED), FILES)
    assert type(refused.value) is error


def test_the_gate_lets_pass_what_it_said_yes_to() -> None:
    """The candidate that was judged, byte for byte."""
    _check_gate(report_of(PASSED, PASSED), FILES)


@pytest.mark.parametrize("candidate", [None, sha256(b"other bytes")], ids=["absent", "other"])
def test_a_candidate_that_changed_meanwhile_is_refused(candidate: str | None) -> None:
    """A yes to other bytes is no yes to these."""
    with pytest.raises(PromotionError, match=r"the candidate changed while the gate looked at it; run .* again"):
        _check_gate(report_of(PASSED) | {"candidate": candidate}, FILES)


@pytest.mark.parametrize(
    ("compared", "version"), [(1, "2.0.0"), (0, "1.0.2")], ids=["with the highest", "with another"]
)
def test_the_gate_is_not_asked_twice_what_changed(compared: int, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it compared with the highest version; that takes as long as the pipeline."""
    commits = [40 * "a", 40 * "b"]
    promoted = [SimpleNamespace(version=f"1.0.{n}", commit=commit) for n, commit in enumerate(commits)]
    monkeypatch.setattr("src.release.promote.tagged_versions", list)
    monkeypatch.setattr("src.release.promote.Revision", lambda revision: SimpleNamespace(revision=revision, lock=None))
    monkeypatch.setattr(
        "src.release.promote.what_changed",
        lambda before, _: SimpleNamespace(kind={commits[1]: "patch"}[before.revision]),
    )
    comparison = {"champion": {"commit": commits[compared]}, "changed": "major"}
    assert _version(promoted, comparison) == version


def test_a_highest_version_that_cannot_be_read_stops_no_promotion(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All may have changed since; its commit stays damaged, and so the next promotion would end there, too."""

    def damaged(name: str) -> Revision:
        msg = f"{name} holds a params.yaml or dvc.lock that is damaged"
        raise DataError(msg)

    monkeypatch.setattr("src.release.promote.tagged_versions", list)
    monkeypatch.setattr("src.release.promote.Revision", damaged)
    assert _version([SimpleNamespace(version="1.0.1", commit="a1b2c3")], None) == "2.0.0"
    assert capsys.readouterr().err.endswith("so all may have: a1b2c3 holds a params.yaml or dvc.lock that is damaged\n")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    """A repository with what the gate writes and two files more, all of it committed."""
    for name in ("GATE", "GATE_REPORT", "TRIALS"):
        monkeypatch.setattr(paths, name, tmp_path / paths.relative(getattr(paths, name)))
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    for name in (*OWN, "reports/metrics.json", "params.yaml"):
        storage.write_bytes(b"before\n", tmp_path / name)
    checkout = Checkout(tmp_path)
    checkout.run("git", "init", "--quiet")
    checkout.commit("as it was")
    return checkout


@pytest.mark.parametrize("names", [[], *([name] for name in OWN), OWN], ids=lambda names: " ".join(names) or "nothing")
def test_what_the_gate_writes_may_differ_from_the_commit(names: list[str], repository: Checkout) -> None:
    """Its reports and the ledger are new with every question; changed, staged, or not known to git."""
    for name in names:
        storage.write_bytes(b"after\n", repository.root / name)
    check_committed()
    repository.run("git", "add", "--all")
    check_committed()
    repository.run("git", "rm", "--quiet", "--cached", *OWN)
    repository.run("git", "commit", "--quiet", "--message", "not known to git")
    check_committed()


@pytest.mark.parametrize(
    "name",
    [
        "params.yaml",
        "reports/metrics.json",
        "gate.json",
        "other/reports/gate.json",
        "reports/gate.json.bak",
        "a b.txt",
        "a reports/gate.json",
    ],
)
def test_what_no_commit_holds_is_refused(name: str, repository: Checkout) -> None:
    """Any other path, changed or not known to git; it is named, and what the gate writes is not counted."""
    for one in (*OWN, name):
        storage.write_bytes(b"after\n", repository.root / one)
    words = rf"expected a clean work tree, 1 paths differ from the last commit: .*{Path(name).parts[0]}.*; commit them"
    with pytest.raises(PromotionError, match=words):
        check_committed()
    repository.run("git", "add", "--all")
    with pytest.raises(PromotionError, match=words):
        check_committed()
    repository.commit("as it is now")
    check_committed()


def test_a_file_that_was_deleted_is_refused(repository: Checkout) -> None:
    """The commit holds what the work tree lacks."""
    (repository.root / "params.yaml").unlink()
    with pytest.raises(PromotionError, match=r"1 paths differ from the last commit: D params\.yaml"):
        check_committed()


def test_a_file_that_was_moved_is_refused(repository: Checkout) -> None:
    """Onto one of the gate's own files, too: the old name is gone."""
    repository.run("git", "mv", "-f", "params.yaml", "reports/gate.json")
    with pytest.raises(PromotionError, match=r"1 paths differ from the last commit: D +params\.yaml"):
        check_committed()


def test_a_failing_git_is_quoted() -> None:
    """The words of git reach the reader."""
    with pytest.raises(PromotionError, match=r"`git rev-parse --verify nowhere` failed: fatal"):
        git("rev-parse", "--verify", "nowhere")


@pytest.fixture
def dataset(make_bars: Callable[..., pd.DataFrame], params: Policy) -> pd.DataFrame:
    """Features and labels of a hundred bars."""
    return build_dataset(make_bars(600), params.features, params.label)


def test_the_metadata_describe_the_bytes_they_were_made_from(
    params: Policy, candidate: ProductionEnsemble, dataset: pd.DataFrame
) -> None:
    """Hash and size are those of the content; the moment is UTC; all of it is JSON."""
    files = {"production_ensemble.onnx": b"model", "production_ensemble.pkl": candidate.to_bytes()}
    promotion = Promotion("3.2.1", git_commit="abc", previous_version="def", moment=NOW)
    metadata = build_metadata(promotion, params, storage.read_json(paths.METRICS), files, b"model", dataset)
    # The sha256 of the five letters "model", by sha256sum.
    digest = "sha256:9372c470eeadd5ecd9c3c74c2b3cb633f8e2f2fad799250a0f70d652b6b825e4"
    assert metadata["files"]["production_ensemble.onnx"] == {"sha256": digest, "size_bytes": 5}
    model_hash = sha256(files["production_ensemble.pkl"])
    assert metadata["version_control"] == {"git_commit": "abc", "model_hash": model_hash, "previous_version": "def"}
    assert metadata["files"]["production_ensemble.pkl"]["sha256"] == model_hash
    assert metadata["created_at"] == metadata["training_info"]["last_retrain"] == "2026-01-04T12:30:00Z"
    assert metadata["version"] == "3.2.1"
    assert metadata["training_info"]["data"] == params.data.model_dump(mode="json") | {"bars_hash": digest}
    assert metadata["training_info"]["params_hash"] == f"sha256:{params_hash(params)}"
    # Six hundred hours from midnight, the first of January: the last bar, of 23:00, has no label and no row.
    assert metadata["training_info"]["honest_from"] == "2020-01-25T23:00:00Z"
    assert metadata["feature_settings"] == params.features.model_dump()
    assert json.loads(json.dumps(metadata, allow_nan=False)) == metadata
    smoke = metadata["smoke_test"]
    rows = dataset[list(FEATURE_NAMES)].to_numpy()
    # five rows, the first and the last among them
    assert (len(smoke["rows"]), smoke["rows"][0], smoke["rows"][-1]) == (5, rows[0].tolist(), rows[-1].tolist())
    answers = candidate.predict_proba(np.array(smoke["rows"]))[:, 1]
    np.testing.assert_allclose(smoke["probabilities"], answers, rtol=0, atol=1e-9)
