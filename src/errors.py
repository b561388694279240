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
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar


class ProjectError(ValueError):
    """The common base: catch this to catch all of them."""

    exit_status: ClassVar[int] = 2


class ParamsError(ProjectError):
    """params.yaml lacks a key, has an unknown one, or holds a value that cannot be."""


class DataError(ProjectError):
    """Bars, features or labels break their contract."""


class GapError(DataError):
    """Bars are missing between the last one and this one, which by itself is right."""


class ModelError(ProjectError):
    """A model's input or a model's file is not what was promised."""


class PromotionError(ProjectError):
    """A candidate is not in a state to be promoted."""


class GateError(PromotionError):
    """The gate's verdict on a candidate is no: nothing is broken, so the exit status is another."""

    exit_status: ClassVar[int] = 1


@contextmanager
def exit_on_error() -> Iterator[None]:
    """Turn a `ProjectError` into its message on standard error and its exit status."""
    try:
        yield
    except ProjectError as error:
        sys.stderr.write(f"error: {error}\n")
        raise SystemExit(error.exit_status) from error
