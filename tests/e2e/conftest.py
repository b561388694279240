"""Repositories to change."""

from pathlib import Path

import pytest

from tests.checkouts import Checkout


@pytest.fixture
def champion(small: Checkout, tmp_path: Path) -> Checkout:
    """A repository whose last commit is the champion, and whose work tree equals it."""
    return small.copy(tmp_path / "repository")
