"""What a retraining made is published whole or not at all; tests/e2e/test_weeks.py has it among whole weeks."""

import re
from pathlib import Path

import pytest

from src.base import paths
from tests.checkouts import Checkout
from tests.remotes import S3Remote, point

MODEL = paths.relative(paths.ENSEMBLE)
# A clone as `retrain` makes it, with a new commit and a tag in place of a retraining.
PUBLISH = """
from pathlib import Path
from src.base.errors import PromotionError
from src.release.base_commit import find_base
from src.repo.git import git
from src.repo.scratch_folder import share_dvc
from src.retrain.publish import publish_clone
base, clone = find_base(), Path("../scratch/clone")
git("clone", "--quiet", ".", str(clone))
share_dvc(clone, Path(".dvc/cache").resolve())
git("commit", "--quiet", "--allow-empty", "--message", "new", root=clone)
git("tag", "--annotate", "--message", "new", "new", root=clone)
try:
    print("left:", publish_clone(clone, base))
except PromotionError as error:
    print("refused:", error)
"""


@pytest.fixture
def user(promoted: Checkout, tmp_path: Path) -> Checkout:
    """A clone of a bare git remote, with a cache and a DVC remote of its own."""
    promoted.run("git", "clone", "--quiet", "--bare", str(promoted.root), str(tmp_path / "origin.git"))
    clone = promoted.copy(tmp_path / "user")
    clone.run("git", "remote", "add", "origin", f"file://{tmp_path}/origin.git")
    clone.run("git", "push", "--quiet", "--set-upstream", "origin", "main")
    return clone


def published(user: Checkout) -> list[str]:
    """What the git remote has."""
    return user.run("git", "ls-remote", "origin", "refs/heads/main", "refs/tags/new").split()


def test_all_of_it_arrives(user: Checkout) -> None:
    """Branch and tag, there and here; nothing is left to do."""
    assert re.search(r"^left: $", user.python(PUBLISH), re.MULTILINE)
    assert published(user)[0] == user.run("git", "rev-parse", "HEAD").strip()
    assert "refs/tags/new" in published(user)
    assert user.run("git", "log", "-1", "--format=%s", "new").strip() == "new"


def test_somebody_else_was_first(user: Checkout, tmp_path: Path) -> None:
    """Between the question and the push: what they pushed stays, and nothing of ours is there."""
    other = Checkout(tmp_path / "other")
    user.run("git", "clone", "--quiet", f"file://{tmp_path}/origin.git", str(other.root))
    other.run("git", "commit", "--quiet", "--allow-empty", "--message", "first")
    hook = user.root / ".git" / "hooks" / "pre-push"
    hook.write_text(f"#!/bin/sh\nunset GIT_DIR\ncd '{other.root}' && git push --quiet\n")
    hook.chmod(0o755)
    before = user.git_state()
    said = user.python(PUBLISH)
    assert "refused: origin did not take it, nothing was published; if somebody else was first, run it again" in said
    assert published(user) == [other.run("git", "rev-parse", "HEAD").strip(), "refs/heads/main"]
    assert user.git_state() == before


def test_what_the_remote_does_not_have_is_not_published(user: Checkout) -> None:
    """The newcomer's pull, with an empty cache, is tried before anything is pushed to git."""
    for store in (".dvc-remote", ".dvc/cache"):
        user.object_file(MODEL, store).unlink()
    (user.root / MODEL).unlink()  # or it would be saved
    before, there = user.git_state(), published(user)
    assert "refused: " in user.python(PUBLISH)
    assert (user.git_state(), published(user)) == (before, there)


def test_what_was_damaged_on_the_remote_is_not_published(user: Checkout, s3: S3Remote) -> None:
    """DVC sends no object again that is there."""
    point(user, s3.options)
    user.run("dvc", "push")
    s3.tamper(user.object_name(MODEL))
    before, there = user.git_state(), published(user)
    said = user.python(PUBLISH)
    assert "refused: " in said
    assert "delete the damaged one on the remote, and run it again" in said
    assert (user.git_state(), published(user)) == (before, there)
