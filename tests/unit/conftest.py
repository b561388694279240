"""What unit tests share: a promoted model in a folder of its own, and a clone of a bare remote."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from btc_signal.bundle import sha256
from src.base import paths, storage
from src.ml.ensemble import ProductionEnsemble
from tests.checkouts import GIT_IDENTITY, Checkout
from tests.clones import clone_of
from tests.clones import promote as promote_in


@pytest.fixture
def promote(candidate: ProductionEnsemble, tmp_path: Path) -> Callable[[str], None]:
    """A function that makes a version of the small candidate the promoted model, in the folder `promoted`."""
    shipped = json.loads(paths.METADATA.read_text())

    def make(version: str) -> None:
        files = {paths.GRAPH.name: candidate.voters.content, paths.ENSEMBLE.name: candidate.to_bytes()}
        for name, content in files.items():
            storage.write_bytes(content, tmp_path / "promoted" / name)
        rows = shipped["smoke_test"]["rows"]
        smoke = {"rows": rows, "probabilities": candidate.predict_proba(rows)[:, 1].tolist()}
        digests = {name: {"sha256": sha256(content)} for name, content in files.items()}
        metadata = shipped | {"version": version, "files": digests, "smoke_test": smoke}
        storage.write_json(metadata, tmp_path / "promoted" / paths.METADATA.name)

    return make


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    """A clone of a bare remote, both at version 1.0.0; the project takes it for its own."""
    monkeypatch.setattr(paths, "METADATA", tmp_path / "mine" / paths.relative(paths.METADATA))
    monkeypatch.setattr(paths, "ROOT", tmp_path / "mine")
    for name, value in GIT_IDENTITY.items():
        monkeypatch.setenv(name, value)
    Checkout(tmp_path).run("git", "init", "--quiet", "--bare", "--initial-branch", "main", "remote.git")
    clone = clone_of(tmp_path, "mine")
    promote_in(clone, "1.0.0")
    clone.run("git", "push", "--quiet", "--atomic", "--follow-tags")
    return clone
