"""What was decided last: the version in production, the gate's verdict, and the last retraining."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from src.base import paths
from src.base.errors import DataError, ParamsError
from src.doctor.check import Check, aside, fail, ok, restoring, warn
from src.verdict.finding import Finding, against

if TYPE_CHECKING:
    from src.policy import Policy

GATE, RETRAIN, METADATA, MODEL = (
    paths.relative(path) for path in (paths.GATE, paths.RETRAIN, paths.METADATA, paths.ENSEMBLE)
)
# It shows what a retraining would come to; whether to promote and publish that, a person decides.
TRY_RETRAIN = "DRY_RUN=true make retrain"
PUBLISHES = "`make retrain` promotes and publishes what the gate lets pass"


class Production(Check):
    """A model is in production, and scores what the gate asks for."""

    name = "production"
    subsets = ("ml-models", "full-check", "status")

    def findings(self) -> Iterator[Finding]:
        from src.base import storage

        if not (self.root / METADATA).exists():
            yield warn("production", "no metadata, so nothing can be served", "python -m src doctor ml-models")
            return
        try:
            metadata = storage.read_json(self.root / METADATA)
            scores, training = metadata["performance_metrics"], metadata["training_info"]
            data, f1 = training["data"], scores["f1_score"]
            shown = ", ".join(f"{name} {scores[name]:.3f}" for name in ("roc_auc", "brier_skill", "f1_score"))
            words = f"version {metadata['version']}, promoted {metadata['created_at']}, {shown}"
            window = f"{data['symbol']} {data['timeframe']}, {data['start']} to {data['end']}"
            window += f", {training['samples_count']:,} rows"
        except (DataError, KeyError, TypeError, ValueError) as error:
            yield fail("production", f"{METADATA}: {error}", restoring(self.root, METADATA))
            return
        yield ok("production", words)
        yield ok("window", window)
        if (params := _params(self.root)) and f1 < params.gate.f1_score_min:
            asked = f"gate.f1_score_min, {params.gate.f1_score_min:g}"
            yield warn("scores", f"weighted F1 {f1:.3f} is below {asked}; {PUBLISHES}", TRY_RETRAIN)


class Status(Check):
    """The gate lets the candidate pass, the last retraining ended well, and none is due."""

    name = "status"
    subsets = ("full-check", "status")

    def findings(self) -> Iterator[Finding]:
        yield self._gate()
        yield from self._retrain()

    def _gate(self) -> Finding:
        """Say what the gate said last, and of what."""
        from btc_signal.bundle import sha256
        from src.base import storage

        file, model = self.root / GATE, self.root / MODEL
        if not file.is_file():
            return warn("gate", "it was not asked, or its report was removed", "python -m src gate")
        try:
            report = storage.read_json(file)
            verdict, judged_at = report["verdict"], report["judged_at"]
            reasons = ", ".join(rule.name for rule in against(report))
        except (DataError, KeyError, TypeError) as error:
            return fail("gate", f"{GATE} cannot be read ({error})", restoring(self.root, GATE) or "python -m src gate")
        if report.get("candidate") != (sha256(model.read_bytes()) if model.is_file() else None):
            return warn("gate", f"{judged_at} it judged another candidate than the one here", "python -m src gate")
        if verdict == "yes":
            return ok("gate", f"{judged_at} it said yes")
        words = f"{judged_at} it said {verdict}: {reasons}; reports/gate.md has the figures"
        return warn("gate", words, "python -m src gate")

    def _retrain(self) -> Iterator[Finding]:
        """Say how the last retraining ended, and whether one is due."""
        from src.base import storage

        if (self.root / RETRAIN).is_file():
            try:
                report = storage.read_json(self.root / RETRAIN)
                outcome, words = report["outcome"], f"{report['ended_at']}: {report['words']}"
            except (DataError, KeyError, TypeError) as error:
                yield fail("retrain", f"{RETRAIN} cannot be read ({error})", aside(RETRAIN))
                return
            if outcome == "failed":
                yield fail("retrain", f"the last one failed, {words}; {PUBLISHES}", TRY_RETRAIN)
                return
            judge = warn if outcome == "refused" else ok
            yield judge("retrain", f"the last one: {outcome}, {words}")
        yield from self._age()

    def _age(self) -> Iterator[Finding]:
        """Warn of a model that is due, as the monitor tells when the next one is; bars that end need no other."""
        from src.base import storage

        try:
            trained = datetime.fromisoformat(storage.read_json(self.root / METADATA)["training_info"]["last_retrain"])
            age_days = (datetime.now(timezone.utc) - trained) / timedelta(days=1)
        except (DataError, KeyError, TypeError, ValueError):
            return
        words, params = f"{age_days:.1f} days since the model was trained", _params(self.root)
        if params is None or not params.data.is_live:
            yield ok("retrain", words if params is None else f"{words}; its source is not live, none is due")
        elif age_days > (every := params.monitor.retrain_every_days):
            words = f"{words}; with a retraining every {every:g} days one is due, {PUBLISHES}"
            yield warn("retrain", words, TRY_RETRAIN)
        else:
            yield ok("retrain", words)


def _params(root: Path) -> Policy | None:
    """Return the parameters; None if they are wrong, which their own check reports."""
    from src.policy import load_policy

    try:
        return load_policy(root / "params.yaml")
    except ParamsError:
        return None
