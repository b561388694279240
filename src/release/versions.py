"""The number of the next version: semantic versioning of a model."""

from collections.abc import Sequence

from src.gate.changes import Kind

FIRST_VERSION = "1.0.0"


def next_version(versions: Sequence[str], change: Kind) -> str:
    """Return the version after the highest; the first if there was none."""
    if not versions:
        return FIRST_VERSION
    major, minor, patch = parse(highest(versions))
    following = {"major": (major + 1, 0, 0), "minor": (major, minor + 1, 0), "patch": (major, minor, patch + 1)}
    return ".".join(map(str, following[change]))


def highest(versions: Sequence[str]) -> str:
    """Return the highest version."""
    return max(versions, key=parse)


def parse(version: str) -> tuple[int, ...]:
    """Return the version's numbers."""
    return tuple(map(int, version.split(".")))
