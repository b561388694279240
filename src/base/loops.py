"""Loops that outlive whatever happens in one of their rounds."""

import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial

from src.base.errors import ProjectError, warn, words_of, write_error

Round = Callable[[], object]


def keep_going(rounds: Iterable[Round], on_error: Callable[[Exception], object], pause_s: float) -> None:
    """Run one round after the other, with a pause after each; an error ends its round and nothing else.

    Standard error has it once, until it is over or another one comes; with its traceback, if nobody foresaw it.
    `on_error` is called each time, and may fail itself. An interrupt ends the loop, and so does a reader that is gone.
    """

    def error_of(once: Round) -> Exception | None:
        try:
            once()
        except BrokenPipeError:  # whoever read has read enough
            raise
        except Exception as error:  # noqa: BLE001 - no list of errors is long enough for a loop that is left alone
            return error
        return None

    said: set[str] = set()
    for once in rounds:
        errors = [error for error in (error_of(once),) if error]
        errors += [error for first in errors if (error := error_of(partial(on_error, first)))]
        words = {f"{type(error).__name__}: {words_of(error)}": error for error in errors}
        for new in words.keys() - said:
            _say(words[new])
        said = {*words}
        time.sleep(pause_s)


def _say(error: Exception) -> None:
    """Write an error to standard error; where that takes nothing, the loop goes on all the same."""
    with suppress(OSError):
        if not isinstance(error, ProjectError | OSError | MemoryError):
            write_error("".join(traceback.format_exception(error)))
        warn(words_of(error) or repr(error), "error")
