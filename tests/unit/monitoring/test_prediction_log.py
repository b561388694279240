"""The log of predictions, as a bot leaves it behind."""

import pytest

from src.base.errors import DataError
from src.monitoring.prediction_log import read_log
from tests.unit.monitoring.conftest import logged

ONE, TWO = logged("2020-01-01T00:00:00Z", 0.2), logged("2020-01-01T01:00:00Z", 0.7, 1)


def test_a_log_is_read_in_the_order_of_time(write_log):
    """Whatever else a line holds is left out; a prediction that was logged twice counts once."""
    log = read_log(write_log(TWO | {"members": {}}, ONE, TWO))
    assert log.reset_index().to_dict("list") == {
        "time": [*map(log.index.__getitem__, range(2))],
        "probability": [0.2, 0.7],
        "decision": [0, 1],
        "model_version": ["1.0.0", "1.0.0"],
    }
    assert [f"{time:%H:%M%z}" for time in log.index] == ["00:00+0000", "01:00+0000"]


def test_the_line_that_is_being_written_is_left_out(write_log):
    """A bot appends while the monitor reads."""
    assert len(read_log(write_log(ONE, '{"time": "2020-01-0', end=""))) == 1


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("nonsense", "line 2: expected a prediction with time, probability"),
        ("[]", "line 2: expected a prediction"),
        (100_000 * "[", "line 2: expected a prediction"),
        (TWO | {"probability": 1.5}, "line 2: expected time, probability from 0 to 1"),
        (TWO | {"probability": True}, "probability from 0 to 1"),
        (TWO | {"probability": float("nan")}, "probability from 0 to 1"),
        (TWO | {"decision": 2}, "decision 0 or 1"),
        (TWO | {"time": None}, "line 2: expected time"),
        (TWO | {"time": "2020-01-01T01:00:00"}, "expected a time in UTC"),
        (TWO | {"model_version": None}, "version; got"),
        (TWO | {"model_version": "\x1b[2J"}, "printable version; got"),
        (TWO | {"model_version": "\ud800"}, "printable version; got"),
        (ONE | {"probability": 0.3}, "two different predictions of 1.0.0 for 2020-01-01 00:00:00"),
    ],
)
def test_what_is_no_prediction_is_named(write_log, line, words):
    """With its line, and what was expected."""
    with pytest.raises(DataError, match=words):
        read_log(write_log(ONE, line))


def test_an_empty_log_is_an_error(write_log, tmp_path):
    """Nothing was predicted, or the wrong file was named."""
    with pytest.raises(DataError, match="holds no prediction yet"):
        read_log(write_log("", end=""))
    with pytest.raises(DataError, match="there is no such log; `python -m src predict"):
        read_log(tmp_path / "nowhere")
