"""Keys of a JSON object that stand twice: which value counts is anyone's guess."""

from collections import Counter
from typing import Any

from src.base.errors import truncate


class TwiceError(ValueError):
    """A key stands twice in an object."""


def each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of its keys and values, as `json` calls it; `TwiceError` names a key that stands twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        msg = f"{truncate(twice, 60)!r} twice"
        raise TwiceError(msg)
    return found
