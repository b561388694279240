"""What `python -m src predict --log` wrote: one prediction a line, of one or more versions of the model."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from btc_signal.times import read_utc
from src.base import paths, storage
from src.base.errors import DataError

FIELDS = ("time", "probability", "decision", "model_version")


def read_log(file: Path) -> pd.DataFrame:
    """Read a log of predictions, oldest first, indexed by the bar's open time, UTC; increasing within a version.

    A last line that is not ended is being written, and left out. A prediction that was logged twice counts once.
    `DataError` names the line that is no prediction, or the two that contradict each other.
    """
    if not file.exists():
        msg = f"{paths.relative(file)}: there is no such log; `python -m src predict BARS --log {file}` writes one"
        raise DataError(msg)
    text = storage.read_bytes(file).decode(errors="replace")
    ended = text[: text.rfind("\n") + 1].splitlines()
    rows = [_row(line, f"{paths.relative(file)} line {number}") for number, line in enumerate(ended, start=1)]
    if not rows:
        msg = f"{paths.relative(file)}: holds no prediction yet; `python -m src predict --log` writes them"
        raise DataError(msg)
    log = pd.DataFrame(rows).drop_duplicates().sort_values("time", kind="stable")
    twice = log[log.duplicated(["time", "model_version"])]
    if len(twice):
        one = twice.iloc[0]
        twins = f"two different predictions of {one['model_version']} for {one['time']}"
        msg = f"{paths.relative(file)}: {twins}; expected one log for each bot"
        raise DataError(msg)
    return log.set_index("time")


def _row(line: str, where: str) -> dict[str, Any]:
    try:
        content = json.loads(line)
        row = {name: content[name] for name in FIELDS}
        row["time"] = read_utc(row["time"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        msg = f"{where}: expected a prediction with {', '.join(FIELDS)} ({error!r}); remove the line"
        raise DataError(msg) from error
    numbers = row["probability"], row["decision"]
    is_valid = all(type(number) in {int, float} for number in numbers) and 0 <= numbers[0] <= 1 and numbers[1] in {0, 1}
    version = row["model_version"]
    if row["time"] is None or not isinstance(version, str) or not version.isprintable() or not is_valid:
        msg = f"{where}: expected time, probability from 0 to 1, decision 0 or 1, printable version; got {line[:100]}"
        raise DataError(msg)
    return row
