"""Git, asked in the repository."""

import subprocess

from src import paths
from src.errors import PromotionError


def git(*arguments: str) -> str:
    """Run git in the repository and return what it prints; `PromotionError` quotes what went wrong."""
    done = subprocess.run(["git", *arguments], cwd=paths.ROOT, capture_output=True, text=True, check=False)  # noqa: S603, S607
    if done.returncode:
        msg = f"`git {' '.join(arguments)}` failed: {done.stderr.strip()}"
        raise PromotionError(msg)
    return done.stdout.strip()
