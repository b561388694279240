"""Warnings of what an unattended run passes over."""

import sys
from functools import cache

from src.base.foreign_text import one_line


@cache
def warn_once(words: str) -> None:
    """Write a warning to standard error, the same words once in the life of this process."""
    sys.stderr.write(f"warning: {one_line(words)}\n")
