"""What stands on the terminal, whatever it quotes: no command writes past the one place that makes text harmless."""

import ast
import json
import subprocess
from pathlib import Path

import pytest

from src.base import paths
from src.commands.history_report import history_table
from src.commands.shared import console, print_markdown, say
from src.evaluation.leakcheck import markdown
from src.verdict.finding import Finding
from tests.checkouts import Checkout

HOSTILE = "[/foo] [bold]x[/bold] \x1b[2J \ud800 :smile: ::error::x"
SHOWN = r"[/foo] [bold]x[/bold] \x1b[2J \ud800 :smile: : :error::x"


def test_words_and_markdown_act_on_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """One line is one line; the lines of Markdown stay lines."""
    say(f"{HOSTILE}\n{HOSTILE}")
    say(HOSTILE, on_error=True)
    print_markdown(f"# a\n\n{HOSTILE}", as_markdown=True)
    assert capsys.readouterr() == (f"{SHOWN} {SHOWN}\n# a\n\n{SHOWN}\n", f"{SHOWN}\n")


def test_tables_hold_text(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A version, a symbol, a check that look as rich's markup does, or end a tag that nobody began."""
    data = dict.fromkeys(("symbol", "timeframe", "start", "end"), HOSTILE)
    score = {"value": 0.5, "interval": None}
    version = {"version": HOSTILE, "commit": "0123456789", "promoted_at": HOSTILE, "data": data, "files": "cache"}
    version |= {"scores": dict.fromkeys(("roc_auc", "brier_skill"), score), "in_production": True}
    monkeypatch.setenv("COLUMNS", "400")
    console().print(history_table([version]))
    print_markdown(markdown([Finding("name", 0.0, 0.0, "passed", HOSTILE)]), as_markdown=False)
    shown = capsys.readouterr().out
    assert shown.count(SHOWN) >= 3
    assert "\x1b" not in shown


def test_commands_write_by_one_way_only() -> None:
    """`check` lays its lines out by itself."""
    writers = {}
    for file in (paths.ROOT / "src" / "commands").glob("*.py"):
        calls = [ast.unparse(node.func) for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
        if {"typer.echo", "print", "sys.stdout.write", "sys.stderr.write", "Console"} & {*calls}:
            writers[file.name] = True
    assert set(writers) == {"shared.py", "checking.py"}


@pytest.mark.parametrize(
    "version", ["\x1b[2J\x1b]0;owned\x07", "\ud800", "[/foo] @everyone", "1.0.0\n::error::x", "\u202e"]
)
def test_a_version_in_a_log_is_quoted_or_refused(version: str, tmp_path: Path) -> None:
    """Exit status 2, one line that says what is wrong, and nothing that acts."""
    line = {"time": "2020-01-01T00:00:00Z", "probability": 0.5, "decision": 0, "model_version": version}
    (tmp_path / "log.jsonl").write_text(json.dumps(line) + "\n")
    command = ["python", "-m", "src", "monitor", str(tmp_path / "log.jsonl"), "--dry-run"]
    environment = Checkout(paths.ROOT).environment()
    done = subprocess.run(command, cwd=paths.ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    (said,) = done.stderr.splitlines()
    assert said.startswith("error: ")
    assert "version" in said
    assert said[:-1].isprintable()
    assert "::error::" not in said
