"""The commands as a user types them."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from src import paths, storage
from src.cli import app

RUN = CliRunner()


def test_help_names_every_command() -> None:
    """Without a command, the help is shown."""
    shown = RUN.invoke(app, ["--help"]).output
    assert {"scores", "promote"} <= set(shown.split())


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
