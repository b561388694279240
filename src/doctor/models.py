"""The promoted model: its metadata, and whether the files are those that the metadata describe."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from btc_signal.bundle import FILES, read_metadata, sha256
from btc_signal.ensemble import ProductionEnsemble
from btc_signal.signature import check_signature
from src.base import paths, storage
from src.base.errors import ModelError
from src.doctor.finding import Line, fail, ok, warn
from src.doctor.pipeline_outputs import GOOD, read_outputs
from src.doctor.shell import N_COMMITS_SEARCHED, aside, git, is_committed, quoted, restoring

METADATA, MODELS = (paths.relative(path) for path in (paths.METADATA, paths.PRODUCTION))


def check(root: Path) -> Iterator[Line]:
    """Read the metadata, then verify the files against them and ask the model its known answers."""
    if not (root / METADATA).exists() and not git(root, "log", "-1", "--format=%h", "--", METADATA).out.strip():
        yield warn("metadata", "no model was promoted yet", "python -m src promote")
        return
    try:
        metadata = read_metadata(root / METADATA)
    except ModelError as error:
        yield fail("metadata", str(error), restoring(root, METADATA, _are_metadata))
        return
    if (root / ".git").exists() and not _was_committed(root):
        words = f"{METADATA} is not what any commit holds; only a promotion writes it"
        yield fail("metadata", words, restoring(root, METADATA, _are_metadata))
        return
    yield ok("metadata", f"version {metadata['version']} describes {len(FILES)} files")
    yield from _bundle(root, metadata)


def _bundle(root: Path, metadata: dict[str, Any]) -> Iterator[Line]:
    """Verify the files; a candidate that waits for its promotion is no damage."""
    version, folder = metadata["version"], root / MODELS
    wrong = [name for name in FILES if _digest(folder / name) != metadata["files"][name]["sha256"]]
    if not wrong:
        try:
            check_signature(storage.read_bytes(folder / paths.METADATA.name), folder, version)
        except ModelError as error:
            yield fail("signature", str(error), "git pull --ff-only")
            return
        try:
            model = ProductionEnsemble.load(folder)
        except ModelError as error:
            yield fail("model", str(error), "dvc repro")
            return
        yield ok("model", f"version {model.get_model_info()['version']}, every sha256 right, known answers the same")
        return
    as_locked = {output.name for output in read_outputs(root) if output.file == GOOD}
    names = [f"{MODELS}/{name}" for name in wrong]
    if set(names) <= as_locked:
        words = f"a candidate lies where version {version} was, so nothing can be served from here until it is promoted"
        yield warn("model", words, "python -m src promote")
    else:
        words = f"{', '.join(names)} is missing or not version {version}, and is refused"
        joined = quoted(*names)
        damaged = [name for name in names if (root / name).exists()]
        again = f"dvc checkout {joined} || dvc pull {joined} || dvc repro"
        yield fail("model", words, f"{aside(*damaged)} && {{ {again}; }}" if damaged else again)


def _digest(file: Path) -> str:
    return sha256(storage.read_bytes(file)) if file.is_file() else ""


def _was_committed(root: Path) -> bool:
    """Tell whether a commit of late holds these very metadata: they may have been brought back from there."""
    if is_committed(root, METADATA):
        return True
    commits = git(root, "log", f"-{N_COMMITS_SEARCHED}", "--format=%h", "--", METADATA).out.split()
    text = (root / METADATA).read_text(encoding="utf-8")
    return any(git(root, "show", f"{commit}:{METADATA}").out == text for commit in commits)


def _are_metadata(text: str) -> bool:
    """Tell whether this is what a promotion writes."""
    try:
        content = json.loads(text)
    except ValueError:
        return False
    return isinstance(content, dict) and {"version", "files", "smoke_test", "version_control"} <= set(content)
