"""Mend what a killed command, a full disk or a bad one left behind, as far as nothing can be lost by it."""

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml
from dvc.rwlock import SCHEMA, Invalid

from src.base import byte_code, paths, storage
from src.base.errors import PromotionError
from src.policy import load_policy
from src.release.transaction import refuse_a_locked_index, refuse_unfinished
from src.repo.dvc_cache import cache_folder, object_file
from src.repo.dvc_lock import md5

# Who reads and writes what at the moment, by process; DVC empties it to write it.
RWLOCK = paths.ROOT / ".dvc" / "tmp" / "rwlock"
LOCK = paths.ROOT / "dvc.lock"
# Of a folder, DVC writes .dir after it.
MD5 = re.compile(r"[0-9a-f]{32}(\.dir)?")
BRING_BACK = "bring it back with `git checkout dvc.lock`"


def mend() -> list[str]:
    """Mend, and return in words what was mended.

    Raises
    ------
    ProjectError
        If something is left that only a person can decide on; it says what to do.
    """
    mended = [*_mend_byte_code(), *_mend_rwlock()]
    refuse_a_locked_index()
    refuse_unfinished()
    load_policy()
    return [*mended, *_mend_objects()]


def _mend_byte_code() -> Iterator[str]:
    """Remove what Python cannot read."""
    if damaged := byte_code.remove_damaged():
        yield f"{len(damaged)} files of Python's byte code were cut off and are removed"


def _mend_rwlock() -> Iterator[str]:
    """Remove a rwlock that DVC cannot read, as text, as JSON or by its own schema: DVC makes another."""
    if RWLOCK.is_file():
        try:
            SCHEMA(json.loads(storage.read_bytes(RWLOCK)))
        except (ValueError, RecursionError, Invalid):
            RWLOCK.unlink()
            yield f"{paths.relative(RWLOCK)} was cut off, or of a shape that DVC does not read, and is removed"


def _mend_objects() -> Iterator[str]:
    """Remove damaged objects from the cache, and let DVC look again at outputs it takes for unchanged by the clock."""
    cache = cache_folder(paths.ROOT)
    for out in _outs():
        digest, file = str(out["md5"]), paths.ROOT / out["path"]
        kept = object_file(cache, digest)
        if kept.exists() and md5(kept.read_bytes()) != digest:
            kept.unlink()
            yield f"{out['path']} was damaged in the cache and is removed from there"
        if file.exists() and md5(file.read_bytes()) != digest:
            # Another file to DVC, which knows them by number and clock.
            storage.write_bytes(file.read_bytes(), file)
            yield f"{out['path']} is not what dvc.lock says; `dvc repro` looks at it again"


def _outs() -> list[dict[str, Any]]:
    """Return what dvc.lock says of every output, once every entry is one that DVC writes: of others it says nothing."""
    try:
        stages = yaml.safe_load(storage.read_bytes(LOCK))["stages"].values()
        entries = [entry for stage in stages for kind in ("deps", "outs") for entry in stage[kind]]
        digests = {entry["path"]: (entry["hash"], entry["md5"]) for entry in entries}
    except (yaml.YAMLError, LookupError, TypeError, AttributeError, ValueError) as error:
        msg = f"dvc.lock is damaged ({' '.join(str(error).split())}); {BRING_BACK}"
        raise PromotionError(msg) from error
    damaged = [path for path, (name, digest) in digests.items() if name != "md5" or not MD5.fullmatch(str(digest))]
    if damaged:
        msg = f"dvc.lock is damaged at {damaged[0]}; {BRING_BACK}"
        raise PromotionError(msg)
    return [entry for stage in stages for entry in stage["outs"]]
