"""Every promoted version, as git has it, and whether cache or remote still has its files."""

import json
from typing import Any, NamedTuple

from src.base import paths, storage
from src.base.errors import DataError
from src.repo.dvc_lock import parse_dvc_lock
from src.repo.dvc_store import Where, opened_stores
from src.repo.git import check_full_history, git, read_blobs

HEADLINE = ("roc_auc", "brier_skill", "f1_score")


class Promoted(NamedTuple):
    """One promoted version: its metadata, the commit that holds them, scores with intervals, its files by md5."""

    version: str
    commit: str
    metadata: dict[str, Any]
    scores: dict[str, dict[str, Any]]
    digests: list[str]
    files: Where | None = None  # None: not asked
    in_production: bool = False

    @property
    def identity(self) -> tuple[str, Any]:
        """What no other promotion has."""
        return self.version, self.metadata["created_at"]

    def to_plain(self) -> dict[str, Any]:
        """Return the summary for `history`, as plain JSON."""
        training = self.metadata["training_info"]
        return {
            "version": self.version,
            "promoted_at": self.metadata["created_at"],
            "commit": self.commit,
            "data": {name: training.get("data", {}).get(name) for name in ("symbol", "timeframe", "start", "end")},
            "rows": training["samples_count"],
            "scores": self.scores,
            "gate": self.metadata.get("gate", {}).get("verdict"),
            "files": self.files,
            "in_production": self.in_production,
        }


def history() -> list[Promoted]:
    """List the promoted versions, newest first, where their files are, and which is in production.

    `PromotionError` if git, DVC or its remote cannot be asked, or the clone is shallow; `DataError` if the metadata of
    a commit cannot be read.
    """
    current = storage.read_json(paths.METADATA) if paths.METADATA.exists() else {}
    in_production = current.get("version"), current.get("created_at")
    with opened_stores() as stores:
        return [
            promoted._replace(files=stores.where(promoted.digests), in_production=promoted.identity == in_production)
            for promoted in promotions()
        ]


def promotions() -> list[Promoted]:
    """List the promoted versions, newest first, as git alone knows them."""
    check_full_history()
    commits = git("log", "--topo-order", "--format=%H", "--", str(paths.METADATA)).split()
    names = [paths.relative(file) for file in (paths.METADATA, paths.LOCK, paths.METRICS)]
    texts = read_blobs(f"{commit}:{name}" for commit in commits for name in names)
    records = zip(commits, *(texts[place :: len(names)] for place in range(len(names))), strict=True)
    # A commit without metadata is the one that removed them.
    return _first_of_each([_read(commit, metadata, *others) for commit, metadata, *others in records if metadata])


def _first_of_each(found: list[Promoted]) -> list[Promoted]:
    """Return each version once, from the commit that promoted it; a rollback makes no version.

    The order is that of the commits: a clock may have been wrong.
    """
    identities = [promoted.identity for promoted in found]
    return [promoted for place, promoted in enumerate(found, start=1) if promoted.identity not in identities[place:]]


def _read(commit: str, metadata_text: str, lock_text: str | None, metrics_text: str | None) -> Promoted:
    """Read one promotion from the files of its commit; the first evaluations had no intervals."""
    try:
        metadata, metrics = json.loads(metadata_text), json.loads(metrics_text or "{}")
        version, scores = str(metadata["version"]), metadata["performance_metrics"]
        digests = [out.md5 for out in parse_dvc_lock(lock_text or "").stages["ensemble"].outs]
        ends = metrics.get("intervals", {}).get("scores", {}).get("ensemble", {})
        found = {name: {"value": scores.get(name), "interval": ends.get(name)} for name in HEADLINE}
        _ = metadata["created_at"], metadata["training_info"]["samples_count"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        msg = f"commit {commit[:7]} holds a promotion that cannot be read ({error!r})"
        raise DataError(msg) from error
    return Promoted(version, commit, metadata, found, digests)
