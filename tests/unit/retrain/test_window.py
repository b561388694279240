"""Where the window of the bars goes next."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from btc_signal.times import utc_text
from src.base import paths
from src.base.errors import DataError, ParamsError
from src.base.yaml_lines import replace_scalars
from src.retrain.window import move_window

NOW = datetime(2026, 1, 5, 3, 17, 40, tzinfo=UTC)
LIVE = {("data", "source"): "ccxt", ("gate", "newest_bar_age_max_h"): "48", ("monitor", "late_bars_max"): "3"}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.fixture
def write(tmp_path: Path):
    """A function that writes params.yaml with other values and returns its folder."""

    def write_params(values: dict[tuple[str, ...], str]) -> Path:
        text = replace_scalars(paths.PARAMS.read_text(), "params.yaml", values)
        (tmp_path / "params.yaml").write_text(text)
        return tmp_path

    return write_params


def window_of(root: Path, end: str | None = None) -> tuple[str | None, str | None]:
    data = move_window(root, end and at(end), NOW)
    return tuple(moment and utc_text(moment) for moment in (data.start, data.end))


def test_an_exchange_is_asked_for_whole_days(write):
    """Up to the last midnight; the start stays."""
    assert window_of(write(LIVE)) == ("2017-07-01T11:00:00Z", "2026-01-05T00:00:00Z")


def test_only_the_window_moves(write):
    """Every other byte of params.yaml stays, comments too."""
    root = write(LIVE)
    before = (root / "params.yaml").read_text()
    move_window(root, None, NOW)
    after = (root / "params.yaml").read_text()
    assert after == before.replace('"2019-10-17T10:00:00Z"', '"2026-01-05T00:00:00Z"', 1)


def test_an_end_that_was_asked_for(write):
    """To the hour; the present one is no error, as a rerun asks for it again."""
    assert window_of(write(LIVE), "2025-12-31T07:00:00Z")[1] == "2025-12-31T07:00:00Z"
    assert window_of(write({}), "2019-10-17T10:00:00Z")[1] == "2019-10-17T10:00:00Z"


def test_the_start_follows(write):
    """At the distance that params.yaml gives; 31 days before the 5th of January is the 5th of December."""
    root = write(LIVE | {("retrain", "window_days"): "31"})
    assert window_of(root) == ("2025-12-05T00:00:00Z", "2026-01-05T00:00:00Z")


def test_a_file_is_read_to_its_last_bar(write):
    """The bundled bars' last one opened at 09:00."""
    root = write({("data", "end"): '"2019-01-01T00:00:00Z"'})
    assert window_of(root) == ("2017-07-01T11:00:00Z", "2019-10-17T10:00:00Z")


def test_an_open_end_stays_open(write):
    """Unless one is asked for; a start that follows follows the last bar."""
    assert window_of(write({("data", "end"): "null"})) == ("2017-07-01T11:00:00Z", None)
    root = write({("data", "end"): "null", ("retrain", "window_days"): "7"})
    assert window_of(root) == ("2019-10-10T10:00:00Z", None)
    assert window_of(write({("data", "end"): "null"}), "2019-01-01T00:00:00Z")[1] == "2019-01-01T00:00:00Z"


def test_a_window_past_the_newest_bar_stays(write):
    """A machine whose clock is late takes no bars away."""
    root = write(LIVE | {("data", "end"): '"2026-01-05T02:00:00Z"'})
    assert window_of(root)[1] == "2026-01-05T02:00:00Z"


def test_an_end_before_the_present_one_is_refused(write):
    """Bars that a model was trained on do not go away by a slip of the hand."""
    root = write({})
    before = (root / "params.yaml").read_text()
    words = r"^expected an end at or after data\.end, 2019-10-17T10:00:00Z, got 2018-01-01T00:00:00Z; `rollback` "
    with pytest.raises(DataError, match=words):
        move_window(root, at("2018-01-01T00:00:00Z"), NOW)
    assert (root / "params.yaml").read_text() == before


def test_a_window_that_cannot_be_is_refused(write):
    """By the rules of params.yaml: an exchange's ends on the hour."""
    with pytest.raises(ParamsError, match="must be a whole hour"):
        move_window(write(LIVE), at("2025-12-31T07:30:00Z"), NOW)
