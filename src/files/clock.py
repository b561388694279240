"""Times as files write them, as microseconds since 1970: with their zone, or without one."""

import re
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from btc_signal.bar import EARLIEST, LATEST
from src.base.errors import truncate

MICROS = {"seconds": 1_000_000, "milliseconds": 1_000, "microseconds": 1, "nanoseconds": 0.001}
FIRST, LAST = (int(moment.timestamp()) for moment in (EARLIEST, LATEST))
# A date written without signs, by its length: not an epoch, though ten digits could be taken for one.
DIGITS = {8: "YYYYMMDD", 10: "YYYYMMDDHH", 12: "YYYYMMDDHHMM", 14: "YYYYMMDDHHMMSS"}
DAY_US = 86_400_000_000
MINUTE_US = 60_000_000
MONTHS = {
    name: month
    for month, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
    )
}
ABBREVIATED = {
    "JST": "Asia/Tokyo",
    "KST": "Asia/Seoul",
    "CET": "Europe/Berlin",
    "CEST": "Europe/Berlin",
    "EST": "America/New_York",
    "EDT": "America/New_York",
    "CST": "America/Chicago",
    "PST": "America/Los_Angeles",
}
_ZONE = r"(?P<zone>Z|(?:UTC|GMT)?[+-]\d{1,2}(?::?\d{2})?|UTC|GMT|[A-Z]{3,4})?"
_CLOCK = (
    r"(?:(?P<hour>\d{1,2})(?:(?:[:時-]|(?<=\d\d)(?=\d\d))(?P<minute>\d{2})(?:[:分]?(?P<second>\d{2})(?P<part>[.,]\d{1,9})?)?)?"
    r"[時分秒]?[\s-]*(?P<half>[AP]M)?)?"
)
_TEXT = (
    rf"^(?:(?P<year>\d{{4}})[-/.年]\s?(?P<month>\d{{1,2}})[-/.月]\s?(?P<day>\d{{1,2}})日?"
    rf"|(?P<compact>\d{{8}})"
    rf"|(?P<first>\d{{1,2}})(?P<sign>[-/.])(?P<second_number>\d{{1,2}})[-/.](?P<year_last>\d{{4}})"
    rf"|(?P<name>[A-Z]{{3}})[A-Z]*\.?\s(?P<day_named>\d{{1,2}}),?\s(?P<year_named>\d{{4}})"
    rf"|(?:[A-Z]{{3}},\s)?(?P<day_before>\d{{1,2}})[\s-](?P<name_after>[A-Z]{{3}})[A-Z]*\.?[\s-](?P<year_after>\d{{4}}))"
    rf"(?:[T\s_]+|$|,\s)?{_CLOCK}\s*{_ZONE}(?:\[[\w/]+\])?$"
)
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?")
_TWO_DIGIT_YEAR = re.compile(r"\d{1,2}([-/.])\d{1,2}\1\d{2}(?!\d)")
# Days of a spreadsheet count from here, so that those of 2009 to 2100 are far below any epoch.
SPREADSHEET_DAY_0 = -25_569
DAY_S = 86_400
EXAMPLE = "2019-10-17T06:00:00Z"
OUTSIDE = f"lies outside {EARLIEST.year} to {LATEST.year}; seconds may be taken for milliseconds there"
NO_EPOCH = f"is no epoch of 2009 to 2100, in seconds, milliseconds or finer; write it as {EXAMPLE}"
MISSING = "is missing; give it, or remove the row"


class Times(NamedTuple):
    """Microseconds since 1970 of each row, in UTC if `zoned`, else on an unknown clock; in words what they are.

    `wrong` are the places of rows that could not be read, `why` says of them what is wrong. `suggested` is the zone
    that naive times hint at.
    """

    micros: np.ndarray
    zoned: bool
    words: str
    wrong: np.ndarray
    why: str
    suggested: str = ""


