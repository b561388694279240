"""dvc.lock: what each stage read and what it made, by content; of the work tree or of any commit."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, Field, ValidationError

from src.base import paths, storage
from src.base.errors import DataError, PromotionError


class LockedFile(BaseModel, frozen=True, strict=True):
    """A file as a stage read or made it, or a folder, whose md5 ends in ``.dir``."""

    path: str
    hash: Literal["md5"] = "md5"
    md5: Annotated[str, Field(pattern=r"^[0-9a-f]{32}(\.dir)?$")]
    size: int | None = None


class LockedStage(BaseModel, frozen=True, strict=True):
    """A stage as it ran; the last one of a file that was cut off has no outputs."""

    deps: list[LockedFile] = []
    params: dict[str, dict[str, Any]] = {}
    outs: Annotated[list[LockedFile], Field(min_length=1)]


class DvcLock(BaseModel, frozen=True, strict=True):
    """The stages by name."""

    stages: dict[str, LockedStage]

    @property
    def outs(self) -> dict[str, LockedFile]:
        """Every file that the pipeline made, by path."""
        return {out.path: out for stage in self.stages.values() for out in stage.outs}


def md5(content: bytes) -> str:
    """Return DVC's own name of a content; it is no proof of safety."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def parse_dvc_lock(text: str) -> DvcLock:
    """Read the text of a dvc.lock, such as `git show COMMIT:dvc.lock` prints; `DataError` says where it is damaged."""
    try:
        return DvcLock.model_validate(yaml.safe_load(text))
    except ValidationError as error:
        first = error.errors()[0]
        msg = f"dvc.lock is damaged at {'.'.join(map(str, first['loc'])) or 'its top'}: {first['msg']}"
        raise DataError(msg) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        msg = f"dvc.lock is damaged: {' '.join(str(error).split())}"
        raise DataError(msg) from error


def read_dvc_lock(root: Path | None = None) -> DvcLock:
    """Read the dvc.lock of a work tree; `PromotionError` says how to bring a damaged one back."""
    text = storage.read_bytes((root or paths.ROOT) / paths.LOCK.name).decode(errors="surrogateescape")
    try:
        return parse_dvc_lock(text)
    except DataError as error:
        msg = f"{error}; bring it back with `git checkout dvc.lock`"
        raise PromotionError(msg) from error


def files_in(directory: bytes, digest: str) -> set[str]:
    """Return the files of an output that is a folder, as its object names them; `PromotionError` if it is damaged."""
    try:
        return {entry["md5"] for entry in json.loads(directory)}
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        msg = f"the object {digest} names the files of a folder, and is damaged; delete it, `dvc fetch` brings it back"
        raise PromotionError(msg) from error


def changed_outs(lock: DvcLock, root: Path) -> Iterator[LockedFile]:
    """Yield the outputs that are missing in a work tree or are not what dvc.lock says.

    DVC takes a file whose size and clock are as they were for the same; a bad disk changes neither, so all are hashed.
    """
    for out in lock.outs.values():
        if not (root / out.path).is_file() or md5((root / out.path).read_bytes()) != out.md5:
            yield out
