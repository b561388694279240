"""What the workflows leave to make: whether dvc.lock is fresh, and a retrain whose inputs are anyone's text."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from src.base import paths
from tests.checkouts import Checkout, copy_work_tree
from tests.warm.programs import environment

STALE = "error: expected that no stage would run, but these would: "
HOSTILE = (
    "$(touch pwned)",
    "`touch pwned`",
    "; touch pwned",
    "$(shell touch pwned)",
    "a \"b\" 'c'",
    "--dry-run",
    "a\nb",
)
# Does what a test says, and notes what it was given.
STUB = """#!/bin/bash
printf '%s\\0' "$@" > arguments
[ -z "$STUB_REPORT" ] || { mkdir -p reports && echo "$STUB_REPORT" > reports/retrain.json; }
exit "${STUB_STATUS:-0}"
"""


REFUSED, FAILED = '{"outcome": "refused"}', '{"outcome": "failed"}'


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """The files git holds, and the environment."""
    checkout = copy_work_tree(tmp_path_factory.mktemp("committed"))
    environment(checkout.root)
    return checkout


@pytest.fixture
def committed(copied: Checkout) -> Iterator[Checkout]:
    """The files git holds, and the environment: no data, no cache; what a test changes is put back."""
    yield copied
    copied.run("git", "checkout", "--quiet", ".")
    copied.run("git", "clean", "--quiet", "--force", "-d")


def test_dvc_lock_is_fresh_without_data(committed: Checkout) -> None:
    """Nothing to say of what is committed."""
    assert not (committed.root / "data" / "raw").exists()
    assert committed.run("make", "fresh") == ""


def _other_output_hash(checkout: Checkout) -> None:
    """Let featurize claim another output than the one training read."""
    lock = checkout.root / "dvc.lock"
    content = yaml.safe_load(lock.read_text())
    content["stages"]["featurize"]["outs"][0]["md5"] = 32 * "0"
    lock.write_text(yaml.safe_dump(content))


CHANGES: dict[str, tuple[Callable[[Checkout], object], set[str]]] = {
    "a parameter": (
        lambda checkout: checkout.set_params({("train", "rf", "max_depth"): 3}),
        {"train_rf", "ensemble", "evaluate"},
    ),
    "a source file of the first stage": (
        lambda checkout: (checkout.root / "src" / "bars" / "build.py").write_text("# nothing\n"),
        {"fetch"},
    ),
    "a source file of a later stage": (
        lambda checkout: (checkout.root / "src" / "ml" / "ensemble.py").write_text("# nothing\n"),
        {"ensemble", "evaluate"},
    ),
    "a score by hand": (
        lambda checkout: (checkout.root / "reports" / "metrics.json").write_text("{}\n"),
        {"evaluate"},
    ),
    "a hash in dvc.lock": (_other_output_hash, {"train_lgbm", "train_xgb", "train_rf"}),
    "no dvc.lock": (lambda checkout: (checkout.root / "dvc.lock").unlink(), {"fetch", "featurize"}),
}


@pytest.mark.parametrize(("change", "stages"), CHANGES.values(), ids=CHANGES)
def test_a_stale_dvc_lock_is_told_in_one_line(
    change: Callable[[Checkout], object], stages: set[str], committed: Checkout
) -> None:
    """The stages that would run are named, and what to do."""
    change(committed)
    said = committed.run("make", "--no-print-directory", "fresh", expect=2).splitlines()
    (line,) = [line for line in said if not line.startswith("make: ***")]
    named = line.removeprefix(STALE).split(";")[0].split()
    assert line.startswith(STALE)
    assert stages <= set(named)
    assert line.endswith("`make repro`, then commit dvc.lock")


def test_a_pipeline_dvc_cannot_read_is_not_fresh(committed: Checkout) -> None:
    """Silence is no proof; the reason is DVC's own."""
    (committed.root / "dvc.yaml").write_text("stages: 1\n")
    assert f"{STALE}DVC says " in committed.run("make", "fresh", expect=2)


