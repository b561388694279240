"""The shipped pipeline, from a scratch clone without a cache, reproduces to the byte what is committed."""

import json
from hashlib import sha256

from src.base import paths
from tests.checkouts import Checkout


def test_the_lock_file_and_the_reports_are_those_committed(reproduced: Checkout) -> None:
    """Every output has the hash that dvc.lock promises, and every report in git is as it was."""
    reproduced.run("git", "diff", "--exit-code")
    assert reproduced.run("git", "status", "--porcelain") == ""


def test_a_second_run_executes_nothing(reproduced: Checkout) -> None:
    """A pipeline without a change has nothing to do."""
    assert reproduced.repro() == []


def test_the_reproduced_model_is_the_promoted_one(reproduced: Checkout) -> None:
    """Whoever reproduces holds the production model, verified against the metadata in git."""
    version = reproduced.python(
        "from src.ml.ensemble import ProductionEnsemble as P; print(P().get_model_info()['version'])"
    )
    assert version.strip() == json.loads(paths.METADATA.read_text())["version"]


def test_the_scores_are_honest_ones(reproduced: Checkout) -> None:
    """On these bars the ensemble has some skill, near volatility's; far better would be a leak."""
    metrics = json.loads((reproduced.root / "reports" / "metrics.json").read_text())
    assert 0.66 < metrics["ensemble"]["roc_auc"] < 0.70
    assert 0.04 < metrics["ensemble"]["brier_skill"] < 0.08
    assert metrics["baselines"]["majority_class"]["f1_score"] < metrics["ensemble"]["f1_score"] < 0.75


def test_every_plot_is_drawn(reproduced: Checkout) -> None:
    """`dvc plots show` draws each plot that dvc.yaml names, from the points in git."""
    reproduced.run("dvc", "plots", "show")
    page = (reproduced.root / "dvc_plots" / "index.html").read_text()
    for title in ("ROC", "Precision by recall", "Calibration", "Confusion", "AUC by fold", "Share of the gain"):
        assert title in page


def test_the_metrics_are_shown(reproduced: Checkout) -> None:
    """`dvc metrics show` reads the scores of ensemble, members and baselines."""
    shown = json.loads(reproduced.run("dvc", "metrics", "show", "--json"))
    assert shown[""]["data"]["reports/metrics.json"]["data"]["ensemble"]["roc_auc"] > 0.66


def test_the_sample_is_the_one_described() -> None:
    """The bundled bars have the sha256 that their README states."""
    assert sha256(paths.SAMPLE.read_bytes()).hexdigest() in (paths.SAMPLE.parent / "README.md").read_text()
