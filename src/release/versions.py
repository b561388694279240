"""The number of the next version: semantic versioning of a model."""

from collections.abc import Sequence

from src.gate.changes import Kind


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
