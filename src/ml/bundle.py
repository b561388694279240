"""The promoted model's files. A file whose sha256 differs from the git-kept metadata is refused unread."""

import hashlib
import hmac
from pathlib import Path
from typing import Any

from src import paths, storage
from src.errors import DataError, ModelError


def sha256(content: bytes) -> str:
    """Return the digest as the metadata writes it, such as ``sha256:9f86d0...``."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def read_promoted(directory: Path = paths.PRODUCTION) -> tuple[bytes, dict[str, Any]]:
    """Read a promoted model once, and make sure it is the one that was promoted.

    Parameters
    ----------
    directory
        Holds the ensemble and its metadata.

    Returns
    -------
    content : bytes
        The pickled ensemble, verified.
    metadata : dict

    Raises
    ------
    ModelError
        If a file is absent, or the ensemble is not the one that the metadata describes.
    """
    metadata = _read_metadata(directory / paths.METADATA.name)
    file = directory / paths.ENSEMBLE.name
    expected = str(metadata["version_control"]["model_hash"])
    if not file.exists():
        msg = f"{paths.relative(file)} is not there; fetch it with `dvc pull`, or make it with `dvc repro`"
        raise ModelError(msg)
    content = storage.read_bytes(file)
    found = sha256(content)
    if not hmac.compare_digest(found.encode(), expected.encode()):
        msg = (
            f"{paths.relative(file)} is not the promoted model {metadata['version']}: expected {expected}, "
            f"got {found}; to bring that one back: `git checkout dvc.lock && dvc pull`; "
            "to promote this one: `python -m src promote`"
        )
        raise ModelError(msg)
    return content, metadata


def _read_metadata(file: Path) -> dict[str, Any]:
    """Read the metadata; without it nothing can be trusted."""
    try:
        metadata = storage.read_json(file)
        _ = metadata["version"], metadata["version_control"]["model_hash"]
    except TypeError as error:
        msg = f"{paths.relative(file)}: version_control is no object; restore it with `git checkout`"
        raise ModelError(msg) from error
    except KeyError as error:
        msg = f"{paths.relative(file)} lacks the key {error}; restore it with `git checkout`"
        raise ModelError(msg) from error
    except DataError as error:
        msg = f"no model was promoted: {error}, then promote it with `python -m src promote`"
        raise ModelError(msg) from error
    return metadata
