"""DVC's memory of what its stages made of what: a small file for each run, which names the run's outputs."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import yaml

from src.base import paths
from src.repo.dvc_lock import LockedStage
from src.repo.manifests import MD5


class Run(NamedTuple):
    """One run as DVC remembers it, and the outputs that it made, by md5."""

    file: Path
    made: frozenset[str]


def remembered_runs(folder: Path, kept: set[str]) -> Iterator[Run]:
    """Yield the runs of this repository's own cache that name more than is kept; none of a cache that others share."""
    if not folder.resolve().is_relative_to(paths.ROOT.resolve()):
        return
    for file in sorted(folder.glob("??/*/*")):
        try:
            text = file.read_text(encoding="utf-8")
            if not kept.issuperset(MD5.findall(text)):
                yield Run(file, frozenset(out.md5 for out in LockedStage.model_validate(yaml.safe_load(text)).outs))
        except (yaml.YAMLError, ValueError, RecursionError):
            continue  # DVC removes it when it comes upon it


def forget(run: Run) -> None:
    """Let DVC forget a run; the last one of a folder goes with it in one step, as DVC fails on an empty folder."""
    folder = run.file.parent
    if any(file != run.file for file in folder.iterdir()):
        run.file.unlink()
        return
    # A killed process leaves it where the next look at the runs finds it.
    aside = folder.with_name(f"{folder.name}.old")
    shutil.rmtree(aside, ignore_errors=True)
    folder.rename(aside)
    shutil.rmtree(aside)
