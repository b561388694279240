"""What people write: the code, params.yaml, dvc.yaml and dvc.lock, each read as its reader will; nothing runs."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from src.doctor.check import Check, fail, few, ok, warn
from src.doctor.prescriptions import aside, is_committed, quoted, restoring
from src.repo.git import run_git
from src.verdict.finding import Finding

FILES = ("dvc.yaml", "dvc.lock")


class Code(Check):
    """Every source file can be parsed; nothing is imported."""

    name = "code"

    def findings(self) -> Iterator[Finding]:
        files = [file for file in sorted((self.root / "src").rglob("*.py")) if file.is_file()]
        broken = {file: words for file in files if (words := _why_no_code(file.read_text(errors="replace")))}
        for file, words in broken.items():
            name = file.relative_to(self.root).as_posix()
            yield fail("code", f"{name}: {words}", restoring(self.root, name, lambda text: not _why_no_code(text)))
        if not broken:
            yield ok("code", "every source file can be parsed")


class ParamsFile(Check):
    """params.yaml holds every parameter, and each has a valid value."""

    name = "params"
    subsets = ("ml-models", "data-check", "full-check")

    def findings(self) -> Iterator[Finding]:
        from src.base.errors import ParamsError
        from src.policy import load_policy

        file = self.root / "params.yaml"
        try:
            data = load_policy(file).data
        except ParamsError as error:
            words = f"{' '.join(str(error).split())}; mend that by hand, or take back the last that was right"
            yield fail(file.name, words, restoring(self.root, file.name, _are_params))
            return
        yield ok(file.name, f"{data.symbol}, {data.timeframe}, from {data.source}; every value can be")


class PipelineFiles(Check):
    """dvc.yaml declares what the stages made, and dvc.lock says of every stage what that was."""

    name = "pipeline-files"
    subsets = ("ml-models", "data-check", "full-check")

    def findings(self) -> Iterator[Finding]:
        definition, lock = (run_git(self.root, "show", f"HEAD:{name}").stdout for name in FILES)
        # A stage that the last commit does not have yet was never run.
        are_locked = partial(_wrong_lock, ran=set(_stages_of(definition)) & set(_stages_of(lock)))
        wrong = self._wrong("dvc.lock", are_locked)
        made = _made(lock) if wrong else _made((self.root / "dvc.lock").read_text(encoding="utf-8"))
        yield self._judge("dvc.yaml", partial(_wrong_definition, made=made), "")
        clear = f"{aside('dvc.lock')} && " if (self.root / "dvc.lock").exists() else ""
        yield self._judge("dvc.lock", are_locked, f"{clear}dvc repro")

    def _wrong(self, name: str, judge: Callable[[str], str]) -> str:
        file = self.root / name
        return judge(file.read_text(errors="replace")) if file.is_file() else "it is not there"

    def _judge(self, name: str, judge: Callable[[str], str], otherwise: str) -> Finding:
        """Judge a file; what brings it back is git, or else another command."""
        if wrong := self._wrong(name, judge):
            return fail(name, wrong, restoring(self.root, name, lambda text: not judge(text)) or otherwise)
        return ok(name, "it can be read")


class Pipeline(Check):
    """The outputs are what code and parameters make: DVC is asked."""

    name = "pipeline"
    requires = ("git", "dvc", "code", "params", "pipeline-files")
    subsets = ("full-check", "status")

    def findings(self) -> Iterator[Finding]:
        from dvc.exceptions import DvcException
        from dvc.repo import Repo

        try:
            with Repo(str(self.root)) as repo:
                stale = repo.status()
        except (DvcException, OSError) as error:
            # The last commit's were read before.
            changed = [name for name in FILES if not is_committed(self.root, name)]
            stash = f"git stash push --quiet -- {quoted(*changed)}" if changed else "dvc status --verbose"
            yield fail("pipeline", f"DVC cannot read it: {' '.join(str(error).split())}", stash)
            return
        if stale:
            words = f"not up to date: {', '.join(map(str, stale))} would run, and what follows"
            yield warn("pipeline", words, "dvc repro")
        else:
            yield ok("pipeline", "up to date: no stage would run")


def _why_no_code(text: str) -> str:
    """Say where Python cannot parse a text; empty if it can."""
    try:
        ast.parse(text)
    except (SyntaxError, ValueError) as error:
        return str(error)
    return ""


def _are_params(text: str) -> bool:
    """Tell whether this is a valid params.yaml."""
    import yaml
    from pydantic import ValidationError

    from src.policy import Policy

    try:
        Policy.model_validate(yaml.safe_load(text))
    except (ValidationError, yaml.YAMLError):
        return False
    return True


def _stages_of(text: str) -> dict[str, Any]:
    """Return the stages of dvc.yaml or dvc.lock by name; none of a text that holds none."""
    import yaml

    try:
        return dict(yaml.safe_load(text)["stages"])
    except (yaml.YAMLError, LookupError, TypeError, ValueError):
        return {}


def _made(lock: str) -> set[str]:
    """Return every file that a stage made, by the text of dvc.lock; none of one that is damaged."""
    from src.base.errors import DataError
    from src.repo.dvc_lock import parse_dvc_lock

    try:
        return set(parse_dvc_lock(lock).outs)
    except DataError:
        return set()


def _wrong_lock(text: str, ran: set[str]) -> str:
    """Say why this is no dvc.lock of the stages that ran; empty if it is one."""
    from src.base.errors import DataError
    from src.repo.dvc_lock import parse_dvc_lock

    try:
        missing = sorted(ran - set(parse_dvc_lock(text).stages))
    except DataError as error:
        return str(error)
    return f"it lacks {', '.join(missing)}, which ran before" if missing else ""


def _wrong_definition(text: str, made: set[str]) -> str:
    """Say why this is no dvc.yaml of a pipeline that made these files; empty if it is one."""
    import yaml

    try:
        stages = yaml.safe_load(text)["stages"].values()
        entries = [out for stage in stages for key in ("outs", "metrics", "plots") for out in stage.get(key) or []]
        without_cmd = [stage for stage in stages if not stage.get("cmd")]
    except (yaml.YAMLError, LookupError, TypeError, AttributeError) as error:
        return f"expected stages: {' '.join(str(error).split())}"
    declared = {next(iter(entry)) if isinstance(entry, dict) else entry for entry in entries}
    missing = sorted(made - declared)
    if missing or without_cmd:
        return f"it lacks {few(missing) or 'the cmd of a stage'}, which a stage made before: cut off?"
    return ""
