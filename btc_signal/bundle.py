"""The promoted model's files. A file whose sha256 differs from the git-kept metadata is refused unread."""

import hashlib
import hmac
import io
import pickle
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from btc_signal.catalog import FEATURE_MANAGER_VERSION, FEATURE_NAMES
from btc_signal.exceptions import DataError, ModelError
from btc_signal.files import ENSEMBLE, GRAPH, METADATA, parse_json, read_bytes, shown
from btc_signal.signature import check_signature, signature_file

# Both hold the same graph; the pickle adds weights and threshold.
FILES = (GRAPH, ENSEMBLE)
NOT_PROMOTED = "no model was promoted"
# The class that the pickle names; the repository's, which has the same state. It is never imported here.
PICKLED_AS = ("src.ml.ensemble", "ProductionEnsemble")
PICKLE_PROTOCOL = 5
UNREADABLE_PICKLE = (
    *(pickle.UnpicklingError, EOFError, AttributeError, ImportError, LookupError, TypeError, ValueError),
    *(MemoryError, OverflowError),  # a length that is a lie
)
MADE_FOR = {"feature_names": list(FEATURE_NAMES), "feature_manager_version": FEATURE_MANAGER_VERSION}


class Promoted(NamedTuple):
    """A promoted model's files by name, verified, its metadata, and the sha256 of those."""

    files: dict[str, bytes]
    metadata: dict[str, Any]
    digest: str


def sha256(content: bytes) -> str:
    """Return the digest as the metadata writes it, such as ``sha256:9f86d0...``."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def read_promoted(directory: Path) -> Promoted:
    """Read graph, ensemble and metadata of a promoted model once, and make sure they are what was promoted.

    `ModelError` if a file is absent, is not the one that the metadata describes, or was made for other features; or if
    a public key is configured whose owner did not sign the metadata.
    """
    # A link to a release may be replaced meanwhile; all files are read from one.
    directory = directory.resolve()
    content, metadata = _read_metadata(directory / METADATA)
    version = str(metadata["version"])
    check_signature(content, signature_file(directory, version), "model", version)
    for key, expected in MADE_FOR.items():
        if metadata[key] != expected:
            msg = f"model {metadata['version']} has {key} {metadata[key]}, this code {expected}; check out its commit"
            raise ModelError(msg)
    files = {name: _read_verified(directory / name, metadata) for name in FILES}
    return Promoted(files, metadata, sha256(content))


def verified_version(directory: Path) -> str:
    """Return the version in the metadata; `ModelError` if one of both files is absent or not the one they name.

    Neither its signature nor the features it was made for are checked: this is no model to load.
    """
    metadata = read_metadata(directory / METADATA)
    for name in FILES:
        _read_verified(directory / name, metadata)
    return str(metadata["version"])


def read_state(content: bytes) -> dict[str, Any]:
    """Read the state of a pickled ensemble as plain data: no class is looked up, nothing is called.

    `ModelError` if it is no pickled ensemble, or one that names anything else.
    """
    try:
        shell = _PlainUnpickler(io.BytesIO(content)).load()
    except UNREADABLE_PICKLE as error:
        msg = f"not a readable ensemble ({error}); make it anew with `dvc repro`"
        raise ModelError(msg) from error
    if not isinstance(shell, _Shell) or not isinstance(shell.state, dict):
        msg = f"expected a pickled {PICKLED_AS[1]}, got {type(shell).__name__}; make it anew with `dvc repro`"
        raise ModelError(msg)
    return shell.state


class _Shell:
    """What stands for the one class that a pickle may name: it keeps the state and does nothing."""

    state: object = None

    def __setstate__(self, state: object) -> None:
        self.state = state


class _PlainUnpickler(pickle.Unpickler):
    """Knows one class by name."""

    def find_class(self, module: str, name: str) -> type:
        """Return the shell for the one class, and refuse all others."""
        if (module, name) != PICKLED_AS:
            msg = f"it names {module}.{name}, expected {'.'.join(PICKLED_AS)} and nothing else"
            raise pickle.UnpicklingError(msg)
        return _Shell


def _read_verified(file: Path, metadata: dict[str, Any]) -> bytes:
    """Read a file and compare its digest in constant time."""
    expected = str(metadata["files"][file.name]["sha256"])
    if not file.exists():
        msg = f"{shown(file)} is not there; fetch it with `dvc pull`, or make it with `dvc repro`"
        raise ModelError(msg)
    content = read_bytes(file)
    found = sha256(content)
    if not hmac.compare_digest(found.encode(), expected.encode()):
        msg = (
            f"{shown(file)} is not the promoted model {metadata['version']}: expected {expected}, "
            f"got {found}; to bring that one back: `git checkout dvc.lock && dvc pull`; "
            "to promote this one: `python -m src promote`"
        )
        raise ModelError(msg)
    return content


def read_metadata(file: Path) -> dict[str, Any]:
    """Read the metadata, without which nothing can be trusted; `ModelError` if they are not what a promotion writes."""
    return _read_metadata(file)[1]


def _read_metadata(file: Path) -> tuple[bytes, dict[str, Any]]:
    """Return the bytes, which are signed, and what they say, if it is what a promotion writes."""
    name = shown(file)
    try:
        content = read_bytes(file)
        metadata = parse_json(content, name)
        _ = [metadata["files"][part]["sha256"] for part in FILES]
        _ = [metadata[key] for key in (*MADE_FOR, "version", "phase", "status", "model_weights", "decision_threshold")]
        _ = [np.array(metadata["smoke_test"][key], dtype=float) for key in ("rows", "probabilities")]
        _ = metadata["version_control"]["git_commit"]
    except DataError as error:
        msg = f"{NOT_PROMOTED}: {error}, then promote it with `python -m src promote`"
        raise ModelError(msg) from error
    except KeyError as error:
        msg = f"{name} lacks the key {error}; restore it with `git checkout`"
        raise ModelError(msg) from error
    except (TypeError, ValueError, OverflowError) as error:
        msg = f"{name} is not what a promotion writes ({error}); restore it with `git checkout`"
        raise ModelError(msg) from error
    return content, metadata
