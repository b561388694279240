"""What promote, rollback and retrain ask the remote before they change anything, with real git."""

import shutil
from collections.abc import Callable

import pytest

from src.base.errors import PromotionError
from src.release.base_commit import ask_where_published, check_upstream, find_base, how_to_publish
from src.repo.git import git_config
from src.retrain.publish import _follow_remote
from tests.checkouts import Checkout
from tests.clones import clone_of, commit, head

PULL = "git fetch --quiet origin && git pull --quiet --no-rebase --ff --no-edit origin main"


def a_commit(other: Checkout) -> None:
    """A typo, mended."""
    commit(other, "typo")


def a_promotion(other: Checkout) -> None:
    """Of the version that would be next."""
    commit(other, "theirs")
    other.run("git", "tag", "--annotate", "--message", "1.1.0", "production-ensemble@v1.1.0")


def a_stage(other: Checkout) -> None:
    """On a commit that everybody has."""
    other.run("git", "tag", "--annotate", "--message", "staging", "production-ensemble#staging#2")


def a_branch(other: Checkout) -> None:
    """Promoted elsewhere."""
    other.run("git", "switch", "--quiet", "--create", "theirs")
    other.run("git", "config", "push.autoSetupRemote", "true")
    a_promotion(other)


def a_name_below(other: Checkout) -> None:
    """Where git keeps it, there is no room for the tag of version 1.1.0."""
    other.run("git", "tag", "--annotate", "--message", "theirs", "production-ensemble@v1.1.0/theirs")


@pytest.mark.parametrize(
    ("pushed", "words", "mends"),
    [
        pytest.param(a_commit, "origin has commits of main that this clone lacks", PULL, id="commit"),
        pytest.param(a_promotion, "origin has commits of main", PULL, id="promotion"),
        pytest.param(a_stage, "origin has 1 tags that this clone lacks", "git fetch --tags origin", id="stage"),
        pytest.param(a_name_below, "origin has 1 tags that this clone lacks", "git fetch --tags origin", id="below"),
        pytest.param(a_branch, "origin has 1 tags that this clone lacks", "git fetch --tags origin", id="branch"),
    ],
)
def test_what_a_colleague_pushed_is_fetched_first(
    pushed: Callable[[Checkout], None], words: str, mends: str, mine: Checkout
) -> None:
    """Refused before anything changes, with the command after which it is not; a commit of ours changes neither."""
    commit(mine, "candidate")
    other = clone_of(mine.root.parent, "other")
    pushed(other)
    other.run("git", "push", "--quiet", "--atomic", "--follow-tags")
    before = mine.git_state()
    with pytest.raises(PromotionError, match=f"^{words}.*`{mends}`, then run it again"):
        check_upstream(amend=False, offline=False)
    assert mine.git_state() == before
    check_upstream(amend=False, offline=True)
    # Whatever it follows and is set to: the command is complete.
    mine.run("git", "branch", "--unset-upstream")
    mine.run("git", "config", "pull.ff", "only")
    mine.run("sh", "-c", mends)
    check_upstream(amend=False, offline=False)


def test_a_git_that_fails_is_not_taken_for_a_missing_commit(mine: Checkout) -> None:
    """A damaged object of this clone: `git pull`, which a commit of a colleague asks for, would not help."""
    for name in ("lost", "candidate"):
        commit(mine, name)
    lost = mine.run("git", "rev-parse", "HEAD~1").strip()
    (mine.root / ".git" / "objects" / lost[:2] / lost[2:]).unlink()
    with pytest.raises(PromotionError, match=rf"^`git merge-base .*` failed: .*{lost}"):
        check_upstream(amend=False, offline=False)


def test_a_git_that_fails_is_not_taken_for_a_detached_head(mine: Checkout) -> None:
    """Git's own words say what is broken."""
    (mine.root / ".git" / "HEAD").write_text("neither a branch nor a commit\n")
    with pytest.raises(PromotionError, match=r"^`git symbolic-ref --quiet HEAD` failed: fatal: "):
        check_upstream(amend=False, offline=True)


def test_a_branch_that_follows_none_is_held_against_origin(mine: Checkout) -> None:
    """By promote and rollback; retrain, which publishes at once, names the command after which it follows."""
    mine.run("git", "switch", "--quiet", "--create", "a;touch${IFS}b", "--no-track")
    check_upstream(amend=False, offline=False)
    with pytest.raises(
        PromotionError, match=r"^expected a;touch\$\{IFS\}b to follow .*; `python -m src publish` makes one"
    ):
        find_base()


