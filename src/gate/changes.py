"""What makes a later model another: its code, its settings, or its bars alone."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from src.base.errors import DataError
from src.gate.rerun import rerun_window
from src.repo.dvc_lock import DvcLock
from src.repo.revision import Revision
from src.verdict.finding import few

# The code of features and model.
MODEL_CODE = ("src/features", "src/ml", "src/training", "btc_signal")
# All that a stage runs on; another library or Python counts as another setting.
RUNS_ON = ("src/", "btc_signal", "requirements", ".python-version")
# What moves from week to week.
WINDOW = ("data.start", "data.end")
NAMED = 4
Kind = Literal["major", "minor", "patch"]


class Change(NamedTuple):
    """What makes a model another, and the reason in words.

    major: features or model have code that makes other numbers. minor: other parameters, libraries or market. patch:
    other bars at most.
    """

    kind: Kind
    reason: str


def what_changed(champion: Revision, after: DvcLock, rerun: Callable[[Revision], list[str]] = rerun_window) -> Change:
    """Tell what makes a later model another than the champion.

    A hash tells a comment from another computation as little as a new version of a library. So where one differs, the
    champion's window is rerun with today's code, unless parameters decide alone: the same bytes are the same model.
    `after` is the dvc.lock of the later one, whose code is in the work tree; `rerun` returns which of the champion's
    files come out other, or says by `DataError` why none came out.
    """
    files = sorted({name for name, _ in _files(champion.lock) ^ _files(after)})
    then, now = _params(champion.lock), _params(after)
    other = sorted(name for name in then.keys() | now.keys() if then.get(name) != now.get(name))
    if not files:
        return _by_params("Code, libraries and Python have the champion's hashes", other)
    # What only one side knows is a matter of its code.
    other = [name for name in other if name in then and name in now]
    differ = f"Not the champion's hash: {few(files, NAMED)}."
    by_hash: Kind = "major" if any(name.startswith(MODEL_CODE) for name in files) else "minor"
    if other and by_hash == "minor":
        return _by_params(f"{differ} Not rerun, for parameters decide", other)
    try:
        differing = rerun(champion)
    except DataError as error:
        why = "The champion's window cannot be rerun with today's code, so the hashes decide"
        return Change(by_hash, f"{differ} {why}: {error}.")
    gives = f"{differ} Rerun with today's code, the champion's window gives"
    if differing:
        return Change(by_hash, f"{gives} other bytes: {few(differing, NAMED)}.")
    return _by_params(f"{gives} its graph and its out-of-fold files, byte for byte", other)


def _by_params(words: str, other: list[str]) -> Change:
    """Judge a model that differs by its parameters at most."""
    if other:
        return Change("minor", f"{words}; other parameters: {few(other, NAMED)}.")
    return Change("patch", f"{words}.")


def _files(lock: DvcLock) -> set[tuple[str, str]]:
    """Return what the model's stages run on, by content; evaluation makes no model."""
    stages = [stage for name, stage in lock.stages.items() if name != "evaluate"]
    return {(dep.path, dep.md5) for stage in stages for dep in stage.deps if dep.path.startswith(RUNS_ON)}


def _params(lock: DvcLock) -> dict[str, Any]:
    """Return the parameters that make the model another idea, by name."""
    stages = [stage for name, stage in lock.stages.items() if name != "evaluate"]
    found = dict(leaf for stage in stages for leaf in _leaves(stage.params.get("params.yaml", {})))
    return {name: value for name, value in found.items() if name not in WINDOW}


def _leaves(section: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value below, by the names on the way joined with dots."""
    for key, value in section.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
