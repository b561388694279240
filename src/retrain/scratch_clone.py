"""A clone to work in, thrown away afterwards: the work tree that it was made from never sees a half-done step."""

from pathlib import Path

from src.base import paths
from src.release.base_commit import Base
from src.repo.git import git, git_config
from src.repo.scratch_folder import share_caches


def make_clone(base: Base, root: Path) -> None:
    """Clone the repository at the base, with its user, its remotes, its cache and its kept days of the exchange."""
    git("clone", "--quiet", "--no-checkout", str(paths.ROOT), str(root))
    git("fetch", "--quiet", "origin", base.ref, root=root)
    git("checkout", "--quiet", "-B", base.branch, base.commit, root=root)
    for key in ("user.name", "user.email"):
        if value := git_config(key):
            git("config", key, value, root=root)
    share_caches(root)


def commit_all(root: Path, message: str) -> str:
    """Commit what changed in a clone, if anything did, and return its last commit."""
    git("add", "--all", root=root)
    if git("status", "--porcelain", root=root):
        git("commit", "--quiet", "--message", message, root=root)
    return git("rev-parse", "HEAD", root=root)
