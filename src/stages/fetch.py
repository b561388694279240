"""Fetch: the bars that params.yaml names, checked, and a record of their quality."""

from datetime import UTC, datetime

from src.bars.build import build_bars
from src.bars.quality import describe
from src.base import paths, storage, tables
from src.base.console import say
from src.base.errors import exit_on_error, warn
from src.base.params import load_params
from src.sources.source import SOURCES, name_of


def main() -> None:
    """Read the source, build bars, write them and their quality."""
    data, now = load_params().data, datetime.now(UTC)
    source = SOURCES[data.source]
    table, ignored_columns = source.rows(data, now)
    bars, decisions = build_bars(table, data, now, name_of(source.file_of(data)))
    quality = describe(bars, data, decisions, ignored_columns)
    for words in decisions.warnings:
        warn(words)
    tables.write_frame(bars, paths.BARS)
    storage.write_json(quality, paths.DATA_QUALITY)
    say("fetch", "{rows:,} bars of {symbol} {timeframe}, {first_open} to {last_open}, {gaps} gaps".format(**quality))


if __name__ == "__main__":
    with exit_on_error():
        main()
