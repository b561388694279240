"""The gate as a user meets it, with real git and real DVC."""

import json
from pathlib import Path

import pytest

from src.base import paths
from tests.checkouts import Checkout

REPORTS = Path("reports")
METADATA = paths.relative(paths.METADATA)


@pytest.fixture
def repository(promoted: Checkout, tmp_path: Path) -> Checkout:
    """A repository whose candidate is the model in production."""
    return promoted.copy(tmp_path / "repository")


@pytest.fixture(scope="module")
def challenged(promoted: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """One whose candidate is another model; copy the folder before changing."""
    checkout = promoted.copy(tmp_path_factory.mktemp("challenged") / "repository")
    checkout.set_params({("ensemble", "weights"): {"lightgbm": 0.2, "xgboost": 0.2, "random_forest": 0.6}})
    checkout.repro()
    return checkout


def judged(checkout: Checkout, expect: int, *options: str) -> dict:
    """The report, from standard output."""
    return json.loads(checkout.run("python", "-m", "src", "gate", "--json", *options, expect=expect))


def verdicts(report: dict) -> dict:
    return {judgement["name"]: judgement["verdict"] for judgement in report["judgements"]}


def test_the_first_model_is_judged_by_the_baselines(promoted: Checkout) -> None:
    """Its metadata say what the gate saw; the report is in the repository."""
    metadata = json.loads((promoted.root / METADATA).read_text())
    report = json.loads((promoted.root / REPORTS / "gate.json").read_text())
    assert (metadata["gate"]["verdict"], report["verdict"]) == ("yes", "yes")
    assert metadata["gate"]["values"]["weighted F1"] == metadata["performance_metrics"]["f1_score"]
    assert report["candidate"] == metadata["version_control"]["model_hash"]
    assert report["comparison"] is None
    assert "| champion | off | nothing was promoted yet" in (promoted.root / REPORTS / "gate.md").read_text()


def test_the_champion_is_not_better_than_itself(repository: Checkout) -> None:
    """Exit status 1, for one reason only; asked twice, the ledger holds one line."""
    report = judged(repository, 1)
    assert [name for name, verdict in verdicts(report).items() if verdict == "failed"] == [
        "Brier skill less the champion's"
    ]
    assert set(verdicts(report).values()) == {"passed", "failed", "told", "off"}
    assert judged(repository, 0, "--as-first")["verdict"] == "yes"
    assert len((repository.root / REPORTS / "trials.jsonl").read_text().splitlines()) == 1
    assert json.loads((repository.root / REPORTS / "gate.json").read_text())["verdict"] == "yes"


def test_a_candidate_that_never_buys_is_refused(repository: Checkout) -> None:
    """No probability exceeds the threshold: whatever they know, nothing would ever be done."""
    repository.set_params({("ensemble", "decision_threshold"): 0.99})
    repository.repro()
    report = judged(repository, 1, "--as-first")
    assert [name for name, verdict in verdicts(report).items() if verdict == "failed"] == ["share of bars it would buy"]
    assert any("never traded" in sentence for sentence in report["in_words"])


def test_a_missing_number_is_no_yes(repository: Checkout) -> None:
    """A score taken out of the metrics, and with it the proof that they are the candidate's: it cannot tell."""
    file = repository.root / REPORTS / "metrics.json"
    metrics = json.loads(file.read_text())
    del metrics["ensemble"]["f1_score"], metrics["intervals"]["ensemble_less"]["volatility_only"], metrics["backtest"]
    file.write_text(json.dumps(metrics))
    report = judged(repository, 2, "--as-first")
    unknown = [name for name, verdict in verdicts(report).items() if verdict == "unknown"]
    assert unknown == ["pipeline", "weighted F1", "Brier skill less volatility alone, lower end", "luck"]
    shown = repository.run("python", "-m", "src", "gate", "--markdown", "--as-first", expect=2)
    assert "Not promoted: 4 of" in shown


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        pytest.param("git rm --quiet --cached dvc.lock && rm dvc.lock", "would run", id="no lock file"),
        pytest.param("rm -r .dvc/cache .dvc-remote", "is neither in the cache nor on the remote", id="no predictions"),
    ],
)
def test_what_cannot_be_read_is_no_yes(damage: str, words: str, challenged: Checkout, tmp_path: Path) -> None:
    """Exit status 2, and the reason in the report, whatever else is right."""
    repository = challenged.copy(tmp_path / "repository")
    repository.run("bash", "-c", damage)
    report = judged(repository, 2)
    assert words in " ".join(judgement["words"] for judgement in report["judgements"])


def test_wrong_parameters_leave_no_verdict_behind(repository: Checkout) -> None:
    """One line, exit status 2, and no report that says yes from another day."""
    repository.set_params({("gate", "f1_score_min"): "high"})
    shown = repository.run("python", "-m", "src", "gate", expect=2)
    assert "gate.f1_score_min" in shown
    assert not (repository.root / REPORTS / "gate.json").exists()
