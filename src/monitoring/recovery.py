"""Automatic recovery: point the stage's link to the release before, once, and leave a note for a person.

The note is written first, and as long as it lies there nothing is done again: two bad releases must not be swapped for
each other all night.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from src import storage
from src.errors import ProjectError
from src.lifecycle.deploy import roll_back, served
from src.lifecycle.judgement import number
from src.policy import Monitor

NOTE = "recovered.json"


def breach(report: Mapping[str, Any], monitor: Monitor) -> str:
    """Say which limit of params.yaml asks for recovery; empty if none does."""
    floor, high = monitor.recover_f1_min, number(report["live"], "f1_score", "interval", 1)
    if floor is None or high is None or report["predictions"] < monitor.recover_rows_min or high >= floor:
        return ""
    return (
        f"the whole interval of the live weighted F1 lies below {floor:g}, up to {high:.4g} "
        f"over {report['predictions']:,} predictions"
    )


def recover(report: Mapping[str, Any], folder: Path, stage: str, monitor: Monitor, *, dry_run: bool) -> str:
    """Deploy the release before if a limit asks for it, verified; return what was or would be done, in words.

    Parameters
    ----------
    report
        A look of the monitor.
    folder
        As `python -m src deploy` made it.
    stage
        Whose link is replaced.
    monitor
        The limits.
    dry_run
        Only say it.

    Raises
    ------
    ProjectError
        If there is no release before, or it is not what its metadata say; then the stage serves as before.
    """
    why = breach(report, monitor)
    if not why:
        return ""
    note, version = folder / f"{stage}.{NOTE}", served(folder, stage)
    if note.exists():
        return f"recovery is asked ({why}), and was done before: look, then delete {note}"
    if version != report["version"]:
        return f"recovery is asked of {report['version']} ({why}), but {folder / stage} serves {version or 'nothing'}"
    if dry_run:
        return f"would deploy the release before {version}: {why}"
    storage.write_json({"from": version, "at": report["looked_at"], "why": why}, note)
    try:
        before = roll_back(folder, stage)
    except ProjectError:
        note.unlink()
        raise
    return f"{folder / stage} serves {before} again instead of {version}: {why}; look, then delete {note}"
