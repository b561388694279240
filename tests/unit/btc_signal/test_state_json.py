"""What a stream leaves behind, as JSON: it goes on from its own state, and from no other."""

import json
from copy import deepcopy
from math import inf, nan

import numpy as np
import pytest

from btc_signal.stream_state import Memory, Progress
from src.base.errors import DataError
from src.base.params import Features
from src.features.stream import FeatureStream

SMALL = dict(zip(Features.model_fields, [3, 6, 4, 5, 2.0, 7, 4, 60], strict=True))
# ema_50 is the longest of its windows.
N_START = 50
BAR = {"time": "2020-01-01T03:00:00+00:00", "open": 1.0, "high": 1.0, "low": 1.0, "close": 1.0, "volume": 1.0}


def stream_after(records):
    stream = FeatureStream(SMALL, "1h")
    stream.warm_up(records)
    return stream


@pytest.fixture(scope="module")
def records(make_bars):
    """Bars from 2020-01-01T00:00Z on."""
    return make_bars(90, seed=5).reset_index().to_dict("records")


@pytest.fixture(scope="module")
def states(records):
    """A state of each kind: of no bar, of bars gathered, and of a memory of them."""
    return {n_bars: stream_after(records[:n_bars]).state() for n_bars in (0, 3, 70)}


@pytest.mark.parametrize("n_bars", [0, 1, N_START - 1, N_START, 59, 60, 80])
def test_a_state_goes_on(n_bars, records):
    """Through JSON text and back, the next rows are those of the stream that was never stopped."""
    stream = stream_after(records[:n_bars])
    resumed = FeatureStream.from_state(json.loads(json.dumps(stream.state())), SMALL, "1h")
    assert (resumed.state(), repr(resumed)) == (stream.state(), repr(stream))
    np.testing.assert_array_equal(resumed.warm_up(records[n_bars:]), stream.warm_up(records[n_bars:]))
    assert resumed.state() == stream.state()


def test_a_price_may_be_small(records):
    """Of a coin of which a million cost a cent, or of bars in another unit."""
    small = [{**bar, **{name: bar[name] * 1e-12 for name in ("open", "high", "low", "close")}} for bar in records]
    stream = stream_after(small[:70])
    resumed = FeatureStream.from_state(stream.state(), SMALL, "1h")
    np.testing.assert_array_equal(resumed.warm_up(small[70:]), stream.warm_up(small[70:]))


def test_a_state_does_not_grow(make_bars):
    """However many bars came, a state holds as many values."""
    records = make_bars(1_000).reset_index().to_dict("records")
    sizes = {json.dumps(stream_after(records[:n_bars]).state()).count(",") for n_bars in (N_START, 60, 300, 1_000)}
    assert len(sizes) == 1


@pytest.mark.parametrize(
    ("n_bars", "damage"),
    [
        pytest.param(70, lambda p: p.update(extra=1), id="extra"),
        pytest.param(70, lambda p: p["memory"].update(extra=1.0), id="extra in the memory"),
        pytest.param(70, lambda p: p["memory"]["closes"].__setitem__(2, nan), id="NaN among closes"),
        pytest.param(70, lambda p: p["memory"]["zscore"].update(squares=nan), id="NaN in a window"),
        pytest.param(70, lambda p: p["memory"].update(loss=1), id="whole number"),
        pytest.param(70, lambda p: p["memory"].update(equal_closes=1.0), id="broken count"),
        pytest.param(70, lambda p: p["memory"].update(equal_volumes=-1), id="negative count"),
        pytest.param(70, lambda p: p["memory"]["closes"].pop(), id="a close less"),
        pytest.param(70, lambda p: p.update(n_bars=N_START - 1), id="memory too early"),
        pytest.param(70, lambda p: p.update(gathered=[BAR]), id="bars beside the memory"),
        pytest.param(3, lambda p: p.update(n_bars=-1), id="negative number of bars"),
        pytest.param(3, lambda p: p.update(n_bars=N_START), id="memory is due"),
        pytest.param(3, lambda p: p["gathered"].pop(), id="a bar less"),
        pytest.param(3, lambda p: p["gathered"].append(BAR), id="a bar more"),
        pytest.param(3, lambda p: p.update(time="2020-01-01T03:00:00+00:00"), id="another time"),
        pytest.param(3, lambda p: p["gathered"][1].update(low=-1.0), id="a bar that cannot be"),
        pytest.param(3, lambda p: p["gathered"][1].pop("low"), id="a bar without low"),
        pytest.param(3, lambda p: p["gathered"].insert(0, p["gathered"].pop(1)), id="bars out of order"),
        pytest.param(3, lambda p: p["gathered"][0].update(time=p["gathered"][1]["time"]), id="one time twice"),
        pytest.param(70, lambda p: p.update(time="2020-01-03T21:00:00"), id="time without a zone"),
        pytest.param(70, lambda p: p.update(time="2020-01-03T23:00:00+02:00"), id="time of another zone"),
        pytest.param(70, lambda p: p.update(time="0001-01-01T00:00:00+00:00"), id="time of the first year"),
        pytest.param(70, lambda p: p["memory"].update(close=0.0), id="close of zero"),
        pytest.param(70, lambda p: p["memory"].update(close=1.0), id="another close than the last"),
        pytest.param(70, lambda p: p["memory"].update(gain=-1.0), id="negative gain"),
    ],
)
def test_a_damaged_state_is_refused(n_bars, damage, states):
    """What no stream left behind is not gone on from."""
    state = deepcopy(states[n_bars])
    damage(state["progress"])
    with pytest.raises(DataError, match=r"^damaged state \(.*\); warm up anew$"):
        FeatureStream.from_state(state, SMALL, "1h")


@pytest.mark.parametrize("value", ["absent", nan, inf, "5.0", None, True, {}], ids=repr)
@pytest.mark.parametrize("name", ["progress", *Progress._fields, *Memory._fields])
def test_no_part_of_a_state_may_be_wrong(name, value, states):
    """A state lacks nothing, and holds numbers where numbers belong."""
    state = deepcopy(states[70])
    part = next(part for part in (state, state["progress"], state["progress"]["memory"]) if name in part)
    part.update({name: value})
    if value == "absent":
        del part[name]
    with pytest.raises(DataError, match=r"^damaged state \(.*\); warm up anew$"):
        FeatureStream.from_state(state, SMALL, "1h")


@pytest.mark.parametrize(
    ("name", "other"),
    [("settings", SMALL | {"zscore_window": 8}), ("timeframe", "4h"), ("feature_manager_version", "v1")],
    ids=["settings", "timeframe", "features"],
)
@pytest.mark.parametrize("n_bars", [0, 3, 70])
def test_the_state_of_another_stream_is_refused(n_bars, name, other, states):
    """Other settings, another timeframe or other features make other rows."""
    with pytest.raises(DataError, match=f"^state of another stream: expected {name} .*, got .*; warm up a") as error:
        FeatureStream.from_state(states[n_bars] | {name: other}, SMALL, "1h")
    assert f"got {other};" in str(error.value)


@pytest.mark.parametrize("state", [None, [], "state", 5], ids=repr)
def test_what_is_no_state_is_refused(state):
    """A state is an object."""
    with pytest.raises(DataError, match=r"state of another stream: expected \w+ .*; warm up anew"):
        FeatureStream.from_state(state, SMALL, "1h")
