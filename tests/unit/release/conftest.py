"""A folder that releases are put into, and what lies in it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from src.release.deploy import deploy
from tests.folders import served


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
