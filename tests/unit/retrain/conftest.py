"""A repository whose weeks are made up, with an object that nothing needs."""

from pathlib import Path

import pytest

from tests.growth import Weeks, as_project


@pytest.fixture
def weeks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Weeks:
    """A repository that the project takes for its own, with one object that nothing needs."""
    weeks = Weeks.begun(tmp_path / "mine")
    as_project(weeks, monkeypatch.setattr)
    weeks.commit_at(30, "tried")
    weeks.commit_at(29, "other")
    weeks.store(0, "new")
    return weeks
