"""A folder in .git to work in, emptied by every run, and what a repository in it shares with this one."""

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psutil
from dvc.repo import Repo

from src.base import paths
from src.base.errors import PromotionError
from src.repo.git import git
from src.repo.locks import acquire
from src.repo.subprocesses import kill_all


@contextmanager
def exclusive(name: str) -> Iterator[Path]:
    """Keep a second run of this name out, clear away what a killed one left, and yield an empty folder to work in."""
    folder = _folder(name)
    if folder.is_symlink():
        msg = f"{folder} is a link; expected a folder that is emptied by every run: move the link away"
        raise PromotionError(msg)
    with lock_out(name):
        _clear(folder)
        folder.mkdir()
        try:
            yield folder
        finally:
            _clear(folder)


def lock_out(name: str) -> AbstractContextManager[object]:
    """Keep other runs of this name out; `PromotionError` if one is at work in this clone."""
    refusal = f"another {name} is at work in this clone, or a prune; nothing was changed, wait for it"
    return acquire(Path(f"{_folder(name)}.lock"), refusal)


def share_caches(root: Path) -> None:
    """Let a repository use this one's remotes, cache and kept days of the exchange."""
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


def _folder(name: str) -> Path:
    return (paths.ROOT / git("rev-parse", "--git-common-dir")).resolve() / name


def _clear(folder: Path) -> None:
    """Kill the processes that still work in the folder, then remove it."""
    running = psutil.process_iter(["cwd"])
    kill_all([process for process in running if Path(process.info["cwd"] or "/").is_relative_to(folder)])
    if folder.exists():
        shutil.rmtree(folder)
