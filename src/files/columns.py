"""The columns of a file by name, each read once; what params.yaml says of them comes first."""

import numpy as np
import pyarrow as pa

from src.base.errors import truncate
from src.base.findings import Findings
from src.base.params import Data
from src.files.numbers import read_numbers
from src.files.orders import OTHER, headerless_names
from src.files.raw import Raw, Wanted
from src.files.roles import Roles, plain, roles_of


class Columns:
    """What is asked of a file's columns while their meaning is found."""

    def __init__(self, raw: Raw, data: Data, found: Findings) -> None:
        self.raw, self.data, self.found = raw, data, found
        self.names = self._names()
        self.roles: Roles = roles_of(self.names)
        said = data.columns if isinstance(data.columns, dict) else {}
        named = {role: self._place_of(role, name) for role, name in said.items()}
        self.asked: dict[str, int] = {role: place for role, place in named.items() if place is not None}
        """Places of the columns that params.yaml names, by what they are taken for."""
        self.blank = np.array([], dtype=np.int64)
        """Places of rows in which no column that was loaded has anything."""
        self._read: dict[int, pa.ChunkedArray] = {}

    def load(self, wanted: dict[int, Wanted]) -> None:
        """Read columns, all of them in one go."""
        self._read = self.raw.read(wanted)
        if all(column.null_count for column in self._read.values()):
            absent = [column.is_null().to_numpy() for column in self._read.values()]
            self.blank = np.flatnonzero(np.logical_and.reduce(absent))

    def column(self, place: int) -> pa.ChunkedArray:
        """Return a column that was loaded."""
        return self._read[place]

    def numbers(self, place: int, name: str) -> np.ndarray:
        """Return a column as float64, and let go of what was read: a long history is not kept twice."""
        numbers = read_numbers(self._read.pop(place), name, self.raw, self.data.thousands, self.found)
        pa.default_memory_pool().release_unused()
        return numbers

    def called(self, place: int) -> str:
        """Return what a column is called in the file."""
        return self.names[place] or f"column {place + 1}"

    def _place_of(self, role: str, name: str) -> int | None:
        """Return the place of the column that params.yaml names for a role; a problem if there is not one of it."""
        places = [place for place, called in enumerate(self.names) if called == name]
        places = places or [place for place, called in enumerate(self.names) if plain(called) == plain(name)]
        if len(places) == 1:
            return places[0]
        words = "stands there more than once" if places else "is not there"
        self.found.refuse(f"data.columns names {name!r} for {role}, which {words}; the header has {self.header}")
        return None

    @property
    def header(self) -> str:
        """The names of all columns, as a message shows them."""
        return truncate(", ".join(name or "(no name)" for name in self.names))

    def _names(self) -> list[str]:
        said = self.data.columns
        if isinstance(said, list):
            if len(said) != self.raw.n_columns:
                count = f"{len(said)} columns, the file has {self.raw.n_columns}"
                self.found.refuse(f"data.columns names {count}; its first row is {self._first_row}")
                return [*said, *[OTHER] * self.raw.n_columns][: self.raw.n_columns]
            return said
        names = self.raw.names
        if names is not None and (said or any(roles_of(names).prices.values())):
            return names
        guessed = headerless_names(self.raw) if self.raw.head else [OTHER]
        if names is not None and OTHER in guessed:
            return names
        known = "no header" if names is None else f"no price is known by its name, the header has {', '.join(names)}"
        self.found.warnings.append(f"{', '.join(guessed)} is a guess by the values: mend it in data.columns")
        self.found.refuse(
            f"{truncate(known)}; its first row is {self._first_row}; data.columns names the columns", columns=guessed
        )
        return guessed

    @property
    def _first_row(self) -> str:
        return truncate(", ".join(self.raw.head[0]) if self.raw.head else "none", 160)
