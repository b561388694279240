"""Tags of versions and stages, with real git, which makes them, and GTO, which reads them."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from src.base import paths
from src.base.errors import PromotionError
from src.base.foreign_text import one_line
from src.release.tags import Tagged, check_taggable, first_free, sound_tags, tag, tagged_versions
from src.repo.git import check_full_history
from tests.checkouts import GIT_IDENTITY, Checkout


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    """A repository that promoted 1.0.0, 1.1.0 and 1.2.0, which is the one that is tagged."""
    checkout = Checkout(tmp_path / "repository")
    metadata = checkout.root / paths.relative(paths.METADATA)
    metadata.parent.mkdir(parents=True)
    checkout.run("git", "init", "--quiet")
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        metadata.write_text(json.dumps({"version": version}))
        checkout.commit(version)
    monkeypatch.setattr(paths, "METADATA", metadata)
    monkeypatch.setattr(paths, "ROOT", checkout.root)
    for name, value in GIT_IDENTITY.items():
        monkeypatch.setenv(name, value)
    return checkout


def commit_of(checkout: Checkout, name: str) -> str:
    return checkout.run("git", "rev-parse", f"{name}^{{commit}}").strip()


def objects_of(checkout: Checkout) -> dict[str, str]:
    """Return the object of every tag; a name may hold what Python takes for the end of a line."""
    lines = checkout.run("git", "for-each-ref", "--format=%(refname:strip=2) %(objectname)", "refs/tags").split("\n")
    return dict(line.rsplit(" ", 1) for line in lines[:-1])


def tags_of(checkout: Checkout) -> set[str]:
    return set(objects_of(checkout))


def test_a_version_and_its_stage_are_tagged_once(repository: Checkout) -> None:
    """Asked again, nothing is added: a run that was stopped in between can be repeated."""
    for _ in range(2):
        tag("1.1.0", commit_of(repository, "HEAD~1"), "production")
    assert tags_of(repository) == {"production-ensemble@v1.1.0", "production-ensemble#production#1"}
    assert commit_of(repository, "production-ensemble@v1.1.0") == commit_of(repository, "HEAD~1")


def test_a_stage_follows_versions_forth_and_back(repository: Checkout) -> None:
    """Every assignment has a number of its own, 10 comes after 9; the other stage stays."""
    first, second = commit_of(repository, "HEAD~2"), commit_of(repository, "HEAD~1")
    tag("1.0.0", first, "staging")
    for _ in range(5):
        tag("1.0.0", first, "production")
        tag("1.1.0", second, "production")
    # GTO counts the assignments of all stages.
    assert commit_of(repository, "production-ensemble#production#11") == second
    tag("1.1.0", second, "production")
    assert len(tags_of(repository)) == 2 + 10 + 1
    # GTO takes the newest by the second it was made in.
    time.sleep(1.1)
    tag("1.0.0", first, "production")
    for stage in ("staging", "production"):
        assert "v1.0.0" in repository.run("gto", "show", f"production-ensemble#{stage}")


def annotate(checkout: Checkout, name: str, at: str) -> None:
    checkout.run("git", "tag", "--annotate", "--force", "--message", "by hand", name, at)


def test_a_version_has_no_tag_before_it_is_promoted(repository: Checkout) -> None:
    """One that is there is found before anything is committed; a version that came back keeps what it has."""
    annotate(repository, "production-ensemble@v1.3.0", "HEAD")
    with pytest.raises(
        PromotionError, match=r"^the tag production-ensemble@v1\.3\.0 is there already.*; `git tag --del"
    ):
        check_taggable(Tagged("1.3.0", "production"))
    check_taggable(Tagged("1.3.0", "production", commit_of(repository, "HEAD")))


def test_a_shallow_clone_is_refused(repository: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would give versions and tags a second time."""
    check_full_history()
    repository.run("git", "clone", "--quiet", "--depth", "1", f"file://{repository.root}", str(tmp_path / "shallow"))
    monkeypatch.setattr(paths, "ROOT", tmp_path / "shallow")
    with pytest.raises(PromotionError, match=r"this clone is shallow; `git fetch --unshallow --tags`$"):
        check_full_history()


def malformed(checkout: Checkout) -> list[str]:
    """Names that only begin as ours do, one with what Python takes for the end of a line, and for white space."""
    forms = ("#production#seven", "#production#", f"#production#{'9' * 200}", "#Production#2", "@v2", "@vlast")
    forms += ("@v1.2.0-rc.1", "@v01.2.0", "@v1.2.\u0661", "@v1.2.0\u2028x", "#production#8\u3000", "#production#7/x")
    names = [f"production-ensemble{form}" for form in forms]
    for name in names:
        annotate(checkout, name, "HEAD")
    return names


