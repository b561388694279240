"""Where the monitor's bars come from."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace

import pandas as pd
import pytest

from src.base import paths
from src.monitoring.reference import Reference, newest_bars
from src.policy import Policy
from src.sources import exchange
from src.sources.exchange import fetch_bars
from tests.exchange_server import Bitbank, rows_of, serve

NOW = datetime(2017, 12, 1, 10, 20, 30, tzinfo=UTC)


@pytest.fixture
def bitbank(bars: pd.DataFrame, tmp_path, monkeypatch) -> Iterator[Bitbank]:
    """An exchange whose bars are the bundled ones."""
    with serve() as server:
        server.row_at, server.now = rows_of(bars), NOW
        monkeypatch.setattr(exchange, "fetch_bars", partial(fetch_bars, connect=server.connect, cache=tmp_path))
        yield server


def live(params: Policy, timeframe: str) -> Policy:
    data = params.data.model_copy(update={"source": "ccxt", "symbol": "BTC/JPY", "timeframe": timeframe})
    return params.model_copy(update={"data": data})


@pytest.mark.parametrize(("timeframe", "newest"), [("1h", "2017-12-01T09:00Z"), ("4h", "2017-12-01T04:00Z")])
def test_an_exchange_gives_what_a_look_needs(bitbank, bars, params, timeframe, newest):
    """Closed bars up to now, whatever the window in params.yaml, and no more days than that."""
    few = live(params, timeframe)
    monitor = few.monitor.model_copy(update={"window_bars": 100})
    few = few.model_copy(update={"monitor": monitor, "features": few.features.model_copy(update={"warm_up_bars": 60})})
    found = newest_bars(None, few, NOW)
    assert found.index[-1] == pd.Timestamp(newest)
    assert 210 <= len(found) <= 210 + 24
    if timeframe == "1h":
        pd.testing.assert_frame_equal(found, bars.loc[found.index], check_freq=False)


def test_a_file_gives_all_it_has(params, bars):
    """Of the source in params.yaml, beyond its window; or of the file that is named."""
    cut = params.model_copy(update={"data": params.data.model_copy(update={"end": NOW})})
    assert len(newest_bars(None, cut, datetime.now(UTC))) == len(bars)
    assert len(newest_bars(paths.SAMPLE, cut, datetime.now(UTC))) == len(bars)


def test_a_version_is_judged_by_what_it_was_made_of(params):
    """Today's params.yaml may name another timeframe, label or warm-up; its limits and its source are today's."""
    made = params.model_dump()
    reference = Reference(None, SimpleNamespace(params=made | {"data": made["data"] | {"timeframe": "4h"}}))
    label = params.label.model_copy(update={"horizon_bars": 7})
    features = params.features.model_copy(update={"warm_up_bars": 2_000})
    today = live(params, "1h").model_copy(update={"label": label, "features": features})
    found = reference.applied_to(today)
    assert (found.data.step, found.label, found.features) == (timedelta(hours=4), params.label, params.features)
    assert (found.data.source, found.monitor) == ("ccxt", today.monitor)
    steps = newest_bars(None, reference.applied_to(params), datetime.now(UTC)).index.to_series().diff()
    assert steps.mode()[0] == timedelta(hours=4)
