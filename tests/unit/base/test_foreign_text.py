"""Any text that came from outside: harmless, readable, and as it was where it was harmless."""

import re
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.base.foreign_text import MAX_CHARS, inert, one_line, table_cell

# Pieces of what acts, so that few draws put them together in every way.
PIECES = st.sampled_from(
    [
        *"@<>&#!:/[]()|`~\\. ",
        *("@everyone", "@here", "<@&1>", "<#1>", "http://x.y", "steam://", "www.", "discord.gg/x", "&#64;", "[a](b)"),
        *("::error::", "::", "##[", "\x1b[2J", "\r\n", "\u2028", "\u202e", "\u200b", "\ud800", "\x00"),
    ]
)
ANY = st.one_of(st.text(st.characters(codec=None)), st.lists(st.one_of(PIECES, st.text(max_size=2))).map("".join))
ALIVE = {
    "a mention": r"@[^ \s]|<[@#!&/:]",
    "HTML": r"<[a-zA-Z/!?]",
    "an entity": r"&#?\w+;",
    "a link": r"\w://|\bwww\.\S|\bdiscord\.gg/",
    "a masked link": r"\]\(",
    "what hides": r"\|\||``|~~",
}


def is_harmless(text: str) -> bool:
    """Only signs that are seen, and spaces; nothing that GitHub's log obeys."""
    seen = all(sign.isprintable() or unicodedata.category(sign) == "Zs" for sign in text)
    return seen and "##[" not in text and not re.search(r"::[\w-]+( [^:]*)?::", text)


@given(ANY)
def test_one_line_can_do_nothing_to_a_terminal(text: str) -> None:
    """One line, no control character, and no change by a second time."""
    shown = one_line(text)
    assert is_harmless(shown)
    assert len(shown) <= MAX_CHARS
    assert one_line(shown) == shown
    shown.encode()


@given(ANY)
def test_an_inert_text_calls_nobody_and_links_nowhere(text: str) -> None:
    """In whatever way the pieces meet; a second time changes nothing."""
    quiet = inert(text)
    assert is_harmless(quiet)
    assert {name for name, pattern in ALIVE.items() if re.search(pattern, quiet)} == set()
    assert inert(quiet) == quiet
    assert inert(one_line(text)) == quiet


@given(ANY)
def test_a_cell_stays_a_cell(text: str) -> None:
    """As GitHub reads a table: a backslash takes the sign after it along, any other bar ends the cell."""
    assert "|" not in re.sub(r"\\[!-/:-@\[-`{-~]", "", table_cell(text))


@given(st.text("abzABZ09 -_.,;?!'\"()=+%*/äß日本語ー　モデルの版東京é🙂"))
def test_ordinary_words_stay(text: str) -> None:
    """ASCII, Japanese and an emoji; only a host with a path is broken."""
    assert one_line(text) == text
    assert inert(text) == text or re.search(r"\.[abz]{2,}/", text, re.IGNORECASE)


ORDINARY = (
    "f1 below 0.5: 0.4321, at least 0.5 is asked; run `dvc repro`, see reports/gate.md, ../served/production.previous",
    "/srv/my.app/production serves 1.0.0; look at data/x.parts/y, then delete /srv/my.app/production.recovered.json",
    "確率は 0.42、版 1.0.0　です",
    "a < b, c > d, x & y, {'key': [1, 2]}, 100 %, 12:30:00, C:\\folder, std::vector, #7, 1.0.0/x",
)


@pytest.mark.parametrize("text", ORDINARY)
def test_our_own_words_stay(text: str) -> None:
    """What the commands say."""
    assert inert(text) == one_line(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("one\r\n  two\ttabs", "one two tabs"),
        ("user\u202egnp.exe", "user\\u202egnp.exe"),
        ("half \ud800, byte \udcff", "half \\ud800, byte \\udcff"),
        ("\x9b2J\x07\x08\x00", "\\x9b2J\\x07\\x08\\x00"),
        ("fine\n::error file=a::b", "fine : :error file=a::b"),
        ("##[error]x", "## [error]x"),
    ],
)
def test_what_acts_on_a_terminal_is_shown(text: str, shown: str) -> None:
    """A person sees what was there."""
    assert one_line(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("@everyone <@&12> <@1> <#3>", "@ everyone < @ &12> < @ 1> < #3>"),
        ("[free](https://evil.example/x)", "[free] (https[:]//evil[.]example/x)"),
        ("DISCORD.GG/abc, a/discord.gg/b, www.evil.example", "DISCORD[.]GG/abc, a/discord[.]gg/b, www[.]evil.example"),
        ("&#64;everyone <img src=x>", "& #64;everyone < img src=x>"),
        ("||hidden|| ```", "| |hidden| | ` ` `"),
    ],
)
def test_what_acts_on_people_is_broken(text: str, shown: str) -> None:
    """Where it would begin, and readable."""
    assert inert(text) == shown


@pytest.mark.parametrize("piece", [" ", "a.", "a-", "::a ", " \t", "@", "[", "a.b-"])
def test_a_long_text_takes_no_long_time(piece: str) -> None:
    """Whoever sends a megabyte does not stop the monitor."""
    started = time.process_time()
    inert(piece * (1_000_000 // len(piece)))
    assert time.process_time() - started < 5


def test_it_is_bounded() -> None:
    """By signs, a second time too."""
    assert one_line("\x00" * 10_000, 10) == "\\x00\\x00\\…"
    assert inert("@a" * 10_000, 11) == "@ a@ a@ a@…"
    assert inert(inert("@a" * 10_000, 11), 11) == "@ a@ a@ a@…"
