"""The scripts of the workflows, run as GitHub runs them, with stubs for what they call."""

import os
import subprocess
from pathlib import Path

import pytest

from src.base import paths
from tests.workflows import RUNS

# Notes its name and what it was given; prints, writes a report and ends as the test says.
STUB = """#!/bin/bash
printf '%s\\n' "${0##*/}" "$@" -- >> "$CALLS"
[ -z "$STUB_REPORT" ] || echo "$STUB_REPORT" | tee reports/gate.md
echo -n "$STUB_PRINTS"
exit "${STUB_STATUS:-0}"
"""


@pytest.fixture
def runner(tmp_path: Path) -> Path:
    """A folder such as a job starts in, with stubs for Python, DVC, make, git and gh."""
    for folder in ("work/.venv/bin", "work/reports", "work/artefact/docs", "work/docs", "bin"):
        (tmp_path / folder).mkdir(parents=True)
    for stub in ("work/.venv/bin/python", "work/.venv/bin/dvc", "bin/make", "bin/git", "bin/gh"):
        (tmp_path / stub).write_text(STUB)
        (tmp_path / stub).chmod(0o755)
    return tmp_path / "work"


def _run(runner: Path, name: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the script of a step with bash, as GitHub calls it."""
    base = {
        "PATH": f"{runner.parent / 'bin'}:{os.environ['PATH']}",
        "CALLS": str(runner.parent / "calls"),
        "GITHUB_STEP_SUMMARY": str(runner.parent / "summary"),
        "GITHUB_SERVER_URL": "https://github.example",
        "GITHUB_REPOSITORY": "a/b",
        "GITHUB_RUN_ID": "7",
        "STUB_REPORT": "",
        "STUB_PRINTS": "",
    }
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", RUNS[name]]
    return subprocess.run(
        command, cwd=runner, env=base | environment, capture_output=True, text=True, check=False, timeout=60
    )


def _calls(runner: Path) -> list[list[str]]:
    """Return what was called, with its arguments."""
    text = (runner.parent / "calls").read_text()
    return [call.strip().split("\n") for call in text.split("\n--\n") if call]


def _summary(runner: Path) -> str:
    return (runner.parent / "summary").read_text()


@pytest.mark.parametrize("status", ["0", "1", "2"], ids=["yes", "no", "cannot tell"])
def test_every_verdict_is_shown(status: str, runner: Path) -> None:
    """No is no failed check, and hides no report."""
    assert _run(runner, "report: Ask the gate", STUB_STATUS=status, STUB_REPORT="# Gate").returncode == 0
    assert _calls(runner) == [["python", "-m", "src", "gate", "--markdown"]]
    assert _summary(runner) == "# Gate\n"


def test_a_gate_that_crashed_fails(runner: Path) -> None:
    """Python ends with 1, too; the report committed before is no answer."""
    (runner / "reports" / "gate.md").write_text("of another day")
    assert _run(runner, "report: Ask the gate", STUB_STATUS="1").returncode != 0


COMMENT = "comment: Write the comment, without a token"


def test_a_report_is_text(runner: Path) -> None:
    """Nothing in it runs and nobody is called; where it comes from stands above."""
    hostile = "# Gate\n$(touch pwned) `touch pwned` ${{ github.token }}\n@everyone\n"
    (runner / "artefact" / "gate.md").write_text(hostile)
    assert _run(runner, COMMENT).returncode == 0
    first, _, *rest = (runner / "comment.md").read_text().splitlines()
    assert "[its run](https://github.example/a/b/actions/runs/7)" in first
    assert rest == hostile.replace("@everyone", "@<!-- -->everyone").splitlines()
    assert not list(runner.rglob("pwned"))


@pytest.mark.parametrize("line", ["@" * 100, "x" * 100], ids=["mentions", "letters"])
def test_a_comment_fits(line: str, runner: Path) -> None:
    """GitHub takes 65,536 characters, and refuses the whole of a longer one."""
    (runner / "artefact" / "gate.md").write_text(f"{line}\n" * 10_000)
    assert _run(runner, COMMENT).returncode == 0
    assert 65_000 < len((runner / "comment.md").read_text()) <= 65_536


def test_a_link_is_not_followed(runner: Path) -> None:
    """An artefact that points at another file of the machine shows none of it."""
    (runner.parent / "secret").write_text("secret")
    (runner / "artefact" / "gate.md").symlink_to(runner.parent / "secret")
    assert _run(runner, COMMENT).returncode != 0
    assert not (runner / "comment.md").exists()


def test_the_comment_takes_the_place_of_the_last(runner: Path) -> None:
    """One comment, from a file."""
    assert _run(runner, "comment: Post it in place of the last one", PULL_REQUEST="3").returncode == 0
    options = ["--edit-last", "--create-if-none", "--body-file", "comment.md"]
    assert _calls(runner) == [["gh", "pr", "comment", "3", *options]]


REMOTE = "retrain: Point DVC at the remote"


def test_a_remote_that_is_not_set_ends_the_run(runner: Path) -> None:
    """The default is a folder of a machine that is thrown away: promoted models would be lost."""
    done = _run(runner, REMOTE, DVC_REMOTE_URL="")
    assert done.returncode != 0
    assert "expected the variable DVC_REMOTE_URL" in done.stderr
    assert not (runner.parent / "calls").exists()


def test_the_remote_is_set_for_this_clone_only(runner: Path) -> None:
    """Nothing of it is committed, and it is one argument."""
    assert _run(runner, REMOTE, DVC_REMOTE_URL="s3://a b/$(c)").returncode == 0
    assert _calls(runner) == [["dvc", "remote", "modify", "--local", "local", "url", "s3://a b/$(c)"]]


def test_who_commits_is_set_before_the_retrain(runner: Path) -> None:
    """And git can push in that step; a failure of make is one of the step."""
    assert _run(runner, "retrain: Retrain").returncode == 0
    assert [call[:3] for call in _calls(runner)] == [
        ["git", "config", "user.name"],
        ["git", "config", "user.email"],
        ["gh", "auth", "setup-git"],
        ["make", "retrain"],
    ]
    (runner.parent / "bin" / "make").write_text("#!/bin/sh\nexit 2\n")
    assert _run(runner, "retrain: Retrain").returncode == 2


def test_the_report_of_the_retrain_is_the_summary(runner: Path) -> None:
    """Up to a megabyte of it, which is what GitHub takes."""
    (runner / "reports" / "retrain.md").write_text("# Retrain\n" + "x" * 2_000_000)
    assert _run(runner, "retrain: Show the report").returncode == 0
    assert _summary(runner).startswith("# Retrain\n")
    assert len(_summary(runner)) == 1_000_000


def test_a_report_that_is_missing_is_told(runner: Path) -> None:
    """A step that failed before it left none."""
    assert _run(runner, "retrain: Show the report").returncode == 0
    assert _summary(runner) == "There is no report; the log of the step that failed says why.\n"


@pytest.mark.parametrize(
    ("found", "second"), [("", ["create", "--title"]), ("12", ["comment", "12"])], ids=["none open", "one open"]
)
def test_one_issue_is_open(found: str, second: list[str], runner: Path) -> None:
    """The next failure is a comment on it, with the address of its run."""
    name = "tell: Open an issue, or add to the open one"
    assert _run(runner, name, TITLE="It failed", STUB_PRINTS=found).returncode == 0
    searched, told = _calls(runner)
    assert searched[:7] == ["gh", "issue", "list", "--app", "github-actions", "--search", "It failed in:title"]
    assert told[:4] == ["gh", "issue", *second]
    assert told[-1] == "Neither yes nor no: https://github.example/a/b/actions/runs/7"


TAKE, PROPOSE = "propose: Take the files, without a token", "propose: Open a pull request, unless one is open"
TAKEN = (
    *(f"requirements{use}.lock" for use in ("", "-model", "-serve", "-dev")),
    "sbom.cdx.json",
    "docs/licences.md",
)


def _offer(runner: Path) -> None:
    """Lay the files of the other job where this one finds them, and one that nobody asked for."""
    for name in (*TAKEN, "Makefile"):
        (runner / "artefact" / name).write_text(f"$(touch pwned) {name}")


def test_the_locks_are_taken_by_name(runner: Path) -> None:
    """Every lock of the repository, and no other file, whatever else the artefact holds."""
    _offer(runner)
    assert _run(runner, TAKE).returncode == 0
    assert {path.name for path in runner.glob("*.*") if path.is_file()} == {Path(name).name for name in TAKEN[:-1]}
    assert (runner / "docs" / "licences.md").read_text() == "$(touch pwned) docs/licences.md"
    assert not (runner / "Makefile").exists()
    assert {path.name for path in paths.ROOT.glob("requirements*.lock")} <= set(TAKEN)


@pytest.mark.parametrize("name", TAKEN)
def test_a_lock_that_is_a_link_is_not_taken(name: str, runner: Path) -> None:
    """It would show another file of the machine to whoever reads the pull request."""
    _offer(runner)
    (runner.parent / "secret").write_text("secret")
    (runner / "artefact" / name).unlink()
    (runner / "artefact" / name).symlink_to(runner.parent / "secret")
    assert _run(runner, TAKE).returncode != 0
    assert not (runner / name).exists()


def _propose(runner: Path, *, changed: bool, open_one: str = "") -> list[list[str]]:
    """Run the last step; git says that something changed, gh which pull request is open."""
    (runner.parent / "bin" / "git").write_text(STUB.replace("exit ", f'[ "$1" != diff ] || exit {int(changed)}\nexit '))
    assert _run(runner, PROPOSE, TITLE="Move", STUB_PRINTS=open_one).returncode == 0
    return _calls(runner)


def test_what_moved_is_proposed_on_a_branch_of_its_own(runner: Path) -> None:
    """Never pushed over what a person added to the last one."""
    calls = _propose(runner, changed=True)
    assert [call[:3] for call in calls if call[:2] != ["git", "config"]] == [
        ["gh", "pr", "list"],
        ["git", "diff", "--exit-code"],
        ["gh", "auth", "setup-git"],
        ["git", "switch", "--quiet"],
        ["git", "commit", "--quiet"],
        ["git", "push", "--quiet"],
        ["gh", "pr", "create"],
    ]
    assert ["git", "push", "--quiet", "origin", "locks-7"] in calls
    assert "`make repro`" in calls[-1][-1]


@pytest.mark.parametrize(("changed", "open_one"), [(False, ""), (True, "12")], ids=["nothing moved", "one is open"])
def test_nothing_is_proposed_twice_or_in_vain(changed: bool, open_one: str, runner: Path) -> None:  # noqa: FBT001 - a case
    """One pull request at a time, and none that is empty."""
    calls = _propose(runner, changed=changed, open_one=open_one)
    assert not any(call[:2] == ["git", "push"] or call[:3] == ["gh", "pr", "create"] for call in calls)
