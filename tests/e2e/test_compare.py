"""Champion and challenger on the same bars, with real git and real DVC in a scratch repository."""

import json
from pathlib import Path

import pytest

from src.base import tables
from tests.checkouts import Checkout

METRICS = Path("reports") / "metrics.json"


def compared(checkout: Checkout, revision: str = "HEAD") -> dict:
    """The comparison, from standard output."""
    return json.loads(checkout.run("python", "-m", "src", "compare", revision, "--json"))


def scores_of(checkout: Checkout) -> dict:
    return json.loads((checkout.root / METRICS).read_text())["ensemble"]


def test_a_champion_is_not_better_than_itself(champion: Checkout) -> None:
    """All differences are zero, and so are their intervals."""
    found = compared(champion)
    assert {(d["difference"], *d["interval"]) for d in found["differences"].values()} == {(0, 0, 0)}
    assert found["mcnemar"]["p_value"] == 1
    assert found["since_training"] is None
    assert [row["rows"] for row in found["by_regime"]] == ["calm", "usual", "wild"]


def test_other_weights(champion: Checkout) -> None:
    """The same bars, so the differences are those of the two evaluations; the work tree stays as it is."""
    before = scores_of(champion)
    champion.set_params({("ensemble", "weights"): {"lightgbm": 0.0, "xgboost": 0.0, "random_forest": 1.0}})
    assert champion.repro() == ["ensemble", "evaluate"]
    status = champion.run("git", "status", "--porcelain")
    found = compared(champion)
    after = scores_of(champion)
    for name, difference in found["differences"].items():
        assert (difference["champion"], difference["challenger"]) == (before[name], after[name])
        assert difference["difference"] == pytest.approx(after[name] - before[name], abs=2e-8)
        assert difference["interval"][0] <= difference["interval"][1]
    assert sum(row["n_bars"] for row in found["by_fold"]) == found["common"]["n_bars"]
    assert champion.run("git", "status", "--porcelain") == status
    shown = champion.run("python", "-m", "src", "compare", "HEAD", "--markdown")
    assert f"| AUC | {before['roc_auc']:.4f} | {after['roc_auc']:.4f} |" in shown
    assert "| params.yaml | ensemble.weights.random_forest |" in shown


def test_bars_since_the_champion_was_trained(champion: Checkout) -> None:
    """The champion's own shipped model forecasts the bars it never saw; so does the challenger, as of that day."""
    champion.set_params({("data", "end"): "2018-01-15T00:00:00Z"})
    champion.repro()
    found = compared(champion)
    # The common bars end where the champion's do; 14 days of 24 bars came since, its last bar's label among them.
    since = found["since_training"]
    assert found["common"]["last_open"] == "2017-12-31T22:00:00Z"
    assert (since["n_bars"], since["first_open"]) == (14 * 24, "2017-12-31T23:00:00Z")
    # What the shipped champion was fitted on is left out, and counted.
    assert since["honest_from"] == since["first_open"]
    assert since["in_training"] + since["n_bars"] == len(tables.read_frame(champion.root / "data" / "features.parquet"))
    shown = champion.run("python", "-m", "src", "compare", "HEAD", "--markdown")
    known = f"{since['in_training']:,} bars that opened before 2017-12-31T23:00:00Z"
    assert f"The shipped champion was fitted on {known}: they are left out." in shown
    assert since["differences"]["roc_auc"]["interval"] is not None
    # Only the bars are new: fitted on those of that day, it is the champion.
    assert {name: pytest.approx(0, abs=1e-6) for name in since["differences"]} == {
        name: found["difference"] for name, found in since["differences"].items()
    }


def test_damaged_and_missing_predictions_are_refused(champion: Checkout) -> None:
    """DVC hands out what lies in its cache; it is compared with the lock file before it is used."""
    kept = champion.object_file("data/oof/xgboost.parquet")
    content = kept.read_bytes()
    kept.chmod(0o644)
    kept.write_bytes(content[:-1] + b"?")
    shown = champion.run("python", "-m", "src", "compare", "HEAD", expect=2)
    assert "xgboost.parquet of HEAD is damaged" in shown
    kept.unlink()
    shown = champion.run("python", "-m", "src", "compare", "HEAD", expect=2)
    assert "is neither in the cache nor on the remote" in shown


def test_an_unknown_revision(small: Checkout) -> None:
    """One line, exit status 2."""
    shown = small.run("python", "-m", "src", "compare", "nowhere", expect=2)
    assert shown.startswith(
        "error: nowhere is no revision with a pipeline: "
        "`git rev-parse --verify --end-of-options nowhere^{commit}` failed"
    )
    assert len(shown.splitlines()) == 1
