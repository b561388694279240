"""What makes a later model another: its code, its settings, or its bars alone."""

from typing import Any, Literal

from src.repo.dvc_lock import DvcLock

# The model's own code; another library or Python counts as another setting.
CODE = ("src/features", "src/ml", "src/training")
SETTINGS = ("requirements.lock", ".python-version")
# What moves from week to week.
WINDOW = ("start", "end")
Change = Literal["major", "minor", "patch"]


def what_changed(before: DvcLock, after: DvcLock) -> Change:
    """Tell from two dvc.lock what makes the later model another.

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


def _files(lock: DvcLock, names: tuple[str, ...]) -> dict[str, str]:
    """Return the hashes of what the model is made from, of these names; evaluation makes no model."""
    stages = [stage for name, stage in lock.stages.items() if name != "evaluate"]
    return {dep.path: dep.md5 for stage in stages for dep in stage.deps if dep.path.startswith(names)}


def _params(lock: DvcLock) -> dict[str, Any]:
    """Return the parameters that make the model another idea."""
    params: dict[str, Any] = {}
    for name, stage in lock.stages.items():
        if name != "evaluate":
            params |= stage.params.get("params.yaml", {})
    return params | {"data": {key: value for key, value in params.get("data", {}).items() if key not in WINDOW}}
