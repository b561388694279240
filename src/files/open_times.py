"""Which column has the time at which a bar opened, and in what zone."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from src.bars.schema import usual_step
from src.base.errors import truncate
from src.files.clock import DAY_US, Times, read_times
from src.files.columns import Columns
from src.files.roles import zone_in

CLOCK = r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?(\s?[AaPp][Mm])?"
# Part of the Japanese words for prices, which Chinese writes otherwise.
JAPANESE = "値"
# A close time may be the last instant of its bar, in whole seconds or finer.
LAST_INSTANTS = (0, 1, 1_000, 1_000_000)


class OpenTimes(NamedTuple):
    """Open times in UTC, the columns that they were read from, and the places of rows whose time is none."""

    moments: pd.DatetimeIndex
    called: str
    places: list[int]
    wrong: np.ndarray


def open_times(columns: Columns, asked: int | None, unnamed: list[int]) -> OpenTimes | None:
    """Find the open times, and bring them into UTC; problems and doubts go to what is found."""
    roles, found = columns.roles, columns.found
    if asked is not None:
        return _in_utc(columns, [asked], read_times(columns.column(asked)))
    places = roles.open_times or roles.times or [place for place in unnamed if _may_be_times(columns, place)]
    if not places:
        what = ", ".join(columns.called(place) for place in roles.close_times)
        words = f"only close times ({what})" if what else "missing column time"
        found.refuse(f"{words}, expected when each bar opens; the header has {columns.header}; data.columns names it")
        return None
    if len(places) > 1 and (both := _date_and_clock(columns, places)):
        return _in_utc(columns, both, _joined(columns, *both))
    read = {place: read_times(columns.column(place)) for place in places}
    return _agreed(columns, read)


def _may_be_times(columns: Columns, place: int) -> bool:
    times = read_times(columns.column(place))
    return not len(times.wrong)


def _date_and_clock(columns: Columns, places: list[int]) -> list[int] | None:
    """Return the places of a date and of the time of day that stands beside it."""
    cells = {place: columns.raw.cells(place) for place in places}
    clocks = [place for place in places if cells[place] and _are_clocks(cells[place])]
    dates = [place for place in places if place not in clocks and not any(":" in cell[10:] for cell in cells[place])]
    return [dates[0], clocks[0]] if clocks and dates else None


def _are_clocks(cells: list[str]) -> bool:
    series = pd.Series(cells)
    return bool(series.str.fullmatch(CLOCK).all() or (series.str.fullmatch(r"\d{1,6}").all() and len(set(cells)) > 1))


def _joined(columns: Columns, date: int, clock: int) -> Times:
    """Read a date and a time of day together."""
    day, hour = (columns.column(place) for place in (date, clock))
    days = (day.cast(pa.date32()) if pa.types.is_timestamp(day.type) else day).cast(pa.string()).to_pandas()
    hours = hour.cast(pa.string()).to_pandas()
    if pa.types.is_integer(hour.type):
        width = 6 if int(pd.to_numeric(hours).max()) >= 2400 else 4  # noqa: PLR2004 - 23:59 as 2359
        hours = hours.str.zfill(width)
    return read_times(pa.chunked_array([pa.array(days + " " + hours, type=pa.string(), from_pandas=True)]))


def _agreed(columns: Columns, read: dict[int, Times]) -> OpenTimes:
    """Of several columns of times take the opens; if two disagree otherwise, ask which it is."""
    places = sorted(read, key=lambda place: (not _is_readable(read[place]), not read[place].zoned, place))
    chosen = places[0]
    for other in places[1:]:
        apart = read[other].micros - read[chosen].micros
        good = np.ones(len(apart), dtype=bool)
        good[read[other].wrong] = good[read[chosen].wrong] = False
        apart = apart[good]
        if not len(apart) or not apart.any() or _is_day_of(read[other], read[chosen], good):
            continue
        names = f"{columns.called(chosen)} and {columns.called(other)}"
        if (apart == apart[0]).all() and _is_length_of_bars(read[chosen].micros[good], abs(int(apart[0]))):
            chosen = chosen if apart[0] > 0 else other
            columns.found.notes.append(f"of {names} the one with the opens is taken, {columns.called(chosen)}")
            continue
        if other in columns.roles.open_times and _lies_inside(read[chosen].micros[good], apart):
            columns.found.notes.append(
                f"{columns.called(other)} lies inside the bars that {columns.called(chosen)} opens"
            )
            continue
        first = int(np.flatnonzero(good)[np.flatnonzero(apart)[0]])
        shown = " and ".join(str(columns.column(place)[first]) for place in (chosen, other))
        words = f"two columns of times disagree, {names}: row {first + 1} has {shown}"
        columns.found.refuse(f"{words}; data.columns names the opens", columns={"time": columns.called(chosen)})
    return _in_utc(columns, [chosen], read[chosen])


def _is_readable(times: Times) -> bool:
    return len(times.wrong) < len(times.micros)


def _is_day_of(days: Times, times: Times, good: np.ndarray) -> bool:
    """Tell whether these are the days of those times."""
    return bool((days.micros[good] == times.micros[good] // DAY_US * DAY_US).all())


def _is_length_of_bars(micros: np.ndarray, apart: int) -> bool:
    """Tell whether moments so far apart are open and close of one bar."""
    return any(usual_step(micros) - apart == instant for instant in LAST_INSTANTS)


def _lies_inside(micros: np.ndarray, apart: np.ndarray) -> bool:
    """Tell whether moments lie inside the bars that open at these times, as that of a bar's first trade does."""
    return bool(((apart >= 0) & (apart < usual_step(micros))).all())


