"""Mend what a killed command, a full disk or a bad one left behind, as far as nothing can be lost by it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from dvc.config import Config
from dvc.exceptions import DvcException

from src import paths, storage
from src.errors import PromotionError
from src.lifecycle.revision import md5
from src.lifecycle.unfinished import refuse_a_locked_index, refuse_unfinished

# Who reads and writes what at the moment, by process; DVC empties it to write it.
RWLOCK = paths.ROOT / ".dvc" / "tmp" / "rwlock"
LOCK = paths.ROOT / "dvc.lock"


def mend() -> list[str]:
    """Mend, and return in words what was mended.

    Raises
    ------
    PromotionError
        If something is left that only a person can decide on; it says what to do.
    """
    mended = [*_mend_rwlock(), *_mend_objects()]
    refuse_a_locked_index()
    refuse_unfinished()
    return mended


def _mend_rwlock() -> Iterator[str]:
    """Remove it where nothing can be read in it: DVC makes another."""
    if RWLOCK.exists():
        try:
            json.loads(storage.read_bytes(RWLOCK))
        except ValueError:
            RWLOCK.unlink()
            yield f"{paths.relative(RWLOCK)} was cut off and is removed"


def _mend_objects() -> Iterator[str]:
    """Remove damaged objects from the cache, and let DVC look again at outputs it takes for unchanged by the clock."""
    cache = _cache()
    for out in _outs():
        digest, file = str(out["md5"]), paths.ROOT / out["path"]
        kept = cache / "files" / "md5" / digest[:2] / digest[2:]
        if kept.exists() and md5(kept.read_bytes()) != digest:
            kept.unlink()
            yield f"{out['path']} was damaged in the cache and is removed from there"
        if file.exists() and md5(file.read_bytes()) != digest:
            # Another file to DVC, which knows them by number and clock.
            storage.write_bytes(file.read_bytes(), file)
            yield f"{out['path']} is not what dvc.lock says; `dvc repro` looks at it again"


def _cache() -> Path:
    """Where DVC keeps its objects."""
    try:
        return Path(Config(str(paths.ROOT / ".dvc"))["cache"].get("dir", paths.ROOT / ".dvc" / "cache"))
    except DvcException as error:
        msg = f".dvc/config cannot be read ({error}); `git checkout .dvc/config`"
        raise PromotionError(msg) from error


def _outs() -> list[dict[str, Any]]:
    """Return what dvc.lock says of every output."""
    try:
        stages = yaml.safe_load(storage.read_bytes(LOCK))["stages"].values()
        return [{"path": str(out["path"]), "md5": out["md5"]} for stage in stages for out in stage.get("outs", [])]
    except (yaml.YAMLError, LookupError, TypeError, AttributeError, ValueError) as error:
        msg = f"dvc.lock is damaged ({' '.join(str(error).split())}); bring it back with `git checkout dvc.lock`"
        raise PromotionError(msg) from error
