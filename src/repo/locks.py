"""One at a time: a lock that the system drops when its process ends, however it ends."""

from contextlib import AbstractContextManager
from pathlib import Path

from filelock import FileLock, Timeout

from src.base.errors import PromotionError


def acquire(file: Path, refusal: str) -> AbstractContextManager[object]:
    """Take a lock, held until its block ends; `PromotionError` refuses in these words if another process has it."""
    try:
        return FileLock(file).acquire(timeout=0)
    except Timeout as error:
        raise PromotionError(refusal) from error
