"""Promote: declare the candidate in the work tree to be the production model."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from src import paths, storage, tables
from src.errors import GateError, PromotionError
from src.lifecycle.gate import gate
from src.lifecycle.gate_report import headline, summary
from src.lifecycle.git import git
from src.lifecycle.history import history
from src.lifecycle.metadata import build_metadata
from src.lifecycle.pipeline import check_committed, check_reproduced
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
    check_committed()
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
        model_version=next_version([promoted.version for promoted in history()]),
        git_commit=git("rev-parse", "HEAD"),
        previous_version=git("log", "-1", "--format=%H", "--", str(paths.METADATA)) if before else None,
        now=datetime.now(UTC),
    ) | {"gate": summary(report)}
    storage.write_json(metadata, paths.METADATA)
    return metadata


def _digests(metadata: dict[str, Any]) -> dict[str, str]:
    """Return the sha256 of each file that the metadata describe."""
    return {name: described["sha256"] for name, described in metadata["files"].items()}


def next_version(versions: Sequence[str]) -> str:
    """Return the version after the highest, its last number raised; the first if there was none."""
    if not versions:
        return FIRST_VERSION
    *front, patch = max(tuple(map(int, version.split("."))) for version in versions)
    return ".".join(map(str, (*front, patch + 1)))


def _check_gate(report: dict[str, Any], files: dict[str, bytes]) -> None:
    """Refuse a candidate of which the gate says no, or cannot tell, or that changed while it was asked."""
    if report["verdict"] != "yes":
        error = GateError if report["verdict"] == "no" else PromotionError
        msg = f"{headline(report)} {paths.relative(paths.GATE_REPORT)} has the figures."
        raise error(msg)
    if report["candidate"] != sha256(files[paths.ENSEMBLE.name]):
        msg = "the candidate changed while the gate looked at it; run `python -m src promote` again"
        raise PromotionError(msg)
