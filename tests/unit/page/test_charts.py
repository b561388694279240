"""The charts as Vega-Lite."""

import json
import re

import pytest

from src.page import charts
from src.page.charts import Spec

DAYS = [{"time": "2019-01-01", "a_b": 1.0, "c": 2.0}, {"time": "2019-01-02", "a_b": None, "c": 3.0}]
GROUPS = [{"forecast": 0.1, "observed": 0.2}, {"forecast": 0.3, "observed": 0.25}]
POINT = {"forecast": "x", "value": 0.5, "low": 0.4, "high": 0.6, "side": "ours"}
SPECS = {
    "intervals": charts.intervals([POINT], "AUC", 0.5),
    "lines": charts.lines(DAYS, ("a_b", "c"), "worth"),
    "beside": charts.beside(DAYS, "time", ("a_b", "c"), "fold"),
    "calibration": charts.calibration(GROUPS),
    "bars": charts.bars([{"feature": "x", "share": 0.5}], "share", "feature", "share"),
    "bars with a limit": charts.bars([{"column": "x", "value": 0.5}], "value", "column", "index", 0.25),
}


def _rows(spec: Spec) -> list[list[dict]]:
    """The data of every layer; Altair sets equal ones down once, by a hash."""
    return list(spec["datasets"].values())


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_colours_are_those_of_the_page(spec: Spec) -> None:
    """Light and dark are a matter of the page's own variables."""
    colours = re.findall(r'"(?:color|stroke|labelColor|gridColor)": "([^"]+)"', json.dumps(spec))
    assert colours
    assert [colour for colour in colours if not colour.startswith("var(--")] == []


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_a_chart_brings_its_data_and_fits_its_place(spec: Spec) -> None:
    """Nothing is fetched, nothing is wider than the page."""
    assert '"url"' not in json.dumps(spec)
    assert spec["width"] == "container"


def test_unknown_values_are_left_out() -> None:
    """A line goes on, a fold of one class has no point; names lose their underscores."""
    rows = next(rows for rows in _rows(SPECS["lines"]) if len(rows) > 1)
    assert rows == [
        {"time": "2019-01-01", "series": "a b", "value": 1.0},
        {"time": "2019-01-01", "series": "c", "value": 2.0},
        {"time": "2019-01-02", "series": "c", "value": 3.0},
    ]


def test_the_ideal_reaches_the_largest_value() -> None:
    """Forecast or observed: 0.3 is more than 0.25."""
    ends = [{"forecast": 0, "observed": 0}, {"forecast": 0.3, "observed": 0.3}]
    assert ends in _rows(SPECS["calibration"])


def test_only_a_limit_draws_a_line() -> None:
    """Importance has none."""
    assert [len(SPECS[name]["layer"]) for name in ("bars", "bars with a limit")] == [1, 2]
