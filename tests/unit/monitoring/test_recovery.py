"""The release before comes back by itself, once."""

import json
import shutil
from pathlib import Path

import pytest

from src import paths
from src.errors import PromotionError
from src.lifecycle.deploy import served
from src.monitoring.recovery import breach, recover

BAD = {"live": {"f1_score": {"value": 0.5, "interval": [0.45, 0.55]}}, "predictions": 600, "version": "1.1.0"}
BAD["looked_at"] = "2020-01-01T00:00:00Z"


@pytest.fixture
def asked(limits):
    """Limits that ask for recovery."""
    return limits.model_copy(update={"recover_f1_min": 0.6, "recover_rows_min": 500})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two releases, the second one served; what a release holds is verified elsewhere."""
    for version in ("1.0.0", "1.1.0"):
        (tmp_path / "releases" / version).mkdir(parents=True)
    (tmp_path / "production").symlink_to("releases/1.1.0")
    (tmp_path / "production.previous").symlink_to("releases/1.0.0")
    verified = []
    monkeypatch.setattr("src.lifecycle.deploy.ProductionEnsemble.load", verified.append)
    yield tmp_path
    assert all(release == tmp_path / "releases" / "1.0.0" for release in verified)


@pytest.mark.parametrize(
    ("change", "is_asked"),
    [
        ({}, True),
        ({"predictions": 499}, False),
        ({"live": None}, False),
        ({"live": {"f1_score": {"value": 0.5, "interval": [0.45, 0.6]}}}, False),
        ({"live": {"f1_score": {"value": 0.5, "interval": None}}}, False),
    ],
    ids=["below", "too few", "no scores", "may be as good", "no interval"],
)
def test_what_asks_for_recovery(change, is_asked, asked):
    """The whole interval below the floor, over enough predictions."""
    assert bool(breach(BAD | change, asked)) == is_asked


def test_by_default_nothing_recovers_by_itself(limits, folder):
    """A person turns it on."""
    assert recover(BAD, folder, "production", limits, dry_run=False) == ""
    assert served(folder, "production") == "1.1.0"


def test_once_then_a_person_has_to_look(asked, folder):
    """The release before is served, a note says why; with the note there, nothing is swapped back and forth."""
    assert "would deploy the release before 1.1.0" in recover(BAD, folder, "production", asked, dry_run=True)
    assert served(folder, "production") == "1.1.0"
    assert "serves 1.0.0 again instead of 1.1.0" in recover(BAD, folder, "production", asked, dry_run=False)
    assert served(folder, "production") == "1.0.0"
    note = folder / "production.recovered.json"
    assert json.loads(note.read_text())["from"] == "1.1.0"
    again = BAD | {"version": "1.0.0"}
    assert "was done before: look, then delete" in recover(again, folder, "production", asked, dry_run=False)
    assert served(folder, "production") == "1.0.0"


def test_another_version_is_served(asked, folder):
    """The log is of a version that is gone already."""
    words = recover(BAD | {"version": "1.2.0"}, folder, "production", asked, dry_run=False)
    assert "recovery is asked of 1.2.0" in words
    assert "serves 1.1.0" in words


def test_without_a_release_before_nothing_changes(asked, folder):
    """An error, and no note: a person is asked for anyway."""
    (folder / "production.previous").unlink()
    with pytest.raises(PromotionError, match=r"no release before 1\.1\.0 to go back to"):
        recover(BAD, folder, "production", asked, dry_run=False)
    assert served(folder, "production") == "1.1.0"
    assert not (folder / "production.recovered.json").exists()


def test_a_damaged_release_is_not_served(asked, folder, monkeypatch):
    """Verified before the link moves; here by the real loader, which finds no files."""
    monkeypatch.undo()
    shutil.copy(paths.METADATA, folder / "releases" / "1.0.0" / paths.METADATA.name)
    with pytest.raises(Exception, match="is not there"):
        recover(BAD, folder, "production", asked, dry_run=False)
    assert served(folder, "production") == "1.1.0"
