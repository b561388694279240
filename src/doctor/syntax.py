"""What people write: params.yaml, dvc.yaml, dvc.lock and the code, each read as its reader will."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from src.base.errors import ParamsError
from src.doctor.finding import Line, fail, ok
from src.doctor.shell import aside, git, restoring
from src.policy import Policy, load_policy

# Of a folder, DVC writes .dir after it.
MD5 = re.compile(r"[0-9a-f]{32}(\.dir)?")
MODULE = re.compile(r"python -m (src[.\w]+)")
MARKERS = ("<<<<<<< ", "=======\n", ">>>>>>> ")


def check_params(root: Path) -> Iterator[Line]:
    """Read params.yaml as every command does."""
    file = root / "params.yaml"
    if _is_conflicted(file):
        yield fail(file.name, "it holds the marks of a merge", restoring(root, file.name, _are_params))
        return
    try:
        params = load_policy(file)
    except ParamsError as error:
        words = f"{' '.join(str(error).split())}; mend that by hand, or take back the last that was right"
        yield fail(file.name, words, restoring(root, file.name, _are_params))
        return
    yield ok(file.name, f"{params.data.symbol}, {params.data.timeframe}, from {params.data.source}; every value can be")


def check_pipeline_files(root: Path) -> Iterator[Line]:
    """Read dvc.yaml and dvc.lock."""
    kept = {name: _stages_of(git(root, "show", f"HEAD:{name}").out) for name in ("dvc.yaml", "dvc.lock")}

    def are_defined(text: str) -> str:
        return _are_stages(text) or _lacks(set(locked), text) or _lacks_outs(locked, text) or _lacks_modules(root, text)

    def are_locked(text: str) -> str:
        # A stage that the last commit does not have yet was never run.
        return _are_locked(text) or _lacks(set(kept["dvc.yaml"]) & set(kept["dvc.lock"]), text)

    # Where dvc.lock is broken, too, the last commit tells what the stages made.
    locked = kept["dvc.lock"] if _wrong(root / "dvc.lock", are_locked) else locked_stages(root)
    yield _read(root, "dvc.yaml", are_defined, "")
    clear = f"{aside('dvc.lock')} && " if (root / "dvc.lock").exists() else ""
    yield _read(root, "dvc.lock", are_locked, f"{clear}dvc repro")


def _read(root: Path, name: str, judge: Callable[[str], str], else_: str) -> Line:
    """Judge a file; what brings it back is git, or else another command."""
    if wrong := _wrong(root / name, judge):
        return fail(name, wrong, restoring(root, name, lambda text: not judge(text)) or else_)
    return ok(name, "it can be read")


def check_code(root: Path) -> Iterator[Line]:
    """Parse every source file; nothing is imported."""
    broken = {}
    for file in sorted((root / "src").rglob("*.py")):
        if words := _why_no_code(file.read_text(encoding="utf-8", errors="replace")):
            broken[file.relative_to(root).as_posix()] = words
    for name, words in broken.items():
        yield fail("code", f"{name}: {words}", restoring(root, name, lambda text: not _why_no_code(text)))
    if not broken:
        yield ok("code", "every source file can be parsed")


def locked_stages(root: Path) -> dict[str, Any]:
    """Return the stages of dvc.lock; none where it cannot be read, which is told elsewhere."""
    file = root / "dvc.lock"
    if _wrong(file, _are_locked):
        return {}
    stages: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))["stages"]
    return stages


def _wrong(file: Path, judge: Callable[[str], str]) -> str:
    """Say what is wrong with a file; empty if nothing is."""
    if not file.is_file():
        return "it is not there"
    if _is_conflicted(file):
        return "it holds the marks of a merge"
    return judge(file.read_text(encoding="utf-8", errors="replace"))


def _is_conflicted(file: Path) -> bool:
    """Tell whether a merge left its marks; that of a merge at work is git's to tell."""
    return file.is_file() and all(mark in file.read_text(encoding="utf-8", errors="replace") for mark in MARKERS)


def _are_params(text: str) -> bool:
    """Tell whether this is a right params.yaml."""
    try:
        Policy.model_validate(yaml.safe_load(text))
    except (ValidationError, yaml.YAMLError):
        return False
    return True


def _are_stages(text: str) -> str:
    """Say why this is no dvc.yaml; empty if it is one."""
    content = _plain(text)
    stages = content.get("stages") if isinstance(content, dict) else None
    if not isinstance(stages, dict):
        return f"expected stages, got {content}" if isinstance(content, str) else "it holds no stages"
    wrong = [name for name, stage in stages.items() if not (isinstance(stage, dict) and stage.get("cmd"))]
    return f"{', '.join(wrong)} has no cmd" if wrong else ""


def _are_locked(text: str) -> str:
    """Say why this is no dvc.lock; empty if it is one."""
    if wrong := _are_stages(text):
        return wrong
    stages = _plain(text)["stages"]
    entries = [entry for stage in stages.values() for key in ("deps", "outs") for entry in stage.get(key) or [None]]
    if not all(
        isinstance(entry, dict) and MD5.fullmatch(str(entry.get("md5"))) and entry.get("path") for entry in entries
    ):
        return "it is cut off: a stage has no outputs, or a file no md5"
    return ""


def _lacks(names: set[str], text: str) -> str:
    """Say which stages are not there; empty if all are."""
    missing = sorted(names - set(_stages_of(text)))
    return f"it lacks {', '.join(missing)}, which ran before" if missing else ""


def _lacks_outs(locked: dict[str, Any], text: str) -> str:
    """Say which outputs a stage made and does not declare any more; empty if it declares all."""
    for name, stage in _stages_of(text).items():
        entries = [entry for key in ("outs", "metrics", "plots") for entry in stage.get(key) or []]
        declared = {next(iter(entry)) if isinstance(entry, dict) else entry for entry in entries}
        missing = [out["path"] for out in locked.get(name, {"outs": []})["outs"] if out["path"] not in declared]
        if missing:
            return f"{name} lacks {', '.join(missing[:3])}, which it made before: cut off?"
    return ""


def _lacks_modules(root: Path, text: str) -> str:
    """Say which stage runs a module that never was; one that was deleted is told with git."""
    known = {
        *git(root, "ls-files", "src").out.split(),
        *(str(file.relative_to(root)) for file in root.glob("src/*/*.py")),
    }
    for name, stage in _stages_of(text).items():
        module = MODULE.match(str(stage["cmd"]))
        if module and f"{module[1].replace('.', '/')}.py" not in known:
            return f"{name} runs {module[1]}, which is not there"
    return ""


def _stages_of(text: str) -> dict[str, Any]:
    """Return the stages of a text that holds some, else none."""
    return {} if _are_stages(text) else dict(_plain(text)["stages"])


def _plain(text: str) -> Any:  # noqa: ANN401 - YAML
    """Return the content of a YAML text, or in words why there is none."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        return " ".join(str(error).split())


def _why_no_code(text: str) -> str:
    """Say where Python cannot parse a text; empty if it can."""
    try:
        ast.parse(text)
    except (SyntaxError, ValueError) as error:
        return str(error)
    return ""
