"""The feature manager: what it takes, what it returns, what it refuses."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btc_signal.bar import COLUMNS
from btc_signal.catalog import FEATURE_NAMES, TARGET
from src.base.errors import DataError
from src.base.params import Label
from src.features.feature_manager import FeatureManager, build_dataset

WARM_UP = 60


def without_time(table):
    return table.reset_index(drop=True)


def with_epochs(bars):
    """Give the times as exchanges do, in a column of milliseconds."""
    return without_time(bars.assign(timestamp=bars.index.as_unit("ms").asi8))


def with_cell(bars, column, row, content):
    changed = bars.astype(object)
    changed.iloc[row, changed.columns.get_loc(column)] = content
    return changed


def test_rows_and_columns(manager, walk):
    """The first row is the bar that completes the warm-up, the last row is the last bar."""
    features = manager.generate_features(walk)
    # 60 bars are warm at position 59
    pd.testing.assert_index_equal(features.index, walk.index[59:])
    assert list(features.columns) == list(FEATURE_NAMES)
    assert (features.dtypes == "float64").all()


def test_bundled_bars(params, bars):
    """The shipped settings give finite rows for all but the first 499 bundled bars."""
    features = FeatureManager(params.features).generate_features(bars)
    assert features.shape == (len(bars) - 499, 12)
    assert np.isfinite(features.to_numpy()).all()


def test_one_row(manager, make_bars):
    """A warm-up that ends with the last bar gives one row."""
    assert len(manager.generate_features(make_bars(WARM_UP))) == 1


def test_flat_bars(manager, walk):
    """Bars without any movement or trade give the documented conventions."""
    still = walk.assign(open=15e6, high=15e6, low=15e6, close=15e6, volume=0.0)
    last = manager.generate_features(still).iloc[-1]
    assert last[["rsi_14", "bb_position", "zscore", "volume_ratio", "returns_1"]].tolist() == [50, 0.5, 0, 1, 0]


@pytest.mark.parametrize(
    "make_input",
    [
        pytest.param(lambda bars: bars.to_dict("list"), id="dict of lists"),
        pytest.param(lambda bars: {name: bars[name].to_numpy() for name in COLUMNS}, id="dict of arrays"),
        pytest.param(lambda bars: {name: bars[name] for name in COLUMNS}, id="dict of series"),
        pytest.param(lambda bars: bars.assign(vwap=1.0, symbol="BTC/JPY"), id="extra columns"),
        pytest.param(lambda bars: bars[COLUMNS[::-1]], id="columns in another order"),
        pytest.param(lambda bars: bars.reset_index(), id="time as a column"),
        pytest.param(lambda bars: bars.reset_index().astype({"time": str}), id="time as text"),
        pytest.param(lambda bars: bars.tz_convert("Asia/Tokyo"), id="times of another zone"),
        pytest.param(with_epochs, id="epoch milliseconds"),
        pytest.param(lambda bars: with_epochs(bars).to_dict("list"), id="dict with epoch milliseconds"),
        pytest.param(without_time, id="no times"),
    ],
)
def test_forms_of_input(make_input, manager, walk):
    """Every form of the same bars gives the same rows."""
    features = manager.generate_features(make_input(walk))
    pd.testing.assert_frame_equal(without_time(features), without_time(manager.generate_features(walk)))


def test_time_column(manager, walk):
    """A time column becomes the index of the rows."""
    features = manager.generate_features(walk.reset_index().to_dict("list"))
    assert features.index.tolist() == walk.index[59:].tolist()


def test_whole_numbers(manager, walk):
    """Whole numbers give the rows of the same numbers as floats."""
    whole = walk.round().astype({"volume": int, "close": int})
    whole["high"], whole["low"] = whole["high"] + 1, whole["low"] - 1
    pd.testing.assert_frame_equal(manager.generate_features(whole), manager.generate_features(whole.astype(float)))


def test_input_is_not_modified(manager, walk):
    """The caller's bars are left as they were."""
    table, columns = walk.reset_index(), walk.reset_index().to_dict("list")
    manager.generate_features(table)
    manager.generate_features(columns)
    pd.testing.assert_frame_equal(table, walk.reset_index())
    assert columns == walk.reset_index().to_dict("list")


