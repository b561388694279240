"""Promote, push, pull and roll back, with real git and real DVC between two clones."""

import json
import shutil
from pathlib import Path

import pytest

from tests.checkouts import Checkout

VERIFY = "from src.ml.ensemble import ProductionEnsemble as P; print(P().get_model_info()['version'])"
METADATA = Path("models") / "production" / "production_model_metadata.json"
MODEL = Path("models") / "production" / "production_ensemble.pkl"


@pytest.fixture(scope="module")
def history(small: Checkout, tmp_path_factory: pytest.TempPathFactory) -> tuple[Checkout, str]:
    """A repository with two promoted versions, pushed, and the commit of the first."""
    origin = Checkout(tmp_path_factory.mktemp("life") / "origin")
    shutil.copytree(small.root, origin.root, symlinks=True)
    origin.run("git", "checkout", "--quiet", ".")
    origin.run("dvc", "checkout", "--force")
    (origin.root / METADATA).unlink()
    first = _promote(origin, "first")
    origin.set_params({("ensemble", "weights"): {"lightgbm": 0.2, "xgboost": 0.2, "random_forest": 0.6}})
    origin.repro()
    _promote(origin, "second")
    return origin, first


def _promote(checkout: Checkout, message: str) -> str:
    checkout.commit(f"{message}: reproduced")
    checkout.run("python", "-m", "src", "promote")
    commit = checkout.commit(f"{message}: promoted")
    checkout.run("dvc", "push")
    return commit


def test_versions_follow_each_other(history: tuple[Checkout, str]) -> None:
    """The second version names the commit that brings the first back."""
    origin, first = history
    metadata = json.loads((origin.root / METADATA).read_text())
    assert metadata["version"] == "1.0.1"
    assert metadata["version_control"]["previous_version"] == first


def test_another_clone_pulls_verifies_and_rolls_back(history: tuple[Checkout, str], tmp_path: Path) -> None:
    """`git checkout` and `dvc checkout` of a past commit bring back the model that was promoted there."""
    origin, first = history
    user = origin.clone(tmp_path / "user")
    user.run("dvc", "remote", "modify", "--local", "local", "url", str(origin.root / ".dvc-remote"))
    user.run("dvc", "pull")
    assert user.python(VERIFY).strip() == "1.0.1"
    assert user.run("dvc", "status").strip().endswith("Data and pipelines are up to date.")
    user.run("dvc", "fetch", "--all-commits")
    user.run("git", "checkout", "--quiet", first)
    user.run("dvc", "checkout")
    assert user.python(VERIFY).strip() == "1.0.0"


def test_a_candidate_is_not_the_production_model(history: tuple[Checkout, str], tmp_path: Path) -> None:
    """After a rerun with other parameters the promoted model is missed, with the words that bring it back."""
    origin, _ = history
    user = origin.clone(tmp_path / "user")
    user.run("dvc", "remote", "modify", "--local", "local", "url", str(origin.root / ".dvc-remote"))
    missing = user.python(VERIFY, expect=1)
    assert "is not there; fetch it with `dvc pull`" in missing
    user.run("dvc", "pull")
    user.set_params({("ensemble", "weights"): {"lightgbm": 0.1, "xgboost": 0.1, "random_forest": 0.8}})
    assert user.repro() == ["ensemble", "evaluate"]
    refused = user.python(VERIFY, expect=1)
    assert "is not the promoted model 1.0.1" in refused
    user.run("git", "checkout", "dvc.lock")
    user.run("dvc", "pull", "--force")
    assert user.python(VERIFY).strip() == "1.0.1"


def test_a_tampered_model_is_refused(history: tuple[Checkout, str], tmp_path: Path) -> None:
    """One changed byte, and the file is not unpickled."""
    origin, _ = history
    user = origin.clone(tmp_path / "user")
    user.run("dvc", "remote", "modify", "--local", "local", "url", str(origin.root / ".dvc-remote"))
    user.run("dvc", "pull")
    content = bytearray((user.root / MODEL).read_bytes())
    content[1000] ^= 1
    (user.root / MODEL).unlink()
    (user.root / MODEL).write_bytes(content)
    assert "is not the promoted model 1.0.1: expected sha256:" in user.python(VERIFY, expect=1)


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        pytest.param({("gate", "f1_score_min"): 1.0}, 1, "gate.f1_score_min in params.yaml asks for 1", id="gate"),
        pytest.param({("ensemble", "decision_threshold"): 0.4}, 2, "would run; `dvc repro`", id="stale"),
    ],
)
def test_promotion_is_refused(
    change: dict, status: int, words: str, history: tuple[Checkout, str], tmp_path: Path
) -> None:
    """The gate's no is exit status 1, a stale candidate 2; the metadata stay as they were."""
    origin, _ = history
    user = origin.clone(tmp_path / "user")
    user.run("dvc", "remote", "modify", "--local", "local", "url", str(origin.root / ".dvc-remote"))
    user.run("dvc", "pull")
    before = (user.root / METADATA).read_bytes()
    user.set_params(change)
    user.commit("changed")
    assert words in user.run("python", "-m", "src", "promote", expect=status)
    assert (user.root / METADATA).read_bytes() == before


def test_promoting_a_dirty_tree_is_refused(history: tuple[Checkout, str]) -> None:
    """A model that no commit describes could never be brought back."""
    origin, _ = history
    stray = origin.root / "stray.txt"
    stray.write_text("not committed")
    refused = origin.run("python", "-m", "src", "promote", expect=2)
    stray.unlink()
    assert "expected a clean work tree, 1 paths differ from the last commit: ?? stray.txt" in refused


def test_promoting_twice_changes_nothing(history: tuple[Checkout, str]) -> None:
    """What is in production already stays as it was promoted."""
    origin, _ = history
    origin.run("python", "-m", "src", "promote")
    assert origin.run("git", "status", "--porcelain") == ""
