"""What was decided last: the version in production, the gate's verdict, and the last retraining."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from src.base import paths, storage
from src.base.errors import DataError, ParamsError
from src.base.params import LIVE
from src.base.yaml_lines import read_scalars
from src.doctor.finding import Line, fail, ok, warn
from src.doctor.shell import aside, git, restoring

GATE, RETRAIN, METADATA, MODEL = (
    paths.relative(path) for path in (paths.GATE, paths.RETRAIN, paths.METADATA, paths.ENSEMBLE)
)
# The results that make a verdict other than yes; up to version 1.5 a rule that failed said no.
AGAINST = {"no": ("failed", "no"), "unknown": ("unknown",)}
# It shows what a retraining would come to; whether to promote and publish that, a person decides.
TRY_RETRAIN = "DRY_RUN=true make retrain"
PUBLISHES = "`make retrain` promotes and publishes what the gate lets pass"


def check(root: Path) -> Iterator[Line]:
    """Say all of it."""
    yield from check_production(root)
    yield from check_gate(root)
    yield from check_retrain(root)


def check_production(root: Path) -> Iterator[Line]:
    """Say what is in production, on which bars, and how it scored."""
    if not (root / METADATA).exists():
        yield warn("production", "no metadata, so nothing can be served", "python -m src check ml-models")
        return
    try:
        metadata = storage.read_json(root / METADATA)
        scores, training, version = metadata["performance_metrics"], metadata["training_info"], metadata["version"]
        data, f1 = training["data"], scores["f1_score"]
        shown = ", ".join(f"{name} {scores[name]:.3f}" for name in ("roc_auc", "brier_skill", "f1_score"))
        words = f"version {version}, promoted {metadata['created_at']}, {shown}"
        window = f"{data['symbol']} {data['timeframe']}, {data['start']} to {data['end']}"
    except (DataError, KeyError, TypeError, ValueError) as error:
        mend = restoring(root, METADATA, lambda text: '"performance_metrics"' in text and text.rstrip().endswith("}"))
        yield fail("production", f"{METADATA}: {error}", mend)
        return
    yield ok("production", words)
    yield ok("window", f"{window}, {training['samples_count']:,} rows")
    asked = _number(root, "gate", "f1_score_min")
    if asked is not None and f1 < asked:
        yield warn("scores", f"weighted F1 {f1:.3f} is below gate.f1_score_min, {asked:g}; {PUBLISHES}", TRY_RETRAIN)


def check_gate(root: Path) -> Iterator[Line]:
    """Say what the gate said last, and of what."""
    if not (root / GATE).is_file():
        yield warn("gate", "it was not asked, or its report was removed", "python -m src gate")
        return
    try:
        report = storage.read_json(root / GATE)
        verdict, judged_at, judgements = report["verdict"], report["judged_at"], list(report["judgements"])
        against = [judgement["name"] for judgement in judgements if judgement["verdict"] in AGAINST.get(verdict, ())]
    except (DataError, KeyError, TypeError) as error:
        is_kept = git(root, "ls-files", "--error-unmatch", GATE).status == 0
        mend = (
            restoring(root, GATE, lambda text: '"verdict"' in text and text.rstrip().endswith("}")) if is_kept else ""
        )
        yield fail("gate", f"{GATE} cannot be read ({error})", mend or "python -m src gate")
        return
    if report.get("candidate") != _candidate(root):
        yield warn("gate", f"{judged_at} it judged another candidate than the one here", "python -m src gate")
    elif verdict == "yes":
        yield ok("gate", f"{judged_at} it said yes")
    else:
        words = f"{judged_at} it said {verdict}: {', '.join(map(str, against))}; reports/gate.md has the figures"
        yield warn("gate", words, "python -m src gate")


def check_retrain(root: Path) -> Iterator[Line]:
    """Say how the last retraining ended, and whether one is due."""
    if (root / RETRAIN).is_file():
        try:
            report = storage.read_json(root / RETRAIN)
            outcome, words = str(report["outcome"]), f"{report['ended_at']}: {report['words']}"
        except (DataError, KeyError) as error:
            yield fail("retrain", f"{RETRAIN} cannot be read ({error})", aside(RETRAIN))
            return
        if outcome == "failed":
            yield fail("retrain", f"the last one failed, {words}; {PUBLISHES}", TRY_RETRAIN)
            return
        judge = warn if outcome == "refused" else ok
        yield judge("retrain", f"the last one: {outcome}, {words}")
    yield from _age(root)


def _age(root: Path) -> Iterator[Line]:
    """Warn of a model that is due, as the monitor tells when the next one is; bars that end need no other."""
    try:
        trained = datetime.fromisoformat(storage.read_json(root / METADATA)["training_info"]["last_retrain"])
        age_days = (datetime.now(UTC) - trained) / timedelta(days=1)
    except (DataError, KeyError, TypeError, ValueError):
        return
    words, every = f"{age_days:.1f} days since the model was trained", _number(root, "monitor", "retrain_every_days")
    if _setting(root, "data", "source") not in LIVE:
        yield ok("retrain", f"{words}; its source is not live, none is due")
    elif every is not None and age_days > every:
        words = f"{words}; with a retraining every {every:g} days one is due, {PUBLISHES}"
        yield warn("retrain", words, TRY_RETRAIN)
    else:
        yield ok("retrain", words)


def _setting(root: Path, *keys: str) -> str | None:
    """Return one value of params.yaml as it is written: checking all of them takes longer than the rest."""
    try:
        return read_scalars(storage.read_bytes(root / "params.yaml").decode(), "params.yaml").get(keys)
    except (DataError, ParamsError, UnicodeDecodeError):
        return None


def _number(root: Path, *keys: str) -> float | None:
    """Return a number of params.yaml; None if there is none, which the check of the parameters reports."""
    try:
        return float(_setting(root, *keys) or "")
    except ValueError:
        return None


def _candidate(root: Path) -> str | None:
    if not (root / MODEL).is_file():
        return None
    return f"sha256:{hashlib.sha256(storage.read_bytes(root / MODEL)).hexdigest()}"