def test_a_branch_that_follows_another_of_this_clone_follows_no_remote(mine: Checkout) -> None:
    """What is published to a branch here, nobody else can pull; after a publication it follows the remote."""
    mine.run("git", "switch", "--quiet", "--create", "mine", "--track", "main")
    with pytest.raises(PromotionError, match=r"^expected mine to follow a branch of a remote; `python -m src publish`"):
        find_base()
    _follow_remote(ask_where_published())
    assert git_config("branch.mine.remote") == "origin"
    assert git_config("branch.mine.merge") == "refs/heads/mine"


def test_another_tag_of_the_same_name_is_named_and_stays(mine: Checkout, capsys: pytest.CaptureFixture[str]) -> None:
    """By promote, by rollback and by retrain, which fetches what else there is; whose is right, a person says."""
    other = clone_of(mine.root.parent, "other")
    for clone in (mine, other):
        clone.run("git", "tag", "--annotate", "--message", clone.root.name, "production-ensemble@v1.1.0")
    a_stage(other)
    mine.run("git", "tag", "production-ensemble@v1.2.0/mine")
    # Names that Python would split, and one that git cannot keep beside ours.
    for name in (
        "production-ensemble@v1\u2028\u3000.0",
        "production-ensemble#staging#seven",
        "production-ensemble@v1.2.0",
    ):
        other.run("git", "tag", name)
    other.run("git", "push", "--quiet", "--tags")
    before = mine.run("git", "for-each-ref").splitlines()
    assert find_base().commit == head(mine)
    check_upstream(amend=False, offline=False)
    (fetched,) = set(mine.run("git", "for-each-ref").splitlines()) - set(before)
    assert fetched.endswith("refs/tags/production-ensemble#staging#2")
    (warning,) = capsys.readouterr().err.splitlines()
    assert warning.startswith(
        "warning: the tag production-ensemble@v1.1.0 is not the one that origin has, both stay; if"
    )
    mine.run("sh", "-c", "git tag --delete 'production-ensemble@v1.1.0' 'production-ensemble@v1.2.0/mine'")
    mine.run("git", "fetch", "--quiet", "--tags", "origin")
    check_upstream(amend=False, offline=False)
    assert capsys.readouterr().err == ""


def test_a_fetch_that_fails_has_git_s_reason(mine: Checkout) -> None:
    """Quietly, git would not say which ref it cannot write."""
    a_stage(other := clone_of(mine.root.parent, "other"))
    other.run("git", "push", "--quiet", "--tags")
    (mine.root / ".git" / "refs" / "tags" / "production-ensemble#staging#2.lock").touch()
    with pytest.raises(PromotionError, match=r"^`git fetch .*` failed: .*production-ensemble#staging#2\.lock"):
        find_base()


def test_without_a_remote_nobody_is_asked_or_told(mine: Checkout) -> None:
    """It is said."""
    mine.run("git", "remote", "remove", "origin")
    check_upstream(amend=True, offline=False)
    assert how_to_publish(offline=False) == "this clone has no remote, so nobody else knows of it."


def test_amending_what_others_have_is_refused(mine: Checkout) -> None:
    """A commit that is only here may be replaced."""
    for offline in (False, True):
        with pytest.raises(PromotionError, match=r"^--amend replaces the last commit, and a remote has it already"):
            check_upstream(amend=True, offline=offline)
    commit(mine, "candidate")
    check_upstream(amend=True, offline=False)


def test_a_commit_on_no_branch_is_refused(mine: Checkout) -> None:
    """No push would take it anywhere."""
    mine.run("git", "switch", "--quiet", "--detach")
    with pytest.raises(PromotionError, match=r"^expected a branch to be checked out"):
        check_upstream(amend=False, offline=True)


def test_a_remote_without_this_branch_or_any_tag_is_fine(mine: Checkout) -> None:
    """As it is before the first push."""
    shutil.rmtree(mine.root.parent / "remote.git")
    mine.run("git", "init", "--quiet", "--bare", str(mine.root.parent / "remote.git"))
    check_upstream(amend=False, offline=False)
