"""Warnings of what an unattended run passes over."""

from functools import cache

from src.base.errors import warn


@cache
def warn_once(words: str) -> None:
    """Write a warning to standard error, the same words once in the life of this process."""
    warn(words)
