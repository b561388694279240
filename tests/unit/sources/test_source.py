"""Every source stands in one list, and nothing but that list decides by a source's name."""

import ast
from datetime import UTC, datetime
from typing import get_args

import pandas as pd
import pytest

from src.base import params as sections
from src.base import paths
from src.sources.source import SOURCES

NOW = datetime(2026, 1, 5, 3, 17, 40, tzinfo=UTC)
FILES = sorted((paths.ROOT / "src").rglob("*.py"))


def test_the_parameters_allow_what_the_registry_has() -> None:
    """A name that only one of them knew could not be used, or would not be refused with its line."""
    assert list(get_args(sections.SourceName)) == list(SOURCES), "src/base/params.py and src/sources/source.py differ"
    assert set(sections.LIVE) <= set(SOURCES)


def compared_names(text: str) -> set[str]:
    """The names of sources that a text compares something with, or looks for something in."""
    compares = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Compare)]
    constants = [node.value for compare in compares for node in ast.walk(compare) if isinstance(node, ast.Constant)]
    return {value for value in constants if isinstance(value, str)} & set(SOURCES)


@pytest.mark.parametrize("file", FILES, ids=paths.relative)
def test_no_module_asks_which_source_it_is(file) -> None:
    """It asks the registry for rows, file and newest close, and the parameters whether the source is live."""
    assert compared_names(file.read_text()) == set()


def test_a_comparison_is_seen() -> None:
    """So the test above can fail."""
    assert compared_names("if data.source != 'ccxt': ...") == {"ccxt"}
    assert compared_names("path = a if info.data.get('source') in ('sample', 'file') else b") == {"sample", "file"}


@pytest.mark.parametrize("name", ["sample", "file"])
def test_a_file_gives_its_rows_and_its_newest_close(name, params, bars) -> None:
    """The file in params.yaml is the bundled one; its last bar opened at 09:00."""
    rows, ignored = SOURCES[name].rows(params.data, NOW)
    assert (len(rows), ignored) == (len(bars), [])
    assert SOURCES[name].newest_close(params.data, NOW) == datetime(2019, 10, 17, 10, tzinfo=UTC)
    assert SOURCES[name].file_of(params.data) == paths.SAMPLE


def test_a_coarser_timeframe_closes_with_its_last_whole_bar(params) -> None:
    """Of 4 hours the last whole one opened at 04:00."""
    coarse = params.data.model_copy(update={"timeframe": "4h"})
    assert SOURCES["sample"].newest_close(coarse, NOW) == pd.Timestamp("2019-10-17T08:00Z")


def test_an_exchange_has_no_file_and_whole_days(params) -> None:
    """And is asked nothing for either."""
    assert SOURCES["ccxt"].file_of(params.data) is None
    assert SOURCES["ccxt"].newest_close(params.data, NOW) == datetime(2026, 1, 5, tzinfo=UTC)
