"""Promote: declare the candidate in the work tree to be the production model."""

from datetime import UTC, datetime
from typing import Any

from src import paths, storage, tables
from src.errors import GateError, PromotionError
from src.lifecycle.gate import gate
from src.lifecycle.gate_report import headline, summary
from src.lifecycle.git import git
from src.lifecycle.metadata import build_metadata
from src.lifecycle.pipeline import check_reproduced
from src.ml.bundle import read_metadata, sha256
from src.params import load_params

FIRST_VERSION = "1.0.0"


def promote(*, as_first: bool = False) -> dict[str, Any]:
    """Ask the gate, then write the metadata of the candidate; from then on `ProductionEnsemble()` loads it.

    Parameters
    ----------
    as_first
        Compare with the baselines only, as for the first model ever.

    Returns
    -------
    dict
        The metadata as written. If the candidate is in production already, the metadata it has; nothing is written.

    Raises
    ------
    PromotionError
        If the work tree differs from the last commit, the pipeline is not up to date, or the gate cannot tell.
    GateError
        If the gate says no.
    """
    params = load_params()
    _check_committed()
    check_reproduced()
    files = {path.name: storage.read_bytes(path) for path in (paths.GRAPH, paths.ENSEMBLE)}
    before = read_metadata() if paths.METADATA.exists() else None
    if before and _digests(before) == {name: sha256(content) for name, content in files.items()}:
        return before
    report = gate(as_first=as_first)
    _check_gate(report, files)
    metadata = build_metadata(
        params,
        storage.read_json(paths.METRICS),
        files,
        tables.read_frame(paths.FEATURES),
        model_version=next_version(before["version"]) if before else FIRST_VERSION,
        git_commit=git("rev-parse", "HEAD"),
        previous_version=git("log", "-1", "--format=%H", "--", str(paths.METADATA)) if before else None,
        now=datetime.now(UTC),
    ) | {"gate": summary(report)}
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
    own = {paths.relative(path) for path in (paths.GATE, paths.GATE_REPORT, paths.TRIALS)}
    changed = [
        line for line in git("status", "--porcelain", "--no-renames").splitlines() if line.split()[-1] not in own
    ]
    if changed:
        msg = (
            f"expected a clean work tree, {len(changed)} paths differ from the last commit: {changed[0]}; commit first"
        )
        raise PromotionError(msg)


def _check_gate(report: dict[str, Any], files: dict[str, bytes]) -> None:
    """Refuse a candidate of which the gate says no, or cannot tell, or that changed while it was asked."""
    if report["verdict"] != "yes":
        error = GateError if report["verdict"] == "no" else PromotionError
        msg = f"{headline(report)} {paths.relative(paths.GATE_REPORT)} has the figures."
        raise error(msg)
    if report["candidate"] != sha256(files[paths.ENSEMBLE.name]):
        msg = "the candidate changed while the gate looked at it; run `python -m src promote` again"
        raise PromotionError(msg)
