"""Everything this project raises on purpose.

ProjectError
├── ParamsError       params.yaml is wrong
├── DataError         bars, features or labels are wrong
│   └── GapError      bars are missing before this one
├── ModelError        a model, its input or its files are wrong
└── PromotionError    a candidate cannot be promoted
    └── GateError     it can, and the gate says no

All of them are `ValueError` too, so that a caller who knows only scikit-learn's habits can catch them.
A message is one line that says what was expected, what came and what to do.

Standard library only, and any Python from 3.8 on.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar, NoReturn

from btc_signal.exceptions import DataError, GapError, ModelError, ProjectError
from src.base.foreign_text import one_line

__all__ = ["DataError", "GapError", "GateError", "ModelError", "ParamsError", "ProjectError", "PromotionError"]
__all__ += ["exit_on_error", "truncate", "warn", "words_of", "write_error"]

if TYPE_CHECKING:
    from collections.abc import Iterator


class ParamsError(ProjectError):
    """params.yaml lacks a key, has an unknown one, or holds an invalid value."""


class PromotionError(ProjectError):
    """A candidate is not in a state to be promoted."""


class GateError(PromotionError):
    """The gate's verdict on a candidate is no: nothing is broken, so the exit status is another."""

    exit_status: ClassVar[int] = 1


def truncate(text: str, max_chars: int = 300) -> str:
    """Return the beginning of what came, so that a message stays readable."""
    return text if len(text) <= max_chars else f"{text[:max_chars]}…"


def words_of(error: Exception) -> str:
    """Return an error's message; of the system's, the file and the reason without the number that Python adds."""
    if not isinstance(error, OSError):
        return str(error)
    place = f"{error.filename}: " if error.filename else ""
    return f"{place}{error.strerror or error}"


def warn(words: str, kind: str = "warning") -> None:
    """Write one line to standard error, whatever the words quote."""
    write_error(f"{kind}: {one_line(words)}\n")


def write_error(text: str) -> None:
    """Write to standard error; a process that was started without one goes on all the same."""
    if sys.stderr:
        sys.stderr.write(text)


@contextmanager
def exit_on_error() -> Iterator[None]:
    """Turn a `ProjectError`, a full disk or a full memory into words on standard error and an exit status."""
    try:
        yield
    except ProjectError as error:
        _end(str(error), error.exit_status, error)
    except BrokenPipeError:  # whoever read has read enough
        raise
    except (OSError, MemoryError) as error:
        words = "out of memory; free some" if isinstance(error, MemoryError) else f"{words_of(error)}; mend that"
        _end(f"{words}, then run it again: no file was left half-written", ProjectError.exit_status, error)


def _end(words: str, status: int, error: BaseException) -> NoReturn:
    """Say it, whatever it quotes, and end; the wrong keys of params.yaml have a line each."""
    lines = words.split("\n") if isinstance(error, ParamsError) else [words]
    write_error("error: " + "".join(f"{one_line(line)}\n" for line in lines))
    raise SystemExit(status) from error
