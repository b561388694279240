"""What people were told already: reports/alerts.json, when by the name of the alert."""

import json
from collections.abc import Mapping
from datetime import datetime

from btc_signal.times import read_utc, utc_text
from src.base import paths, storage
from src.base.errors import DataError, words_of
from src.base.line_log import reject, rejected

Told = Mapping[str, datetime]


class AlertMemory:
    """What was told, in a file, and where the disk takes nothing, as long as this process lives."""

    def __init__(self) -> None:
        self._unsaved: Told | None = None

    def read(self, now: datetime) -> tuple[Told, str]:
        """Return what was told, and in words what is left out because it is damaged; both may be empty.

        A time without a zone, or of a moment to come, would stop an alert for good, or for as long.
        """
        if self._unsaved is not None:
            return self._unsaved, ""
        try:
            content = paths.ALERTS.read_bytes()
        except FileNotFoundError:
            return {}, ""
        except OSError as error:  # told twice is better than never
            self._unsaved = {}
            return {}, f"what was told before is not known: {words_of(error)}"
        try:
            found = storage.parse_json(content, paths.relative(paths.ALERTS))
        except DataError:
            return {}, _refuse([content.strip(b"\n")])
        told = {name: moment for name, at in found.items() if (moment := _moment(name, at)) and moment <= now}
        return told, _refuse([json.dumps({name: at}).encode() for name, at in found.items() if name not in told])

    def write(self, told: Told) -> str:
        """Keep what was told; return why the disk did not take it, in words, or nothing."""
        try:
            storage.write_json({name: utc_text(at) for name, at in told.items()}, paths.ALERTS)
        except OSError as error:
            self._unsaved = told
            return f"what was told is remembered in this process only: {words_of(error)}"
        self._unsaved = None
        return ""


def _moment(name: str, at: object) -> datetime | None:
    """Read when an alert was told, None where the file was changed into what could not be written again."""
    try:
        name.encode()
        return read_utc(at)
    except ValueError:
        return None


def _refuse(parts: list[bytes]) -> str:
    """Keep what is damaged; say it once."""
    if not parts or not (new := reject(paths.ALERTS, parts)):
        return ""
    file, kept = paths.relative(paths.ALERTS), rejected(paths.ALERTS).name
    return f"warning: {file}: {len(new)} alerts had no time in UTC up to now; told anew, see {kept}"
