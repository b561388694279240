"""Repair what a killed command, a full disk or a bad one left behind: only repairs that cannot lose data."""

import json
from collections.abc import Iterator

from dvc.rwlock import SCHEMA, Invalid

from src.base import byte_code, paths, storage
from src.policy import load_policy
from src.release.transaction import refuse_locks, refuse_unfinished
from src.repo.dvc_cache import cache_folder, object_file
from src.repo.dvc_lock import md5, read_dvc_lock

# Who reads and writes what at the moment, by process; DVC empties it to write it.
RWLOCK = paths.ROOT / ".dvc" / "tmp" / "rwlock"


def repair() -> list[str]:
    """Repair, and return in words what was repaired.

    Raises
    ------
    ProjectError
        If something is left that only a person can decide on; it says what to do.
    """
    damaged = byte_code.remove_damaged()
    cut = [f"{len(damaged)} files of Python's byte code were cut off and are removed"] if damaged else []
    repaired = [*cut, *_rwlock()]
    refuse_locks()
    refuse_unfinished()
    load_policy()
    return [*repaired, *_objects()]


def _rwlock() -> Iterator[str]:
    """Remove a rwlock that DVC cannot read: it is a pipe, no text, no JSON, or not of DVC's schema."""
    try:
        if RWLOCK.is_file():
            SCHEMA(json.loads(storage.read_bytes(RWLOCK)))
        if not RWLOCK.is_fifo():
            return
    except (ValueError, RecursionError, Invalid):
        pass
    RWLOCK.unlink()
    yield f"{paths.relative(RWLOCK)} was cut off, or of a shape that DVC does not read, and is removed"


def _objects() -> Iterator[str]:
    """Remove damaged objects from the cache, and let DVC look again at outputs it takes for unchanged by the clock."""
    cache = cache_folder(paths.ROOT)
    for name, out in read_dvc_lock().outs.items():
        file, kept = paths.ROOT / name, object_file(cache, out.md5)
        if kept.exists() and md5(kept.read_bytes()) != out.md5:
            kept.unlink()
            yield f"{name} was damaged in the cache and is removed from there"
        if file.exists() and md5(file.read_bytes()) != out.md5:
            # Another file to DVC, which knows them by number and clock.
            storage.write_bytes(file.read_bytes(), file)
            yield f"{name} is not what dvc.lock says; `dvc repro` looks at it again"
