"""`deploy` as a user types it."""

import json
from pathlib import Path

from typer.testing import CliRunner

from src.cli import app

RUN = CliRunner()


def test_a_warning_hinders_no_deployment(tmp_path: Path) -> None:
    """Exit status 0; it is said on standard error, and JSON has it beside the version."""
    clean = RUN.invoke(app, ["deploy", str(tmp_path), "--json"])
    assert (clean.exit_code, clean.stderr) == (0, "")
    assert json.loads(clean.stdout)["warnings"] == []
    (tmp_path / "releases.json").write_text("damaged")
    for options in (["--json"], []):
        shown = RUN.invoke(app, ["deploy", str(tmp_path), *options])
        assert shown.exit_code == 0
        assert shown.stderr.startswith("warning: ")
        assert "expected the record of what deploy made" in shown.stderr
        if options:
            found = json.loads(shown.stdout)
            assert (found["version"], found["before"]) == (json.loads(clean.stdout)["version"],) * 2
            assert [f"warning: {words}\n" for words in found["warnings"]] == [shown.stderr]
