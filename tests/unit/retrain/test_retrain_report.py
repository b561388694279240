"""What a retraining leaves to read, and how it takes the gate's answer."""

import json
from pathlib import Path

import pytest

from src.base import paths
from src.base.errors import DataError, GateError, ProjectError, PromotionError
from src.repo.subprocesses import Done
from src.retrain import retrain

JUDGEMENT = {"name": "weighted F1", "value": 0.5, "threshold": 0.6, "verdict": "failed", "words": "0.5, at least 0.6"}
NO = {"verdict": "no", "judgements": [JUDGEMENT], "in_words": []}


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where both reports are written."""
    monkeypatch.setattr(paths, "RETRAIN", tmp_path / "retrain.json")
    monkeypatch.setattr(paths, "RETRAIN_REPORT", tmp_path / "retrain.md")
    return tmp_path


@pytest.mark.parametrize(
    ("error", "outcome", "words"),
    [
        (GateError("Not promoted: too few"), "refused", "Not promoted: too few"),
        (DataError("no bars"), "failed", "no bars"),
        (KeyboardInterrupt(), "failed", "interrupted"),
        (ZeroDivisionError(), "failed", "unexpected error, see the log"),
    ],
    ids=["refused", "failed", "stopped", "unexpected"],
)
@pytest.mark.parametrize("options", [{"dry_run": True}, {"dry_run": False}], ids=["dry run", "run"])
def test_however_it_ends_both_reports_are_written(
    error: BaseException, outcome: str, words: str, options: dict[str, bool], reports: Path
) -> None:
    """With how it ended, when it began and ended, and whether it was a dry run."""
    with pytest.raises(type(error)), retrain._reported(**options):
        raise error
    report = json.loads((reports / "retrain.json").read_text())
    assert (report["outcome"], report["words"], report["dry_run"]) == (outcome, words, options["dry_run"])
    text = (reports / "retrain.md").read_text()
    assert text.startswith(f"# {retrain.HEADINGS[outcome]}\n\n{words}\n")
    assert f"From {report['started_at']} to {report['ended_at']}, on no commit." in text


def answer(clone: Path, monkeypatch: pytest.MonkeyPatch, *, status: int, gate: dict | None) -> retrain.Report:
    """Let the gate answer in a clone in which the report of an earlier promotion lies, or none."""

    def run(root: Path, *_: str) -> Done:
        assert not (root / paths.relative(paths.GATE)).exists()
        if gate is not None:
            (root / paths.relative(paths.GATE)).write_text(json.dumps(gate))
            (root / paths.relative(paths.GATE_REPORT)).write_text("in words")
        return Done(status, "what it said last")

    monkeypatch.setattr(retrain, "run", run)
    report: retrain.Report = {"gate": None, "gate_in_words": None}
    retrain._ask_the_gate(clone, ("gate",), report)
    return report


@pytest.mark.parametrize("earlier", ["of another day", None], ids=["an earlier report", "none"])
def test_a_yes_is_kept_with_its_words(earlier: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And it is this run's, never that of the promotion before."""
    (tmp_path / paths.relative(paths.GATE)).parent.mkdir()
    if earlier:
        (tmp_path / paths.relative(paths.GATE)).write_text(earlier)
    report = answer(tmp_path, monkeypatch, status=0, gate={"verdict": "yes", "judgements": []})
    assert report == {"gate": {"verdict": "yes", "judgements": []}, "gate_in_words": "in words"}


@pytest.mark.parametrize(
    ("status", "gate", "error", "words"),
    [
        (1, NO, GateError, "weighted F1"),
        (2, {"verdict": "yes", "judgements": []}, PromotionError, "^what it said last$"),
        (2, None, PromotionError, "^what it said last$"),
    ],
    ids=["the gate's no", "a yes, then an error", "no report"],
)
def test_what_is_no_yes_is_an_error(
    status: int,
    gate: dict | None,
    error: type[ProjectError],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In the gate's words where it said no, else in those of the command."""
    (tmp_path / paths.relative(paths.GATE)).parent.mkdir()
    with pytest.raises(error, match=words):
        answer(tmp_path, monkeypatch, status=status, gate=gate)
