"""What people write: the code, params.yaml, dvc.yaml and dvc.lock, each read as its reader will; nothing runs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from src.base.errors import DataError, ParamsError
from src.doctor.check import Check, aside, fail, ok, restoring
from src.doctor.dvc import WRITTEN
from src.repo.git import run_git
from src.verdict.finding import Finding, few

PACKAGES = ("btc_signal", "src")
MADE = ("outs", "metrics", "plots")


class Code(Check):
    """Every source file can be parsed; nothing is imported."""

    name = "code"

    def findings(self) -> Iterator[Finding]:
        broken = []
        for file in sorted(file for own in PACKAGES for file in (self.root / own).rglob("*.py")):
            try:
                # A pipe would let the reader wait for ever.
                ast.parse(file.read_bytes() if file.is_file() else "")
            except (SyntaxError, ValueError) as error:
                name = file.relative_to(self.root).as_posix()
                broken.append(fail("code", f"{name}: {error}", restoring(self.root, name)))
        yield from broken or [ok("code", "every source file can be parsed")]


class ParamsFile(Check):
    """params.yaml holds every parameter, and each has a valid value."""

    name = "params"
    subsets = ("ml-models", "data-check", "full-check")

    def findings(self) -> Iterator[Finding]:
        from src.policy import load_policy

        file = self.root / "params.yaml"
        try:
            data = load_policy(file).data
        except ParamsError as error:
            words = f"{' '.join(str(error).split())}; mend that by hand, or take back the last that was right"
            yield fail(file.name, words, restoring(self.root, file.name))
        else:
            yield ok(file.name, f"{data.symbol}, {data.timeframe}, from {data.source}; every value is valid")


class PipelineFiles(Check):
    """dvc.yaml declares what the stages made, and dvc.lock says of every stage what that was."""

    name = "pipeline-files"
    subsets = ("ml-models", "data-check", "full-check")

    def findings(self) -> Iterator[Finding]:
        files = [self.root / name for name in WRITTEN]
        texts = [file.read_text(errors="replace") if file.is_file() else "" for file in files]
        kept = [run_git(self.root, "show", f"HEAD:{name}").stdout for name in WRITTEN]
        # A stage that the last commit does not have yet was never run.
        locked = _why_not_locked(texts[1], set(_stages(kept[0])) & set(_stages(kept[1])))
        # Where dvc.lock is broken, too, the last commit tells what the stages made.
        defined = _why_not_defined(texts[0], _stages(kept[1] if locked else texts[1]))
        for file, wrong, again in zip(files, (defined, locked), ("", "dvc repro"), strict=True):
            if not file.is_file():
                yield fail(file.name, "it is not there", restoring(self.root, file.name) or again)
            elif wrong:
                anew = again and f"{aside(file.name)} && {again}"
                yield fail(file.name, wrong, restoring(self.root, file.name) or anew)
            else:
                yield ok(file.name, "it can be read")


def _stages(text: str) -> dict[str, Any]:
    """Return the stages of dvc.yaml or dvc.lock by name; none of a text that holds none."""
    import yaml

    try:
        return dict(yaml.safe_load(text)["stages"])
    except (yaml.YAMLError, LookupError, TypeError, ValueError):
        return {}


def _why_not_locked(text: str, ran: set[str]) -> str:
    """Say why this is no dvc.lock of the stages that ran; empty if it is one."""
    from src.repo.dvc_lock import parse_dvc_lock

    try:
        missing = sorted(ran - set(parse_dvc_lock(text).stages))
    except DataError as error:
        return str(error)
    return f"it lacks {', '.join(missing)}, which ran before" if missing else ""


def _why_not_defined(text: str, locked: dict[str, Any]) -> str:
    """Say why this is no dvc.yaml of the stages in dvc.lock; empty if it is one."""
    import yaml

    try:
        stages = yaml.safe_load(text)["stages"].values()
        entries = [out for stage in stages for key in MADE for out in stage.get(key) or [] if stage["cmd"]]
    except (yaml.YAMLError, LookupError, TypeError, AttributeError) as error:
        return f"expected stages with a cmd: {' '.join(str(error).split())}"
    declared = {next(iter(entry)) if isinstance(entry, dict) else entry for entry in entries}
    missing = [out["path"] for stage in locked.values() for out in stage["outs"] if out["path"] not in declared]
    return f"it lacks {few(missing)}, which a stage made before: cut off?" if missing else ""
