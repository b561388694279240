"""The README as text, and the blocks in it that can be run."""

import re

from src import paths

README = (paths.ROOT / "README.md").read_text()

# What the bot's owner brings: where bars come from, and what is done with a signal.
FEED = """
from datetime import datetime
from json import loads
def my_closed_bars(after):
    bars = loads({feed!r})[:{n_bars}]
    return [bar for bar in bars if after is None or datetime.fromisoformat(bar["time"]) > after]
def my_signal(probability):
    print(probability)
"""


def blocks(language: str) -> list[str]:
    """Every block of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def bot() -> str:
    """The one that follows a feed."""
    (block,) = [block for block in blocks("python") if "FeatureStream" in block]
    return block
