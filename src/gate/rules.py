"""The gate's rules: what each asks, of which number, and what follows. A rule that cannot be evaluated is unknown."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from src.evaluation.intervals import MIN_ROWS
from src.evaluation.parity import TOLERANCE
from src.policy import Gate
from src.verdict.finding import Finding, least, missing, most, number, result_of

METRICS = "reports/metrics.json"
QUALITY = "reports/data_quality.json"


def judge_scores(metrics: Mapping[str, Any], weights: Mapping[str, float], gate: Gate) -> Iterator[Finding]:
    """Judge the candidate's out-of-fold scores, beside the forecasts it has to beat.

    Weighted F1; Brier skill and its lead over volatility alone, both by the lower end of the interval; the Brier skill
    of every member that has a vote; the expected calibration error; that decisions differ between bars.
    """
    f1 = number(metrics, "ensemble", "f1_score")
    yield least("weighted F1", f1, gate.f1_score_min, METRICS)
    skill = number(metrics, "intervals", "scores", "ensemble", "brier_skill", 0)
    yield least("Brier skill, lower end", skill, gate.brier_skill_min, METRICS, strictly=True)
    lead = number(metrics, "intervals", "ensemble_less", "volatility_only", "brier_skill", 1)
    yield least("Brier skill less volatility alone, lower end", lead, 0.0 - gate.volatility_tolerance, METRICS)
    for name, weight in weights.items():
        if weight == 0:
            yield Finding(f"{name}, Brier skill", None, None, "off", "its weight is 0: it has no vote")
        else:
            member = number(metrics, "members", name, "brier_skill")
            yield least(f"{name}, Brier skill", member, 0.0, METRICS, strictly=True)
    error = number(metrics, "ensemble", "expected_calibration_error")
    yield most("expected calibration error", error, gate.calibration_error_max, METRICS)
    yield _judge_decisions(number(metrics, "decision_rate"))


def _judge_decisions(rate: float | None) -> Finding:
    """Refuse a candidate that decides the same for every bar: that is no signal, however good its probabilities."""
    name = "share of bars it would buy"
    if rate is None:
        return missing(name, None, METRICS)
    why = "" if 0 < rate < 1 else ": ensemble.decision_threshold makes every decision the same"
    return Finding(name, rate, None, result_of(not why), f"{rate:.4g}, more than 0 and less than 1 is asked{why}")


def judge_champion(comparison: Mapping[str, Any], gate: Gate) -> Iterator[Finding]:
    """Judge the candidate against the model in production on the same bars, as `src.gate.compare` compared them."""
    difference = partial(number, comparison, "differences", "brier_skill")
    floor, name, source = 0.0 - gate.champion_tolerance, "Brier skill less the champion's", "the comparison"
    if _only_bars_are_newer(comparison):
        yield least(f"{name}, upper end", difference("interval", 1), floor, source)
    else:
        yield least(f"{name}, lower end", difference("interval", 0), floor, source)
        ahead = least(name, difference("difference"), 0.0, source, strictly=True)
        same = difference("interval", 0) == difference("interval", 1) == 0
        yield ahead._replace(words=f"{ahead.words}; it forecasts what the champion does") if same else ahead
    yield _judge_since(comparison)


def _only_bars_are_newer(comparison: Mapping[str, Any]) -> bool:
    """Tell whether the same procedure learned from newer bars; then it may not be shown to be worse, no more is asked.

    On the bars in common it differs only by where its folds begin, which is luck; asked for a lead, every retraining
    would have to be luckier than the last that was.
    """
    return comparison.get("changed") == "patch" and (number(comparison, "since_training", "n_bars") or 0) > 0


def _judge_since(comparison: Mapping[str, Any]) -> Finding:
    """Refuse a candidate that is shown to be worse on the bars that the champion never saw."""
    name = "log loss less the champion's since its training, lower end"
    since = comparison.get("since_training", {})
    n_bars = 0 if since is None else number(since, "n_bars")
    if n_bars is not None and n_bars < MIN_ROWS:
        return Finding(name, None, None, "told", f"{n_bars:g} bars are too few to show that it is worse")
    if "refused" in since:
        return Finding(name, None, TOLERANCE, "unknown", since["refused"])
    # The same model as a graph and as its members differs by so little.
    return most(name, number(since, "differences", "log_loss", "interval", 0), TOLERANCE, "the comparison")


def judge_leaks(checks: Sequence[Finding]) -> Iterator[Finding]:
    """Refuse look-ahead leakage in features, labels or folds."""
    leaks = [check for check in checks if check.verdict != "passed"]
    words = "; ".join(f"not so: {check.name} ({check.words})" for check in leaks) or f"{len(checks)} checks are clean"
    result = result_of(not leaks) if checks else "unknown"
    yield Finding("leaks", float(len(leaks)), 0.0, result, words)


def judge_data(quality: Mapping[str, Any], step: timedelta, gate: Gate, now: datetime) -> Iterator[Finding]:
    """Judge the bars: how many the source lacks, and how old the newest is."""
    yield most("share of bars missing", number(quality, "missing_share"), gate.missing_share_max, QUALITY)
    name = "age of the newest bar, hours"
    if gate.newest_bar_age_max_h is None:
        yield Finding(name, None, None, "off", "gate.newest_bar_age_max_h is null, the source is not live")
        return
    age = _age_h(quality.get("last_open"), step, now)
    found = most(name, age, gate.newest_bar_age_max_h, QUALITY)
    if age is not None and age < 0:
        words = f"this machine's clock, {now:%Y-%m-%d %H:%M} UTC, is before the newest bar closed; set it right"
        found = found._replace(verdict="unknown", words=words)
    yield found


def _age_h(last_open: object, step: timedelta, now: datetime) -> float | None:
    """Return the hours since a bar closed, None if that is no moment in UTC."""
    try:
        return (now - datetime.fromisoformat(str(last_open)) - step) / timedelta(hours=1)
    except (ValueError, TypeError, OverflowError):
        return None


def judge_bundle(measured: Mapping[str, float], parity_max: float, gate: Gate) -> Iterator[Finding]:
    """Judge the files that would be served, by what `src.gate.serving_cost.measure_serving` measured."""
    asked = "the measurement"
    yield most("graph less its members, probability", number(measured, "parity"), parity_max, asked)
    yield most("decisions that differ from its members'", number(measured, "n_flipped"), 0.0, asked)
    yield most("model file, MB", number(measured, "size_mb"), gate.model_size_max_mb, asked)
    yield least("times faster than three libraries", number(measured, "latency_ratio"), gate.latency_ratio_min, asked)
    yield most("memory resident, MiB", number(measured, "memory_mib"), gate.memory_max_mib, asked)


def judge_luck(luck: Mapping[str, float]) -> Iterator[Finding]:
    """Say what the backtest is worth after so many trials, as `deflated_sharpe` returns it; nothing is asked of it."""
    words = (
        f"after {luck['n_trials']} judged so far luck alone would show a yearly Sharpe ratio of "
        f"{luck['expected_best']:.2f}; that this one's is truly more has a probability of {luck['probability']:.0%}"
    )
    yield Finding("deflated Sharpe ratio", luck["probability"], None, "told", words)
