"""What a stage says on the terminal: a bar while it works, one line when it is done."""

import sys
from collections.abc import Iterator, Sequence
from typing import TypeVar

from rich.console import Console
from rich.progress import track as rich_track

from src.base.foreign_text import one_line

Step = TypeVar("Step")


def say(stage: str, words: str) -> None:
    """Print the one line that sums up what a stage did."""
    sys.stdout.write(f"{stage}: {one_line(words)}\n")
    sys.stdout.flush()


def track(steps: Sequence[Step], stage: str) -> Iterator[Step]:
    """Yield the steps and show a bar with the time left; without a terminal, show none."""
    console = Console(stderr=True)
    yield from rich_track(steps, stage, console=console, transient=True, disable=not console.is_terminal)
