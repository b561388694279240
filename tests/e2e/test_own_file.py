"""A file that a user has, from `inspect` by the settings that it prints to bars."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import yaml

from btc_signal.bar import COLUMNS
from src.base import paths, storage, tables
from tests.checkouts import copy_work_tree
from tests.files_of_bars import lines

FILE = "data/ビットコイン.csv"


def test_a_japanese_spreadsheet_enters_by_what_inspect_prints(
    tmp_path: Path, make_bars: Callable[..., pd.DataFrame]
) -> None:
    """Its times are of Tokyo and say so nowhere, its text is cp932: one question, one answer, the right clock."""
    checkout, bars = copy_work_tree(tmp_path / "repository"), make_bars(48).round(2)
    times = pd.DatetimeIndex(bars.index).tz_convert("Asia/Tokyo").strftime("%Y/%m/%d %H:%M")
    rows = [",".join([time, *map(str, row)]) for time, row in zip(times, bars.to_numpy().tolist(), strict=True)]
    content = lines("日時,始値,高値,安値,終値,出来高", *rows).encode("cp932")
    (checkout.root / FILE).write_bytes(content)

    said = checkout.run("python", "-m", "src", "inspect", FILE, expect=1)
    assert "has no time zone (row 1 is 2020/01/01 09:00)" in said
    settings = yaml.safe_load(said[said.index("data:") :])["data"]
    assert settings.keys() == {"source", "path", "symbol", "timeframe", "start", "end", "time_zone"}
    settings["time_zone"] = "Asia/Tokyo"
    checkout.set_params({("data", name): value for name, value in settings.items()})

    assert checkout.repro("fetch") == ["fetch"]
    fetched = tables.read_frame(checkout.root / paths.relative(paths.BARS))
    pd.testing.assert_frame_equal(fetched, bars[COLUMNS], check_freq=False)
    quality = storage.read_json(checkout.root / paths.relative(paths.DATA_QUALITY))
    assert (quality["rows"], quality["first_open"]) == (48, "2020-01-01T00:00:00Z")
    assert (checkout.root / FILE).read_bytes() == content
    # The stages after it did not run.
    told = checkout.run("python", "-m", "src", "check", "data-check", expect=1)
    assert f"{FILE}: every row is understood" in told
    assert "48 rows, the last opens 2020-01-02T23:00Z" in told
