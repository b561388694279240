"""What `python -m src predict --log` wrote: one prediction a line, of one or more versions of the model."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from btc_signal.bar import EARLIEST
from btc_signal.times import read_utc, utc_text
from src.base import paths
from src.base.errors import DataError
from src.base.foreign_text import one_line
from src.base.line_log import newest_lines, reject, rejected

FIELDS = ("time", "probability", "decision", "model_version")
# No zone is further ahead. A line up to here may come of a wrong clock, which is an alert; one beyond is damaged.
AHEAD_MAX = timedelta(days=1)
N_NAMED = 3

Row = dict[str, Any]


def read_log(file: Path, n_rows: int, now: datetime, say: Callable[[str], object]) -> pd.DataFrame:
    """Read the newest predictions of a log, oldest first, indexed by the bar's open time, UTC.

    So many of the version that predicted last, and with them those of other versions in between; increasing within a
    version. What is no prediction, is of a bar to come, or contradicts an earlier line, is left out: `say` has it once,
    and FILE.rejected keeps it. The last line is left out if it has no end. `DataError` if no prediction is left.
    """
    if not file.is_file():
        msg = f"{paths.relative(file)}: there is no such log; `python -m src predict BARS --log {file}` writes one"
        raise DataError(msg)
    rows, refused = _newest_rows(file, n_rows, now)
    if not rows:
        seen = "; ".join(list(refused.values())[:1]) or "`python -m src predict --log` writes them"
        msg = f"{paths.relative(file)}: holds no prediction yet; {seen}"
        raise DataError(msg)
    if new := reject(file, list(refused)):
        named = "; ".join(one_line(refused[line], 300) for line in new[:N_NAMED])
        more = f"; and {len(new) - N_NAMED} more" if len(new) > N_NAMED else ""
        say(f"warning: {paths.relative(file)}: {len(new)} lines left out, see {rejected(file).name}: {named}{more}")
    log = pd.DataFrame(rows[::-1]).sort_values("time", kind="stable")
    return log.set_index("time")


def _newest_rows(file: Path, n_rows: int, now: datetime) -> tuple[list[Row], dict[bytes, str]]:
    """Return predictions, newest line first, and the lines that are refused, with the reason."""
    rows, lines, refused = dict[tuple[str, datetime], Row](), dict[tuple[str, datetime], bytes](), dict[bytes, str]()
    found, last = Counter[str](), None
    for at, line in newest_lines(file):
        if not line.strip():
            continue
        try:
            row = _row(line, now)
        except ValueError as error:
            refused[line] = f"at byte {at:,}: {error}"
            continue
        key = row["model_version"], row["time"]
        if key not in rows:
            found[row["model_version"]] += 1
            last = max(last or key, key, key=lambda one: one[1])
        elif rows[key] != row:  # what was said first counts
            refused[lines[key]] = f"after byte {at:,}: another prediction of {key[0]} for {utc_text(key[1])}"
        rows[key], lines[key] = row, line
        if last and found[last[0]] >= n_rows:
            break
    return list(rows.values()), refused


def _row(line: bytes, now: datetime) -> Row:
    """Read one line; `ValueError` says what is wrong with it."""
    try:
        content = json.loads(line)
        row = {name: content[name] for name in FIELDS}
        time = row["time"] = read_utc(row["time"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        msg = f"expected a prediction with {', '.join(FIELDS)} ({error!r})"
        raise ValueError(msg) from error
    numbers = row["probability"], row["decision"]
    is_valid = all(type(number) in {int, float} for number in numbers) and 0 <= numbers[0] <= 1 and numbers[1] in {0, 1}
    version = row["model_version"]
    if time is None or not isinstance(version, str) or not version.isprintable() or not is_valid:
        came = line[:100].decode(errors="replace")
        msg = f"expected time, probability from 0 to 1, decision 0 or 1, printable version; got {came}"
        raise ValueError(msg)
    if not EARLIEST <= time <= now + AHEAD_MAX:
        msg = f"expected the time of a bar from 2009 to {utc_text(now)}, which is now; got {utc_text(time)}"
        raise ValueError(msg)
    return row
