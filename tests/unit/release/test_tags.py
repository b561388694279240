"""Tags of versions and stages, with real git and GTO."""

import time
from pathlib import Path

import pytest

from src.base import paths
from src.base.errors import PromotionError
from src.release.tags import tag, tagged_versions
from src.repo.git import check_full_history
from tests.checkouts import GIT_IDENTITY, Checkout


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    """A repository of three commits, which is the one that is tagged."""
    checkout = Checkout(tmp_path / "repository")
    checkout.root.mkdir()
    checkout.run("git", "init", "--quiet")
    for name in ("one", "two", "three"):
        (checkout.root / name).touch()
        checkout.commit(name)
    monkeypatch.setattr(paths, "ROOT", checkout.root)
    for name, value in GIT_IDENTITY.items():
        monkeypatch.setenv(name, value)
    return checkout


def commit_of(checkout: Checkout, name: str) -> str:
    return checkout.run("git", "rev-parse", f"{name}^{{commit}}").strip()


def tags_of(checkout: Checkout) -> set[str]:
    return set(checkout.run("git", "tag").split())


def test_a_version_and_its_stage_are_tagged_once(repository: Checkout) -> None:
    """Asked again, nothing is added: a run that was stopped in between can be repeated."""
    for _ in range(2):
        tag("1.0.0", commit_of(repository, "HEAD~1"), "production")
    assert tags_of(repository) == {"production-ensemble@v1.0.0", "production-ensemble#production#1"}
    assert commit_of(repository, "production-ensemble@v1.0.0") == commit_of(repository, "HEAD~1")


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


def test_a_version_of_another_commit_is_refused(repository: Checkout) -> None:
    """Two commits cannot both be 1.0.0."""
    tag("1.0.0", commit_of(repository, "HEAD~1"), "production")
    with pytest.raises(PromotionError, match=r"^the tag production-ensemble@v1\.0\.0 is at \w{7}, expected \w{7}; "):
        tag("1.0.0", commit_of(repository, "HEAD"), "production")
    assert len(tags_of(repository)) == 2


def test_a_shallow_clone_is_refused(repository: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would give versions and tags a second time."""
    check_full_history()
    repository.run("git", "clone", "--quiet", "--depth", "1", f"file://{repository.root}", str(tmp_path / "shallow"))
    monkeypatch.setattr(paths, "ROOT", tmp_path / "shallow")
    with pytest.raises(PromotionError, match=r"this clone is shallow; `git fetch --unshallow --tags`$"):
        check_full_history()


def test_foreign_tags_are_passed_over(repository: Checkout) -> None:
    """Names that only look like ours, and tags that are not annotated, are no error."""
    first, last = commit_of(repository, "HEAD~2"), commit_of(repository, "HEAD")
    for name in ("#production#seven", "#production#", "#production#9!", "@v2", "@vlast", "@v0.5.0!", "@v1.0.0-rc.1"):
        repository.run("git", "tag", "--annotate", "--message", "foreign", f"production-ensemble{name}", first)
    repository.run("git", "tag", "production-ensemble#production#4", first)
    repository.run("git", "tag", "production-ensemble@v0.9.0", first)
    for _ in range(2):
        tag("1.0.0", last, "production")
    assert repository.run("git", "tag", "--points-at", "HEAD").split() == [
        "production-ensemble#production#5",
        "production-ensemble@v1.0.0",
    ]
    assert sorted(tagged_versions()) == ["0.5.0", "0.9.0", "1.0.0"]
