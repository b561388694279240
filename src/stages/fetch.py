"""Fetch: the bars that params.yaml names, checked, and a record of their quality."""

from datetime import UTC, datetime

from src import paths, storage, tables
from src.bars.build import build_bars
from src.bars.exchange import fetch_bars
from src.bars.files import read_file
from src.bars.quality import describe
from src.console import say
from src.errors import exit_on_error
from src.params import load_params


def main() -> None:
    """Read the source, build bars, write them and their quality."""
    data, now = load_params().data, datetime.now(UTC)
    table, ignored_columns = (fetch_bars(data, now), []) if data.source == "ccxt" else read_file(data.file)
    bars, decisions = build_bars(table, data, now)
    quality = describe(bars, data, decisions, ignored_columns)
    tables.write_frame(bars, paths.BARS)
    storage.write_json(quality, paths.DATA_QUALITY)
    say("fetch", "{rows:,} bars of {symbol} {timeframe}, {first_open} to {last_open}, {gaps} gaps".format(**quality))


if __name__ == "__main__":
    with exit_on_error():
        main()
