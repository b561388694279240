"""The release before comes back by itself, once."""

import json
import os
import shutil
from pathlib import Path

import pytest

from src.base import paths
from src.base.errors import PromotionError
from src.monitoring.recovery import breach, recover
from src.policy import Monitor
from src.release.deploy import roll_back, served
from tests.faults.world import ImpossibleError, mounted
from tests.signing import allow, make_keys, version_of

BAD = {"live": {"f1_score": {"value": 0.5, "interval": [0.45, 0.55]}}, "predictions": 600, "version": "1.1.0"}
BAD["looked_at"] = "2020-01-01T00:00:00Z"


@pytest.fixture
def asked(limits):
    """Limits that ask for recovery."""
    return limits.model_copy(update={"recover_f1_min": 0.6, "recover_rows_min": 500})


def deploy_two(folder: Path) -> None:
    """Lay out two releases as `deploy` does."""
    for version in ("1.0.0", "1.1.0"):
        (folder / "releases" / version).mkdir(parents=True)
    (folder / "production").symlink_to("releases/1.1.0")
    (folder / "production.previous").symlink_to("releases/1.0.0")
    (folder / ".lock").touch()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two releases, the second one served; what a release holds is verified elsewhere."""
    deploy_two(tmp_path)
    verified = []
    monkeypatch.setattr("src.release.deploy.ProductionEnsemble.load_release", verified.append)
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


def test_what_is_wanted_is_written_before_the_link_moves(asked, folder, monkeypatch):
    """Whoever is killed in between leaves a note of it."""
    note, seen = folder / "production.recovered.json", []
    monkeypatch.setattr("src.monitoring.recovery.roll_back", lambda *_, **__: seen.append(json.loads(note.read_text())))
    recover(BAD, folder, "production", asked, dry_run=False)
    assert [(wanted["from"], wanted["to"]) for wanted in seen] == [("1.1.0", "1.0.0")]


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


def test_a_release_that_the_statement_does_not_allow(asked, folder, monkeypatch):
    """A bot would refuse it: the link stays, no note, and words that say what the owner of the key has to do."""
    monkeypatch.setattr("src.release.deploy.ProductionEnsemble.load_release", lambda _: None)
    secret, _ = make_keys(folder, "owner")
    digests = {}
    for version in ("1.0.0", "1.1.0"):
        metadata = folder / "releases" / version / paths.METADATA.name
        metadata.write_text(f'{{"version": "{version}"}}')
        digests |= version_of(metadata.parent)
    allow(folder, secret, {"1.1.0": digests["1.1.0"]})
    with pytest.raises(PromotionError, match=r"allows 1\.1\.0, got 1\.0\.0; nothing was changed: .* --before 1\.0\.0"):
        recover(BAD, folder, "production", asked, dry_run=False)
    assert links(folder) == ("1.1.0", "1.0.0")
    assert not (folder / "production.recovered.json").exists()
    allow(folder, secret, digests, serial=2)
    assert "serves 1.0.0 again instead of 1.1.0" in recover(BAD, folder, "production", asked, dry_run=False)


def links(folder: Path) -> tuple[str | None, str | None]:
    """What is served, and what would be gone back to."""
    return served(folder, "production"), served(folder, "production.previous")


@pytest.mark.parametrize("free_inodes", range(4))
def test_a_disk_without_an_inode_left(free_inodes, asked, tmp_path, monkeypatch):
    """The link stays and the words say why; every look tries again, and with room it is done, once."""
    monkeypatch.setattr("src.release.deploy.ProductionEnsemble.load_release", lambda _: None)
    try:
        with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "nr_inodes=64", "tmpfs") as disk:
            deploy_two(disk)
            left = use_up_inodes(disk, but=free_inodes)
            for _ in range(3):
                if served(disk, "production") == "1.1.0" and (words := refused(disk, asked)):
                    assert "No space left on device" in words
                    assert links(disk) == ("1.1.0", "1.0.0")
            for file in left:
                file.unlink()
            if served(disk, "production") == "1.1.0":
                words = recover(BAD, disk, "production", asked, dry_run=False)
                assert "serves 1.0.0 again instead of 1.1.0" in words
            assert links(disk) == ("1.0.0", "1.1.0")
            again = recover(BAD | {"version": "1.0.0"}, disk, "production", asked, dry_run=False)
            assert "was done before" in again
            assert links(disk) == ("1.0.0", "1.1.0")
            assert not list(disk.glob(".production*"))
    except ImpossibleError as error:
        pytest.skip(str(error))


def refused(folder: Path, asked: Monitor) -> str:
    """Recover; return the words of the error, empty if it was done."""
    try:
        recover(BAD, folder, "production", asked, dry_run=False)
    except PromotionError as error:
        return str(error)
    return ""


def use_up_inodes(disk: Path, *, but: int) -> list[Path]:
    """Make files until no inode is left, remove so many, and return the others."""
    made: list[Path] = []
    try:
        while True:
            made.append(disk / f"inode{len(made)}")
            made[-1].touch()
    except OSError:
        made.pop()
    for file in made[:but]:
        file.unlink()
    return made[but:]


def write_note(folder: Path, **content: str | None) -> None:
    (folder / "production.recovered.json").write_text(json.dumps({"from": "1.1.0", "at": "", "why": ""} | content))


@pytest.mark.parametrize("content", [{}, {"state": "wanted", "to": "1.0.0"}], ids=["written by 1.5.0", "an intent"])
def test_a_note_of_a_recovery_that_never_was(content, asked, folder):
    """The link still leads to the version it speaks of: it is done now."""
    write_note(folder, **content)
    assert "would deploy" in recover(BAD, folder, "production", asked, dry_run=True)
    assert "serves 1.0.0 again instead of 1.1.0" in recover(BAD, folder, "production", asked, dry_run=False)
    assert json.loads((folder / "production.recovered.json").read_text())["state"] == "done"


@pytest.mark.parametrize("content", [{}, {"state": "wanted", "to": "1.0.0"}], ids=["written by 1.5.0", "an intent"])
def test_killed_before_the_outcome_was_written(content, asked, folder):
    """The link has moved, so it was done: nothing is swapped back, and a look without an alert writes the outcome."""
    write_note(folder, **content)
    roll_back(folder, "production")
    good = BAD | {"version": "1.0.0", "predictions": 1}
    assert recover(good, folder, "production", asked, dry_run=False) == ""
    assert json.loads((folder / "production.recovered.json").read_text())["state"] == "done"
    again = BAD | {"version": "1.0.0"}
    assert "was done before" in recover(again, folder, "production", asked, dry_run=False)
    assert served(folder, "production") == "1.0.0"


def test_an_intent_of_a_version_that_a_person_replaced(asked, folder):
    """It was never done: the version that is served now is judged by itself."""
    write_note(folder, **{"from": "1.0.9", "to": "1.0.8", "state": "wanted"})
    assert "serves 1.0.0 again instead of 1.1.0" in recover(BAD, folder, "production", asked, dry_run=False)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"from"'])
def test_a_note_that_cannot_be_read(content, asked, folder):
    """A person has to look; nothing is changed."""
    (folder / "production.recovered.json").write_text(content)
    with pytest.raises(PromotionError, match="expected the note of a recovery, which cannot be read; look what is"):
        recover(BAD, folder, "production", asked, dry_run=False)
    assert links(folder) == ("1.1.0", "1.0.0")


def test_a_note_that_is_a_pipe_keeps_nobody_waiting(asked, folder):
    """As one that is a folder: a person has to look."""
    os.mkfifo(folder / "production.recovered.json")
    with pytest.raises(PromotionError, match="expected the note of a recovery, which cannot be read; look what is"):
        recover(BAD, folder, "production", asked, dry_run=False)
    assert links(folder) == ("1.1.0", "1.0.0")


def test_two_monitors_at_once(asked, folder, monkeypatch):
    """The one that comes second finds it done: it neither swaps back nor takes the note away."""
    real = roll_back

    def second(*arguments, **keywords):
        """The other monitor is quicker."""
        real(*arguments, **keywords)
        return real(*arguments, **keywords)

    monkeypatch.setattr("src.monitoring.recovery.roll_back", second)
    assert "serves 1.0.0 again instead of 1.1.0" in recover(BAD, folder, "production", asked, dry_run=False)
    assert links(folder) == ("1.0.0", "1.1.0")
    assert json.loads((folder / "production.recovered.json").read_text())["state"] == "done"
