"""Promote: declare the candidate in the work tree to be the production model."""

from datetime import UTC, datetime
from typing import Any

from dvc.repo import Repo

from src import paths, storage, tables
from src.errors import GateError, PromotionError
from src.lifecycle.git import git
from src.lifecycle.metadata import build_metadata
from src.ml.bundle import sha256
from src.params import load_params

FIRST_VERSION = "1.0.0"


def promote() -> dict[str, Any]:
    """Write the metadata of the candidate; from then on `ProductionEnsemble()` loads it.

    Returns
    -------
    dict
        The metadata as written. If the candidate is in production already, the metadata it has; nothing is written.

    Raises
    ------
    PromotionError
        If the work tree differs from the last commit, or the pipeline is not up to date.
    GateError
        If the gate says no.
    """
    params = load_params()
    _check_committed()
    _check_reproduced()
    metrics = storage.read_json(paths.METRICS)
    _check_gate(metrics["ensemble"]["f1_score"], params.gate.f1_score_min)
    files = {path.name: storage.read_bytes(path) for path in (paths.GRAPH, paths.ENSEMBLE)}
    before = storage.read_json(paths.METADATA) if paths.METADATA.exists() else None
    if before and _digests(before) == {name: sha256(content) for name, content in files.items()}:
        return before
    metadata = build_metadata(
        params,
        metrics,
        files,
        tables.read_frame(paths.FEATURES),
        model_version=next_version(before["version"]) if before else FIRST_VERSION,
        git_commit=git("rev-parse", "HEAD"),
        previous_version=git("log", "-1", "--format=%H", "--", str(paths.METADATA)) if before else None,
        now=datetime.now(UTC),
    )
    storage.write_json(metadata, paths.METADATA)
    return metadata


def _digests(metadata: dict[str, Any]) -> dict[str, str]:
    """Return the sha256 of each file that the metadata describe."""
    return {name: described["sha256"] for name, described in metadata["files"].items()}


def next_version(version: str) -> str:
    """Raise the last number of a version such as 1.0.0."""
    major, minor, patch = version.split(".")
    return f"{major}.{minor}.{int(patch) + 1}"


def _check_committed() -> None:
    """Refuse changes that no commit holds: nobody could get this model back from git."""
    changed = git("status", "--porcelain").splitlines()
    if changed:
        msg = (
            f"expected a clean work tree, {len(changed)} paths differ from the last commit: {changed[0]}; commit first"
        )
        raise PromotionError(msg)


def _check_reproduced() -> None:
    """Refuse a candidate that is not what the committed pipeline makes."""
    with Repo(str(paths.ROOT)) as repo:
        stale = repo.status()
    if stale:
        msg = f"expected an up-to-date pipeline, but {', '.join(map(str, stale))} would run; `dvc repro`, then commit"
        raise PromotionError(msg)


def _check_gate(f1_score: float, f1_score_min: float) -> None:
    """Refuse a candidate below the least weighted F1."""
    if not f1_score >= f1_score_min:
        msg = f"weighted F1 is {f1_score:.4f}, gate.f1_score_min in params.yaml asks for {f1_score_min:g}; not promoted"
        raise GateError(msg)
