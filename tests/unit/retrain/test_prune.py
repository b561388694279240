"""What is deleted, and what stays, whoever needs it."""

import json
import re
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from dvc_data.hashfile.db.local import LocalHashFileDB
from hypothesis import given
from hypothesis import strategies as st

from src.base import paths, storage
from src.base.errors import PromotionError
from src.repo.dvc_store import Stored
from src.repo.manifests import Named
from src.retrain.prune import Report, prune, to_delete
from tests.growth import NOW, STORES, Weeks, as_project, digest, lock_text


@pytest.fixture
def weeks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Weeks:
    """A repository that the project takes for its own: a model of week 40, what was tried in week 30, and today's."""
    weeks = Weeks.begun(tmp_path / "mine")
    as_project(weeks, monkeypatch.setattr)
    weeks.commit_at(40, "promoted", "shared", version="1.0.0")
    weeks.commit_at(30, "tried", "shared")
    weeks.commit_at(0, "today")
    return weeks


def pruned(*, yes: bool = True, weeks: int = 8, **named: object) -> Report:
    return prune(weeks, dry_run=not yes, **{"now": NOW} | named)


def everything(weeks: Weeks) -> dict[str, bytes]:
    """All files but git's and locks."""
    files = [file for file in weeks.root.rglob("*") if file.is_file() and ".git" not in file.parts]
    return {str(file): file.read_bytes() for file in files if "tmp" not in file.parts}


def runs(weeks: Weeks) -> list[Path]:
    """Every run that DVC remembers; it fails on a folder without any."""
    folders = list((weeks.root / ".dvc" / "cache" / "runs").glob("*/*"))
    assert all(any(folder.iterdir()) for folder in folders)
    return [file for folder in folders for file in folder.iterdir()]


@pytest.mark.parametrize("store", STORES)
def test_what_nothing_needs_goes(store: str, weeks: Weeks) -> None:
    """A promotion's objects stay, also those it shares; so do today's and what no manifest of ours names."""
    weeks.store(50, "somebody's")
    report = pruned()
    names = ["promoted", "shared", "tried", "today", "somebody's"]
    assert weeks.stored(names, store) == set(names) - {"tried"}
    counts = {name: amount["count"] for name, amount in report["places"]["remote"].items()}
    assert counts == {"kept": 3, "to_delete": 1, "not_ours": 1}
    assert report["places"]["cache"]["to_delete"] == {"count": 1, "n_bytes": len("tried")}
    assert json.loads(paths.PRUNE.read_text())["objects"] == {place: [digest("tried")] for place in ("remote", "cache")}


def test_a_dry_run_changes_nothing(weeks: Weeks) -> None:
    """It says the same numbers."""
    before = everything(weeks)
    said = pruned(yes=False)
    assert everything(weeks) == before
    assert said | {"outcome": "done"} == pruned()
    assert everything(weeks) != before


def test_what_a_store_got_lately_stays(weeks: Weeks) -> None:
    """Another clone may have made it again, and its commit is still to come."""
    weeks.file("tried").touch()
    pruned()
    assert [weeks.stored(["tried"], store) for store in STORES] == [{"tried"}, set()]


def test_what_was_refused_goes_with_the_run_that_made_it(weeks: Weeks) -> None:
    """No commit names it: DVC's memory of the run does. Memories of runs whose outputs stay, stay."""
    for made in (["refused"], ["no more", "today"]):
        weeks.remember(20, *made)
    kept, young = weeks.remember(20, "today"), weeks.remember(2, "fresh")
    report = pruned()
    assert weeks.stored(["refused", "no more", "fresh", "today"]) == {"fresh", "today"}
    assert set(runs(weeks)) == {kept, young}
    assert report["places"]["runs"]["to_delete"]["count"] == 2


