"""The commands as a user types them."""

import json
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import Result
from typer.testing import CliRunner

from btc_signal.bundle import read_promoted
from btc_signal.ensemble import ProductionEnsemble
from src.base import paths, storage, tables
from src.base.errors import ParamsError
from src.cli import app
from src.gate import gate
from src.gate.gate_report import markdown as gate_markdown
from src.verdict.finding import Finding, Verdict, overall

RUN = CliRunner()


def test_help_names_every_command() -> None:
    """Without a command, the help is shown."""
    shown = RUN.invoke(app, ["--help"]).output
    assert {"scores", "gate", "promote", "predict", "leakcheck", "compare", "doctor", "repair"} <= set(shown.split())


def test_report_without_its_extra_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line on standard error, exit status 2."""
    monkeypatch.delitem(sys.modules, "src.page.page", raising=False)
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    shown = RUN.invoke(app, ["report"])
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert "vl_convert is not installed; `make report` installs it" in shown.stderr


def test_scores_shows_baselines_members_and_the_ensemble() -> None:
    """A row for each forecast, a verdict, and where to look next."""
    shown = RUN.invoke(app, ["scores"])
    assert shown.exit_code == 0
    for words in ("majority class", "volatility only", "lightgbm", "ensemble", "gate.f1_score_min", "dvc plots show"):
        assert words in " ".join(shown.output.split())


def test_scores_as_json_is_the_file_of_the_evaluation() -> None:
    """A machine reads what the stage wrote, and nothing around it."""
    assert json.loads(RUN.invoke(app, ["scores", "--json"]).stdout) == storage.read_json(paths.METRICS)


def test_missing_scores_are_an_error_with_the_next_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line on standard error, exit status 2."""
    monkeypatch.setattr(paths, "METRICS", tmp_path / "metrics.json")
    shown = RUN.invoke(app, ["scores"])
    assert shown.exit_code == 2
    assert shown.stderr.endswith("cannot be read (No such file or directory); run `dvc repro` to make it\n")
    assert shown.stdout == ""


def test_predict_without_a_model_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line on standard error, exit status 2, nothing on standard output."""
    monkeypatch.setattr(ProductionEnsemble, "load", classmethod(lambda *_, **__: read_promoted(tmp_path)))
    shown = RUN.invoke(app, ["predict"], input="")
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert "no model was promoted" in shown.stderr


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
def test_predict_reads_tables_and_lines(suffix: str, walk: pd.DataFrame, promoted: None, tmp_path: Path) -> None:
    """Whatever holds the bars, the same predictions."""
    file = tmp_path / f"bars.{suffix}"
    if suffix == "csv":
        walk.to_csv(file)
    elif suffix == "parquet":
        tables.write_frame(walk, file)
    else:
        walk.reset_index().to_json(file, orient="records", lines=True, date_format="iso", double_precision=15)
    shown = RUN.invoke(app, ["predict", str(file), "--json"])
    assert shown.exit_code == 0, shown.stderr
    predictions = [json.loads(line) for line in shown.stdout.splitlines()]
    # the sixtieth bar opens 59 hours after midnight
    assert [predictions[0]["time"], len(predictions)] == ["2020-01-03T11:00:00Z", 21]


def test_predict_shows_the_last_ten(walk: pd.DataFrame, promoted: None, tmp_path: Path) -> None:
    """A header, ten rows, and how to see all."""
    tables.write_frame(walk, tmp_path / "bars.parquet")
    lines = RUN.invoke(app, ["predict", str(tmp_path / "bars.parquet")]).stdout.splitlines()
    assert lines[0].startswith("bar opened            probability  decision  lightgbm  xgboost  random_forest")
    assert len(lines) == 1 + 10 + 1
    assert lines[-1] == "the last 10 of 21; --json prints all"
    assert lines[-2].startswith("2020-01-04T07:00:00Z")


def test_predict_appends_to_a_log(walk: pd.DataFrame, promoted: None, tmp_path: Path) -> None:
    """All predictions, one JSON line each, after what is there."""
    tables.write_frame(walk, tmp_path / "bars.parquet")
    for _ in range(2):
        RUN.invoke(app, ["predict", str(tmp_path / "bars.parquet"), "--log", str(tmp_path / "live.jsonl")])
    assert len((tmp_path / "live.jsonl").read_text().splitlines()) == 42


def test_predict_follows_with_one_header(walk: pd.DataFrame, promoted: None) -> None:
    """Above the first answer."""
    text = walk.reset_index().to_json(orient="records", lines=True, date_format="iso", double_precision=15)
    head, *answers = RUN.invoke(app, ["predict", "--follow"], input=text).stdout.splitlines()
    assert head.startswith("bar opened ")
    assert [answer[:14] for answer in (answers[0], answers[-1])] == ["2020-01-03T11:", "2020-01-04T07:"]
    assert len(answers) == 21


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "line 1: not valid JSON"),
        ("[1]", r"line 1: expected a JSON object"),
        ('{"time": "2020-01-01"}', "bar without open, high, low, close, volume"),
        ("", "got 0 bars"),
    ],
)
def test_predict_refuses_bad_lines(text: str, words: str, promoted: None) -> None:
    """In one line with exit status 2."""
    shown = RUN.invoke(app, ["predict"], input=text)
    assert shown.exit_code == 2
    assert shown.stderr.startswith(f"error: {words}")
    assert len(shown.stderr.splitlines()) == 1


def test_predict_refuses_an_absent_file(promoted: None, tmp_path: Path) -> None:
    """The file is named."""
    for name in ("absent.csv", "absent.jsonl"):
        shown = RUN.invoke(app, ["predict", str(tmp_path / name)])
        assert shown.exit_code == 2
        assert f"{name}: cannot be read" in shown.stderr


def looks_ahead(bars: pd.DataFrame) -> pd.Series:
    """A feature that cannot be known."""
    return bars["close"].shift(-1)


@pytest.fixture
def bars_file(make_bars: Callable[..., pd.DataFrame], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bars where the pipeline keeps them."""
    monkeypatch.setattr(paths, "BARS", tmp_path / "bars.parquet")
    tables.write_frame(make_bars(1_200, seed=3), paths.BARS)


