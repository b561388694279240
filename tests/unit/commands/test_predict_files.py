"""`predict` on a file: its timeframe and clock are the model's, and what is refused is named by file and row."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from src.cli import app

RUN = CliRunner()


@pytest.mark.parametrize("step", ["15min", "2h"])
def test_predict_refuses_a_table_of_another_timeframe(
    step: str, make_bars: Callable[..., pd.DataFrame], promoted: None, tmp_path: Path
) -> None:
    """Bars are not joined for a model: it was fitted on its own, and an hour that lacks a part would differ."""
    file = tmp_path / "bars.csv"
    make_bars(90, step=step).to_csv(file)
    shown = RUN.invoke(app, ["predict", str(file)])
    assert (shown.exit_code, shown.stdout) == (2, "")
    came = step.removesuffix("in")
    assert f"bars.csv: expected bars of 1h, as the model's, got bars of {came}; give such bars" in shown.stderr


def test_predict_reads_offsets_of_a_table(walk: pd.DataFrame, promoted: None, tmp_path: Path) -> None:
    """Nine in the morning in Tokyo is midnight in UTC."""
    assert isinstance(walk.index, pd.DatetimeIndex)
    walk.tz_convert("Asia/Tokyo").to_csv(tmp_path / "bars.csv")
    assert "2020-01-01 09:00:00+09:00" in (tmp_path / "bars.csv").read_text()
    first = RUN.invoke(app, ["predict", str(tmp_path / "bars.csv"), "--json"]).stdout.splitlines()[0]
    assert json.loads(first)["time"] == "2020-01-03T11:00:00Z"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "not valid JSON"),
        ("[1]", "expected a JSON object"),
        ('{"time": "2020-01-01T04:00:00Z"}', "bar without open, high, low, close, volume"),
    ],
)
def test_predict_names_the_file_and_the_line(
    line: str, words: str, walk: pd.DataFrame, promoted: None, tmp_path: Path
) -> None:
    """Whether the line is no JSON, or no bar."""
    text = walk.head(4).reset_index().to_json(orient="records", lines=True, date_format="iso")
    (tmp_path / "feed.jsonl").write_text(f"{text.rstrip()}\n{line}\n")
    for options in ([], ["--follow"]):
        shown = RUN.invoke(app, ["predict", str(tmp_path / "feed.jsonl"), *options])
        assert shown.exit_code == 2
        assert f"feed.jsonl, line 5: {words}" in shown.stderr


def test_predict_names_the_file_and_the_row(walk: pd.DataFrame, promoted: None, tmp_path: Path) -> None:
    """Of a table."""
    file = tmp_path / "bars.csv"
    walk.assign(high=walk["high"].where(walk.index != walk.index[4], 1.0)).to_csv(file)
    shown = RUN.invoke(app, ["predict", str(file)])
    assert shown.exit_code == 2
    assert "bars.csv: row 5" in shown.stderr
