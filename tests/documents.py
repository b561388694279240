"""README and docs as text, and their fenced blocks as what can be run.

A block is one of these, and runs in the order it stands, in one scratch copy of the repository for each document:

| fence | the line before, an empty one may lie between | what it is |
|---|---|---|
| sh, python | | run from top to bottom; any exit status but 0 is an error |
| diff | | applied with git |
| text | <!-- output: COMMAND --> | what COMMAND prints: all but decimals, hashes, the width of spaces and rules |
| yaml | <!-- params --> | a piece of params.yaml that is right within the shipped one |
| any | <!-- run by: tests/FILE.py::TEST --> | run by that test, which gives it what it needs |
| any | <!-- not run: REASON --> | for the eye; the reason has two words at least |
"""

import re
from dataclasses import dataclass

from src.base import paths

DOCUMENTS = {
    paths.relative(file): file.read_text()
    for file in [*sorted(paths.ROOT.glob("README*.md")), *sorted(paths.ROOT.glob("docs/*.md"))]
}
# A translation has the blocks of its original, as a test of its own says.
ENGLISH = [name for name in DOCUMENTS if name != "README.ja.md"]
# By language, the comment's first words, and whether more follow.
KINDS = {
    ("sh", "", False): "sh",
    ("python", "", False): "python",
    ("diff", "", False): "diff",
    ("text", "output", True): "output",
    ("yaml", "params", False): "params",
}
BLOCK = re.compile(
    r"(?:^<!-- (?P<note>[a-z ]+?)(?:: (?P<words>[^\n]*?))? -->\n\n?)?^```(?P<language>[^\n]*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
TEST = re.compile(r"(tests/[\w/]+\.py)::(test_\w+)")
DECIMAL_OR_HASH = re.compile(r"(?<![\d.])[-+]?\d+\.\d+(?:e[-+]?\d+)?(?![.\d]*\.?\d)|\b(?=[a-f]*\d)[0-9a-f]{7,64}\b")

# What a bot's owner brings: where bars come from, and what is done with a signal.
FEED = """
from datetime import datetime
from json import loads
def my_closed_bars(after):
    bars = loads({feed!r})[:{n_bars}]
    return [bar for bar in bars if after is None or datetime.fromisoformat(bar["time"]) > after]
def my_signal(probability):
    print(probability)
"""


@dataclass(frozen=True)
class Block:
    """One fenced block, the line of its fence, and what the comment before it says."""

    document: str
    line: int
    note: str
    words: str
    language: str
    text: str

    @property
    def kind(self) -> str:
        """What is done with it: sh, python, diff, output, params, run by, not run; or unknown."""
        if (self.note == "run by" and TEST.fullmatch(self.words)) or (self.note == "not run" and " " in self.words):
            return self.note
        return KINDS.get((self.language, self.note, bool(self.words)), "unknown")

    def __str__(self) -> str:
        """Say where it stands."""
        return f"{self.document} line {self.line}, {self.note or self.language}"


def blocks(document: str) -> list[Block]:
    """Every block of a document, in order."""
    text = DOCUMENTS[document]
    return [
        Block(
            document,
            text[: found.start("language")].count("\n") + 1,
            *(found[name] or "" for name in ("note", "words", "language", "text")),
        )
        for found in BLOCK.finditer(text)
    ]


def fences(document: str) -> int:
    """Count the lines that open or close a block, also where a block must not stand."""
    return len(re.findall(r"^[ >\t]*(?:```|~~~)", DOCUMENTS[document], re.MULTILINE))


def shape(output: str) -> list[str]:
    """The lines of an output without what the bars of the copy decide."""
    lines = [DECIMAL_OR_HASH.sub("0", re.sub(r"([-─━*])\1{2,}", r"\1\1\1", line)) for line in output.splitlines()]
    return [" ".join(line.split()) for line in "\n".join(lines).strip().splitlines()]


def bot() -> str:
    """The one example of a bot that follows a feed, wherever it stands."""
    (text,) = [block.text for name in ENGLISH for block in blocks(name) if "my_closed_bars" in block.text]
    return text