def read_times(column: pa.ChunkedArray) -> Times:
    """Read a column of times, whatever its type."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_timestamp(kind):
        micros = column.cast(pa.timestamp("us", kind.tz), safe=False)
        words = f"moments with the zone {kind.tz}" if kind.tz else "times without a zone"
        return _with_absent(micros.cast(pa.int64()), words, zoned=bool(kind.tz))
    if pa.types.is_date(kind):
        days = column.cast(pa.timestamp("us")).cast(pa.int64())
        return _with_absent(days, "days without a zone", zoned=False)
    if pa.types.is_decimal(kind):
        return _from_numbers(column.cast(pa.float64()))
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return _from_numbers(column)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _from_text(column)
    none = np.zeros(len(column), dtype=np.int64)
    return Times(none, True, f"{kind}", np.arange(len(column)), f"is of type {kind}, expected a time")  # noqa: FBT003


def _with_absent(column: pa.ChunkedArray, words: str, *, zoned: bool) -> Times:
    absent = column.is_null().to_numpy()
    micros = column.fill_null(0).to_numpy()
    wrong = np.flatnonzero(absent | _outside(micros))
    return Times(micros, zoned, words, wrong, MISSING if len(wrong) and absent[wrong[0]] else OUTSIDE)


def _outside(micros: np.ndarray) -> np.ndarray:
    """Tell which moments lie before Bitcoin or far ahead."""
    return (micros < FIRST * 1_000_000) | (micros >= LAST * 1_000_000)


def _from_numbers(column: pa.ChunkedArray) -> Times:
    """Tell the unit of each epoch by its size: the ranges of 2009 to 2100 do not meet."""
    absent = column.is_null().to_numpy()
    values = (column.fill_null(0) if column.null_count else column).to_numpy()
    if (form := _digits_form(values[~absent])) is not None:
        wrong = np.flatnonzero(~absent)
        why = f"is a date written as {form}, not an epoch; write it as {EXAMPLE}"
        return Times(np.zeros(len(values), dtype=np.int64), True, f"dates as {form}", wrong, why)  # noqa: FBT003
    if (days := _spreadsheet_days(values, absent)) is not None:
        return days
    micros, known, units = np.zeros(len(values), dtype=np.int64), np.zeros(len(values), dtype=bool), []
    for unit, factor in MICROS.items():
        scale = 1_000_000 / factor
        inside = ~absent & (values >= FIRST * scale) & (values < LAST * scale)
        if inside.all():
            return Times(_in_micros(values, unit), True, f"epoch {unit}", np.flatnonzero(absent), "")  # noqa: FBT003
        if inside.any():
            units.append(unit)
            known |= inside
            micros[inside] = _in_micros(values[inside], unit)
    words = f"epoch {' and '.join(units) or 'of no known unit'}"
    wrong = np.flatnonzero(~known)
    return Times(micros, True, words, wrong, MISSING if len(wrong) and absent[wrong[0]] else NO_EPOCH)  # noqa: FBT003


def _spreadsheet_days(values: np.ndarray, absent: np.ndarray) -> Times | None:
    """Read days and their fractions as spreadsheets count them, to the second; None if these are none."""
    seconds = np.rint((np.where(absent, 0, values) + SPREADSHEET_DAY_0) * DAY_S)
    if absent.all() or not (absent | ((seconds >= FIRST) & (seconds < LAST))).all():
        return None
    micros, wrong = seconds.astype(np.int64) * 1_000_000, np.flatnonzero(absent)
    return Times(micros, False, "days of a spreadsheet without a zone", wrong, MISSING)  # noqa: FBT003


def _in_micros(values: np.ndarray, unit: str) -> np.ndarray:
    """Return epochs of a unit in microseconds; whole numbers stay exact."""
    if unit == "nanoseconds":
        return (values // 1_000).astype(np.int64)
    if np.issubdtype(values.dtype, np.integer):
        return values.astype(np.int64, copy=False) * MICROS[unit]
    return np.rint(values * MICROS[unit]).astype(np.int64)


def _digits_form(values: np.ndarray) -> str | None:
    """Return the form of dates that are written as one number, if all are; no epoch looks so before 2033."""
    if not len(values) or not np.isfinite(values[0]) or values[0] <= 0:
        return None
    n_digits = len(f"{int(values[0])}")
    form = DIGITS.get(n_digits)
    if form is None or not EARLIEST.year <= int(values[0]) // 10 ** (n_digits - 4) < LATEST.year:
        return None
    if (values % 1 != 0).any() or (values < 0).any():
        return None
    days, clock = np.divmod(values.astype(np.int64), 10 ** (n_digits - 8))
    year, month, day = days // 10_000, days // 100 % 100, days % 100
    looks = (year >= EARLIEST.year) & (year < LATEST.year) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)  # noqa: PLR2004
    hour = clock // 10 ** max(n_digits - 10, 0)
    return form if (looks & (hour <= 24)).all() else None  # noqa: PLR2004 - of a day


def _from_text(column: pa.ChunkedArray) -> Times:
    """Read text: numbers as epochs, else dates with or without a clock and a zone, in unambiguous forms."""
    text = pc.utf8_trim_whitespace(column)
    series = text.to_pandas()
    first = next((cell for cell in series if isinstance(cell, str) and cell), "")
    if _NUMBER.fullmatch(first):
        numbers = pa.array(pd.to_numeric(series, errors="coerce"), from_pandas=True)
        times = _from_numbers(pa.chunked_array([numbers]))
        at = times.wrong[0] if len(times.wrong) else 0
        return times._replace(why=NO_EPOCH) if times.why == MISSING and isinstance(series.iloc[at], str) else times
    found = series.str.extract(_TEXT, flags=re.ASCII | re.IGNORECASE)
    date_us, why = _days(found)
    clock_us = _clock(found)
    zone = found["zone"].str.upper()
    offset, is_zoned = _offsets(zone)
    unread = np.isnan(date_us) | np.isnan(clock_us)
    wrong = unread | _outside(date_us)
    readable = ~wrong
    named = zone[readable & zone.notna() & ~is_zoned]
    has_offset = bool(is_zoned[readable].any()) and bool((is_zoned[readable]).mean() >= 0.5)  # noqa: PLR2004 - most
    odd = readable & (is_zoned != has_offset)
    micros = np.nan_to_num(date_us + clock_us - (offset if has_offset else 0.0)).astype(np.int64)
    if wrong.any():
        at = int(np.argmax(wrong))
        why = _why_unread(series.iloc[at], why) if unread[at] else OUTSIDE
    elif odd.any():
        why = "has no time zone, others have one" if has_offset else "has a time zone, others have none"
    words = _words(found, zone, has_offset=has_offset)
    suggested = "" if named.empty else ABBREVIATED.get(str(named.iloc[0]), "")
    return Times(micros, has_offset, words, np.flatnonzero(wrong | odd), why, suggested)


def _why_unread(cell: object, why: str) -> str:
    """Say what is wrong with a text that was read as no time; `why` is what is known of all of them."""
    if not isinstance(cell, str) or not cell:
        return MISSING
    if _TWO_DIGIT_YEAR.match(cell):
        return f"has a year of two digits, which may be a day; write it as {EXAMPLE}"
    return why or f"is not a time that can be read; write it as {EXAMPLE}"


def _words(found: pd.DataFrame, zone: pd.Series, *, has_offset: bool) -> str:
    if not has_offset:
        return "times without a zone" if found["hour"].notna().any() else "days without a zone"
    zones = sorted(zone.dropna().unique())
    return f"times with the offset {truncate(' and '.join(map(str, zones)), 40)}"


def _days(found: pd.DataFrame) -> tuple[np.ndarray, str]:
    """Return the day of each row in microseconds, NaN where there is none, and why, if the month may be the day."""
    compact, named = found["compact"], found["name"].fillna(found["name_after"])
    year = _numbers(found["year"], found["year_last"], found["year_named"], found["year_after"], compact.str[:4])
    month = _numbers(found["month"], compact.str[4:6], named.str.lower().map(MONTHS))
    day = _numbers(found["day"], compact.str[6:], found["day_named"], found["day_before"])
    why = ""
    if found["first"].notna().any():
        first, second = _numbers(found["first"]), _numbers(found["second_number"])
        if (found["sign"].dropna() == ".").all() or (first.max() > 12 >= second.max()):  # noqa: PLR2004 - months
            day, month = day.fillna(first), month.fillna(second)
        elif second.max() > 12 >= first.max():  # noqa: PLR2004
            day, month = day.fillna(second), month.fillna(first)
        else:
            why = "may have the day first or the month; write it as 2019-10-17"
    parts = {"year": year, "month": month, "day": day}
    moments = pd.to_datetime(pd.DataFrame(parts), errors="coerce")
    us = moments.astype("datetime64[us]").to_numpy().view("int64").astype(float)
    return np.where(moments.isna(), np.nan, us), why


def _numbers(*columns: pd.Series) -> pd.Series:
    """Return of each row the first number that one of the columns has."""
    found = pd.to_numeric(columns[0], errors="coerce").astype(float)
    for column in columns[1:]:
        found = found.fillna(pd.to_numeric(column, errors="coerce").astype(float))
    return found


def _clock(found: pd.DataFrame) -> np.ndarray:
    """Return the time of day in microseconds, 0 where none is written, NaN where it is none."""
    hour, minute, second = (_numbers(found[name]).fillna(0) for name in ("hour", "minute", "second"))
    part = _numbers(found["part"].str.replace(",", ".", regex=False)).fillna(0)
    half = found["half"].str.upper()
    is_half = half.notna()
    # 24:00 is the end of its day.
    midnight = (hour == 24) & (minute == 0) & (second == 0) & (part == 0)  # noqa: PLR2004
    possible = (minute < 60) & (second < 60) & np.where(is_half, (hour >= 1) & (hour <= 12), (hour < 24) | midnight)  # noqa: PLR2004
    hour = hour.where(~is_half, hour % 12 + 12 * (half == "PM"))
    us = ((hour * 60 + minute) * 60 + second) * 1e6 + (part * 1e6).round()
    return np.where(possible, us, np.nan)


def _offsets(zone: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return each row's offset in microseconds, and whether it has one."""
    shown = {text: _offset(str(text)) for text in zone.dropna().unique()}
    offset = zone.map(shown).astype(float)
    return offset.fillna(0).to_numpy(), offset.notna().to_numpy()


def _offset(zone: str) -> float:
    """Return an offset in microseconds; NaN of a zone's abbreviation, which is not unambiguous."""
    if zone in ("Z", "UTC", "GMT"):
        return 0.0
    signed = re.fullmatch(r"(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})?", zone)
    if signed is None:
        return np.nan
    minutes = int(signed[2]) * 60 + int(signed[3] or 0)
    return (minutes if signed[1] == "+" else -minutes) * float(MINUTE_US)
