"""The scores as tables for the terminal, with a verdict in words."""

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.table import Table

COLUMNS = {
    "roc_auc": "AUC",
    "brier_skill": "Brier skill",
    "log_loss": "log loss",
    "f1_score": "F1",
    "f1_positive": "F1 rise",
    "mcc": "MCC",
    "expected_calibration_error": "ECE",
}
# How far a calibration line's slope may lie from 1 before it is called off.
SLOPE_OFF = 0.1
DIFFERENCES = ("roc_auc", "brier_skill", "log_loss", "f1_score")


def scores_table(metrics: Mapping[str, Any]) -> Table:
    """Return baselines, members and the ensemble, a row each, in that order."""
    window = metrics["window"]
    table = Table(
        title=f"Out of fold: {metrics['n_samples']:,} bars, {window['first_open'][:10]} to {window['last_open'][:10]}, "
        f"{metrics['base_rate']:.1%} of them a rise",
        caption="F1 is weighted by class, F1 rise is of rises alone; ECE is the expected calibration error",
        box=box.SIMPLE_HEAD,
    )
    table.add_column("forecast", no_wrap=True)
    for heading in COLUMNS.values():
        table.add_column(heading, justify="right")
    for group in ("baselines", "members"):
        for name, scores in metrics[group].items():
            table.add_row(named(name), *cells(scores))
        table.add_section()
    table.add_row("ensemble", *cells(metrics["ensemble"]), style="bold")
    intervals = metrics["intervals"]["scores"]["ensemble"]
    for end, words in enumerate(("from", "to")):
        table.add_row(f"  {words}", *cells({name: ends and ends[end] for name, ends in intervals.items()}))
    return table


def differences_table(metrics: Mapping[str, Any]) -> Table:
    """Return how much the ensemble scores more than each other forecast, with the interval of the difference."""
    intervals = metrics["intervals"]
    table = Table(
        title=f"The ensemble less each, with {intervals['level']:.0%} intervals",
        caption=f"{intervals['n_resamples']:,} draws of blocks of {intervals['block_length']} bars",
        box=box.SIMPLE_HEAD,
    )
    table.add_column("less", no_wrap=True)
    for name in DIFFERENCES:
        table.add_column(COLUMNS[name], justify="right")
    for other, scores in intervals["ensemble_less"].items():
        table.add_row(named(other), *[difference(scores.get(name)) for name in DIFFERENCES])
    return table


def verdict(metrics: Mapping[str, Any], f1_score_min: float) -> list[str]:
    """Say in sentences what the scores mean, and no more than they do."""
    return [
        _skill(metrics),
        _against_volatility(metrics),
        _calibrated(metrics),
        _f1(metrics, f1_score_min),
        _traded(metrics),
    ]


def _skill(metrics: Mapping[str, Any]) -> str:
    """Say whether the probabilities beat a constant."""
    skill, ends = metrics["ensemble"]["brier_skill"], metrics["intervals"]["scores"]["ensemble"]["brier_skill"]
    words = f"Brier skill {skill:+.3f} ({span(ends, '+.3f')})"
    if ends[0] > 0:
        return f"Skill: {words}, better than the base rate known in hindsight."
    return f"No skill is shown: {words}; the base rate alone may forecast as well."


def _against_volatility(metrics: Mapping[str, Any]) -> str:
    """Say whether it knows more than how much the price moves."""
    scores = metrics["intervals"]["ensemble_less"]["volatility_only"]
    words = "; ".join(
        f"{COLUMNS[name]} {scores[name][0]:+.3f} ({span(scores[name][1:], '+.3f')})"
        for name in ("roc_auc", "brier_skill")
    )
    lows, highs = zip(*(scores[name][1:] for name in ("roc_auc", "brier_skill")), strict=True)
    if min(lows) > 0:
        return f"Ahead of volatility alone: {words}."
    if max(highs) < 0:
        return f"Behind volatility alone: {words}."
    return f"Not shown to beat volatility alone: {words}. It knows when the market moves; which way, is not shown."


def _calibrated(metrics: Mapping[str, Any]) -> str:
    """Say whether the probabilities can be taken at their word."""
    line = metrics["calibration"]
    means = f"mean forecast {line['mean_forecast']:.1%}, observed {metrics['base_rate']:.1%}."
    if line["slope"] is None:
        return f"Calibration: {means}"
    sure = "overconfident" if line["slope"] < 1 - SLOPE_OFF else "neither overconfident nor underconfident"
    sure = "underconfident" if line["slope"] > 1 + SLOPE_OFF else sure
    return f"Calibration: slope {line['slope']:.2f} (1 is ideal), {sure}; {means}"


def _f1(metrics: Mapping[str, Any], f1_score_min: float) -> str:
    """Say whether the founding document's threshold is met, and what it is worth."""
    f1, majority = metrics["ensemble"]["f1_score"], metrics["baselines"]["majority_class"]["f1_score"]
    passes = "reaches" if f1 >= f1_score_min else "misses"
    return (
        f"Weighted F1 {f1:.3f} {passes} gate.f1_score_min {f1_score_min:g}; "
        f"always saying the majority class scores {majority:.3f}."
    )


def _traded(metrics: Mapping[str, Any]) -> str:
    """Say what its decisions would have earned."""
    traded = metrics["backtest"]
    model, hold, random = traded["model"], traded["buy_and_hold"], traded["random_entries"]
    if not model["trades"]:
        return f"It never traded: no probability exceeded the threshold. Holding made {hold['net_return']:+.1%}."
    result = "gained" if model["net_return"] > 0 else "lost"
    return (
        f"Traded after costs it {result} {abs(model['net_return']):.1%} in {model['trades']} trades (Sharpe ratio "
        f"{model['sharpe']:.2f}, {span(model['sharpe_interval'], '.2f')}); holding made {hold['net_return']:+.1%}, "
        f"as many random entries {random['net_return']:+.1%}, and it beat {random['share_beaten']:.0%} of those."
    )


def named(name: str) -> str:
    """Write the name of a forecast or a score as words."""
    return name.replace("_", " ")


def span(ends: list[float], form: str) -> str:
    """Write an interval."""
    return f"{ends[0]:{form}} to {ends[1]:{form}}"


def difference(score: list[float] | None) -> str:
    """Write a difference with its interval; nothing where a score is infinite."""
    return f"{score[0]:+.3f}\n{span(score[1:], '+.3f')}" if score else ""


def cells(scores: dict[str, float | None]) -> list[str]:
    """Write the scores with three digits; what is infinite, as that."""
    return ["inf" if scores[name] is None else f"{scores[name]:.3f}" for name in COLUMNS]
