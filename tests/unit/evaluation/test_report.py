"""The terminal's table and the verdict in words."""

from io import StringIO

import pytest
from rich.console import Console

from src.evaluation.report import COLUMNS, scores_table, verdict

SCORES = dict.fromkeys([*COLUMNS, "precision", "recall", "accuracy", "brier_score"], 0.5)
BASELINES = ["majority_class", "persistence", "base_rate", "volatility_only"]


def metrics_of(ensemble=None, volatility=None, majority=None):
    baselines = {name: dict(SCORES) for name in BASELINES}
    baselines["volatility_only"] |= {"roc_auc": 0.67, "brier_skill": 0.05} | (volatility or {})
    baselines["majority_class"] |= {"f1_score": 0.61} | (majority or {})
    return {
        "ensemble": SCORES | {"roc_auc": 0.68, "brier_skill": 0.06, "f1_score": 0.7} | (ensemble or {}),
        "members": {name: dict(SCORES) for name in ("lightgbm", "xgboost", "random_forest")},
        "baselines": baselines,
        "n_samples": 16_340,
        "base_rate": 0.2534,
        "window": {"first_open": "2017-12-12T05:00:00Z", "last_open": "2019-10-17T08:00:00Z"},
    }


def printed(metrics):
    console = Console(file=StringIO(), width=140, color_system=None)
    console.print(scores_table(metrics))
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


@pytest.mark.parametrize(
    ("ensemble", "words"),
    [
        pytest.param({"brier_skill": -0.01}, "No skill: Brier skill -0.010", id="worse than the base rate"),
        pytest.param({"brier_skill": 0.0}, "No skill: Brier skill +0.000", id="as good as the base rate"),
        pytest.param({"brier_skill": -0.01, "roc_auc": 0.9}, "No skill", id="ranks, but worse than the base rate"),
        pytest.param(
            {"roc_auc": 0.66},
            "Skill, but no more than volatility's: AUC 0.660 against 0.670, Brier skill +0.060 against +0.050",
            id="behind in AUC",
        ),
        pytest.param({"roc_auc": 0.67}, "Skill, but no more than volatility's", id="level in AUC"),
        pytest.param({"brier_skill": 0.05}, "Skill, but no more than volatility's", id="level in Brier skill"),
        pytest.param(
            {}, "Ahead of volatility alone: AUC 0.680 against 0.670, Brier skill +0.060 against +0.050", id="ahead"
        ),
    ],
)
def test_verdict_on_skill(ensemble, words):
    """The verdict compares with the base rate and with volatility alone; a draw is no lead."""
    assert verdict(metrics_of(ensemble=ensemble), 0.6)[0].startswith(words)


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
    assert verdict(metrics_of(ensemble={"f1_score": f1_score}), 0.6)[1] == words
