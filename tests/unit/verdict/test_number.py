"""A number out of JSON: found, or not there."""

import math

import pytest

from src.verdict.finding import number

CONTENT = {"scores": {"ensemble": {"brier_skill": [0.03, 0.09]}}, "n_bars": 7}


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        pytest.param(("n_bars",), 7, id="integer"),
        pytest.param(("scores", "ensemble", "brier_skill", 0), 0.03, id="first of a list"),
        pytest.param(("scores", "ensemble", "brier_skill", 1), 0.09, id="second of a list"),
        pytest.param(("scores", "ensemble", "brier_skill", 2), None, id="beyond a list"),
        pytest.param(("scores", "ensemble", "brier_skill"), None, id="list"),
        pytest.param(("scores", "ensemble", "brier_skill", "low"), None, id="key of a list"),
        pytest.param(("scores", "ensemble"), None, id="object"),
        pytest.param(("scores", 0), None, id="position in an object"),
        pytest.param(("scores", "majority", "brier_skill"), None, id="absent"),
        pytest.param(("n_bars", "mean"), None, id="within a number"),
    ],
)
def test_a_number_is_found_by_its_keys(keys, found):
    """Or nothing is, whatever stands in the way."""
    assert number(CONTENT, *keys) == found


@pytest.mark.parametrize("value", [0, -1, 0.0, 1e308, 2**64, 10**308], ids=repr)
def test_finite_numbers(value):
    """As a float, however large."""
    found = number({"value": value}, "value")
    assert (type(found), found) == (float, float(value))


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, False, "7", [7], {"mean": 7}, math.nan, math.inf, -math.inf),
        pytest.param(10**309, id="more than a float holds"),
        pytest.param(-(10**400), id="less than a float holds"),
    ],
    ids=repr,
)
def test_what_is_no_finite_number(value):
    """A flag, a text, a container, and what no float holds."""
    assert number({"value": value}, "value") is None
