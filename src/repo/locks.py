"""One at a time: a lock that the system drops when its process ends, however it ends."""

from contextlib import AbstractContextManager
from pathlib import Path

from filelock import FileLock, Timeout

from src.base.errors import PromotionError


def acquire(file: Path, is_held: str) -> AbstractContextManager[object]:
    """Return the lock, held until its block ends; `PromotionError` says at once, in these words, that it is held."""
    try:
        return FileLock(file).acquire(timeout=0)
    except Timeout as error:
        msg = f"{is_held}; wait for it"
        raise PromotionError(msg) from error
