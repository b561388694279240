"""A fault is a row: its name, what it is done to, and the tries, each of which says what was seen."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.faults.world import Seen, World

Tries = Callable[[World], Iterable[Seen]]


@dataclass(frozen=True)
class Fault:
    """One row; a quick one is part of `make test`."""

    name: str
    to: str
    tries: Tries
    is_quick: bool = False
    # The operation that each try kills by SIGKILL, if it is one of those that are counted.
    kills: str = ""

    @property
    def id(self) -> str:
        """One word, for the command line and for what is counted over runs."""
        return self.tries.__name__


FAULTS: list[Fault] = []


def fault(name: str, to: str, *, is_quick: bool = False, kills: str = "") -> Callable[[Tries], Tries]:
    """Add a function's tries to the table."""

    def add(tries: Tries) -> Tries:
        FAULTS.append(Fault(name, to, tries, is_quick, kills))
        return tries

    return add