def _in_utc(columns: Columns, places: list[int], times: Times) -> OpenTimes:
    """Bring times into UTC; a problem if their zone is not known, or a change of the clock makes a row ambiguous."""
    found, data = columns.found, columns.data
    called = " and ".join(columns.called(place) for place in places)
    wrong = times.wrong
    if len(told := np.setdiff1d(wrong, columns.blank)):
        cells = [columns.column(place)[int(told[0])].as_py() for place in places]
        shown = "" if None in cells or "" in cells else f" {truncate(' '.join(map(str, cells)), 60)!r}"
        more = f"; {len(told) - 1:,} more are so" if len(told) > 1 else ""
        found.refuse(f"row {told[0] + 1}: {called}{shown} {times.why}{more}")
    moments = pd.DatetimeIndex(times.micros.view("datetime64[us]"))
    if times.zoned:
        found.notes.append(f"{called}: {times.words}")
        return OpenTimes(moments.tz_localize("UTC"), called, places, wrong)
    if len(wrong) == len(times.micros):
        return OpenTimes(moments.tz_localize("UTC"), called, places, wrong)
    zone = data.time_zone or next((zone for place in places if (zone := zone_in(columns.names[place]))), None)
    if zone is None:
        guess = times.suggested or ("Asia/Tokyo" if JAPANESE in columns.header else "UTC")
        words = f"{called} has no time zone (row 1 is {_first_cell(columns, places)}); data.time_zone says it"
        found.refuse(f"{words}: UTC, Asia/Tokyo, America/New_York or another", time_zone=guess)
        found.warnings.append(f"the time zone {guess} is a guess: set data.time_zone to the one that the file is in")
        zone = guess
    found.notes.append(f"{called}: {times.words}, in {zone}")
    local = moments.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    unclear = np.setdiff1d(np.flatnonzero(local.isna()), wrong)
    if len(unclear):
        more = f"; {len(unclear) - 1:,} more are so" if len(unclear) > 1 else ""
        words = f"row {unclear[0] + 1}: {moments[unclear[0]]} is twice or never on the clocks of {zone}"
        found.refuse(f"{words}, which were changed then{more}; write these times in UTC")
    return OpenTimes(local.tz_convert("UTC"), called, places, np.union1d(wrong, unclear).astype(int))


def _first_cell(columns: Columns, places: list[int]) -> str:
    head = columns.raw.head
    return " ".join(head[0][place] for place in places) if head else "none"
