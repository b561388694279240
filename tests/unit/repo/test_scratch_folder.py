"""The folder in .git that a run works in, and empties."""

import subprocess
from pathlib import Path

import pytest

from src.base import paths
from src.base.errors import PromotionError
from src.repo.scratch_folder import exclusive


def test_a_link_in_its_place_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it leads to may be somebody's, and is not emptied."""
    repository, elsewhere = tmp_path / "repository", tmp_path / "elsewhere"
    subprocess.run(["git", "init", "--quiet", str(repository)], check=True)
    elsewhere.mkdir()
    (elsewhere / "theirs").write_text("precious")
    (repository / ".git" / "retrain").symlink_to(elsewhere)
    monkeypatch.setattr(paths, "ROOT", repository)
    with pytest.raises(PromotionError, match="retrain is a link; expected a folder"), exclusive("retrain"):
        pass
    assert (elsewhere / "theirs").read_text() == "precious"


def test_the_folder_is_there_and_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs start in it, so that the next run finds those of a killed one; afterwards it is gone."""
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    (tmp_path / ".git" / "publish").mkdir()
    (tmp_path / ".git" / "publish" / "left").touch()
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    with exclusive("publish") as folder:
        assert not list(folder.iterdir())
    assert not folder.exists()
