"""What the figures say to those who cannot see them."""

import json

from src.monitoring.drift import drifts_of
from src.page import figures
from src.page.evidence import Evidence

FAR = {"name": "drift of rsi_14", "value": 0.5, "threshold": 0.25, "verdict": "failed", "words": "far"}
LOOK = {
    "judgements": [
        FAR,
        {"name": "drift of close", "value": 4.5, "verdict": "passed", "words": "not asked"},
        {"name": "drift of zscore", "value": 0.1, "verdict": "passed", "words": "near"},
        {"name": "widest bar", "value": 2.0, "verdict": "failed", "words": "wide"},
    ]
}


def test_every_chart_is_told_in_words_with_its_numbers(evidence: Evidence) -> None:
    """The values that stand out are in the sentence."""
    found = figures.build(evidence)
    assert list(found) == ["auc", "lead", "equity", "calibration", "folds", "thirds", "importance"]
    assert "volatility only 0.675" in found["auc"].says
    assert "volatility only +0.010" in found["lead"].says
    assert "one unit became 1.015 by the model's decisions and 0.681 by holding" in found["equity"].says
    assert found["folds"].says == "Dot plot: the ensemble is ahead of volatility alone in 4 of 5."
    assert found["importance"].says.startswith("Bars for 10 features; the longest is atr_14_over_close with 54.7%")


def test_a_chart_without_a_table_beside_it_has_its_own(evidence: Evidence) -> None:
    """The scores and differences are in the tables of their sections."""
    assert {name for name, found in figures.build(evidence).items() if found.table is None} == {"auc", "lead"}


def test_thirds_have_names(evidence: Evidence) -> None:
    """The numbers of the file are for DVC's plot."""
    table = figures.build(evidence)["thirds"].table
    assert table is not None
    assert [row[0] for row in table.rows] == ["calm", "usual", "wild"]


def test_a_fold_that_was_not_scored_is_no_lead(evidence: Evidence) -> None:
    """One class only: no AUC."""
    folds = [
        {"fold": 1, "ensemble": None, "volatility_only": None},
        {"fold": 2, "ensemble": 0.6, "volatility_only": 0.5},
    ]
    found = figures.build(evidence._replace(plots=evidence.plots | {"fold_auc": folds}))["folds"]
    assert found.says.endswith("in 1 of 2.")


def test_drift_is_that_of_the_last_look() -> None:
    """Of columns, and nothing else the look judged; nothing where it could not measure."""
    assert [rule["name"] for rule in drifts_of(LOOK)] == ["rsi_14", "close", "zscore"]
    few = {"name": "drift", "value": None, "verdict": "unknown", "words": "few"}
    assert drifts_of({"judgements": [few]}) == []


def test_an_earlier_look_raises_the_same_alert(evidence: Evidence) -> None:
    """Up to version 1.5 a rule that failed said no."""
    look = {"judgements": [FAR | {"verdict": "no"}]}
    assert "an alert for rsi_14." in figures.build(evidence._replace(monitor=look))["drift"].says


def test_what_the_model_does_not_see_is_not_drawn(evidence: Evidence) -> None:
    """The price itself always drifts, and would dwarf the rest."""
    found = figures.build(evidence._replace(monitor=LOOK))["drift"]
    assert found.says == "Bars for 2 columns; an alert for rsi_14. The line is the limit, 0.25."
    drawn = json.dumps(found.spec)
    assert "zscore" in drawn
    assert '"close"' not in drawn


def test_a_look_that_measured_only_what_the_model_does_not_see_draws_no_drift(evidence: Evidence) -> None:
    """There is no limit to draw it beside; the page says that drift could not be measured."""
    unseen = {"name": "drift of close", "value": 0.1, "threshold": None, "verdict": "told", "words": "unseen"}
    assert "drift" not in figures.build(evidence._replace(monitor={"judgements": [unseen]}))
