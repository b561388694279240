"""Values of a YAML text are changed where they stand."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from src.base import paths
from src.base.errors import ParamsError
from src.base.yaml_lines import read_scalars, replace_scalars

TEXT = """# above
data:
  end: "2019-10-17T10:00:00Z"   # excluded
  start: null
  none:   # nothing here
gate: {f1: 0.6, worse: -1}
"""


def test_values_as_they_are_written() -> None:
    """With their quotes, by the keys that lead to them; a section is no value."""
    assert read_scalars(TEXT, "x") == {
        ("data", "end"): '"2019-10-17T10:00:00Z"',
        ("data", "start"): "null",
        ("data", "none"): "",
        ("gate", "f1"): "0.6",
        ("gate", "worse"): "-1",
    }


def test_only_the_value_changes() -> None:
    """Comments, order and what is not named stay; a key that is not there is left out."""
    values = {("data", "end"): "null", ("data", "none"): "3", ("gate", "worse"): "2", ("other",): "1"}
    assert replace_scalars(TEXT, "x", values) == (
        TEXT.replace('"2019-10-17T10:00:00Z"', "null").replace("none:   #", "none: 3   #").replace("-1", "2")
    )


def test_the_shipped_parameters_written_over_themselves() -> None:
    """Not a byte moves."""
    text = paths.PARAMS.read_text()
    assert replace_scalars(text, "params.yaml", read_scalars(text, "params.yaml")) == text


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.data())
def test_any_number_in_any_place(data: st.DataObject) -> None:
    """What is read again is what was written."""
    text = paths.PARAMS.read_text()
    location = data.draw(st.sampled_from(sorted(read_scalars(text, "params.yaml"))))
    value = data.draw(st.floats(allow_nan=False, allow_infinity=False) | st.none() | st.booleans())
    content = yaml.safe_load(replace_scalars(text, "params.yaml", {location: yaml.safe_dump(value).split("\n")[0]}))
    for key in location:
        content = content[key]
    assert content == value


def test_what_is_no_yaml_is_refused() -> None:
    """With the name of the file."""
    with pytest.raises(ParamsError, match=r"^params\.yaml: not valid YAML: "):
        read_scalars("a: [", "params.yaml")
