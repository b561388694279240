"""The command line as people expect it: help on one screen, examples, JSON, Tab, Ctrl-C."""

import inspect
import os
import re
import shlex
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from src.base import paths
from src.cli import ALIASES, COMMANDS, app
from src.commands.shared import Json

RUN = CliRunner()
NAMES = [command.__name__ for command, _, _ in COMMANDS]
EXAMPLES = [(command.__name__, example) for command, _, examples in COMMANDS for example in examples]


def test_help_is_one_small_screen() -> None:
    """Twenty-four lines of eighty signs, one for each command, in their order."""
    lines = RUN.invoke(app, ["--help"]).output.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert [line.split()[0] for line in lines[-len(NAMES) :]] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_examples_and_speaks_json(name: str) -> None:
    """Each example is a line of its own, to be copied; -h is --help."""
    shown = RUN.invoke(app, [name, "-h"]).output
    assert shown == RUN.invoke(app, [name, "--help"]).output
    assert re.search(rf"Examples:\n(    python -m src {name}.*\n)+$", shown)
    assert "--json" in shown


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_an_example_is_what_the_command_takes(name: str, example: str) -> None:
    """Its words, up to a pipe or a file for them, are arguments and options that the command has."""
    command = typer.main.get_command(app).commands[name]
    words = shlex.split(re.split(r"[|<>]", example)[0])
    with command.make_context(name, words, resilient_parsing=False) as context:
        assert context.params.keys() == {parameter.name for parameter in command.params} - {"help"}


def test_json_is_the_same_option_everywhere() -> None:
    """Off unless asked for."""
    for command, _, _ in COMMANDS:
        parameter = inspect.signature(command).parameters["as_json"]
        assert (parameter.annotation, parameter.default) == (Json, False)


@pytest.mark.parametrize(("alias", "name"), [("check", "doctor"), ("mend", "repair")])
def test_an_earlier_name_still_works(alias: str, name: str) -> None:
    """It is the same command, and only the list leaves it out."""
    commands = typer.main.get_command(app).commands
    assert ALIASES[alias].__name__ == name
    assert [option.name for option in commands[alias].params] == [option.name for option in commands[name].params]
    assert (commands[alias].hidden, commands[name].hidden) == (True, False)
    assert commands[alias].help == commands[name].help


def test_a_misspelt_command_is_guessed() -> None:
    """With exit status 2 and where to look."""
    shown = RUN.invoke(app, ["gat"])
    assert shown.exit_code == 2
    assert "Did you mean 'gate'?" in shown.stderr
    assert "-h' for help" in shown.stderr


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("python -m src ro", "rollback"),
        ("python -m src mon", "monitor"),
        ("python -m src gate --as", "--as-first"),
        ("python -m src doctor st", "status"),
        ("python -m src check st", "status"),
        ("python -m src deploy --stage p", "production"),
        ("python -m http ro", ""),
        ("python script.py ro", ""),
    ],
)
def test_tab_completes(typed: str, offered: str) -> None:
    """As bash asks: words, options and choices of ours; nothing for what is not ours."""
    words = typed.split()
    script = (
        f"source scripts/completion.sh; COMP_WORDS=({typed}); COMP_CWORD={len(words) - 1};"
        'complete -p python | grep -q "default -F _python_m_src"; _python_m_src; echo "${COMPREPLY[*]}"'
    )
    asked = subprocess.run(
        ["bash", "-euc", script],
        cwd=paths.ROOT,
        env=os.environ | {"PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"},  # noqa: PTH120 - PATH is text
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert asked.stdout.strip() == offered


def test_without_a_terminal_nothing_is_coloured() -> None:
    """No escape sequence goes into a file or a pipe."""
    shown = RUN.invoke(app, ["scores"])
    assert shown.exit_code == 0
    assert "\x1b" not in shown.output


def test_a_defect_is_shown_as_python_shows_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Plain lines for a log and for whoever reports it, no frames drawn around them."""
    monkeypatch.setattr("src.evaluation.score_report.scores_table", None)
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
    with pytest.raises(TypeError) as defect:
        app(["scores"], prog_name="python -m src")
    sys.excepthook(defect.type, defect.value, defect.tb)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-1] == "TypeError: 'NoneType' object is not callable"
