"""A file's cells before anybody knows what they mean."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

import pyarrow as pa

# How a column is read where its cells allow it; text otherwise.
Wanted = Literal["time", "number", "text"]
# What a date or a time of day looks like.
DATE = re.compile(r"\d{4}[-/.年]\s?\d{1,2}[-/.月]|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d{1,2}:\d{2}")


class Raw(NamedTuple):
    """Names of the columns, the first rows as text, and what reads some of the columns whole.

    `names` is None where the file has no header. `read` takes the places of columns, and returns a column for each, of
    one length. `decimal` and `thousands` are how its numbers are written.
    """

    names: list[str] | None
    head: Sequence[Sequence[str]]
    read: Callable[[Mapping[int, Wanted]], dict[int, pa.ChunkedArray]]
    decimal: str = "."
    thousands: str = ""

    @property
    def n_columns(self) -> int:
        """How many columns the file has."""
        return len(self.names) if self.names is not None else len(self.head[0])

    def cells(self, place: int) -> list[str]:
        """Return the first cells of a column, empty ones left out."""
        return [row[place].strip() for row in self.head if place < len(row) and row[place].strip()]
