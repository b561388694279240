"""`prune` as a user types it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from src.cli import app
from tests.growth import Weeks, as_project

RUN = CliRunner()


@pytest.fixture
def weeks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Weeks:
    """A repository with one object that nothing needs; its newest commit is of long ago, as the clock here is."""
    weeks = Weeks.begun(tmp_path / "mine")
    as_project(weeks, monkeypatch.setattr)
    weeks.commit_at(30, "tried")
    weeks.commit_at(0, "today")
    return weeks


def test_it_says_the_command_that_deletes(weeks: Weeks) -> None:
    """And deletes nothing until it is typed."""
    shown = RUN.invoke(app, ["prune", "--weeks", "12"])
    assert shown.exit_code == 0
    words = "Nothing was deleted; `python -m src prune --weeks 12 --yes` deletes it."
    assert shown.output.splitlines()[-1] == words
    assert weeks.stored(["tried"]) == {"tried"}
    told = json.loads(RUN.invoke(app, ["prune", "--json"]).output)
    assert (told["outcome"], told["places"]["cache"]["to_delete"]["count"]) == ("dry run", 1)
    done = RUN.invoke(app, words.split("`")[1].split()[3:])
    assert done.exit_code == 0
    assert done.output.splitlines()[-1] == "reports/prune.json names what was deleted."
    assert weeks.stored(["tried", "today"]) == {"today"}


def test_a_doubt_is_one_line_and_exit_status_2(weeks: Weeks) -> None:
    """Whether asked to delete or not."""
    (weeks.root / "dvc.lock").write_text("")
    for options in ([], ["--yes"], ["--json"]):
        shown = RUN.invoke(app, ["prune", *options])
        assert shown.exit_code == 2
        assert len(shown.stderr.splitlines()) == 1
        assert "dvc.lock is damaged" in shown.stderr
    assert weeks.stored(["tried"]) == {"tried"}
