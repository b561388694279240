"""Text that came from outside, made harmless where it goes out: to the terminal, to people's messages, into Markdown.

An exchange's answer, a version in a log, a file's name and what git or DVC says pass through here as part of the words
that quote them, so that no place that reads them has to think of it. What would act is made visible, never left out.

Standard library only, and any Python from 3.8 on.
"""

from __future__ import annotations

import re
import unicodedata

MAX_SIGNS = 4_000
# As str.splitlines has it, and tabs.
BREAKS = re.compile(r"[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]\s*")
# What GitHub's log takes for a command: `::name options::` at the start of a line, `##[name]` anywhere.
GITHUB_COMMANDS = ((re.compile(r":(?=:[\w-]+(?: [^:]*)?::)"), ": "), (re.compile(r"##(?=\[)"), "## "))
# What Discord and Slack, or GitHub's Markdown, make more of than its signs. Each is broken where it would begin.
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


def one_line(text: str, max_signs: int = MAX_SIGNS) -> str:
    """Return a text as one printable line, for a terminal or a log.

    Line breaks become a space, and what is no sign its number: control characters, what turns the direction of
    writing, halves of surrogate pairs. A byte that is no UTF-8 is such a half. What GitHub's log would obey is broken.
    """
    shown = "".join(map(_visible, BREAKS.sub(" ", text)))
    for command, broken in GITHUB_COMMANDS:
        shown = command.sub(broken, shown)
    return _cut(shown, max_signs)


def inert(text: str, max_signs: int = MAX_SIGNS) -> str:
    """Return a text as one line that calls nobody, links nowhere and is no markup, for messages and Markdown.

    A person can still read it, and take the additional spaces and brackets out again. A host's name alone stays: it
    looks as a file's does.
    """
    quiet = one_line(text, max_signs)
    for acting, broken in ACTING:
        quiet = acting.sub(broken, quiet)
    return _cut(quiet, max_signs)


def table_cell(text: str) -> str:
    """Return a text that stays within its cell of a Markdown table."""
    return inert(" ".join(text.split()).replace("\\|", "\\ |").replace("|", "\\|"))


def _visible(sign: str) -> str:
    """Return a sign, or how Python writes it if it is none that is seen; spaces of other scripts are."""
    if sign.isprintable() or unicodedata.category(sign) == "Zs":
        return sign
    return sign.encode("unicode_escape").decode()


def _cut(text: str, max_signs: int) -> str:
    """Return the beginning of what is too long."""
    return text if len(text) <= max_signs else f"{text[: max_signs - 1]}…"