@pytest.mark.parametrize(
    "make_input",
    [
        pytest.param(lambda bars: bars, id="time index"),
        pytest.param(lambda bars: bars.reset_index(names="datetime").astype({"datetime": str}), id="column of text"),
        pytest.param(lambda bars: bars.reset_index(names="date").to_dict("list"), id="dict of moments"),
        pytest.param(with_epochs, id="epoch milliseconds"),
    ],
)
def test_gap(make_input, manager, make_bars):
    """A gap starts the warm-up anew, however the times are given."""
    bars = make_bars(300)
    features = manager.generate_features(make_input(bars.drop(bars.index[100:107])))
    # 41 rows, of bars 59 to 99, before the gap; after it bar 107 is the first, so bar 166 the first with 60
    assert features["close"].tolist() == bars["close"].iloc[[*range(59, 100), *range(166, 300)]].tolist()


def test_rows_after_a_gap(manager, make_bars):
    """Rows after a gap are those of a history that starts there, to the bit."""
    bars = make_bars(300)
    features = manager.generate_features(bars.drop(bars.index[100:107]))
    alone = manager.generate_features(bars.iloc[107:])
    pd.testing.assert_frame_equal(features.loc[alone.index], alone, check_exact=True, check_freq=False)


def test_short_stretch(manager, make_bars):
    """A stretch too short for the warm-up has no row."""
    bars = make_bars(300)
    features = manager.generate_features(bars.drop(bars.index[[100, 140]]))
    # 39 bars lie between the two gaps
    assert not features.index.isin(bars.index[101:140]).any()


@settings(derandomize=True, deadline=None, max_examples=25)
@given(missing=st.sets(st.integers(1, 298), max_size=3))
def test_rows_around_any_gaps(missing, manager, make_bars):
    """A bar has a row exactly if the sixty bars up to it are all there."""
    bars = make_bars(300)
    features = manager.generate_features(bars.drop(bars.index[sorted(missing)]))
    expected = [t for t in range(59, 300) if missing.isdisjoint(range(t - 59, t + 1))]
    assert features.index.tolist() == bars.index[expected].tolist()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param(lambda b: b.drop(columns=["high", "volume"]), "missing: high, volume", id="missing columns"),
        pytest.param(lambda _: {}, "missing: open, high, low, close, volume", id="nothing"),
        pytest.param(lambda b: b.iloc[:59], "got 59 bars.* expected at least 60", id="one bar too few"),
        pytest.param(lambda b: b.iloc[:0], "got 0 bars.* expected at least 60", id="no bars"),
        pytest.param(lambda b: b.drop(b.index[::50]), "longest stretch.* has 49; .*at least 60", id="gaps everywhere"),
        pytest.param(lambda b: b.iloc[::-1], "oldest first", id="newest first"),
        pytest.param(lambda b: b.iloc[[*range(80), 79]], "each time once; .* follows", id="a time twice"),
        pytest.param(lambda b: b.reset_index().assign(time="noon"), "time.*noon", id="times that are none"),
        pytest.param(lambda b: with_cell(b.reset_index(), "time", 70, pd.NaT), "NaT|missing", id="no time"),
        pytest.param(lambda b: with_cell(b, "close", 3, np.nan), "row 4 .*close is missing", id="NaN close"),
        pytest.param(lambda b: with_cell(b, "volume", 3, np.nan), "row 4 .*volume is missing", id="NaN volume"),
        pytest.param(lambda b: with_cell(b, "high", 3, None), "row 4 .*high is missing", id="None"),
        pytest.param(lambda b: with_cell(b, "volume", 3, np.inf), "row 4 .*volume is infinite", id="infinite"),
        pytest.param(lambda b: with_cell(b, "close", 3, "n/a"), "expected numbers .*n/a", id="text"),
        pytest.param(lambda b: with_cell(b, "volume", 3, -1.0), "row 4 .*volume is negative", id="negative volume"),
        pytest.param(lambda b: with_cell(b, "low", 3, 0.0), "row 4 .*low is not positive", id="price of zero"),
        pytest.param(lambda b: with_cell(b, "high", 3, 1.0), "row 4 .*high is below low", id="high below low"),
        pytest.param(lambda b: b * 1e200, r"row 1 .*open is 1e\+18 or more", id="too large to square"),
        pytest.param(lambda b: b.to_dict("list") | {"close": [1.0]}, "equally long", id="unequal columns"),
        pytest.param(lambda _: dict.fromkeys(COLUMNS, 1.0), "equally long", id="scalars"),
    ],
)
def test_refused_bars(change, words, manager, walk):
    """Bars that cannot be are refused in words."""
    with pytest.raises(DataError, match=words):
        manager.generate_features(change(walk))