def test_runs_in_a_cache_that_others_share_are_theirs(weeks: Weeks, tmp_path: Path) -> None:
    """It cannot be told who made what they name; what our commits name is ours there, too."""
    (weeks.root / ".dvc" / "config.local").write_text(f"[cache]\n    dir = {tmp_path / 'shared'}\n")
    theirs = weeks.remember(20, "theirs")
    (weeks.root / ".dvc" / "cache").rename(tmp_path / "shared")
    report = pruned()
    shared = Weeks(tmp_path)
    assert shared.file("theirs", "shared").exists()
    assert not shared.file("tried", "shared").exists()
    assert (tmp_path / "shared" / theirs.relative_to(weeks.root / ".dvc" / "cache")).exists()
    assert report["places"]["cache"]["not_ours"]["count"] == 1


def test_the_files_of_a_folder_go_and_stay_with_it(weeks: Weeks) -> None:
    """An output that is a folder is an object which names others."""
    weeks.commit_at(29, text=weeks.store_folder(29, "old", "a", "b"))
    weeks.commit_at(28, text=weeks.store_folder(28, "served", "b", "c"), version="1.1.0")
    weeks.commit_at(0, "today")
    pruned()
    assert weeks.stored("abc") == {"b", "c"}
    assert [file.name for file in (weeks.root / STORES[0]).rglob("*.dir")] == [f"{digest('served')[2:]}.dir"]


def test_old_looks_of_the_monitor_go(weeks: Weeks) -> None:
    """What is no look stays, and so does a line that is being written."""
    old, new = (json.dumps({"looked_at": (NOW - timedelta(weeks=n)).isoformat()}) for n in (9, 1))
    paths.MONITOR_HISTORY.parent.mkdir(parents=True)
    paths.MONITOR_HISTORY.write_text(f"{old}\n{new}\nnot ours\n{{}}\n{old}")
    report = pruned()
    assert paths.MONITOR_HISTORY.read_text() == f"{new}\nnot ours\n{{}}\n{old}"
    assert {name: amount["count"] for name, amount in report["places"]["reports"].items()} == {
        "kept": 3,
        "to_delete": 1,
    }


@pytest.mark.parametrize("n_done", range(5))
def test_a_prune_that_was_killed_is_finished_by_the_next(
    n_done: int, weeks: Weeks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it was, and the memory of a run goes last: it is all that names what a refused week made."""
    weeks.remember(20, "refused")
    left = iter(range(n_done))
    delete, rmtree = LocalHashFileDB.delete, shutil.rmtree

    def work_on() -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt

    def killed_delete(store: LocalHashFileDB, oid: str) -> None:
        work_on()
        delete(store, oid)

    def killed_rmtree(folder: Path, **named: bool) -> None:
        work_on()
        rmtree(folder, **named)

    with monkeypatch.context() as patch:
        patch.setattr(LocalHashFileDB, "delete", killed_delete)
        patch.setattr(shutil, "rmtree", killed_rmtree)
        with pytest.raises(KeyboardInterrupt):
            pruned()
    assert json.loads(paths.PRUNE.read_text())["outcome"] == "unfinished"
    assert pruned()["outcome"] == "done"
    names = ["promoted", "shared", "tried", "today", "refused"]
    assert [weeks.stored(names, store) for store in STORES] == [{"promoted", "shared", "today"}] * 2
    assert runs(weeks) == []
    assert pruned()["places"]["cache"]["to_delete"]["count"] == 0


def test_a_full_disk_is_made_room_on(
    weeks: Weeks, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is deleted cannot be recorded there, and is deleted all the same."""

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage, "write_json", fail)
    assert pruned()["outcome"] == "done"
    assert weeks.stored(["tried"]) == set()
    assert "reports/prune.json cannot be written (No space left on device)" in capsys.readouterr().err


