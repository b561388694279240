"""Everything this project raises on purpose.

ProjectError
├── ParamsError       params.yaml is wrong
├── DataError         bars, features or labels are wrong
├── ModelError        a model, its input or its files are wrong
└── PromotionError    a candidate may not be promoted

All of them are `ValueError` too, so that a caller who knows only scikit-learn's habits can catch them.
A message is one line that says what was expected, what came and what to do.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

EXIT_BAD_INPUT = 2


class ProjectError(ValueError):
    """The common base: catch this to catch all of them."""


class ParamsError(ProjectError):
    """params.yaml lacks a key, has an unknown one, or holds a value that cannot be."""


class DataError(ProjectError):
    """Bars, features or labels break their contract."""


class ModelError(ProjectError):
    """A model's input or a model's file is not what was promised."""


class PromotionError(ProjectError):
    """A candidate does not meet what promotion asks for."""


@contextmanager
def exit_on_error() -> Iterator[None]:
    """Turn a `ProjectError` into its message on standard error and exit status 2."""
    try:
        yield
    except ProjectError as error:
        sys.stderr.write(f"error: {error}\n")
        raise SystemExit(EXIT_BAD_INPUT) from error
