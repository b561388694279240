"""A clone to work in, thrown away afterwards: the work tree that it was made from never sees a half-done step."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from dvc.repo import Repo

from src.base import paths
from src.base.errors import PromotionError
from src.release.base_commit import Base
from src.repo.git import git, git_config
from src.repo.locks import acquire


@contextmanager
def exclusive() -> Iterator[Path]:
    """Lock out a second retrain of this clone, remove what a killed one left, and yield the folder to work in."""
    folder = (paths.ROOT / git("rev-parse", "--git-common-dir")).resolve() / "retrain"
    if folder.is_symlink():
        msg = f"{folder} is a link; expected a folder that is emptied by every run: move the link away"
        raise PromotionError(msg)
    refusal = "another retrain is at work in this clone; nothing was changed, wait for it"
    with acquire(Path(f"{folder}.lock"), refusal):
        _clear(folder)
        try:
            yield folder
        finally:
            _clear(folder)


def make_clone(base: Base, root: Path) -> None:
    """Clone the repository at the base, with its user, its remotes, its cache and its kept days of the exchange."""
    git("clone", "--quiet", "--no-checkout", str(paths.ROOT), str(root))
    git("fetch", "--quiet", "origin", base.ref, root=root)
    git("checkout", "--quiet", "-B", base.branch, base.commit, root=root)
    for key in ("user.name", "user.email"):
        if value := git_config(key):
            git("config", key, value, root=root)
    with Repo(str(paths.ROOT)) as here:
        share_dvc(root, Path(here.cache.local.path).parents[1])
    paths.EXCHANGE_CACHE.mkdir(parents=True, exist_ok=True)
    kept = paths.relative(paths.EXCHANGE_CACHE)
    (root / kept).symlink_to(paths.EXCHANGE_CACHE)
    (root / ".git" / "info" / "exclude").write_text(f"/{kept}\n", encoding="utf-8")


def share_dvc(root: Path, cache: Path) -> None:
    """Let a clone use this repository's remotes, with what only this machine knows of them, and a cache."""
    with Repo(str(paths.ROOT)) as here, Repo(str(root)) as there, there.config.edit("local") as config:
        config["remote"] = {name: dict(remote) for name, remote in here.config["remote"].items()}
        config["core"] = {key: here.config["core"][key] for key in ("remote",) if key in here.config["core"]}
        config["cache"] = {"dir": str(cache)}


def commit_all(root: Path, message: str) -> str:
    """Commit what changed in a clone, if anything did, and return its last commit."""
    git("add", "--all", root=root)
    if git("status", "--porcelain", root=root):
        git("commit", "--quiet", "--message", message, root=root)
    return git("rev-parse", "HEAD", root=root)


def _clear(folder: Path) -> None:
    """Kill the processes that still work in the folder, then remove it."""
    running = psutil.process_iter(["cwd"])
    at_work = [process for process in running if Path(process.info["cwd"] or "/").is_relative_to(folder)]
    for process in at_work:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(at_work, timeout=10)
    if folder.exists():
        shutil.rmtree(folder)
