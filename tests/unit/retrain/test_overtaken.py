"""What is said where somebody else published first, and that the commands in it mend that, with real git."""

import pytest

from src.base import paths
from src.base.errors import PromotionError
from src.release.base_commit import ask_where_published
from src.release.tags import tag
from src.retrain import overtaken
from src.retrain.overtaken import PUBLISH, check_not_overtaken
from src.retrain.publish import _find_ours
from tests.checkouts import Checkout
from tests.clones import clone_of, commit, head, promote

PRODUCTION = "production-ensemble#production#"
VERSION = "production-ensemble@v"


def check(mine: Checkout) -> None:
    """Ask the remote, and hold what this clone has against it."""
    there = ask_where_published()
    check_not_overtaken(_find_ours(head(mine), there), there)


def refused(mine: Checkout) -> tuple[str, str]:
    """Return what is said, and the commands in it but the last, which publishes."""
    before = mine.git_state()[:3]
    with pytest.raises(PromotionError) as error:
        check(mine)
    assert mine.git_state()[:3] == before
    said = str(error.value)
    commands = said.split("`")[1]
    assert commands.endswith(f" && {PUBLISH}")
    return said, commands.removesuffix(f" && {PUBLISH}")


@pytest.fixture
def other(mine: Checkout) -> Checkout:
    """A colleague's clone."""
    return clone_of(mine.root.parent, "other")


def push(checkout: Checkout, *refs: str) -> None:
    checkout.run("git", "push", "--quiet", "origin", *refs)


def test_commits_of_others_are_merged(mine: Checkout, other: Checkout) -> None:
    """The commit that was promoted, and so its tags, stay; also where git is set to rebase, or to merge nothing."""
    promote(mine, "1.1.0")
    promoted = head(mine)
    commit(other, "typo")
    push(other, "main")
    mine.run("git", "config", "pull.rebase", "true")
    mine.run("git", "config", "pull.ff", "only")
    said, commands = refused(mine)
    assert said.startswith("origin has commits of main that this clone lacks; nothing was published; `git pull ")
    assert said.endswith("` merges them; do not rebase, as tags stay at the commit that was promoted")
    mine.run("sh", "-c", commands)
    check(mine)
    assert promoted in mine.run("git", "log", "--format=%H").split()
    assert mine.run("git", "rev-parse", f"{VERSION}1.1.0^{{commit}}").strip() == promoted


def test_whoever_has_nothing_of_his_own_is_not_overtaken(mine: Checkout, other: Checkout) -> None:
    """There is nothing to publish."""
    commit(other, "typo")
    push(other, "main")
    check(mine)


@pytest.mark.parametrize("theirs", [f"{VERSION}1.1.0", f"{VERSION}1.1.0/theirs", f"{PRODUCTION}2"])
@pytest.mark.parametrize("kind", ["lightweight", "annotated"])
def test_a_number_that_others_took_is_given_up(
    theirs: str, kind: str, mine: Checkout, other: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On whatever branch, and whatever the tag is; what was made by hand stays, and so do the tags of others."""
    monkeypatch.setattr(overtaken, "PROMOTION", (paths.METADATA,))
    (mine.root / "dvc.lock").write_text(f"stages: {{fetch: {{outs: [{{path: data, md5: {32 * 'a'}}}]}}}}\n")
    commit(mine, "candidate")
    promote(mine, "1.1.0")
    commit(mine, "after")
    other.run("git", "switch", "--quiet", "--create", "theirs")
    commit(other, "theirs")
    other.run("git", "tag", *(["--annotate", "--message", "theirs"] if kind == "annotated" else []), theirs)
    push(other, "theirs", theirs)
    said, commands = refused(mine)
    assert said.startswith(f"origin gave {PRODUCTION if theirs.startswith(PRODUCTION) else VERSION}")
    assert "takes ours back" in said
    assert commands.endswith("&& python -m src promote")
    mine.run("sh", "-c", commands.partition(" && dvc repro")[0])
    check(mine)
    assert mine.run("git", "status", "--porcelain") == ""
    assert {"candidate", "after"} <= set(mine.run("git", "ls-files").split())
    assert "1.1.0" not in (mine.root / paths.relative(paths.METADATA)).read_text()
    assert set(mine.run("git", "tag").split()) == {f"{VERSION}1.0.0", f"{PRODUCTION}1", theirs}


def test_a_stage_s_number_that_others_took_is_given_anew(mine: Checkout, other: Checkout) -> None:
    """A version that everybody has was assigned again, here and there."""
    promote(mine, "1.1.0")
    push(mine, "main", f"{VERSION}1.1.0", f"{PRODUCTION}2")
    for clone in (mine, other):
        clone.run("git", "fetch", "--quiet", "--tags")
        clone.run(
            "git", "tag", "--annotate", "--message", clone.root.name, f"{PRODUCTION}3", f"{VERSION}1.0.0^{{commit}}"
        )
    push(other, f"{PRODUCTION}3")
    said, commands = refused(mine)
    assert said.startswith(f"origin gave {PRODUCTION}3 to others; nothing was published; ")
    commands, _, last = commands.rpartition(" && ")
    assert last == "python -m src rollback 1.1.0"
    mine.run("sh", "-c", commands)
    tag("1.0.0", mine.run("git", "rev-parse", f"{VERSION}1.0.0^{{commit}}").strip(), "production")
    check(mine)


def test_a_tag_that_has_differed_for_long_stops_nobody(mine: Checkout, other: Checkout) -> None:
    """Of a commit that everybody has, and no stage's latest."""
    other.run("git", "tag", "--annotate", "--force", "--message", "theirs", f"{VERSION}1.0.0")
    push(other, "--force", f"{VERSION}1.0.0")
    promote(mine, "1.1.0")
    check(mine)


def test_of_a_branch_that_is_nowhere_what_other_branches_hold_is_published(mine: Checkout) -> None:
    """Also where this clone lacks some of their commits."""
    other = clone_of(mine.root.parent, "other")
    other.run("git", "switch", "--quiet", "--create", "theirs")
    commit(other, "theirs")
    push(other, "theirs")
    mine.run("git", "switch", "--quiet", "--create", "new", "--no-track")
    commit(mine, "new")
    there = ask_where_published()
    assert (there.tip, _find_ours(head(mine), there).commits()) == (None, [head(mine)])


def test_without_a_remote_there_is_nowhere_to_publish(mine: Checkout) -> None:
    """It is said how to add one."""
    mine.run("git", "remote", "remove", "origin")
    with pytest.raises(PromotionError, match=r"^expected a remote of git .* has none; `git remote add origin URL`$"):
        ask_where_published()
