"""How the model did: its logged predictions against what happened, beside what it scored when it was promoted."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import pandas as pd

from btc_signal.catalog import TARGET
from src.base.params import Label
from src.evaluation.intervals import bootstrap_scores, draw_counts, interval_of
from src.evaluation.metrics import METRIC_DECIMALS, Forecast, score
from src.evaluation.score_report import span
from src.features.labels import make_labels
from src.policy import Monitor
from src.verdict.finding import Finding, number, result_of

WORDS = {"f1_score": "weighted F1", "brier_skill": "Brier skill", "roc_auc": "AUC"}


class Realised(NamedTuple):
    """Predictions that met their outcome, and how many more are left out because the model knew it in training.

    `rows` holds `probability`, `decision` and `target`, indexed by open time.
    """

    rows: pd.DataFrame
    in_training: int


def realised(log: pd.DataFrame, bars: pd.DataFrame, label: Label, n_bars: int, honest_from: datetime) -> Realised:
    """Join the newest `n_bars` predictions of one version that have an outcome with what happened.

    Predictions and closed bars are indexed by open time. `honest_from` is the first open whose label was unknown in
    training; what opened before is left out and counted.
    """
    outcome = make_labels(bars["close"], label).rename(TARGET)
    joined = log[["probability", "decision"]].join(outcome, how="inner").dropna()
    newest = joined.astype({TARGET: int}).iloc[-n_bars:]
    rows = newest[newest.index >= honest_from]
    return Realised(rows, len(newest) - len(rows))


def measure(rows: pd.DataFrame, seed: int) -> dict[str, Any] | None:
    """Return `value` and `interval` by score; None where the rows are of one class, which ranks nothing.

    `calibration_gap` is the mean forecast less the share of rises.
    """
    y, probability = rows[TARGET].to_numpy(), rows["probability"].to_numpy()
    if len(rows) == 0 or y.min() == y.max():
        return None
    forecast = Forecast(probability, rows["decision"].to_numpy())
    bootstrap = bootstrap_scores(y, {"model": forecast}, seed=seed)
    values, counts = score(y, forecast), draw_counts(len(y), bootstrap.block_length, seed=seed)
    found = {
        name: {"value": values[name], "interval": bootstrap.interval("model", name)}
        for name in (*WORDS, "log_loss", "expected_calibration_error")
    }
    gaps = counts @ (probability - y) / len(y)
    gap = round(float((probability - y).mean()), METRIC_DECIMALS)
    return found | {"calibration_gap": {"value": gap, "interval": interval_of(gaps)}}


def judge_outcomes(
    found: Realised, measured: Mapping[str, Any] | None, promoted: Mapping[str, Any], monitor: Monitor
) -> Iterator[Finding]:
    """Judge live scores by their whole intervals: an alert is what chance explains badly.

    `measured` is as `measure` returns it of the rows found; `promoted` has `value` and `interval` by score, of the
    promotion.
    """
    n_rows = len(found.rows)
    if n_rows < monitor.rows_min or measured is None:
        asked = f"{monitor.rows_min} are asked for a verdict{'' if measured else ', of both classes'}"
        words = f"{n_rows} predictions have an outcome, {asked}{left_out(found.in_training)}"
        yield Finding("outcomes", n_rows, monitor.rows_min, "unknown", words)
        return
    for name, floor in (("f1_score", monitor.live_f1_min), ("brier_skill", monitor.live_brier_skill_min)):
        yield _not_wholly_below(f"{WORDS[name]}, live", measured[name], floor, "the floor")
    for name, words in WORDS.items():
        rule, end = f"{words} as promoted", number(promoted, name, "interval", 0)
        if end is None:
            yield Finding(rule, None, None, "unknown", "the promotion has no interval to compare it with")
        else:
            yield _not_wholly_below(rule, measured[name], end, "the lower end when it was promoted")
    gap, allowed = measured["calibration_gap"], monitor.calibration_gap_max
    interval, (low, high) = span(gap["interval"], "+.1%"), gap["interval"]
    words = f"mean forecast less observed: {gap['value']:+.1%} ({interval}); {allowed:.0%} is allowed"
    yield Finding("calibration, live", gap["value"], allowed, result_of(low <= allowed and high >= -allowed), words)


def left_out(in_training: int) -> str:
    """Say how many predictions are left out of the scores; nothing if none is."""
    return f"; {in_training:,} more are left out, the model was fitted on their bars" if in_training else ""


def _not_wholly_below(rule: str, found: Mapping[str, Any], floor: float, what: str) -> Finding:
    if found["interval"] is None:
        return Finding(rule, found["value"], floor, "unknown", "its interval is not finite")
    words = f"{found['value']:.4g} ({span(found['interval'], '.4g')}); {what} is {floor:.4g}"
    return Finding(rule, found["value"], floor, result_of(found["interval"][1] >= floor), words)
