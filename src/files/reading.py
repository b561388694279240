"""From a file to rows of bars, with all that was understood, is doubtful or stops it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from btc_signal.bar import COLUMNS, PRICES
from src.bars.schema import TIME_DTYPE
from src.base.errors import truncate
from src.base.findings import Findings
from src.base.params import Data
from src.files.binary import read_binary
from src.files.columns import Columns
from src.files.contents import look_at
from src.files.delimited import read_delimited
from src.files.json_bars import read_json
from src.files.open_times import open_times
from src.files.roles import plain
from src.files.volume import choose_volume

if TYPE_CHECKING:
    from src.files.raw import Wanted

READERS = {"parquet": read_binary, "feather": read_binary, "json": read_json, "text": read_delimited}
NO_ROW = "no row with a time and a price, expected at least two bars"


class Reading(NamedTuple):
    """Rows as `build_bars` takes them, by the file's row numbers from 1, and what their columns are called there."""

    table: pd.DataFrame
    columns: dict[str, str]
    ignored: list[str]
    symbol: str


def read(path: Path, data: Data, found: Findings) -> Reading | None:
    """Read a file of bars, whatever its format, and add to what is found; None if no rows could be made.

    `DataError` if nothing at all can be understood of it. `data` has the answers: columns, zone, thousands.
    """
    contents = look_at(path)
    if contents.packed:
        found.notes.append(f"packed by {contents.packed}")
    raw = READERS[contents.kind](path, contents, found)
    columns = Columns(raw, data, found)
    prices = _prices(columns)
    asked = columns.asked.get("time")
    unnamed = [place for place, name in enumerate(columns.names) if not name or plain(name) == "index"]
    if not _load(columns, prices, asked, unnamed):
        found.refuse(f"no column is known by its name; the header has {columns.header}")
        return None
    found_time = open_times(columns, asked, unnamed)
    if found_time is None or len(prices) < len(PRICES):
        return None
    if not len(found_time.moments):
        found.refuse(NO_ROW)
        return None
    numbers = {price: columns.numbers(place, price) for price, place in prices.items()}
    volume = choose_volume(columns, numbers)
    if volume is None:
        return None
    numbers["volume"] = volume.amounts
    table = pd.DataFrame({"time": found_time.moments, **{name: numbers[name] for name in COLUMNS}}, copy=False)
    table.index = pd.RangeIndex(1, len(table) + 1)
    table["time"] = table["time"].astype(TIME_DTYPE)
    named = {"time": found_time.called} | {price: columns.called(place) for price, place in prices.items()}
    named["volume"] = columns.called(volume.place)
    used = {*found_time.places, *prices.values(), volume.place}
    ignored = [name for place, name in enumerate(columns.names) if place not in used]
    table = _without_empty(table, found_time.wrong, columns)
    return Reading(table, named, ignored, _symbol(columns))


def _load(columns: Columns, prices: Mapping[str, int], asked: int | None, unnamed: Sequence[int]) -> bool:
    """Read the columns that may matter, all in one go; tell whether there are any."""
    times = [*columns.roles.open_times, *columns.roles.times, *columns.roles.close_times]
    wanted: dict[int, Wanted] = dict.fromkeys([*times, *([] if asked is None else [asked])], "time")
    wanted |= {place: "time" for place in unnamed if not times}
    wanted |= dict.fromkeys([*prices.values(), *_volume_places(columns)], "number")
    wanted |= dict.fromkeys(columns.roles.symbols[:1], "text")
    columns.load(wanted)
    return bool(wanted)


def _prices(columns: Columns) -> dict[str, int]:
    """Return the places of the prices; what is missing is a problem."""
    prices = {price: place for price in PRICES if (place := _price(columns, price)) is not None}
    if missing := [price for price in PRICES if price not in prices]:
        words = f"missing column {', '.join(missing)}; the header has {columns.header}"
        columns.found.refuse(f"{words}; data.columns names what goes under another name")
    return prices


def _price(columns: Columns, price: str) -> int | None:
    """Return the place of a price; a problem if it is not there, or more than one could be it."""
    if (place := columns.asked.get(price)) is not None:
        return place
    places = columns.roles.prices[price]
    exact = [place for place in places if plain(columns.names[place]) == price]
    if len(places) == 1 or len(exact) == 1:
        return (exact or places)[0]
    if places:
        first = columns.called(places[0])
        twice = [place for place in places if columns.names[place] == columns.names[places[0]]]
        names = ", ".join(columns.called(place) for place in places)
        words = f"column {price} stands there more than once: {names}"
        if len(twice) > 1:
            columns.found.refuse(f"{words}; keep one")
        else:
            columns.found.refuse(f"{words}; data.columns names the one", columns={price: first})
        return places[0]
    others = [place for place, name in enumerate(columns.names) if plain(name) == "price"]
    if price == "close" and len(others) == 1:
        words = f"missing column {price}; the header has {columns.header}; data.columns names it"
        columns.found.refuse(words, columns={price: columns.called(others[0])})
        return others[0]
    return None


def _volume_places(columns: Columns) -> list[int]:
    if (asked := columns.asked.get("volume")) is not None:
        return [asked]
    roles = columns.roles
    return [*roles.volumes, *roles.quote_volumes, *roles.ticks]


def _without_empty(table: pd.DataFrame, wrong_times: np.ndarray, columns: Columns) -> pd.DataFrame:
    """Leave out rows without any price, in which nothing traded, and without a time; a problem if none is left."""
    empty = table[PRICES].isna().all(axis=1).to_numpy()
    bad = np.zeros(len(table), dtype=bool)
    bad[wrong_times] = True
    told = bad.copy()
    told[columns.blank] = False
    if (n_empty := int((empty & ~told).sum())) and not empty.all():
        first = int(table.index[empty & ~told][0])
        columns.found.warnings.append(
            f"{n_empty:,} of {len(table):,} rows have no price, row {first} is the first: they are no bars"
        )
    table = table[~empty & ~bad] if empty.any() or bad.any() else table
    if table.empty and not columns.found.problems:
        columns.found.refuse(NO_ROW)
    return table


def _symbol(columns: Columns) -> str:
    """Return what the bars are of, where a column says so; a problem if it names several."""
    if not columns.roles.symbols:
        return ""
    names = [str(name) for name in columns.column(columns.roles.symbols[0]).unique().to_pylist() if name]
    if len(names) > 1:
        columns.found.refuse(f"bars of {len(names)} symbols in one file ({truncate(', '.join(names), 60)}); keep one")
    return names[0] if names else ""
