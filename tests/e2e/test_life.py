"""Promote, push, pull and roll back, with real git and real DVC between two clones."""

import json
from pathlib import Path

import pytest

from tests.checkouts import Checkout

VERIFY = "from src.ml.ensemble import ProductionEnsemble as P; print(P().get_model_info()['version'])"
METADATA = Path("models") / "production" / "production_model_metadata.json"
MODEL = Path("models") / "production" / "production_ensemble.pkl"


@pytest.fixture(scope="module")
def history(two_versions: Checkout, tmp_path_factory: pytest.TempPathFactory) -> tuple[Checkout, str]:
    """That repository, and the commit of the first version."""
    origin = two_versions.copy(tmp_path_factory.mktemp("life") / "origin")
    return origin, origin.run("git", "rev-parse", "HEAD~2").strip()


def test_versions_follow_each_other(history: tuple[Checkout, str]) -> None:
    """The second version names the commit that brings the first back."""
    origin, first = history
    metadata = json.loads((origin.root / METADATA).read_text())
    assert metadata["version"] == "1.1.0"
    assert metadata["version_control"]["previous_version"] == first


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
    assert "is not the promoted model 1.1.0" in refused
    user.run("git", "checkout", "dvc.lock")
    user.run("dvc", "pull", "--force")
    assert user.python(VERIFY).strip() == "1.1.0"


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
    assert "is not the promoted model 1.1.0: expected sha256:" in user.python(VERIFY, expect=1)


def test_what_is_worse_than_the_champion_is_refused(history: tuple[Checkout, str], tmp_path: Path) -> None:
    """Exit status 1, the rule in words; the metadata stay as they were."""
    user = history[0].copy(tmp_path / "user")
    before = (user.root / METADATA).read_bytes()
    user.set_params({("ensemble", "weights"): {"lightgbm": 0.4, "xgboost": 0.4, "random_forest": 0.2}})
    user.repro()
    user.commit("less forest")
    refused = user.run("python", "-m", "src", "promote", expect=1)
    assert refused.startswith("error: Not promoted: ")
    assert "Brier skill less the champion's: -0." in refused
    assert (user.root / METADATA).read_bytes() == before


def test_a_stale_candidate_is_refused(history: tuple[Checkout, str], tmp_path: Path) -> None:
    """What would run is named; exit status 2."""
    user = history[0].copy(tmp_path / "user")
    user.set_params({("ensemble", "decision_threshold"): 0.4})
    user.commit("changed")
    refused = user.run("python", "-m", "src", "promote", expect=2)
    assert "expected an up-to-date pipeline, but ensemble, evaluate would run; `dvc repro`" in refused


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
