"""What is raised on purpose where a model serves.

ProjectError
├── DataError         bars, features or labels are wrong
│   └── GapError      bars are missing before this one
└── ModelError        a model, its input or its files are wrong

All of them are `ValueError` too, so that a caller who knows only scikit-learn's habits can catch them.
A message is one line that says what was expected, what came and what to do.
"""

from typing import ClassVar


class ProjectError(ValueError):
    """The common base: catch this to catch all of them."""

    exit_status: ClassVar[int] = 2


class DataError(ProjectError):
    """Bars, features or labels break their contract."""


class GapError(DataError):
    """Bars are missing between the last one and this one, which by itself is right."""


class ModelError(ProjectError):
    """A model's input or a model's file is not what was promised."""