def test_a_pipeline_that_stops_says_what_mends_it(committed: Checkout) -> None:
    """DVC names the file, the check says what to do."""
    committed.set_params({("data", "source"): "file", ("data", "path"): "data/nothing.csv"})
    said = committed.run("make", "repro", expect=2)
    assert "error: the pipeline stopped; what is broken, and what mends it:" in said
    assert "data/nothing.csv is not there: put your bars there, or set data.path in params.yaml" in said


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """A folder with the Makefile, an environment that looks installed, and a stub for Python in it."""
    shutil.copy(paths.ROOT / "Makefile", tmp_path)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").write_text(STUB)
    (tmp_path / ".venv" / "bin" / "python").chmod(0o755)
    made = ("requirements.lock", ".venv/.requirements")
    for second, name in enumerate(made):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (second, second))
    return tmp_path


def _retrain(scratch: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `make retrain` as a workflow does, its inputs in the environment."""
    inherited = {name: value for name, value in os.environ.items() if name not in {"END", "DRY_RUN", "MAKEFLAGS"}}
    return subprocess.run(
        ["make", "--no-print-directory", "retrain", *arguments],
        cwd=scratch,
        env=inherited | {"STUB_REPORT": ""} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def _given(scratch: Path) -> list[str]:
    """Return what Python was called with."""
    return (scratch / "arguments").read_text().split("\0")[:-1]


@pytest.mark.parametrize("end", HOSTILE)
def test_any_text_arrives_as_one_argument(end: str, scratch: Path) -> None:
    """No shell and no make reads what somebody typed into a field."""
    before = set(scratch.iterdir())
    assert _retrain(scratch, END=end, DRY_RUN="true").returncode == 0
    assert _given(scratch) == ["-m", "src", "retrain", f"--end={end}", "--dry-run"]
    assert {path.name for path in set(scratch.iterdir()) - before} == {"arguments"}


@pytest.mark.parametrize("environment", [{}, {"END": "", "DRY_RUN": ""}, {"DRY_RUN": "false"}], ids=str)
def test_nothing_is_asked_by_default(environment: dict[str, str], scratch: Path) -> None:
    """A schedule has no inputs."""
    assert _retrain(scratch, **environment).returncode == 0
    assert _given(scratch) == ["-m", "src", "retrain"]


def test_a_person_may_write_them_behind_make(scratch: Path) -> None:
    """`make retrain END=... DRY_RUN=true` does the same."""
    assert _retrain(scratch, "END=2026-01-01T00:00:00Z", "DRY_RUN=true").returncode == 0
    assert _given(scratch) == ["-m", "src", "retrain", "--end=2026-01-01T00:00:00Z", "--dry-run"]


@pytest.mark.parametrize("dry_run", ["yes", "1", "True", "$(touch pwned)"])
def test_a_dry_run_is_never_guessed(dry_run: str, scratch: Path) -> None:
    """What is neither true nor false promotes nothing."""
    done = _retrain(scratch, DRY_RUN=dry_run)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: expected DRY_RUN=true or false, got {dry_run}\n")
    assert not (scratch / "arguments").exists()
    assert not (scratch / "pwned").exists()


@pytest.mark.parametrize(
    ("status", "report", "expected"),
    [("0", "{}", 0), ("1", REFUSED, 0), ("1", FAILED, 2), ("1", "", 2), ("2", FAILED, 2), ("2", "", 2), ("137", "", 2)],
    ids=["promoted", "refused", "crashed", "crashed without a report", "error", "error without a report", "killed"],
)
def test_a_refusal_is_no_failure(status: str, report: str, expected: int, scratch: Path) -> None:
    """Red is an error alone; the report of an earlier run excuses no crash."""
    (scratch / "reports").mkdir()
    (scratch / "reports" / "retrain.json").write_text("of an earlier run")
    assert _retrain(scratch, STUB_STATUS=status, STUB_REPORT=report).returncode == expected
