"""Read and write files so that a reader sees the old content or the new, and damage is noticed.

Equal input gives equal bytes: no clock, no host, fixed compression, keys in the order given.
"""

import json
import os
import pickle
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from src.errors import DataError
from src.paths import relative

PICKLE_PROTOCOL = 5
UNREADABLE_PICKLE = (
    *(pickle.UnpicklingError, EOFError, AttributeError, ImportError, LookupError, TypeError, ValueError),
    *(MemoryError, OverflowError),  # a length that is a lie
)


def write_bytes(content: bytes, path: Path) -> None:
    """Write aside in the same folder, then move into place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.write_bytes(content)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def read_bytes(path: Path) -> bytes:
    """Return the file's bytes; `DataError` names a file that is not there."""
    try:
        return path.read_bytes()
    except OSError as error:
        msg = f"{relative(path)}: cannot be read ({error.strerror}); run `dvc repro` to make it"
        raise DataError(msg) from error


def append_lines(lines: Iterable[str], path: Path) -> None:
    """Append whole lines to a log, on the disk before this returns; `DataError` if its last line was cut off."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as log:
        if log.tell():
            log.seek(-1, os.SEEK_END)
            if log.read(1) != b"\n":
                msg = f"{relative(path)}: its last line is cut off; mend or remove that line"
                raise DataError(msg)
        log.write("".join(f"{line}\n" for line in lines).encode())
        log.flush()
        os.fsync(log.fileno())


def write_json(content: Mapping[str, Any], path: Path) -> None:
    """Write JSON that any parser reads: NaN and infinity are refused."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    write_bytes(f"{text}\n".encode(), path)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; `DataError` if the file holds anything else."""
    text = read_bytes(path)
    try:
        content = json.loads(text, parse_constant=_refuse_constant)
    except ValueError as error:
        msg = f"{relative(path)}: not valid JSON ({error}); restore it with `git checkout`"
        raise DataError(msg) from error
    if not isinstance(content, dict):
        msg = f"{relative(path)}: expected a JSON object, got {type(content).__name__}"
        raise DataError(msg)
    return content


def _refuse_constant(name: str) -> None:
    """Refuse the words that Python's JSON knows and no other."""
    msg = f"{name} is no JSON number"
    raise ValueError(msg)


def write_pickle(thing: object, path: Path) -> None:
    """Pickle with a fixed protocol; joblib would write padding bytes that differ from run to run."""
    write_bytes(pickle.dumps(thing, protocol=PICKLE_PROTOCOL), path)


def read_pickle(path: Path) -> Any:  # noqa: ANN401 - a pickle can hold anything
    """Unpickle a file that this pipeline wrote and DVC tracks; never one from elsewhere."""
    content = read_bytes(path)
    try:
        return pickle.loads(content)  # noqa: S301 - see the docstring
    except UNREADABLE_PICKLE as error:
        msg = f"{relative(path)}: damaged pickle ({error}); delete it, then run `dvc repro`"
        raise DataError(msg) from error
