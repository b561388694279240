"""Whatever leads to an object keeps it."""

from collections.abc import Callable

import pytest

from src.retrain.prune import prune
from tests.growth import NOW, STORES, Weeks, digest, lock_text


def on_a_branch(weeks: Weeks) -> None:
    weeks.run("git", "switch", "--quiet", "--create", "aside")
    weeks.commit_at(25, "held")
    weeks.run("git", "switch", "--quiet", "main")


def detached(weeks: Weeks) -> str:
    """Commit where nothing but a reflog leads, and go back."""
    weeks.run("git", "switch", "--quiet", "--detach")
    commit = weeks.commit_at(25, "held")
    weeks.run("git", "switch", "--quiet", "main")
    return commit


def under_a_tag(weeks: Weeks) -> None:
    weeks.run("git", "tag", "--annotate", "--message", "kept", "kept", detached(weeks))


def followed(weeks: Weeks) -> None:
    weeks.run("git", "update-ref", "refs/remotes/origin/theirs", detached(weeks))


def in_another_work_tree(weeks: Weeks) -> None:
    weeks.run("git", "worktree", "add", "--quiet", "--detach", "../other", detached(weeks))


def written_in_another_work_tree(weeks: Weeks) -> None:
    detached(weeks)
    weeks.run("git", "worktree", "add", "--quiet", "--detach", "../other", "main")
    (weeks.root.parent / "other" / "dvc.lock").write_text(lock_text("held"))


def stashed_twice(weeks: Weeks) -> None:
    detached(weeks)
    for name in ("held", "another"):
        (weeks.root / "dvc.lock").write_text(lock_text(name))
        weeks.run("git", "stash", "push", "--quiet")


def staged(weeks: Weeks) -> None:
    detached(weeks)
    lock = weeks.root / "dvc.lock"
    before = lock.read_text()
    lock.write_text(lock_text("held"))
    weeks.run("git", "add", "dvc.lock")
    lock.write_text(before)


def in_the_work_tree(weeks: Weeks) -> None:
    detached(weeks)
    (weeks.root / "dvc.lock").write_text(lock_text("held"))


def git_lies_elsewhere(weeks: Weeks) -> None:
    """As of a submodule: git lists its own folder for the work tree."""
    in_the_work_tree(weeks)
    weeks.run("git", "init", "--quiet", "--separate-git-dir", "../elsewhere.git")


def added_by_hand(weeks: Weeks) -> None:
    """Once, by `dvc add`; the file is gone since."""
    detached(weeks)
    file = weeks.root / "data" / "bars.csv.dvc"
    file.parent.mkdir()
    file.write_text(f"outs:\n- md5: {digest('held')}\n  path: bars.csv\n")
    weeks.commit_at(24)
    file.unlink()
    weeks.commit_at(23)


def of_another_pipeline(weeks: Weeks) -> None:
    detached(weeks)
    file = weeks.root / "other" / "dvc.lock"
    file.parent.mkdir()
    file.write_text(f"schema: '3.0'\nouts: {digest('held')}\n")
    weeks.commit_at(24)
    file.unlink()
    weeks.commit_at(23)


def promoted_on_a_merged_branch(weeks: Weeks) -> None:
    """And its merge took the other side."""
    weeks.run("git", "switch", "--quiet", "--create", "aside")
    weeks.commit_at(26, "held", version="1.1.0")
    weeks.run("git", "switch", "--quiet", "main")
    weeks.commit_at(25, "ours")
    weeks.run("git", "merge", "--quiet", "--strategy", "ours", "--no-edit", "aside")
    weeks.run("git", "branch", "--delete", "--quiet", "aside")
    weeks.commit_at(24, "ours too")


def rolled_back_to(weeks: Weeks) -> None:
    """A commit that changed the metadata, and whose metadata are no promotion's."""
    weeks.commit_at(25, "held", version="2.0.0-hotfix")
    weeks.commit_at(24, "other")


def in_a_young_commit(weeks: Weeks) -> None:
    weeks.store(30, "held")
    weeks.commit_at(7.9, "held")


def between_marks_of_a_merge(weeks: Weeks) -> None:
    """A promotion whose dvc.lock nobody can read any more, and history does not change."""
    weeks.store(30, "held")
    text = f"<<<<<<< HEAD\n{lock_text('other')}=======\n{lock_text('held')}>>>>>>> theirs\n"
    weeks.commit_at(25, text=text, version="1.1.0")
    weeks.commit_at(24, "other")


HOLDERS = [
    on_a_branch,
    under_a_tag,
    followed,
    in_another_work_tree,
    written_in_another_work_tree,
    stashed_twice,
    staged,
    in_the_work_tree,
    git_lies_elsewhere,
    added_by_hand,
    of_another_pipeline,
    promoted_on_a_merged_branch,
    rolled_back_to,
    in_a_young_commit,
    between_marks_of_a_merge,
]


@pytest.mark.parametrize("hold", HOLDERS, ids=lambda hold: hold.__name__)
def test_what_is_needed_stays(hold: Callable[[Weeks], object], weeks: Weeks) -> None:
    """And what is not goes all the same."""
    hold(weeks)
    prune(8, dry_run=False, now=NOW)
    assert [weeks.stored(["tried", "held"], store) for store in STORES] == [{"held"}, {"held"}]


def test_what_only_a_reflog_leads_to_goes(weeks: Weeks) -> None:
    """Unless it is young: so the tests above can fail."""
    detached(weeks)
    prune(8, dry_run=False, now=NOW)
    assert weeks.stored(["tried", "held"]) == set()


def test_a_branch_that_only_the_remote_has_keeps_what_it_needs(weeks: Weeks) -> None:
    """Its commit is known here, from what was merged and gone on from."""
    weeks.run("git", "clone", "--quiet", "--bare", ".", "../all.git")
    weeks.run("git", "remote", "add", "origin", "../all.git")
    weeks.commit_at(28, "last")
    prune(8, dry_run=False, now=NOW)
    assert weeks.stored(["tried", "other", "last"]) == {"other", "last"}
