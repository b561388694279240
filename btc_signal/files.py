"""The files of a promoted model, and how a file is read: whole, or with an error that names it."""

import json
from pathlib import Path
from typing import Any

from btc_signal.exceptions import DataError

ENSEMBLE = "production_ensemble.pkl"
GRAPH = "production_ensemble.onnx"
METADATA = "production_model_metadata.json"


def shown(path: Path) -> str:
    """Name a file as the user would: from the working directory where it lies inside."""
    return path.relative_to(Path.cwd()).as_posix() if path.is_relative_to(Path.cwd()) else str(path)


def read_bytes(path: Path) -> bytes:
    """Return the file's bytes; `DataError` names a file that is not there."""
    try:
        return path.read_bytes()
    except OSError as error:
        msg = f"{shown(path)}: cannot be read ({error.strerror}); run `dvc repro` to make it"
        raise DataError(msg) from error


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; `DataError` if the file holds anything else."""
    return parse_json(read_bytes(path), shown(path))


def parse_json(text: bytes, name: str) -> dict[str, Any]:
    """Read a JSON object from the bytes of the file of that name; `DataError` if they hold anything else."""
    try:
        content = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        msg = f"{name}: not valid JSON ({error}); restore it with `git checkout`"
        raise DataError(msg) from error
    if not isinstance(content, dict):
        msg = f"{name}: expected a JSON object, got {type(content).__name__}"
        raise DataError(msg)
    return content


def _refuse_constant(name: str) -> None:
    """Refuse the words that Python's JSON knows and no other."""
    msg = f"{name} is no JSON number"
    raise ValueError(msg)
