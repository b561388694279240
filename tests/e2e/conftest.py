"""Repositories to change, and a remote."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.checkouts import Checkout
from tests.remotes import S3Remote, serve_s3


@pytest.fixture
def champion(small: Checkout, tmp_path: Path) -> Checkout:
    """A repository whose last commit is the champion, and whose work tree equals it."""
    return small.copy(tmp_path / "repository")


@pytest.fixture
def s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Remote]:
    """A bucket that nothing was pushed to."""
    with serve_s3(tmp_path / "aws") as remote:
        for name, value in remote.environment.items():
            monkeypatch.setenv(name, value)
        yield remote
