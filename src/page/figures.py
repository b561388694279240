"""The figures of the page: a chart, what it says for who cannot see it, and its numbers as a table."""

from typing import Any, NamedTuple

from src.evaluation.intervals import LEVEL
from src.evaluation.regimes import REGIMES
from src.evaluation.score_report import named
from src.monitoring.drift import NOT_SEEN, drifts_of
from src.page import charts, rows
from src.page.evidence import Evidence, Record

BESIDE = ("ensemble", "volatility_only")


class Figure(NamedTuple):
    """A caption, what a screen reader says instead of the chart, its Vega-Lite, and its numbers where no table is."""

    title: str
    says: str
    spec: dict[str, Any]
    table: rows.Table | None = None


def build(evidence: Evidence) -> dict[str, Figure]:
    """Return the figures by name; that of the drift only if a look was taken."""
    plots = evidence.plots
    thirds = [row | {"tercile": REGIMES[row["tercile"] - 1]} for row in plots["regime_auc"]]
    found = {
        "auc": _auc(evidence.metrics),
        "lead": _lead(evidence.metrics),
        "equity": _equity(plots["equity"]),
        "calibration": _calibration(plots["calibration"]),
        "folds": _beside("AUC by fold, oldest first", "fold", plots["fold_auc"]),
        "thirds": _beside("AUC by third of the bars, from calm to wild", "tercile", thirds),
        "importance": _importance(plots["feature_importance"]),
    }
    measured = drifts_of(evidence.monitor) if evidence.monitor else []
    drift = [rule for rule in measured if rule["name"] not in NOT_SEEN]
    return found | ({"drift": _drift(drift)} if drift else {})


def _auc(metrics: Record) -> Figure:
    """Draw the AUC of each forecast."""
    found = {**metrics["baselines"], **metrics["members"], "ensemble": metrics["ensemble"]}
    drawn = [
        _interval(name, [scores["roc_auc"], *metrics["intervals"]["scores"][name]["roc_auc"]], ours="ensemble")
        for name, scores in found.items()
    ]
    says = f"Dot plot of the AUC with its interval; {_listed(drawn, '.3f')}. The line is a coin, 0.5."
    return Figure(f"AUC with {LEVEL:.0%} intervals", says, charts.intervals(drawn, "AUC (0.5 is a coin)", 0.5))


def _lead(metrics: Record) -> Figure:
    """Draw how far the ensemble is ahead of those that are near: its members, and volatility alone."""
    less = metrics["intervals"]["ensemble_less"]
    names = ["volatility_only", *metrics["members"]]
    drawn = [_interval(name, less[name]["roc_auc"], ours="volatility_only") for name in names]
    says = f"Dot plot of the ensemble's AUC less that of each other, with its interval; {_listed(drawn, '+.3f')}."
    spec = charts.intervals(drawn, "AUC of the ensemble less theirs", 0)
    return Figure(f"Lead of the ensemble in AUC, with {LEVEL:.0%} intervals", says, spec)


def _equity(points: list[Record]) -> Figure:
    """Draw what one unit became."""
    days = [point | {"time": point["time"][:10]} for point in points]
    columns = {"time": ("day", ""), "model": ("model", ".3f"), "buy_and_hold": ("buy and hold", ".3f")}
    title = "Worth of one unit staked at the start, after costs"
    last = days[-1]
    says = (
        f"Two lines from {days[0]['time']} to {last['time']}: one unit became {last['model']:.3f} by the model's "
        f"decisions and {last['buy_and_hold']:.3f} by holding."
    )
    table = rows.points(f"{title}, at the end of each month", columns, rows.month_ends(days))
    return Figure(title, says, charts.lines(days, ("model", "buy_and_hold"), "worth, units"), table)


def _calibration(points: list[Record]) -> Figure:
    """Draw the observed share of rises by the forecast."""
    columns = {"forecast": ("forecast", ".1%"), "observed": ("rose", ".1%"), "n_samples": ("bars", ",")}
    title = "Share that rose, by forecast, in ten groups of equally many bars"
    low, high = points[0], points[-1]
    says = (
        f"Line of ten points beside the diagonal: from {low['observed']:.1%} risen where {low['forecast']:.1%} was "
        f"forecast to {high['observed']:.1%} where {high['forecast']:.1%} was."
    )
    return Figure(title, says, charts.calibration(points), rows.points(title, columns, points))


def _beside(title: str, part: str, points: list[Record]) -> Figure:
    """Draw the AUC of the ensemble and of volatility alone by parts of the bars."""
    columns = {part: (part, ""), **{name: (named(name), ".3f") for name in BESIDE}}
    ahead = sum(row["ensemble"] is not None and row["ensemble"] > row["volatility_only"] for row in points)
    says = f"Dot plot: the ensemble is ahead of volatility alone in {ahead} of {len(points)}."
    axis = {"fold": "fold", "tercile": "volatility"}[part]
    return Figure(title, says, charts.beside(points, part, BESIDE, axis), rows.points(title, columns, points))


def _importance(points: list[Record]) -> Figure:
    """Draw how much each feature is used."""
    columns = {"feature": ("feature", ""), "importance": ("share", ".1%")}
    title = "Share of the gain of all splits, fitted ensemble"
    first = points[0]
    says = f"Bars for {len(points)} features; the longest is {first['feature']} with {first['importance']:.1%}."
    spec = charts.bars(points, "importance", "feature", "share of the gain")
    return Figure(title, says, spec, rows.points(title, columns, points))


def _drift(drawn: list[Record]) -> Figure:
    """Draw how far each column that the model sees is from the training bars."""
    title = "Population stability index of the newest bars against the training bars"
    limit = drawn[0]["threshold"]
    far = [rule["name"] for rule in drawn if rule["verdict"] == "failed"]
    says = f"Bars for {len(drawn)} columns; an alert for {', '.join(far) or 'none'}. The line is the limit, {limit:g}."
    return Figure(title, says, charts.bars(drawn, "value", "name", f"stability index (dashed: {limit:g})", limit))


def _interval(name: str, found: list[float], *, ours: str) -> Record:
    """Return a row of a chart of intervals; `ours` is the one that stands out."""
    value, low, high = found
    side = "ours" if name == ours else "theirs"
    return {"forecast": named(name), "value": value, "low": low, "high": high, "side": side}


def _listed(drawn: list[Record], form: str) -> str:
    """Name every value."""
    return ", ".join(f"{row['forecast']} {row['value']:{form}}" for row in drawn)
