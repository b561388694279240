"""Checks that die in every way, and how lines are shown."""

import ast
import json
import sys
from pathlib import Path

import pytest

from src.base import paths
from src.doctor import environment, runner
from src.doctor.finding import Line, as_json, as_text, exit_status, fail, ok, warn

# Stands for src.doctor: does what its argument says, after one line that is right.
STAND_IN = """
import json, os, signal, sys, time
print(json.dumps(["first", "ok", "words", ""]), flush=True)
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
    assert (last.verdict, words in last.words, last.command.startswith(command)) == ("fail", True, True)


def test_a_check_without_end_is_a_line(stand_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others go on."""
    monkeypatch.setattr(runner, "TIMEOUT_S", 0.5)
    (line,) = runner._ask("time.sleep(60)", sys.executable)
    assert (line.verdict, line.words) == ("fail", "no end after 0.5 s")


@pytest.mark.parametrize("subset", [name for name, checks in runner.SUBSETS.items() if "pipeline" in checks])
def test_the_pipeline_is_not_looked_at_before_dvc_is_mended(subset: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In no subset: what DVC says of a lock that it cannot read mends nothing."""
    broken = fail("dvc", "a lock", "rm -f lock")
    monkeypatch.setattr(runner, "_ask", lambda name, _: [broken] if name == "dvc" else [ok(name, "asked")])
    lines = runner.diagnose(subset)
    assert broken in lines
    assert "pipeline" not in {line.subject for line in lines}


def test_a_python_that_does_not_start_is_a_line(stand_in: Path) -> None:
    """As one that was removed meanwhile."""
    (line,) = runner._ask("pass", str(stand_in / "no python"))
    assert (line.verdict, line.command) == ("fail", environment.ANEW)


def found(monkeypatch: pytest.MonkeyPatch, answers: dict[str, list[Line]], *, can_start: bool = True) -> list[Line]:
    """What a full check says if the checks answer so; the rest are well."""
    monkeypatch.setattr(environment, "python_of", lambda _: Path(sys.executable) if can_start else None)
    monkeypatch.setattr(runner, "_ask", lambda name, _: answers.get(name, [ok(name, f"{name} is well")]))
    return runner.diagnose("full-check")


def test_the_order_is_that_of_mending(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever check ends first."""
    subjects = [line.subject for line in found(monkeypatch, {})]
    assert subjects == [name for name in runner.CHECKS if name not in {"model-files", "production"}]


def test_what_stands_on_something_broken_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command for outputs is no good while dvc.lock cannot be read."""
    lines = found(monkeypatch, {"pipeline-files": [fail("dvc.lock", "cut off", "mend it")]})
    words = "outputs, data, models, pipeline, remote: not looked at before pipeline-files is mended"
    assert lines[-1] == warn("the rest", words)
    assert [line.subject for line in lines if line.verdict == "fail"] == ["dvc.lock"]


def test_without_a_python_the_plain_checks_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Git can be asked all the same."""
    answers = {"environment": [fail("environment", "there is none", "make it")]}
    lines = found(monkeypatch, answers, can_start=False)
    assert [line.subject for line in lines[:-1]] == list(runner.PLAIN)
    assert (lines[-1].verdict, lines[-1].command) == ("fail", environment.MAKE)


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
        "1 fail, 1 warn, 1 ok; mend from the top down, then check again",
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


# What dev_check.py and the plain checks consist of.
PLAIN = ("finding", "shell", "runner", "environment", "disk", "git_repository", "dvc", "__main__", "__init__")
ANY_PYTHON = [*(paths.ROOT / "src" / "doctor" / f"{name}.py" for name in PLAIN), paths.ROOT / "src" / "__init__.py"]
ANY_PYTHON += [paths.ROOT / "src" / "base" / "foreign_text.py", paths.ROOT / "scripts" / "management" / "dev_check.py"]


@pytest.mark.parametrize("file", ANY_PYTHON, ids=lambda file: file.name)
def test_any_python_from_3_8_on(file: Path) -> None:
    """Its grammar, annotations that are never evaluated, the standard library, and nothing else of this project."""
    tree = ast.parse(file.read_text(), feature_version=(3, 8))
    imported = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    modules = {node.module for node in imported if isinstance(node, ast.ImportFrom)}
    modules |= {name.name for node in imported if isinstance(node, ast.Import) for name in node.names}
    own = {module for module in modules if module.startswith("src")}
    assert own <= {"src.doctor", "src.base", "src.base.foreign_text", *(f"src.doctor.{name}" for name in PLAIN)}
    assert {module.partition(".")[0] for module in modules - own} <= sys.stdlib_module_names
    annotated = any(isinstance(node, ast.FunctionDef) and node.returns for node in ast.walk(tree))
    assert "__future__" in modules or not annotated
