"""Git, asked in the repository."""

import subprocess
from pathlib import Path

from src.base import paths
from src.base.errors import PromotionError


def git(*arguments: str, root: Path | None = None) -> str:
    """Run git in a repository and return what it prints; `PromotionError` quotes what went wrong."""
    done = subprocess.run(["git", *arguments], cwd=root or paths.ROOT, capture_output=True, text=True, check=False)  # noqa: S603, S607
    if done.returncode:
        msg = f"`git {' '.join(arguments)}` failed: {' '.join(done.stderr.split())}"
        raise PromotionError(msg)
    return done.stdout.strip()


def check_full_history() -> None:
    """Refuse a shallow clone: versions and tags that it does not know would be given again."""
    if git("rev-parse", "--is-shallow-repository") == "true":
        msg = "expected the whole history, this clone is shallow; `git fetch --unshallow --tags`"
        raise PromotionError(msg)