def test_leakcheck_of_the_shipped_features(bars_file: None) -> None:
    """Clean: a row for every check, exit status 0."""
    shown = RUN.invoke(app, ["leakcheck"])
    assert shown.exit_code == 0, shown.output
    assert "no feature knows a later bar" in shown.stdout
    assert "LEAK" not in shown.stdout


def test_leakcheck_of_a_function(bars_file: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A leak: named for a machine, exit status 1."""
    module = types.ModuleType("mine")
    module.looks_ahead = looks_ahead
    monkeypatch.setitem(sys.modules, "mine", module)
    shown = RUN.invoke(app, ["leakcheck", "--callable", "mine:looks_ahead", "--json"])
    assert shown.exit_code == 1
    found = json.loads(shown.stdout)["checks"][0]["findings"]
    assert [finding["cause"].split(":")[0] for finding in found] == ["shift(-1)"]


def test_leakcheck_of_nothing(bars_file: None) -> None:
    """No such function: one line, exit status 2."""
    shown = RUN.invoke(app, ["leakcheck", "--callable", "nowhere:nothing"])
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert shown.stderr.startswith("error: expected a function as module:function")


@pytest.fixture
def ask_gate(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., tuple[Result, dict[str, Any], list[bool]]]:
    """A function that runs the command with a gate of this verdict: what it shows, the report, what was asked."""

    def ask(verdict: Verdict, *options: str) -> tuple[Result, dict[str, Any], list[bool]]:
        result = {"yes": "passed", "no": "failed", "unknown": "unknown"}[verdict]
        judgement = Finding("leaks", 2.5, 0.0, result, "words | of the rule")
        report = {
            "verdict": overall([judgement]),
            "judged_at": "2026-01-04T12:30:00Z",
            "candidate": None,
            "judgements": [judgement.kept()],
            "in_words": ["It never traded."],
            "comparison": None,
        }
        monkeypatch.setattr(paths, "GATE_REPORT", tmp_path / "gate.md")
        storage.write_bytes(gate_markdown(report).encode(), paths.GATE_REPORT)
        asked: list[bool] = []
        monkeypatch.setattr(gate, "gate", lambda *, as_first: asked.append(as_first) or report)
        return RUN.invoke(app, ["gate", *options]), report, asked

    return ask


@pytest.mark.parametrize("option", [[], ["--json"], ["--markdown"], ["--as-first"]], ids=" ".join)
@pytest.mark.parametrize(("verdict", "exit_status"), [("yes", 0), ("no", 1), ("unknown", 2)])
def test_the_exit_status_is_the_verdict(
    verdict: Verdict, exit_status: int, option: list[str], ask_gate: Callable[..., Any]
) -> None:
    """A script needs no words; however the report is shown, nothing stands on standard error."""
    shown, _, asked = ask_gate(verdict, *option)
    assert (shown.exit_code, shown.stderr) == (exit_status, "")
    assert asked == [option == ["--as-first"]]


@pytest.mark.parametrize("verdict", ["yes", "no", "unknown"])
def test_gate_as_json_is_the_report(verdict: Verdict, ask_gate: Callable[..., Any]) -> None:
    """Nothing around it."""
    shown, report, _ = ask_gate(verdict, "--json")
    assert json.loads(shown.stdout) == report


def test_gate_as_markdown_is_the_file_for_a_pull_request(ask_gate: Callable[..., Any]) -> None:
    """As in reports/gate.md; without the option it is drawn for the terminal."""
    shown, report, _ = ask_gate("no", "--markdown")
    assert shown.stdout == f"{gate_markdown(report)}\n" == f"{paths.GATE_REPORT.read_text()}\n"
    drawn, _, _ = ask_gate("no")
    assert "|---|" not in drawn.stdout
    assert "Not promoted: 1 of 1 rules failed. leaks: words | of the rule." in " ".join(drawn.stdout.split())


def test_a_gate_that_cannot_judge_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line on standard error, exit status 2 as where it cannot tell, nothing on standard output."""

    def fail(*, as_first: bool) -> None:
        msg = "params.yaml: seed: missing, add it"
        raise ParamsError(msg)

    monkeypatch.setattr(gate, "gate", fail)
    shown = RUN.invoke(app, ["gate", "--json"])
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert shown.stderr == "error: params.yaml: seed: missing, add it\n"


@pytest.mark.parametrize(
    ("repaired", "status", "said"),
    [([], 1, "nothing to repair\n"), (["a lock", "an object"], 0, "a lock; an object\n")],
)
def test_repair_says_what_it_did(repaired: list[str], status: int, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or that there was nothing, so that `make repro` does not try again."""
    monkeypatch.setattr("src.doctor.repair.repair", lambda: repaired)
    shown = RUN.invoke(app, ["repair"])
    assert (shown.exit_code, shown.output) == (status, said)
