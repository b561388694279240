"""Tables in Markdown hold whatever text a cell quotes."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from src.verdict.finding import Finding
from src.verdict.table import finding_rows, markdown_table

TABLES = st.integers(2, 4).flatmap(lambda width: st.lists(st.lists(st.text(), min_size=width, max_size=width)))
HOSTILE = "a | b \\| ``` @everyone <img src=x> [a](https://evil.example) \x1b[2J\n\n# Title\r|---|\\"


def headings(rows: list[list[str]]) -> list[str]:
    return [f"column {at}" for at in range(len(rows[0]) if rows else 2)]


@given(TABLES)
@example([[HOSTILE, HOSTILE]])
def test_a_cell_holds_any_text(rows: list[list[str]]) -> None:
    """One line for every row, as many cells as headings, and nothing that links or calls somebody."""
    lines = markdown_table(headings(rows), rows)
    assert len("\n".join(lines).splitlines()) == len(lines) == 2 + len(rows)
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {len(headings(rows)) + 1}
    assert re.findall(r"@\S|<\S|://|\]\(|\x1b", "".join(lines)) == []


@given(TABLES)
@example([[HOSTILE, HOSTILE]])
def test_a_reader_of_markdown_sees_the_same_cells(rows: list[list[str]]) -> None:
    """One table, and every row has as many cells as the head, whatever they quote."""
    tokens = MarkdownIt("js-default").parse("\n".join(markdown_table(headings(rows), rows)))
    kinds = [token.type for token in tokens]
    assert (kinds[0], kinds[-1], kinds.count("table_open")) == ("table_open", "table_close", 1)
    assert kinds.count("tr_open") == 1 + len(rows)
    assert kinds.count("td_open") == len(rows) * len(headings(rows))


def test_numbers_stand_right() -> None:
    """All but those of the first column, which are names."""
    assert markdown_table(("score", "live"), [["AUC", "0.5"]], numbers=True)[1] == "|---|---:|"
    assert markdown_table(("rule", "result"), [])[1] == "|---|---|"


@pytest.mark.parametrize(
    ("words", "result"), [({}, "failed"), ({"failed": "**alert**"}, "**alert**"), ({"passed": "clean"}, "failed")]
)
def test_a_result_is_said_in_the_words_of_who_judges(words: dict[str, str], result: str) -> None:
    """And details stand below, a row each."""
    finding = Finding("drift", 0.5, 0.25, "failed", "far", details=["of rsi_14", "of zscore"])
    assert finding_rows([finding], words) == [
        ["drift", result, "far"],
        ["", "", "of rsi_14"],
        ["", "", "of zscore"],
    ]
