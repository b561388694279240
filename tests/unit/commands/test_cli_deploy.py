"""`deploy` as a user types it."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from src.cli import app
from src.release.deploy import deploy

RUN = CliRunner()


def test_a_warning_hinders_no_deployment(
    promote: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit status 0; it is said on standard error, and JSON has it beside the version."""
    promote("1.0.0")
    monkeypatch.setattr("src.release.deploy.deploy", partial(deploy, promoted=tmp_path / "promoted"))
    folder = tmp_path / "srv"
    clean = RUN.invoke(app, ["deploy", str(folder), "--json"])
    assert (clean.exit_code, clean.stderr) == (0, "")
    assert json.loads(clean.stdout)["warnings"] == []
    (folder / "releases.json").write_text("damaged")
    for options in (["--json"], []):
        shown = RUN.invoke(app, ["deploy", str(folder), *options])
        assert shown.exit_code == 0
        assert shown.stderr.startswith("warning: ")
        assert "expected the record of what deploy made" in shown.stderr
        if options:
            found = json.loads(shown.stdout)
            assert (found["version"], found["before"]) == (json.loads(clean.stdout)["version"],) * 2
            assert [f"warning: {words}\n" for words in found["warnings"]] == [shown.stderr]