def test_names_count_and_categories(manager):
    """Names, count and categories speak of the same twelve."""
    names = manager.get_feature_names()
    assert names == list(FEATURE_NAMES)
    assert manager.get_feature_count() == 12
    assert manager.get_feature_categories() == {
        "price": ["close", "returns_1"],
        "volume": ["volume", "volume_ratio"],
        "momentum": ["rsi_14", "macd", "macd_signal"],
        "volatility": ["atr_14", "bb_position"],
        "trend": ["ema_20", "ema_50"],
        "mean_reversion": ["zscore"],
    }


def test_returned_names_are_a_copy(manager):
    """Changing the returned names changes nothing in the manager."""
    manager.get_feature_names().clear()
    assert manager.get_feature_count() == len(manager.get_feature_names()) == 12


def test_info(manager):
    """The info describes version, settings and every feature."""
    info = manager.get_feature_info()
    assert info["version"].startswith("v")
    assert info["total_features"] == 12
    assert info["feature_names"] == list(info["features"]) == list(FEATURE_NAMES)
    assert info["feature_categories"] == manager.get_feature_categories()
    assert info["settings"]["warm_up_bars"] == WARM_UP
    assert info["features"]["ema_20"]["unit"] == "quote currency"


def test_valid_table(manager, walk):
    """A table of finite features in their order is valid."""
    assert manager.validate_features(manager.generate_features(walk)) is True


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param(lambda f: f[list(FEATURE_NAMES[::-1])], "in this order, got volume_ratio", id="other order"),
        pytest.param(lambda f: f.drop(columns="zscore"), "expected the columns .*zscore.* got", id="eleven"),
        pytest.param(lambda f: f.assign(target=1), "got .*, target", id="thirteen"),
        pytest.param(lambda f: f.assign(rsi_14=np.nan), "rsi_14 is nan, expected a finite", id="NaN"),
        pytest.param(lambda f: f.assign(macd=-np.inf), "macd is -inf, expected a finite", id="infinite"),
    ],
)
def test_invalid_table(change, words, manager, walk):
    """A table that is not the twelve finite features in their order raises."""
    with pytest.raises(DataError, match=words):
        manager.validate_features(change(manager.generate_features(walk)))


def test_no_features_are_given_that_are_not_valid(short, walk, monkeypatch):
    """Whatever an indicator makes of bars that are."""
    features = (manager := FeatureManager(short)).generate_features(walk).assign(macd=np.nan)
    monkeypatch.setattr(manager, "_one_stretch", lambda _: features)
    with pytest.raises(DataError, match="macd is nan, expected a finite"):
        manager.generate_features(walk)


def test_dataset(short, walk):
    """The dataset holds features and label of every bar that has both."""
    dataset = build_dataset(walk, short, Label(horizon_bars=2, threshold=0.0))
    pd.testing.assert_index_equal(dataset.index, walk.index[59:-2])
    assert list(dataset.columns) == [*FEATURE_NAMES, TARGET]
    assert dataset[TARGET].dtype == "int8"
    features = FeatureManager(short).generate_features(walk)
    pd.testing.assert_frame_equal(dataset[list(FEATURE_NAMES)], features.iloc[:-2])
    later = walk["close"].to_numpy()[61:] > walk["close"].to_numpy()[59:-2]
    assert dataset[TARGET].tolist() == later.astype(int).tolist()


def test_dataset_before_a_gap(short, make_bars):
    """The last bar before a gap has no label and so no row."""
    bars = make_bars(300)
    dataset = build_dataset(bars.drop(bars.index[150]), short, Label(horizon_bars=1, threshold=0.0))
    assert bars.index[149] not in dataset.index
    assert {bars.index[148], bars.index[210]} <= set(dataset.index)


def test_dataset_without_rows(short, make_bars):
    """Bars that end with their warm-up make no dataset."""
    with pytest.raises(DataError, match="no bar has both its warm-up and a close 1 bars later"):
        build_dataset(make_bars(WARM_UP), short, Label(horizon_bars=1, threshold=0.0))