def lightweight(checkout: Checkout) -> list[str]:
    """Names of a commit."""
    names = ["production-ensemble@v1.2.0", "production-ensemble#production#9"]
    for name in names:
        checkout.run("git", "tag", name, "HEAD")
    return names


def moved(checkout: Checkout) -> list[str]:
    """At the promotion of another version."""
    annotate(checkout, "production-ensemble@v1.2.0", "HEAD~1")
    return ["production-ensemble@v1.2.0"]


def renamed(checkout: Checkout) -> list[str]:
    """The tag of one version under the name of another."""
    annotate(checkout, "production-ensemble@v1.1.0", "HEAD~1")
    checkout.run("git", "update-ref", "refs/tags/production-ensemble@v9.0.0", "production-ensemble@v1.1.0")
    checkout.run("git", "tag", "--delete", "production-ensemble@v1.1.0")
    return ["production-ensemble@v9.0.0"]


def at_no_commit(checkout: Checkout) -> list[str]:
    """At a file, a folder, another tag, and an object that is not there."""
    annotate(checkout, "other@v1.0.0", f"HEAD:{paths.relative(paths.METADATA)}")
    annotate(checkout, "production-ensemble@v9.0.0", f"HEAD:{paths.relative(paths.METADATA)}")
    annotate(checkout, "production-ensemble@v9.0.1", "HEAD^{tree}")
    annotate(checkout, "production-ensemble@v9.0.2", "other@v1.0.0")
    lost = checkout.root / ".git" / "refs" / "tags" / "production-ensemble@v9.0.3"
    lost.write_text(f"{'1' * 40}\n")
    return [f"production-ensemble@v9.0.{patch}" for patch in range(4)]


def foreign(checkout: Checkout) -> list[str]:
    """At commits that promoted nothing, and of a version that nobody promoted."""
    paths.METADATA.write_text("<<<<<<< HEAD")
    checkout.commit("merge marks")
    annotate(checkout, "production-ensemble@v9.0.0", "HEAD")
    annotate(checkout, "production-ensemble#production#9", "HEAD")
    checkout.run("git", "reset", "--quiet", "--hard", "HEAD~1")
    annotate(checkout, "production-ensemble@v9.9.9", "HEAD")
    return ["production-ensemble@v9.0.0", "production-ensemble#production#9", "production-ensemble@v9.9.9"]


@pytest.mark.parametrize("spoil", [malformed, lightweight, moved, renamed, at_no_commit, foreign])
def test_a_tag_that_no_promotion_made_is_named_and_ignored(
    spoil: Callable[[Checkout], list[str]], repository: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    """Once in a run; it takes its name, is no version and no stage, and is neither moved nor deleted."""
    tag("1.0.0", commit_of(repository, "HEAD~2"), "staging")
    names = spoil(repository)
    before, head = objects_of(repository), commit_of(repository, "HEAD")
    for _ in range(2):
        tag("1.2.0", head, "production")
    after = objects_of(repository)
    assert before.items() < after.items()
    assert set(tagged_versions()) == {"1.0.0", "1.2.0"} - {name.partition("@v")[2] for name in names}
    (assigned,) = after.keys() - before.keys() - {"production-ensemble@v1.2.0"}
    assert assigned == "production-ensemble#production#2"
    warnings = capsys.readouterr().err.splitlines()
    assert sorted(line.split(" is ignored, ")[0] for line in warnings) == sorted(
        f"warning: the tag {one_line(name)}" for name in names
    )


def test_a_name_that_is_taken_is_given_to_no_other(repository: Checkout) -> None:
    """By a tag that is ignored, or below a name where git keeps a folder; a stage's number as well."""
    repository.run("git", "tag", "production-ensemble@v1.3.0")
    annotate(repository, "production-ensemble@v1.3.1/mine", "HEAD")
    repository.run("git", "tag", "production-ensemble#production#1")
    annotate(repository, "production-ensemble#production#2/mine", "HEAD")
    assert (first_free("1.3.0"), first_free("1.4.0")) == ("1.3.2", "1.4.0")
    tag("1.2.0", commit_of(repository, "HEAD"), "production")
    assert {"production-ensemble@v1.2.0", "production-ensemble#production#3"} <= sound_tags().keys()


def test_a_version_that_is_tagged_elsewhere_is_assigned_where_it_was_promoted(
    repository: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    """At a later commit that holds the same metadata, say."""
    repository.run("git", "commit", "--quiet", "--allow-empty", "--message", "later")
    annotate(repository, "production-ensemble@v1.2.0", "HEAD")
    tag("1.2.0", commit_of(repository, "HEAD~1"), "production")
    assert commit_of(repository, "production-ensemble#production#1") == commit_of(repository, "HEAD~1")
    assert "the tag production-ensemble@v1.2.0 is ignored, it is at " in capsys.readouterr().err
