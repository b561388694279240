"""Read and write files so that a reader sees the old content or the new, and damage is noticed.

Equal input gives equal bytes: no clock, no host, fixed compression, keys in the order given.
"""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from btc_signal.exceptions import DataError
from btc_signal.files import parse_json, read_bytes, read_json
from src.base.paths import relative

__all__ = ["parse_json", "read_bytes", "read_json", "write_bytes", "write_json"]

# Of a file that is being written; git ignores it. What a killed process left is cleared away by the next write.
ASIDE = ".aside"
# DVC, killed, leaves its stage running beside the one that the next `dvc repro` starts.
STAGE, STARTED_BY = "DVC_STAGE", os.getppid()


def write_bytes(content: bytes, path: Path) -> None:
    """Write aside in the same folder, onto the disk, then move into place; the old content outlives an `OSError`.

    `DataError` if this is a stage whose DVC has ended: another one may be at work on the same file.
    """
    if STAGE in os.environ and _is_orphan():
        msg = f"{relative(path)} was not written: the `dvc repro` that started this stage has ended; run it again"
        raise DataError(msg)
    path.parent.mkdir(parents=True, exist_ok=True)
    _clear_away(path)
    aside = path.with_name(f".{path.name}.{os.getpid()}{ASIDE}")
    try:
        with aside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def _clear_away(path: Path) -> None:
    """Remove what killed processes of this machine left of the file."""
    for entry in os.scandir(path.parent):
        pid = entry.name.removeprefix(f".{path.name}.").removesuffix(ASIDE)
        if pid.isdigit() and entry.name == f".{path.name}.{pid}{ASIDE}" and not _is_running(int(pid)):
            with suppress(FileNotFoundError):
                Path(entry.path).unlink()


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def write_json(content: Mapping[str, Any], path: Path) -> None:
    """Write JSON that any parser reads: NaN and infinity are refused."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    write_bytes(f"{text}\n".encode(), path)


def _is_orphan() -> bool:
    """Tell whether what started this process has ended: since it began, or before, so that a stranger took over."""
    return os.getppid() != STARTED_BY or os.getsid(os.getppid()) != os.getsid(0)
