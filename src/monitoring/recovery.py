"""Automatic recovery: point the stage's link to the release before, once, and leave a note for a person.

The note is written first, as an intent. The recovery is done once the link has moved; until then every look tries
again. As long as the note of a recovery that was done lies there, no other one begins: two bad releases must not be
swapped for each other all night.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from src.base import storage
from src.base.errors import DataError, ProjectError, PromotionError, words_of
from src.policy import Monitor
from src.release.deploy import PREVIOUS, roll_back, served
from src.verdict.finding import number

NOTE = "recovered.json"
WANTED, DONE = "wanted", "done"


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

    `ProjectError` if there is no release before, it is not what its metadata say, or the disk takes neither note nor
    link; then the stage serves as before, and the next look retries.
    """
    if monitor.recover_f1_min is None:
        return ""
    note, version = folder / f"{stage}.{NOTE}", served(folder, stage)
    intent = _read(note)
    is_done = intent is not None and _has_moved(intent, version)
    if intent is not None and is_done and not dry_run:
        _write_outcome(intent, note)
    if not (why := breach(report, monitor)):
        return ""
    if is_done:
        return f"recovery is asked ({why}), and was done before: look, then delete {note}"
    if version != report["version"]:
        return f"recovery is asked of {report['version']} ({why}), but {folder / stage} serves {version or 'nothing'}"
    if dry_run:
        return f"would deploy the release before {version}: {why}"
    wanted = {"state": WANTED, "from": version, "to": served(folder, stage + PREVIOUS)}
    if intent is None or not wanted.items() <= intent.items():
        intent = wanted | {"at": report["looked_at"], "why": why}
        try:
            storage.write_json(intent, note)
        except OSError as error:
            msg = f"{note} cannot be written ({words_of(error)}); nothing was changed, mend that"
            raise PromotionError(msg) from error
    _go_back(folder, stage, intent, note)
    return f"{folder / stage} serves {wanted['to']} again instead of {version}: {why}; look, then delete {note}"


def _go_back(folder: Path, stage: str, intent: Mapping[str, Any], note: Path) -> None:
    """Move the link, then write the outcome; an error counts only if the link has not moved, whoever moved it."""
    try:
        roll_back(folder, stage, away_from=intent["from"])
    except ProjectError:
        if not _has_moved(intent, served(folder, stage)):
            note.unlink(missing_ok=True)
            raise
    except OSError as error:
        if not _has_moved(intent, served(folder, stage)):
            msg = f"{folder / stage} still serves {intent['from']} ({words_of(error)}); mend that"
            raise PromotionError(msg) from error
    _write_outcome(intent, note)


def _read(note: Path) -> dict[str, Any] | None:
    """Return what a note says, None if there is none; `PromotionError` if it is not one."""
    if not os.path.lexists(note):
        return None
    try:
        # To open a pipe would wait for whoever writes to it.
        intent = storage.read_json(note) if note.is_file() else {}
        _ = intent["from"]
    except (DataError, KeyError) as error:
        msg = f"{note}: expected the note of a recovery, which cannot be read; look what is served, then delete it"
        raise PromotionError(msg) from error
    return intent


def _has_moved(intent: Mapping[str, Any], version: str | None) -> bool:
    """Tell whether a recovery was done, by the link; up to 1.5.0 a note did not say where to."""
    if intent.get("state") == DONE:
        return True
    return version == intent["to"] if "to" in intent else version != intent["from"]


def _write_outcome(intent: Mapping[str, Any], note: Path) -> None:
    """Say in the note that it was done; on a full disk the moved link shows that, and the next look writes it."""
    if intent.get("state") != DONE:
        with suppress(OSError):
            storage.write_json({**intent, "state": DONE}, note)
