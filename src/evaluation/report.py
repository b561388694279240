"""The scores as a table for the terminal, with a verdict in words."""

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


def scores_table(metrics: dict[str, Any]) -> Table:
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
    for name, scores in metrics["baselines"].items():
        table.add_row(name.replace("_", " "), *_cells(scores))
    table.add_section()
    for name, scores in metrics["members"].items():
        table.add_row(name.replace("_", " "), *_cells(scores))
    table.add_section()
    table.add_row("ensemble", *_cells(metrics["ensemble"]), style="bold")
    return table


def verdict(metrics: dict[str, Any], f1_score_min: float) -> list[str]:
    """Say in sentences what the scores mean, and no more than they do."""
    ensemble, volatility = metrics["ensemble"], metrics["baselines"]["volatility_only"]
    majority = metrics["baselines"]["majority_class"]
    skill, known = ensemble["brier_skill"], volatility["brier_skill"]
    auc, volatility_auc = ensemble["roc_auc"], volatility["roc_auc"]
    if skill <= 0:
        first = f"No skill: Brier skill {skill:+.3f}; the base rate alone forecasts as well."
    elif auc <= volatility_auc or skill <= known:
        first = (
            f"Skill, but no more than volatility's: AUC {auc:.3f} against {volatility_auc:.3f}, Brier skill "
            f"{skill:+.3f} against {known:+.3f}. It knows when the market moves; that it knows which way is not shown."
        )
    else:
        first = (
            f"Ahead of volatility alone: AUC {auc:.3f} against {volatility_auc:.3f}, Brier skill "
            f"{skill:+.3f} against {known:+.3f}. The margin has no interval here, so it may be chance."
        )
    f1 = ensemble["f1_score"]
    passes = "reaches" if f1 >= f1_score_min else "misses"
    second = (
        f"Weighted F1 {f1:.3f} {passes} gate.f1_score_min {f1_score_min:g}; "
        f"always saying the majority class scores {majority['f1_score']:.3f}."
    )
    return [first, second]


def _cells(scores: dict[str, float | None]) -> list[str]:
    """Write the scores with three digits; what is infinite, as that."""
    return ["inf" if scores[name] is None else f"{scores[name]:.3f}" for name in COLUMNS]
