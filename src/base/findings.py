"""What is found in rows of bars: what stops them, and what would let them in; what is doubtful; what was understood."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from btc_signal.exceptions import DataError


class Problem(NamedTuple):
    """Why a file does not get in; `settings` are keys of `data` in params.yaml that answer it, if any do."""

    words: str
    settings: Mapping[str, Any] = {}


@dataclass
class Findings:
    """All that is found, in the order in which it is."""

    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def gathering(self) -> "_Gathering":
        """Take a `DataError` of the block for a problem, and go on after the block."""
        return _Gathering(self)

    def refuse(self, words: str, **settings: Any) -> None:  # noqa: ANN401 - as in params.yaml
        """Add a problem."""
        self.problems.append(Problem(words, settings))


class _Gathering(AbstractContextManager[None, bool]):
    def __init__(self, found: Findings) -> None:
        self.found = found

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        if isinstance(error, DataError):
            self.found.refuse(str(error))
        return isinstance(error, DataError)


def merged(problems: list[Problem]) -> dict[str, Any]:
    """Return the settings that answer all of them."""
    found: dict[str, Any] = {}
    for problem in problems:
        for key, value in problem.settings.items():
            before = found.get(key)
            found[key] = {**before, **value} if isinstance(before, dict) and isinstance(value, dict) else value
    return found


def raise_if_refused(found: Findings, name: str = "") -> None:
    """Raise a `DataError` with all that stops the rows, if anything does."""
    if found.problems:
        words = "; ".join(problem.words for problem in found.problems)
        raise DataError(f"{name}: {words}" if name else words)
