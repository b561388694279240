"""The number of a version: semantic versioning of a model."""

import re
from collections.abc import Sequence

from src.base import paths, storage
from src.base.errors import DataError
from src.gate.changes import Kind
from src.repo.git import ANY_BYTES

# Nine digits at most: Python refuses to read thousands of them.
VERSION = re.compile(r"(?:0|[1-9][0-9]{0,8})(?:\.(?:0|[1-9][0-9]{0,8})){2}")


def next_version(versions: Sequence[str], change: Kind) -> str:
    """Return the version after the highest; the first if there was none."""
    if not versions:
        return "1.0.0"
    major, minor, patch = parse(max(versions, key=parse))
    following = {"major": (major + 1, 0, 0), "minor": (major, minor + 1, 0), "patch": (major, minor, patch + 1)}
    return ".".join(map(str, following[change]))


def parse(version: str) -> tuple[int, ...]:
    """Return the version's numbers."""
    return tuple(map(int, version.split(".")))


def version_in(metadata: str | None) -> str | None:
    """Return the version that the text of a promotion's metadata names; None if it names none such as 1.0.2."""
    try:
        version = storage.parse_json((metadata or "").encode(**ANY_BYTES), paths.METADATA.name).get("version")
    except DataError:
        return None
    return version if isinstance(version, str) and VERSION.fullmatch(version) else None
