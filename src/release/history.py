"""Every promoted version, as git has it, and whether cache or remote still has its files.

History does not change, so what is damaged in it stays so: a commit whose metadata are no promotion's is named in a
warning and passed over, and so is what else of a commit cannot be read. The others are listed all the same.
"""

from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, BaseModel, Field, ValidationError

from btc_signal.times import read_utc
from src.base import paths, storage
from src.base.errors import DataError
from src.release.versions import VERSION
from src.release.warn_once import warn_once
from src.repo.dvc_lock import parse_dvc_lock
from src.repo.dvc_store import Stores, Where, opened_stores
from src.repo.git import ANY_BYTES, check_full_history, git, read_blobs
from src.verdict.finding import number

HEADLINE = ("roc_auc", "brier_skill", "f1_score")


def _check_utc(text: str) -> str:
    """Refuse what is no moment in UTC."""
    read_utc(text)
    return text


class _Bars(BaseModel, strict=True):
    symbol: str | None = None
    timeframe: str | None = None
    start: str | None = None
    end: str | None = None


class _Training(BaseModel, strict=True, extra="allow"):
    samples_count: int
    data: _Bars = _Bars()


class _Gate(BaseModel, strict=True):
    verdict: str | None = None


class _Metadata(BaseModel, strict=True, extra="allow"):
    """What is read of a promotion's metadata; the first ones held nothing of the bars or the gate."""

    version: Annotated[str, Field(pattern=f"^{VERSION.pattern}$")]
    created_at: Annotated[str, AfterValidator(_check_utc)]
    performance_metrics: dict[str, Any]
    training_info: _Training
    gate: _Gate = _Gate()


class Promoted(NamedTuple):
    """One promoted version: its metadata, the commit that holds them, scores with intervals, the text of dvc.lock."""

    version: str
    commit: str
    metadata: dict[str, Any]
    scores: dict[str, dict[str, Any]]
    lock_text: str
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
            "data": {name: training.get("data", {}).get(name) for name in _Bars.model_fields},
            "rows": training["samples_count"],
            "scores": self.scores,
            "gate": self.metadata.get("gate", {}).get("verdict"),
            "files": self.files,
            "in_production": self.in_production,
        }


def history() -> list[Promoted]:
    """List the promoted versions, newest first, where their files are, and which is in production.

    `PromotionError` if git, DVC or its remote cannot be asked, or the clone is shallow.
    """
    in_production = _in_production()
    with opened_stores() as stores:
        return [
            promoted._replace(files=_where(promoted, stores), in_production=promoted.identity == in_production)
            for promoted in promotions()
        ]


def promotions() -> list[Promoted]:
    """List the promoted versions, newest first, as git alone knows them."""
    check_full_history()
    commits = git("log", "--full-history", "--topo-order", "--format=%H", "--", str(paths.METADATA)).split()
    names = [paths.relative(file) for file in (paths.METADATA, paths.LOCK, paths.METRICS)]
    texts = read_blobs(f"{commit}:{name}" for commit in commits for name in names)
    records = zip(commits, *(texts[place :: len(names)] for place in range(len(names))), strict=True)
    # A commit without metadata is the one that removed them.
    found = [_read(commit, metadata, *others) for commit, metadata, *others in records if metadata is not None]
    return _first_of_each([promoted for promoted in found if promoted])


def _in_production() -> tuple[Any, Any]:
    """Return the identity of the model in production."""
    try:
        current = storage.read_json(paths.METADATA) if paths.METADATA.exists() else {}
    except DataError as error:
        warn_once(f"it is not known which version is in production: {error}")
        current = {}
    return current.get("version"), current.get("created_at")


def _where(promoted: Promoted, stores: Stores) -> Where:
    """Ask where the files of a version can be had; without a dvc.lock that names them, nowhere."""
    try:
        digests = [out.md5 for out in parse_dvc_lock(promoted.lock_text).stages["ensemble"].outs]
    except (DataError, KeyError) as error:
        damaged = f"its dvc.lock has no stage ensemble that can be read ({error})"
        warn_once(f"commit {promoted.commit[:7]}: the files of version {promoted.version} are not known, {damaged}")
        return "gone"
    return stores.where(digests)


def _first_of_each(found: list[Promoted]) -> list[Promoted]:
    """Return each version once, from the commit that promoted it; a rollback makes no version.

    The order is that of the commits: a clock may have been wrong.
    """
    identities = [promoted.identity for promoted in found]
    return [promoted for place, promoted in enumerate(found, start=1) if promoted.identity not in identities[place:]]


def _read(commit: str, metadata_text: str, lock_text: str | None, metrics_text: str | None) -> Promoted | None:
    """Read one promotion from the files of its commit; None, after a warning, if its metadata are no promotion's."""
    try:
        content = storage.parse_json(metadata_text.encode(**ANY_BYTES), paths.relative(paths.METADATA))
        metadata = _Metadata.model_validate(content).model_dump(exclude_unset=True)
    except (DataError, ValidationError) as error:
        warn_once(f"commit {commit[:7]} is passed over, it holds no promotion that can be read ({_reason(error)})")
        return None
    version = metadata["version"]
    metrics = {}
    if metrics_text is not None:
        try:
            metrics = storage.parse_json(metrics_text.encode(**ANY_BYTES), paths.relative(paths.METRICS))
        except DataError:
            damaged = f"{paths.relative(paths.METRICS)} cannot be read"
            warn_once(f"commit {commit[:7]}: the intervals of version {version} are not known, {damaged}")
    found = {
        name: {"value": number(metadata, "performance_metrics", name), "interval": _interval(metrics, name)}
        for name in HEADLINE
    }
    return Promoted(version, commit, metadata, found, lock_text or "")


def _reason(error: DataError | ValidationError) -> str:
    """Say what is wrong, and not what would mend a file: a commit stays as it is."""
    if isinstance(error, DataError):
        return str(error).partition(";")[0]
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


def _interval(metrics: dict[str, Any], name: str) -> list[float] | None:
    """Return both ends of a score's interval; the first evaluations had none."""
    low, high = (number(metrics, "intervals", "scores", "ensemble", name, end) for end in (0, 1))
    return None if low is None or high is None else [low, high]
