"""A folder that releases are put into, and what lies in it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from src.base import byte_code, paths
from src.doctor import repair
from src.release.deploy import deploy
from src.release.warn_once import warn_once
from tests.checkouts import GIT_IDENTITY, Checkout
from tests.folders import served

BEFORE = b"before\xff\n"
METADATA = paths.relative(paths.METADATA)


@pytest.fixture(autouse=True)
def _nothing_was_warned_of() -> None:
    """As in a fresh process."""
    warn_once.cache_clear()


@pytest.fixture
def srv(tmp_path: Path) -> Path:
    """The folder."""
    return tmp_path / "srv"


@pytest.fixture
def put_version(promote: Callable[[str], None], srv: Path, tmp_path: Path) -> Callable[..., list[str]]:
    """A function that deploys a version there for production, and returns the warnings."""

    def deployed(version: str, keep: int = 1) -> list[str]:
        warnings: list[str] = []
        promote(version)
        promoted = tmp_path / "promoted"
        assert deploy(srv, "production", keep=keep, promoted=promoted, warn=warnings.append) == version
        assert served(srv) == version
        return warnings

    return deployed


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    """A repository with one file, committed, which the project takes for its own."""
    for name, value in GIT_IDENTITY.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(paths, "METADATA", tmp_path / METADATA)
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setattr(repair, "RWLOCK", tmp_path / ".dvc" / "tmp" / "rwlock")
    monkeypatch.setattr(byte_code, "remove_damaged", list)
    checkout = Checkout(tmp_path)
    checkout.run("git", "init", "--quiet")
    (tmp_path / "model").write_bytes(BEFORE)
    checkout.commit("before")
    return checkout


def hook(checkout: Checkout, name: str, script: str) -> None:
    """Give a repository a hook."""
    file = checkout.root / ".git" / "hooks" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
