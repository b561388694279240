"""Checks that die in every way, and how lines are shown."""

import ast
import json
import re
import sys
from pathlib import Path

import pytest

from src.base import paths
from src.doctor import environment, runner
from src.doctor.check import SUBSETS, Check, as_json, as_text, exit_status, fail, ok, warn
from src.doctor.dvc import Pipeline
from src.verdict.finding import Finding

# Stands for src.doctor: does what its argument says, after one line that is right.
STAND_IN = """
import json, os, signal, sys, time
print(json.dumps(["first", None, None, "passed", "words", ""]), flush=True)
print("something that a library prints")
exec(sys.argv[1])
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with that package."""
    (tmp_path / "src" / "doctor").mkdir(parents=True)
    (tmp_path / "src" / "doctor" / "__main__.py").write_text(STAND_IN)
    monkeypatch.setattr(runner, "ROOT", tmp_path)
    return tmp_path


DEATHS = {
    "an error": ("1 / 0", "the check itself failed: ZeroDivisionError", "python -m src.doctor"),
    "a missing import": ("import no_such_module", "cannot be looked at: ModuleNotFoundError", environment.ANEW),
    "a crash": ("os.kill(os.getpid(), signal.SIGSEGV)", "killed by signal 11", environment.ANEW),
    "an exit": ("os._exit(3)", "the check itself failed: it said nothing", "python -m src.doctor"),
}


@pytest.mark.parametrize(("code", "words", "command"), DEATHS.values(), ids=DEATHS)
def test_a_check_that_dies_is_a_line(code: str, words: str, command: str, stand_in: Path) -> None:
    """What it found before stays."""
    first, last = runner._ask(code, sys.executable)
    assert first == ok("first", "words")
    assert (last.verdict, words in last.words, last.command.startswith(command)) == ("failed", True, True)


