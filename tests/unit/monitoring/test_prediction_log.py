"""The log of predictions, as a bot leaves it behind."""

import json
import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest

from src.base.errors import DataError
from src.base.line_log import READ_MAX, rejected
from src.monitoring.prediction_log import read_log
from tests.unit.monitoring.conftest import logged

ONE, TWO = logged("2020-01-01T00:00:00Z", 0.2), logged("2020-01-01T01:00:00Z", 0.7, 1)
NOW = datetime(2020, 1, 3, tzinfo=UTC)


@pytest.fixture
def said():
    """What was said."""
    return []


@pytest.fixture
def read(said):
    """A function that reads a log as of the third of January."""
    return lambda file, n_rows=100: read_log(file, n_rows, NOW, said.append)


def test_a_log_is_read_in_the_order_of_time(write_log, read, said):
    """Whatever else a line holds is left out; a prediction that was logged twice counts once."""
    log = read(write_log(TWO | {"members": {}}, ONE, TWO))
    assert log.reset_index().to_dict("list") == {
        "time": [*map(log.index.__getitem__, range(2))],
        "probability": [0.2, 0.7],
        "decision": [0, 1],
        "model_version": ["1.0.0", "1.0.0"],
    }
    assert [f"{time:%H:%M%z}" for time in log.index] == ["00:00+0000", "01:00+0000"]
    assert said == []


def test_the_line_that_is_being_written_is_left_out(write_log, read, said):
    """A bot appends while the monitor reads."""
    file = write_log(ONE, '{"time": "2020-01-0', end="")
    assert len(read(file)) == 1
    assert (said, rejected(file).exists()) == ([], False)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("nonsense", f"at byte {len(json.dumps(ONE)) + 1}: expected a prediction with time, probability"),
        ("[]", "expected a prediction"),
        ("\0" * 40, "expected a prediction"),
        (100_000 * "[", "expected a prediction"),
        (json.dumps(TWO)[:50], "expected a prediction"),
        ({"format": 2, "at": "2020-01-01T01:00:00Z"}, "expected a prediction"),
        (TWO | {"probability": 1.5}, "expected time, probability from 0 to 1"),
        (TWO | {"probability": True}, "probability from 0 to 1"),
        (TWO | {"probability": float("nan")}, "probability from 0 to 1"),
        (TWO | {"decision": 2}, "decision 0 or 1"),
        (TWO | {"time": None}, "expected time"),
        (TWO | {"time": "2020-01-01T01:00:00"}, "expected a time in UTC"),
        (TWO | {"time": "2099-01-01T01:00:00Z"}, "2020-01-03T00:00:00Z, which is now; got 2099-01-01T01:00:00Z"),
        (TWO | {"time": "1970-01-01T01:00:00Z"}, "expected the time of a bar from 2009"),
        (TWO | {"model_version": None}, "version; got"),
        (TWO | {"model_version": "\x1b[2J"}, "printable version; got"),
        (TWO | {"model_version": "\ud800"}, "printable version; got"),
        (ONE | {"probability": 0.3}, "another prediction of 1.0.0 for 2020-01-01T00:00:00Z"),
    ],
)
def test_what_is_no_prediction_is_named_once_and_left_out(write_log, read, said, line, words):
    """Those around it count, the log stays as it is, and FILE.rejected has the line."""
    file = write_log(ONE, line, TWO)
    content = file.read_bytes()
    for _ in range(2):
        assert read(file)["probability"].tolist() == [0.2, 0.7]
    (warning,) = said
    assert warning.startswith(f"warning: {file}: 1 lines left out, see log.jsonl.rejected: ")
    assert words in warning
    assert warning.isprintable()
    assert file.read_bytes() == content
    assert rejected(file).read_bytes() == content.splitlines(keepends=True)[1]


def test_of_many_lines_a_few_are_named(write_log, read, said):
    """The rest are counted."""
    read(write_log(*[f"nonsense {number}" for number in range(50)], ONE))
    assert "50 lines left out" in said[0]
    assert said[0].endswith("; and 47 more")


def test_a_clock_that_is_hours_ahead_is_not_left_out(write_log, read):
    """It is an alert: no zone is a day ahead."""
    assert len(read(write_log(ONE, logged("2020-01-03T09:00:00Z")))) == 2


def test_an_empty_log_is_an_error(write_log, read, tmp_path):
    """Nothing was predicted, or the wrong file was named, which is left alone."""
    with pytest.raises(DataError, match="holds no prediction yet; `python -m src predict --log` writes them"):
        read(write_log("", end=""))
    wrong = write_log("a", "b")
    with pytest.raises(DataError, match="holds no prediction yet; at byte 2: expected a prediction"):
        read(wrong)
    assert not rejected(wrong).exists()
    with pytest.raises(DataError, match="there is no such log; `python -m src predict"):
        read(tmp_path / "nowhere")


def test_lines_of_other_versions_count_for_their_version(write_log, read):
    """As many are read as are asked for of the version that predicted last, with whatever lies between."""
    hours = [f"2020-01-01T{hour:02}:00:00Z" for hour in range(6)]
    lines = [logged(hour, model_version="1.1.0" if number % 2 else "1.0.0") for number, hour in enumerate(hours)]
    log = read(write_log(*lines), n_rows=2)
    assert log["model_version"].tolist() == ["1.1.0", "1.0.0", "1.1.0"]
    assert read(write_log(*lines)).groupby("model_version").size().to_dict() == {"1.0.0": 3, "1.1.0": 3}


def test_the_cost_does_not_depend_on_the_length(write_log, read):
    """Of a log many times as long as what is ever read of one, only the end is."""
    start = datetime(2019, 1, 1, tzinfo=UTC)
    times = [f"{start + timedelta(minutes=minute):%Y-%m-%dT%H:%M:%SZ}" for minute in range(2_000)]
    file = write_log(*map(logged, times))
    with file.open("rb+") as log:
        end = log.read()
        log.truncate(0)
        log.seek(20 * READ_MAX)
        log.write(b"\n" + end)  # a hole before it: zeros, which no disk holds
    tracemalloc.start()
    assert len(read(file, n_rows=720)) == 720
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8e6
