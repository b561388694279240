"""The gate: whether the candidate in the work tree may replace the model in production."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from btc_signal.bundle import sha256
from btc_signal.catalog import TARGET
from btc_signal.inputs import as_rows
from btc_signal.times import utc_text
from src.base import paths, storage, tables
from src.base.console import track
from src.base.errors import DataError, PromotionError
from src.evaluation.deflated_sharpe import NEEDED, deflated_sharpe
from src.evaluation.leakcheck import check_pipeline
from src.evaluation.parity import TOLERANCE
from src.gate.compare import compare
from src.gate.gate_report import in_words, markdown
from src.gate.rules import judge_bundle, judge_champion, judge_data, judge_leaks, judge_luck, judge_scores
from src.gate.serving_cost import measure_serving
from src.gate.trials import record_trial
from src.policy import Policy, load_policy
from src.repo.git import git
from src.repo.outputs import check_reproduced
from src.training.member_files import read_members
from src.verdict.finding import Finding, number, overall
from src.verdict.rule import Rule, ask


def gate(*, as_first: bool = False) -> dict[str, Any]:
    """Judge the candidate by every rule and write the report; the one before is removed first.

    As the first model ever it is compared with the baselines only: the way on after another label or other prices, of
    which no champion made forecasts. Returns plain JSON, as in reports/gate.json: `verdict` is yes only if no rule
    failed and none is unknown; what cannot be read, measured or compared makes a rule unknown, with the reason in
    words. `ProjectError` if params.yaml is wrong, or the report cannot be written.
    """
    for earlier in (paths.GATE, paths.GATE_REPORT):
        earlier.unlink(missing_ok=True)
    params, now = load_policy(), datetime.now(UTC)
    comparison: dict[str, Any] | None = None

    def against_champion() -> Iterable[Finding]:
        """Compare with the champion, if there is one."""
        nonlocal comparison
        if as_first or _is_first():
            why = "the champion was left out, as asked" if as_first else "nothing was promoted yet"
            return [Finding("champion", None, None, "off", f"{why}; the baselines alone judge")]
        comparison = compare()
        return judge_champion(comparison, params.gate)

    pipeline = ask("pipeline", _up_to_date)
    rules: dict[str, Rule] = {
        "pipeline": lambda: pipeline,
        "scores": lambda: judge_scores(
            storage.read_json(paths.METRICS), params.ensemble.weights.model_dump(), params.gate
        ),
        "champion": against_champion,
        "leaks": lambda: judge_leaks(check_pipeline(tables.read_frame(paths.BARS), params, now)),
        "bars": lambda: judge_data(storage.read_json(paths.DATA_QUALITY), params.data.step, params.gate, now),
        "bundle": lambda: judge_bundle(_measured(), TOLERANCE, params.gate),
        "luck": lambda: judge_luck(_luck(params, now, pipeline)),
    }
    findings = [finding for name in track(list(rules), "gate") for finding in ask(name, rules[name])]
    report = {
        "verdict": overall(findings),
        "judged_at": utc_text(now),
        "candidate": sha256(storage.read_bytes(paths.ENSEMBLE)) if paths.ENSEMBLE.exists() else None,
        "judgements": [finding.kept() for finding in findings],
        "in_words": _in_words(),
        "comparison": comparison,
    }
    text = markdown(report)
    storage.write_json(report, paths.GATE)
    storage.write_bytes(text.encode(), paths.GATE_REPORT)
    return report


def _up_to_date() -> Iterator[Finding]:
    """Judge whether the scores are those of the candidate."""
    check_reproduced()
    yield Finding("pipeline", None, None, "passed", "scores and candidate are what code and parameters make")


def _is_first() -> bool:
    """Tell whether no model was promoted yet; metadata that were lost are an error."""
    if paths.METADATA.exists():
        return False
    if commit := git("log", "-1", "--format=%h", "--", str(paths.METADATA)):
        msg = f"{paths.relative(paths.METADATA)} was deleted, {commit} is its last commit; restore it, or --as-first"
        raise DataError(msg)
    return True


def _in_words() -> list[str]:
    """Say what the scores mean; nothing where one is missing, which the rules tell."""
    try:
        return in_words(storage.read_json(paths.METRICS))
    except (DataError, KeyError, TypeError, IndexError, ValueError):
        return []


def _measured() -> dict[str, float]:
    """Measure the candidate as it would be served."""
    rows = as_rows(tables.read_frame(paths.FEATURES).drop(columns=TARGET, errors="ignore"))
    return measure_serving(paths.ENSEMBLE, read_members(), rows)


def _luck(params: Policy, now: datetime, pipeline: list[Finding]) -> dict[str, float]:
    """Deflate the backtest by the number of trials, this one among them; a stale one is no trial."""
    if overall(pipeline) != "yes":
        raise PromotionError(pipeline[0].words)
    metrics = storage.read_json(paths.METRICS)
    traded = {name: number(metrics, "backtest", "model", name) for name in NEEDED}
    if missing := [name for name, value in traded.items() if value is None]:
        msg = f"{paths.relative(paths.METRICS)} holds no number backtest.model.{missing[0]}; run `dvc repro`"
        raise DataError(msg)
    return deflated_sharpe(traded, record_trial(params, traded, now))
