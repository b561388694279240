"""The terminal's table and the verdict in words."""

from io import StringIO

import pytest
from rich.console import Console

from src.evaluation.score_report import COLUMNS, differences_table, scores_table, verdict

SCORES = dict.fromkeys([*COLUMNS, "precision", "recall", "accuracy", "brier_score"], 0.5)
BASELINES = ["majority_class", "persistence", "base_rate", "volatility_only"]


def metrics_of(
    ensemble=None, majority=None, skill=(0.04, 0.08), auc_less=(0.001, 0.01), skill_less=(0.002, 0.02), **model
):
    baselines = {name: dict(SCORES) for name in BASELINES}
    baselines["majority_class"] |= {"f1_score": 0.61} | (majority or {})
    return {
        "ensemble": SCORES | {"roc_auc": 0.68, "brier_skill": 0.06, "f1_score": 0.7} | (ensemble or {}),
        "members": {name: dict(SCORES) for name in ("lightgbm", "xgboost", "random_forest")},
        "baselines": baselines,
        "n_samples": 16_340,
        "base_rate": 0.2534,
        "intervals": {
            "level": 0.95,
            "n_resamples": 1_000,
            "block_length": 48,
            "scores": {"ensemble": {name: [0.25, 0.75] for name in COLUMNS} | {"brier_skill": list(skill)}},
            "ensemble_less": {
                "majority_class": {"roc_auc": [0.18, 0.15, 0.21]},
                "volatility_only": {
                    "roc_auc": [0.005, *auc_less],
                    "brier_skill": [0.01, *skill_less],
                },
            },
        },
        "calibration": {"slope": 1.0, "intercept": -0.22, "mean_forecast": 0.271},
        "backtest": {
            "model": {"net_return": -0.321, "sharpe": -0.35, "sharpe_interval": [-1.24, 0.51], "trades": 390} | model,
            "buy_and_hold": {"net_return": -0.319},
            "random_entries": {"net_return": -0.614, "share_beaten": 0.986},
        },
        "window": {"first_open": "2017-12-12T05:00:00Z", "last_open": "2019-10-17T08:00:00Z"},
    }


def printed(metrics):
    console = Console(file=StringIO(), width=140, color_system=None)
    console.print(scores_table(metrics))
    console.print(differences_table(metrics))
    return console.file.getvalue()


def line_of(name, text):
    return next(line.split() for line in text.splitlines() if line.strip().startswith(name))


def test_rows():
    """The table has baselines, members and the ensemble, in this order."""
    lines = [line.strip() for line in printed(metrics_of()).splitlines()]
    names = [*BASELINES, "lightgbm", "xgboost", "random_forest", "ensemble"]
    rows = [next(i for i, line in enumerate(lines) if line.startswith(f"{name.replace('_', ' ')} ")) for name in names]
    assert rows == sorted(rows)
    assert len(set(rows)) == 8


@pytest.mark.parametrize("heading", COLUMNS.values())
def test_headings(heading):
    """Every score has its heading."""
    assert heading in printed(metrics_of())


def test_title():
    """The title says how many bars, from when to when, and how many of them rose."""
    title = printed(metrics_of()).split("forecast")[0]
    assert "16,340 bars, 2017-12-12 to 2019-10-17, 25.3% of them a rise" in " ".join(title.split())


def test_cells():
    """Each cell shows its own score with three digits."""
    ensemble = {name: (i + 1) / 16 for i, name in enumerate(COLUMNS)}
    # sixteenths: 0.0625 0.125 0.1875 0.25 0.3125 0.375 0.4375, halves to the even digit
    cells = line_of("ensemble", printed(metrics_of(ensemble=ensemble)))[1:]
    assert cells == ["0.062", "0.125", "0.188", "0.250", "0.312", "0.375", "0.438"]


def test_infinite_log_loss():
    """An infinite log loss is shown as such."""
    assert "inf" in line_of("majority class", printed(metrics_of(majority={"log_loss": None})))


def test_intervals():
    """Below the ensemble stand the ends of its intervals."""
    text = printed(metrics_of())
    assert line_of("from", text)[1:3] == ["0.250", "0.040"]
    assert line_of("to ", text)[1:3] == ["0.750", "0.080"]


