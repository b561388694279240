"""The number of the next version, by what changed: semantic versioning of a model."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

FIRST_VERSION = "1.0.0"
# The model's own code; another library or Python counts as another setting.
CODE = ("src/features/", "src/ml/")
SETTINGS = ("requirements.lock", ".python-version")
# What moves from week to week.
WINDOW = ("start", "end")
Change = Literal["major", "minor", "patch"]
Lock = Mapping[str, Mapping[str, Any]]


def next_version(versions: Sequence[str], change: Change) -> str:
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


def what_changed(before: Lock, after: Lock) -> Change:
    """Tell from the stages of two dvc.lock what makes the later model another.

    Returns
    -------
    str
        major: features or model have other code. minor: other parameters, libraries or market. patch: other bars.
    """
    if _files(before, CODE) != _files(after, CODE):
        return "major"
    if _files(before, SETTINGS) != _files(after, SETTINGS) or _params(before) != _params(after):
        return "minor"
    return "patch"


def _files(lock: Lock, names: tuple[str, ...]) -> dict[str, str]:
    """Return the hashes of what the model is made from, of these names; evaluation makes no model."""
    stages = [stage for name, stage in lock.items() if name != "evaluate"]
    return {dep["path"]: dep["md5"] for stage in stages for dep in stage["deps"] if dep["path"].startswith(names)}


def _params(lock: Lock) -> dict[str, Any]:
    """Return the parameters that make the model another idea."""
    params: dict[str, Any] = {}
    for name, stage in lock.items():
        if name != "evaluate":
            params |= stage.get("params", {}).get("params.yaml", {})
    return params | {"data": {key: value for key, value in params.get("data", {}).items() if key not in WINDOW}}
