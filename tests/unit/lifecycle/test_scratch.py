"""The folder that a retraining works in, and empties."""

import subprocess
from pathlib import Path

import pytest

from src import paths
from src.errors import PromotionError
from src.lifecycle.scratch import alone


def test_a_link_in_its_place_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it leads to may be somebody's, and is not emptied."""
    repository, elsewhere = tmp_path / "repository", tmp_path / "elsewhere"
    subprocess.run(["git", "init", "--quiet", str(repository)], check=True)
    elsewhere.mkdir()
    (elsewhere / "theirs").write_text("precious")
    (repository / ".git" / "retrain").symlink_to(elsewhere)
    monkeypatch.setattr(paths, "ROOT", repository)
    with pytest.raises(PromotionError, match="retrain is a link; expected a folder"), alone():
        pass
    assert (elsewhere / "theirs").read_text() == "precious"