def test_differences():
    """How much the ensemble scores more than each, over the interval; nothing where a score is infinite."""
    lines = [line.split() for line in printed(metrics_of()).split("The ensemble less each")[1].splitlines()]
    at = lines.index(["volatility", "only", "+0.005", "+0.010"])
    assert lines[at + 1] == ["+0.001", "to", "+0.010", "+0.002", "to", "+0.020"]
    assert "1,000 draws of blocks of 48 bars" in printed(metrics_of())


@pytest.mark.parametrize(
    ("skill", "words"),
    [
        ((0.04, 0.08), "Skill: Brier skill +0.060 (+0.040 to +0.080), better than the base rate known in hindsight."),
        ((0.0, 0.08), "No skill is shown: Brier skill +0.060 (+0.000 to +0.080); the base rate alone may"),
        ((-0.01, 0.08), "No skill is shown: Brier skill +0.060 (-0.010 to +0.080)"),
    ],
    ids=["above zero", "touching zero", "around zero"],
)
def test_verdict_on_skill(skill, words):
    """Skill is claimed only if all of its interval lies above zero."""
    assert verdict(metrics_of(skill=skill), 0.6)[0].startswith(words)


@pytest.mark.parametrize(
    ("auc_less", "skill_less", "words"),
    [
        (
            (0.001, 0.01),
            (0.002, 0.02),
            "Ahead of volatility alone: AUC +0.005 (+0.001 to +0.010); Brier skill",
        ),
        ((-0.001, 0.01), (0.002, 0.02), "Not shown to beat volatility alone: AUC +0.005 (-0.001 to +0.010); Brier"),
        ((0.001, 0.01), (-0.002, 0.02), "Not shown to beat volatility alone"),
        ((-0.02, -0.01), (-0.002, 0.02), "Not shown to beat volatility alone"),
        ((-0.02, -0.01), (-0.02, -0.01), "Behind volatility alone"),
    ],
    ids=["ahead in both", "AUC around zero", "Brier skill around zero", "AUC below zero", "behind in both"],
)
def test_verdict_on_volatility(auc_less, skill_less, words):
    """A lead is claimed only where both intervals exclude zero."""
    assert verdict(metrics_of(auc_less=auc_less, skill_less=skill_less), 0.6)[1].startswith(words)


@pytest.mark.parametrize(
    ("slope", "words"),
    [
        (
            1.0,
            "slope 1.00 (1 is ideal), neither overconfident nor underconfident; mean forecast 27.1%, observed 25.3%.",
        ),
        (0.8, "slope 0.80 (1 is ideal), overconfident; mean forecast"),
        (1.2, "slope 1.20 (1 is ideal), underconfident; mean forecast"),
        (None, "Calibration: mean forecast 27.1%, observed 25.3%."),
    ],
)
def test_verdict_on_calibration(slope, words):
    """Overconfident or underconfident, as the slope says; the mean forecast beside the observed share."""
    metrics = metrics_of() | {"calibration": {"slope": slope, "intercept": slope, "mean_forecast": 0.271}}
    assert words in verdict(metrics, 0.6)[2]


def test_verdict_on_no_trade():
    """Who never traded neither gained nor lost."""
    sentence = verdict(metrics_of(net_return=0.0, trades=0), 0.6)[4]
    assert sentence == "It never traded: no probability exceeded the threshold. Holding made -31.9%."


@pytest.mark.parametrize(("net_return", "words"), [(-0.321, "lost 32.1% in 390 trades"), (0.05, "gained 5.0% in 390")])
def test_verdict_on_trading(net_return, words):
    """A loss is called a loss, beside holding and chance."""
    sentence = verdict(metrics_of(net_return=net_return), 0.6)[4]
    assert f"after costs it {words}" in sentence
    assert "(Sharpe ratio -0.35, -1.24 to 0.51); holding made -31.9%, as many random entries -61.4%" in sentence
    assert sentence.endswith("it beat 99% of those.")


@pytest.mark.parametrize(
    ("f1_score", "words"),
    [
        (0.7, "Weighted F1 0.700 reaches gate.f1_score_min 0.6; always saying the majority class scores 0.610."),
        (0.6, "Weighted F1 0.600 reaches gate.f1_score_min 0.6; always saying the majority class scores 0.610."),
        (0.5, "Weighted F1 0.500 misses gate.f1_score_min 0.6; always saying the majority class scores 0.610."),
    ],
    ids=["above", "at the gate", "below"],
)
def test_verdict_on_f1(f1_score, words):
    """The verdict sets F1 beside the gate and the majority class."""
    assert verdict(metrics_of(ensemble={"f1_score": f1_score}), 0.6)[3] == words
