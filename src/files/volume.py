"""Which column is the base volume: by its name, and the names are checked against the prices."""

from typing import NamedTuple

import numpy as np

from src.files.columns import Columns

# Of the rows, so many must agree before numbers speak.
MOST = 0.9
SLACK = 0.02


class Volume(NamedTuple):
    """The base volume of each bar, and where it stands."""

    amounts: np.ndarray
    place: int


def choose_volume(columns: Columns, prices: dict[str, np.ndarray]) -> Volume | None:
    """Return the base volume; a problem if it is not there, or the names do not decide which column is it."""
    found, roles = columns.found, columns.roles
    if (asked := columns.asked.get("volume")) is not None:
        if asked in roles.ticks:
            found.warnings.append(f"{columns.called(asked)} counts ticks or trades, and is taken as volume")
        if asked in roles.quote_volumes:
            found.warnings.append(f"{columns.called(asked)} is in quote currency by its name, and is taken as volume")
        return Volume(columns.numbers(asked, "volume"), asked)
    values = {place: columns.numbers(place, columns.called(place)) for place in [*roles.volumes, *roles.quote_volumes]}
    base = [place for place in roles.volumes if np.nan_to_num(values[place]).any()]
    quote = [place for place in roles.quote_volumes if np.nan_to_num(values[place]).any()]
    if not base and roles.volumes and not quote and not roles.ticks:
        base = roles.volumes
    if len(base) == 1:
        only = base[0]
        turned = [place for place in quote if _is_value_of(values[only], values[place], prices)]
        if not turned:
            _doubt_yahoo(columns)
            return Volume(values[only], only)
        words = f"{columns.called(only)} is {columns.called(turned[0])} times the price, so it is in quote currency"
        found.refuse(f"{words}; data.columns names the base volume", columns={"volume": columns.called(turned[0])})
        return Volume(values[turned[0]], turned[0])
    if base:
        return _of_several(columns, {place: values[place] for place in base}, prices)
    others = [*quote, *roles.ticks]
    if not others:
        found.refuse(f"missing column volume; the header has {columns.header}; data.columns names it if it is there")
        return None
    other = others[0]
    what = "in quote currency" if other in quote else "a count of ticks or trades"
    zeros = f", {columns.called(roles.volumes[0])} is 0 throughout" if roles.volumes else ""
    words = f"no base volume: {columns.called(other)} is {what}{zeros}"
    found.refuse(f"{words}; data.columns takes it all the same", columns={"volume": columns.called(other)})
    found.warnings.append(f"{columns.called(other)} is {what}, no base volume")
    return Volume(values[other] if other in values else columns.numbers(other, columns.called(other)), other)


def _of_several(columns: Columns, values: dict[int, np.ndarray], prices: dict[str, np.ndarray]) -> Volume:
    """Ask which of several it is, and say which the numbers speak for."""
    places = list(values)
    first = values[places[0]]
    if all(np.array_equal(first, values[place], equal_nan=True) for place in places):
        return Volume(first, places[0])
    quote = [a for a in places if any(a != b and _is_value_of(values[a], values[b], prices) for b in places)]
    base = [place for place in places if place not in quote] or places
    names = ", ".join(columns.called(place) for place in places)
    by = f"; {', '.join(columns.called(place) for place in quote)} is in quote currency by the numbers" if quote else ""
    words = f"{len(places)} columns may be the volume: {names}{by}"
    columns.found.refuse(f"{words}; data.columns names the base volume", columns={"volume": columns.called(base[0])})
    columns.found.warnings.append(words)
    return Volume(values[base[0]], base[0])


def _is_value_of(quote: np.ndarray, base: np.ndarray, prices: dict[str, np.ndarray]) -> bool:
    """Tell whether one volume is the other times the price: between the low and the high of nearly every bar."""
    traded = (quote > 0) & (base > 0)
    if not traded.any():
        return False
    price = quote[traded] / base[traded]
    low, high = prices["low"][traded] * (1 - SLACK), prices["high"][traded] * (1 + SLACK)
    return bool(((price >= low) & (price <= high)).mean() >= MOST)


def _doubt_yahoo(columns: Columns) -> None:
    if any(name.lower().replace(" ", "") == "adjclose" for name in columns.names):
        columns.found.warnings.append(
            "a column Adj Close is as Yahoo has it, whose volume of a currency pair is in quote currency"
        )