def test_a_year_of_weeks_holds_its_promotions_and_the_last_weeks(weeks: Weeks) -> None:
    """One in four is promoted and pushed; what the others made, cache and memory hold for eight weeks."""
    promoted = set()
    for week in range(1, 53):
        now, name = NOW + timedelta(weeks=week), f"week {week}"
        if week % 4:
            weeks.remember(-week, name)
        else:
            promoted.add(name)
            weeks.commit_at(-week, name, version=f"1.{week}.0")
        if not week % 13:
            pruned(now=now)
            names = {f"week {one}" for one in range(1, week + 1)}
            lately = {f"week {one}" for one in range(week - 8, week + 1)}
            assert weeks.stored(names) == names & (promoted | lately)
            assert weeks.stored(names, STORES[1]) == promoted
            assert len(runs(weeks)) == len(lately - promoted)


@pytest.mark.parametrize(
    ("error", "reason"), [(PermissionError(13, "Permission denied"), " (Permission denied)"), (None, "")]
)
def test_an_object_that_the_store_keeps_is_named_and_the_others_go(
    error: Exception | None, reason: str, weeks: Weeks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the store says so or not; the next prune tries it again, and what names it stays until then."""
    run = weeks.remember(20, "refused")
    delete = LocalHashFileDB.delete

    def refuse(store: LocalHashFileDB, oid: str) -> None:
        if oid != digest("refused"):
            delete(store, oid)
        elif error:
            raise error

    monkeypatch.setattr(LocalHashFileDB, "delete", refuse)
    with pytest.raises(
        PromotionError, match=re.escape(f"{digest('refused')[2:]}{reason} is the first; the others are")
    ):
        pruned()
    assert weeks.stored(["tried", "refused"]) == {"refused"}
    assert run.exists()
    assert json.loads(paths.PRUNE.read_text())["outcome"] == "refused"


def test_a_clock_that_is_ahead_makes_nothing_older(weeks: Weeks) -> None:
    """The weeks are counted from the newest commit or object then."""
    weeks.commit_at(5, "lately")
    weeks.commit_at(0, "today")
    report = pruned(now=NOW + timedelta(weeks=500))
    assert report["younger_than"] == "2026-04-06T00:00:00Z"
    assert weeks.stored(["lately", "tried"]) == {"lately"}


def test_a_commit_of_a_day_to_come_is_named_and_stops_nothing(weeks: Weeks, capsys: pytest.CaptureFixture[str]) -> None:
    """History does not change, so nobody could mend it."""
    weeks.commit_at(-3000, "future")
    weeks.commit_at(0, "today")
    pruned()
    assert weeks.stored(["tried", "future"]) == {"future"}
    assert "are dated after now" in capsys.readouterr().err


def test_a_commit_that_cannot_be_read_keeps_what_it_alone_names(
    weeks: Weeks, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says for nothing that the pipeline made it; it is named, and stops nothing."""
    weeks.store(30, "alone")
    damaged = weeks.commit_at(25, text=f"<<<<<<< HEAD\n{lock_text('alone', 'tried')}=======\n>>>>>>> theirs\n")
    weeks.commit_at(0, "today")
    pruned()
    assert weeks.stored(["tried", "alone"]) == {"alone"}
    said = capsys.readouterr().err
    assert said.startswith(f"warning: commit {damaged[:7]}: dvc.lock is damaged")
    assert said.endswith("what it alone names is not deleted\n")


OBJECT = st.sampled_from("abcdefgh")
STORED = st.builds(Stored, st.integers(0, 9), st.none() | st.floats(0, 2e9))


@given(st.dictionaries(OBJECT, STORED), st.sets(OBJECT), st.sets(OBJECT), st.floats(0, 2e9))
def test_nothing_that_is_needed_foreign_or_young_is_ever_chosen(
    objects: dict[str, Stored], kept: set[str], outdated: set[str], since: float
) -> None:
    """And all the rest is, so that nothing grows without bound."""
    chosen = set(to_delete(objects, Named(kept, outdated), since))
    assert chosen.isdisjoint(kept)
    assert chosen <= objects.keys() & outdated
    young = {one for one, stored in objects.items() if stored.written_s is None or stored.written_s >= since}
    assert chosen | young | kept | (objects.keys() - outdated) == objects.keys() | kept
    assert chosen.isdisjoint(young)
