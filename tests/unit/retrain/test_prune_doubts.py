"""Where it is not sure what is needed, or another command is at work, `prune` deletes nothing."""

import json
import os
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from dvc.repo import Repo

from src.base import paths
from src.base.errors import PromotionError
from src.release.transaction import NOTE, exclusive
from src.repo.dvc_store import Stores
from src.repo.scratch_folder import lock_out
from src.retrain.prune import prune
from tests.growth import NOW, STORES, Weeks


def opened() -> Repo:
    return Repo(str(paths.ROOT))


def shallow(weeks: Weeks) -> str:
    weeks.run("git", "clone", "--quiet", "--bare", ".", "../all.git")
    weeks.run("git", "remote", "add", "origin", f"file://{weeks.root.parent}/all.git")
    weeks.run("git", "fetch", "--quiet", "--depth", "1", "--update-shallow", "origin")
    weeks.run("git", "pull", "--quiet", "--depth", "1", "origin", "main")
    return "this clone is shallow; `git fetch --unshallow --tags`"


def pushed_by_others(weeks: Weeks) -> str:
    weeks.run("git", "clone", "--quiet", "--bare", ".", "../all.git")
    weeks.run("git", "remote", "add", "origin", "../all.git")
    weeks.run("git", "clone", "--quiet", "../all.git", "../theirs")
    theirs = Weeks(weeks.root.parent / "theirs")
    theirs.run("git", "switch", "--quiet", "--create", "theirs")
    theirs.commit_at(1, "held")
    theirs.run("git", "push", "--quiet", "origin", "theirs")
    return r"origin has 1 branches or tags that this clone lacks, refs/heads/theirs is the first; `git fetch --no-tags"


def unreachable_remote(weeks: Weeks) -> str:
    weeks.run("git", "remote", "add", "origin", "../nowhere.git")
    return "origin cannot be asked which versions it has"


def unfinished_promotion(weeks: Weeks) -> str:
    (weeks.root / ".git" / NOTE).write_text("{}")
    return "a promotion or rollback was stopped half-way; run it again"


def git_at_work(weeks: Weeks) -> str:
    (weeks.root / ".git" / "index.lock").touch()
    return "index.lock is there: another git is at work"


def stage_at_work(weeks: Weeks) -> str:
    (weeks.root / ".dvc" / "tmp").mkdir()
    held = {"write": {"data/x": {"pid": os.getpid(), "cmd": "dvc repro"}}}
    (weeks.root / ".dvc" / "tmp" / "rwlock").write_text(json.dumps(held))
    return f"DVC is at work in this folder, as process {os.getpid()}; nothing was changed, wait for it"


def damaged_branch(weeks: Weeks) -> str:
    weeks.run("git", "switch", "--quiet", "--create", "aside")
    weeks.commit_at(25, text="<<<<<<< HEAD\n")
    weeks.run("git", "switch", "--quiet", "main")
    return r"what refs/heads/aside needs is not known, dvc.lock is damaged"


def damaged_work_tree(weeks: Weeks) -> str:
    (weeks.root / "dvc.lock").write_text("stages: [")
    return r"what .*/mine/dvc.lock needs is not known, dvc.lock is damaged"


def remote_that_lists_nothing(weeks: Weeks) -> str:
    (weeks.root / ".dvc" / "config.local").write_text("['remote \"local\"']\n    url = http://127.0.0.1:9/models\n")
    return "a remote of the kind http cannot be listed"


def no_remote(weeks: Weeks) -> str:
    (weeks.root / ".dvc" / "config").write_text("")
    return r"DVC cannot be asked for the files \(config file error: no remote specified"


REFUSALS = [
    shallow,
    pushed_by_others,
    unreachable_remote,
    unfinished_promotion,
    git_at_work,
    stage_at_work,
    damaged_branch,
    damaged_work_tree,
    remote_that_lists_nothing,
    no_remote,
]


@pytest.mark.parametrize("doubt", REFUSALS, ids=lambda doubt: doubt.__name__)
def test_in_doubt_nothing_is_deleted(doubt: Callable[[Weeks], str], weeks: Weeks) -> None:
    """And the words say what to do."""
    words = doubt(weeks)
    with pytest.raises(PromotionError, match=words):
        prune(8, dry_run=False, now=NOW)
    assert [weeks.stored(["tried"], store) for store in STORES] == [{"tried"}] * 2
    assert not paths.PRUNE.exists()


def test_a_branch_that_was_fetched_as_said_is_no_doubt(weeks: Weeks) -> None:
    """The command in the words brings all that the remote has."""
    pushed_by_others(weeks)
    with pytest.raises(PromotionError) as refused:
        prune(8, dry_run=False, now=NOW)
    weeks.run("bash", "-c", str(refused.value).split("`")[1])
    weeks.store(30, "held")
    prune(8, dry_run=False, now=NOW)
    assert weeks.stored(["tried", "held"]) == {"held"}


@pytest.mark.parametrize(
    ("at_work", "words"),
    [
        pytest.param(lambda: lock_out("retrain"), "another retrain is at work in this clone, or a prune", id="retrain"),
        pytest.param(exclusive, "another promotion, rollback, publication or prune is at work", id="promotion"),
        pytest.param(lambda: opened().lock, "Unable to acquire lock. Most likely another DVC process", id="DVC"),
    ],
)
def test_it_waits_for_no_other_command(
    at_work: Callable[[], AbstractContextManager[object]], words: str, weeks: Weeks
) -> None:
    """Neither does the other: each is refused while one is at work in the clone."""
    with at_work(), pytest.raises(PromotionError, match=words):
        prune(8, dry_run=False, now=NOW)
    assert weeks.stored(["tried"]) == {"tried"}


@pytest.mark.parametrize("other", [lambda: lock_out("retrain"), exclusive], ids=["retrain", "promotion"])
def test_no_other_command_begins_meanwhile(
    other: Callable[[], AbstractContextManager[object]], weeks: Weeks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it would bring back may be among what is deleted."""
    refused = []

    def begin(*_: object) -> list[str]:
        with pytest.raises(PromotionError, match=r"prune.*; nothing was changed, wait for it") as error, other():
            pass
        refused.append(error.value)
        return []

    monkeypatch.setattr(Stores, "delete", begin)
    prune(8, dry_run=False, now=NOW)
    assert len(refused) == 2
