"""Promote: declare the candidate in the work tree to be the production model, as a commit with its tags."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from btc_signal.bundle import read_metadata, sha256
from src.base import paths, storage, tables
from src.base.errors import DataError, GateError, PromotionError
from src.gate.changes import Kind, what_changed
from src.gate.gate import gate
from src.gate.gate_report import headline, summary
from src.policy import load_policy
from src.release.base_commit import check_upstream
from src.release.history import Promoted, history
from src.release.metadata import Promotion, build_metadata
from src.release.tags import Stage, Tagged, first_free, tagged_versions
from src.release.transaction import check_committed, commit, exclusive, transaction
from src.release.versions import next_version, parse
from src.release.warn_once import warn_once
from src.repo.git import check_full_history, git
from src.repo.outputs import check_reproduced
from src.repo.revision import Revision

# What a promotion commits; the candidate itself was committed before, as hashes in dvc.lock.
PROMOTION = (paths.METADATA, paths.GATE, paths.GATE_REPORT, paths.TRIALS)


def promote(*, as_first: bool, amend: bool, stage: Stage, offline: bool) -> dict[str, Any]:
    """Ask the gate, then commit the candidate's metadata; from then on `ProductionEnsemble()` loads it.

    As the first it is compared with the baselines only. `amend` puts the promotion into the last commit, which must be
    known to nobody else; `git_commit` is then the one before. `stage` is what the version is tagged for. Offline the
    remote is not asked whether it can be pushed. Returns the metadata as committed; of a candidate that is in
    production already, those it has, without a new commit.

    `GateError` if the gate says no. `PromotionError` if its verdict is unknown, the clone is shallow, the work tree
    differs from the last commit, the pipeline is not up to date, the remote does not answer or has what this clone
    lacks, or git cannot commit or tag.
    """
    with exclusive():
        check_committed()
        check_full_history()
        check_upstream(amend=amend, offline=offline)
        check_reproduced()
        return _promote(as_first=as_first, amend=amend, stage=stage)


def _promote(*, as_first: bool, amend: bool, stage: Stage) -> dict[str, Any]:
    files = {path.name: storage.read_bytes(path) for path in (paths.GRAPH, paths.ENSEMBLE)}
    promoted = history()
    before = read_metadata(paths.METADATA) if paths.METADATA.exists() else None
    digests = {name: sha256(content) for name, content in files.items()}
    current = next((made for made in promoted if made.in_production), None)
    # What was put into production by hand, under a version that no promotion gives, is promoted as any candidate.
    if before and current and {name: described["sha256"] for name, described in before["files"].items()} == digests:
        # Whoever promoted it may have been stopped before its tags.
        with transaction((), Tagged(current.version, stage, current.commit), with_outputs=False):
            return before
    report = gate(as_first=as_first)
    _check_gate(report, files)
    # The model in production, or else the newest before it whose files can still be had.
    by_recency = sorted(promoted, key=lambda made: not made.in_production)
    promotion = Promotion(
        version=_version(promoted, report["comparison"]),
        git_commit=git("rev-parse", "HEAD^" if amend else "HEAD"),
        previous_version=next((version.commit for version in by_recency if version.files != "gone"), None),
        moment=datetime.now(UTC),
    )
    params, metrics = load_policy(), storage.read_json(paths.METRICS)
    bars, dataset = storage.read_bytes(paths.BARS), tables.read_frame(paths.FEATURES)
    metadata = build_metadata(promotion, params, metrics, files, bars, dataset) | {"gate": summary(report)}
    _commit(metadata, stage, amend=amend)
    return metadata


def _version(promoted: Sequence[Promoted], comparison: dict[str, Any] | None) -> str:
    """Return the next version: the kind of change since the highest one decides, and no tagged number is used twice."""
    versions = {version.version: version.commit for version in promoted}
    kind = _kind(versions[max(versions, key=parse)], comparison) if versions else "patch"
    return first_free(next_version([*versions, *tagged_versions()], kind))


def _kind(before: str, comparison: dict[str, Any] | None) -> Kind:
    """Tell what changed since that commit, as the gate did if it compared with it."""
    if comparison and comparison["champion"]["commit"] == before:
        kind: Kind = comparison["changed"]
        return kind
    try:
        return what_changed(Revision(before), Revision("HEAD").lock).kind
    except DataError as error:
        warn_once(f"what changed since the highest version is not known, so all may have: {error}")
        return "major"


def _check_gate(report: dict[str, Any], files: dict[str, bytes]) -> None:
    """Refuse a candidate whose verdict is no or unknown, or that changed while the gate judged it."""
    if report["verdict"] != "yes":
        error = GateError if report["verdict"] == "no" else PromotionError
        msg = f"{headline(report)} {paths.relative(paths.GATE_REPORT)} has the figures."
        raise error(msg)
    if report["candidate"] != sha256(files[paths.ENSEMBLE.name]):
        msg = "the candidate changed while the gate looked at it; run `python -m src promote` again"
        raise PromotionError(msg)


def _commit(metadata: dict[str, Any], stage: Stage, *, amend: bool) -> None:
    """Commit the metadata and the gate's report, and tag the commit: both or neither."""
    with transaction(PROMOTION, Tagged(metadata["version"], stage), with_outputs=False):
        storage.write_json(metadata, paths.METADATA)
        files = [str(path) for path in PROMOTION if path.exists()]
        commit(files, f"Promote {metadata['version']}", *(["--amend"] if amend else []))
