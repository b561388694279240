"""The next window of bars: data.end moves to the newest closed bar, and data.start follows if params.yaml says so."""

from datetime import datetime, timedelta
from pathlib import Path

from btc_signal.times import utc_text
from src.base import paths, storage
from src.base.errors import DataError
from src.base.params import Data
from src.base.yaml_lines import Location, replace_scalars
from src.policy import load_policy
from src.sources.source import SOURCES


def move_window(root: Path, end: datetime | None, now: datetime) -> Data:
    """Write the next window into the params.yaml of a work tree and return its section; nothing else in it changes.

    `end` is the new data.end, UTC; None: the last midnight of an exchange, the end of the last bar of a file.
    `DataError` if it lies before the end of the present window, `ParamsError` if the new window cannot be.
    """
    file = root / paths.PARAMS.name
    params = load_policy(file)
    data, days = params.data, params.retrain.window_days
    if end is not None and data.end is not None and end < data.end:
        expected = f"expected an end at or after data.end, {utc_text(data.end)}, got {utc_text(end)}"
        msg = f"{expected}; `rollback` brings an earlier model back"
        raise DataError(msg)
    newest = end or SOURCES[data.source].newest_close(data, now)
    closes = newest if data.end is None else max(newest, data.end)
    start = data.start if days is None else closes - timedelta(days=days)
    # A window without an end goes on without one.
    window = {"start": start, "end": None if end is None and data.end is None else closes}
    values: dict[Location, str] = {
        ("data", key): f'"{utc_text(moment)}"' for key, moment in window.items() if moment is not None
    }
    storage.write_bytes(replace_scalars(file.read_text(encoding="utf-8"), file.name, values).encode(), file)
    return load_policy(file).data
