"""Text that came from outside, made harmless where it goes out: to the terminal, into messages, into Markdown.

An exchange's answer, a version in a log, a file's name, the words of git or DVC: an error or a report quotes them, and
the whole text passes through here on its way out. Where such text is read, nothing needs to be done. Characters that
would act are shown in another form, never left out.

Standard library only, and any Python from 3.8 on.
"""

from __future__ import annotations

import re
import unicodedata

MAX_CHARS = 4_000
# As str.splitlines has it, and tabs.
BREAKS = re.compile(r"[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]\s*")
# What GitHub's log takes for a command: `::name options::` at the start of a line, `##[name]` anywhere.
GITHUB_COMMANDS = ((re.compile(r":(?=:[\w-]+(?: [^:]*)?::)"), ": "), (re.compile(r"##(?=\[)"), "## "))
# What Discord and Slack, or GitHub's Markdown, act on. Each is broken where it would begin.
ACTING = (
    (re.compile(r"@(?=\S)"), "@ "),  # @everyone, and the names of people
    (re.compile(r"<(?=\S)"), "< "),  # <@&1> and <#1> of Discord, <!here> of Slack, HTML
    (re.compile(r"&(?=#?\w+;)"), "& "),  # &#64; is an @
    (re.compile(r":(?=//)"), "[:]"),  # https://, steam://
    (re.compile(r"\b(www)\.(?=\S)", re.IGNORECASE), r"\1[.]"),
    (re.compile(r"\b(discord(?:app)?)\.(?=\w)", re.IGNORECASE), r"\1[.]"),  # discord.gg/x invites, without https, too
    # A host with a path; within a path of this machine it is a folder.
    (re.compile(r"(?<![\w.-])(?<!^/)(?<![^/]/)((?:[\w-]+\.)*[\w-]+)\.(?=[a-z]{2,63}/)", re.IGNORECASE), r"\1[.]"),
    (re.compile(r"\](?=[(\[:])"), "] "),  # [text](address)
    (re.compile(r"([|`~])(?=\1)"), r"\1 "),  # hides, swallows or strikes out what follows
)


def one_line(text: str, max_chars: int = MAX_CHARS) -> str:
    """Return a text as one printable line, for a terminal or a log.

    A line break becomes a space. A character that cannot be printed is written as Python escapes it: a control
    character, one that turns the direction of writing, a lone surrogate (a byte that is not UTF-8 is read as one).
    Commands of GitHub's log are broken by a space.
    """
    shown = "".join(map(_visible, BREAKS.sub(" ", text)))
    for command, broken in GITHUB_COMMANDS:
        shown = command.sub(broken, shown)
    return _cut(shown, max_chars)


def inert(text: str, max_chars: int = MAX_CHARS) -> str:
    """Return a text as one line that calls nobody, links nowhere and is no markup, for messages and Markdown.

    A person can still read it, and take the added spaces and brackets out again. The name of a host without a path
    stays: it cannot be told from the name of a file.
    """
    quiet = one_line(text, max_chars)
    for acting, broken in ACTING:
        quiet = acting.sub(broken, quiet)
    return _cut(quiet, max_chars)


def table_cell(text: str) -> str:
    """Return a text that stays within its cell of a Markdown table."""
    return inert(" ".join(text.split()).replace("\\|", "\\ |").replace("|", "\\|"))


def _visible(char: str) -> str:
    """Return a character, escaped if it cannot be printed; a space of another script stays."""
    if char.isprintable() or unicodedata.category(char) == "Zs":
        return char
    return char.encode("unicode_escape").decode()


def _cut(text: str, max_chars: int) -> str:
    """Return the beginning of what is too long."""
    return text if len(text) <= max_chars else f"{text[: max_chars - 1]}…"