def test_a_check_without_end_is_a_line(stand_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others go on."""
    monkeypatch.setattr(runner, "TIMEOUT_S", 0.5)
    (line,) = runner._ask("time.sleep(60)", sys.executable)
    assert (line.verdict, line.words) == ("failed", "timed out after 0.5 s")


@pytest.mark.parametrize("subset", [subset for subset in SUBSETS if subset in Pipeline.subsets])
def test_the_pipeline_is_not_looked_at_before_dvc_is_mended(subset: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In no subset: what DVC says of a lock that it cannot read mends nothing."""
    broken = fail("dvc", "a lock", "rm -f lock")
    monkeypatch.setattr(runner, "_ask", lambda name, _: [broken] if name == "dvc" else [ok(name, "asked")])
    lines = runner.diagnose(subset)
    assert broken in lines
    assert "pipeline" not in {line.name for line in lines}


def test_a_python_that_does_not_start_is_a_line(stand_in: Path) -> None:
    """As one that was removed meanwhile."""
    (line,) = runner._ask("pass", str(stand_in / "no python"))
    assert (line.verdict, line.command) == ("failed", environment.ANEW)


def found(
    monkeypatch: pytest.MonkeyPatch, answers: dict[str, list[Finding]], *, can_start: bool = True
) -> list[Finding]:
    """What a full check says if the checks answer so; the rest are well."""
    monkeypatch.setattr(environment, "python_of", lambda _: Path(sys.executable) if can_start else None)
    monkeypatch.setattr(runner, "_ask", lambda name, _: answers.get(name, [ok(name, f"{name} is well")]))
    return runner.diagnose("full-check")


def test_the_order_is_that_of_mending(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever check ends first."""
    subjects = [line.name for line in found(monkeypatch, {})]
    assert subjects == [check.name for check in runner.CHECKS if "full-check" in check.subsets]


def test_what_stands_on_something_broken_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command for outputs is no good while dvc.lock cannot be read."""
    lines = found(monkeypatch, {"pipeline-files": [fail("dvc.lock", "cut off", "mend it")]})
    words = "outputs, data, models, pipeline, remote: not looked at before pipeline-files is repaired"
    assert lines[-1] == Finding("the rest", None, None, "unknown", words)
    assert [line.name for line in lines if line.verdict == "failed"] == ["dvc.lock"]


def test_without_a_python_the_plain_checks_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Git can be asked all the same."""
    answers = {"environment": [fail("environment", "there is none", "make it")]}
    lines = found(monkeypatch, answers, can_start=False)
    assert [line.name for line in lines[:-1]] == [check.name for check in runner.CHECKS if check.is_plain]
    assert (lines[-1].verdict, lines[-1].command) == ("failed", environment.MAKE)


def made(name: str, *requires: str) -> type[Check]:
    """A check of that name which requires others."""
    return type(name, (Check,), {"name": name, "requires": requires, "is_plain": True})


def test_a_check_whose_required_one_failed_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is one that requires it in turn; both say which one has to hold first, and the rest is looked at."""
    monkeypatch.setattr(
        runner, "CHECKS", (made("first"), made("other"), made("second", "first"), made("third", "second"))
    )
    asked = []

    def answer(name: str, _: str) -> list[Finding]:
        asked.append(name)
        return [fail(name, "broken", "mend it")] if name == "first" else [ok(name, "well")]

    monkeypatch.setattr(runner, "_ask", answer)
    lines = runner.diagnose("full-check")
    assert sorted(asked) == ["first", "other"]
    assert [line.words for line in lines if line.verdict == "unknown"] == [
        "second: not looked at before first is repaired",
        "third: not looked at before second is repaired",
    ]
    assert '"verdict": "warn"' in as_json(lines)


@pytest.mark.parametrize("check", runner.CHECKS, ids=lambda check: check.name)
def test_what_a_check_requires_comes_before_it(check: type[Check]) -> None:
    """So that none waits for one that is not started, and none for itself."""
    names = [one.name for one in runner.CHECKS]
    assert set(check.requires) <= set(names[: names.index(check.name)])


@pytest.mark.parametrize("check", runner.CHECKS, ids=lambda check: check.name)
def test_a_check_says_what_it_is(check: type[Check]) -> None:
    """Its title is one line, its subsets are known ones, and what it requires is a check."""
    assert re.fullmatch(r"\S.+\.", check.__doc__)
    assert set(check.subsets) <= set(SUBSETS)
    assert set(check.requires) < {other.name for other in runner.CHECKS}


def test_the_same_said_of_several_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """One package that is missing breaks many checks."""
    died = {name: [fail(name, "no module", "make it")] for name in ("data", "models", "remote")}
    assert fail("data, models, remote", "no module", "make it") in found(monkeypatch, died)


def test_text() -> None:
    """The command stands below, on a line of its own, to be copied."""
    lines = [ok("git", "clean"), fail("data", "gone\nfor good", "dvc pull"), warn("disk", "full")]
    assert as_text(lines).splitlines() == [
        "ok    git   clean",
        "fail  data  gone for good",
        "            $ dvc pull",
        "warn  disk  full",
        "1 fail, 1 warn, 1 ok; repair from the top down, then check again",
    ]
    assert as_text(lines[:1]).splitlines()[-1] == "1 ok"


def test_json_and_exit_status() -> None:
    """A warning is no failure."""
    lines = [ok("git", "clean"), warn("disk", "full", "make room")]
    assert json.loads(as_json(lines)) == {
        "verdict": "warn",
        "lines": [
            {"subject": "git", "verdict": "ok", "words": "clean", "command": ""},
            {"subject": "disk", "verdict": "warn", "words": "full", "command": "make room"},
        ],
    }
    assert (exit_status(lines), exit_status([*lines, fail("data", "gone")]), exit_status([])) == (0, 1, 0)


# What dev_check.py starts with: every module in which there is a check, and what those import.
ANY_PYTHON = sorted(set((paths.ROOT / "src" / "doctor").glob("*.py")) - {paths.ROOT / "src" / "doctor" / "repair.py"})
BELOW = (
    "btc_signal",
    "btc_signal.exceptions",
    "btc_signal.files",
    "src",
    "src.base",
    "src.base.errors",
    "src.base.foreign_text",
    "src.base.paths",
)
BELOW += ("src.repo", "src.repo.git", "src.repo.git_locks", "src.verdict", "src.verdict.finding")
ANY_PYTHON += [paths.ROOT / "scripts" / "management" / "dev_check.py"]
ANY_PYTHON += [file for name in BELOW if (file := paths.ROOT / f"{name.replace('.', '/')}.py").exists()]


@pytest.mark.parametrize("file", ANY_PYTHON, ids=lambda file: file.name)
def test_any_python_from_3_8_on(file: Path) -> None:
    """Its grammar, annotations that are never evaluated, and at its top the standard library alone."""
    tree = ast.parse(file.read_text(), feature_version=(3, 8))
    imported = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    modules = {node.module for node in imported if isinstance(node, ast.ImportFrom)}
    modules |= {name.name for node in imported if isinstance(node, ast.Import) for name in node.names}
    own = {module for module in modules if module.startswith(("src", "btc_signal"))}
    assert {module for module in own if not module.startswith("src.doctor")} <= set(BELOW)
    assert {module.partition(".")[0] for module in modules - own} <= sys.stdlib_module_names
    annotated = any(isinstance(node, ast.FunctionDef) and node.returns for node in ast.walk(tree))
    assert "__future__" in modules or not annotated
