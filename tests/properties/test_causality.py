"""No feature and no label row knows what comes after it; each check is shown to catch a planted leak."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btc_signal.bar import COLUMNS
from src.base.params import Label
from src.features.feature_manager import FeatureManager, build_dataset
from src.features.indicators import compute

N_BARS = 240
WARM_UP = 50
CUTS_IN_WARM_UP = [0, 13, 19, 30, 48]
CUTS_AFTER_IT = [49, 60, 137, 238]


@pytest.fixture(scope="session")
def short(params):
    """The shipped windows with the shortest warm-up they allow: row 49 is the first."""
    return params.features.model_copy(update={"warm_up_bars": WARM_UP})


@pytest.fixture(scope="session")
def history(make_bars):
    return make_bars(N_BARS, seed=21)


@pytest.fixture(scope="session", params=[1.0, 1e-3, 1e3], ids=["as dear", "crash", "boom"])
def other_future(request, make_bars):
    """Other bars at the same times, at another price level."""
    return make_bars(N_BARS, seed=22) * request.param


def with_future(history, future, cut):
    """Keep the bars up to and including position `cut`, and put others after them."""
    return pd.concat([history.iloc[: cut + 1], future.iloc[cut + 1 :]])


def all_rows(bars, settings):
    """Every row of the indicators, those of the warm-up among them."""
    columns = {name: np.ascontiguousarray(bars[name]) for name in COLUMNS}
    return pd.DataFrame(compute(columns, settings), index=bars.index)


def warm_rows(bars, settings):
    return FeatureManager(settings).generate_features(bars)


def check_causal(make_rows, history, future, cut):
    """Raise AssertionError if another future changes a row up to `cut`."""
    known = history.index[: cut + 1]
    before, after = make_rows(history), make_rows(with_future(history, future, cut))
    pd.testing.assert_frame_equal(
        after[after.index.isin(known)], before[before.index.isin(known)], check_exact=True, check_freq=False
    )


@pytest.mark.parametrize("cut", CUTS_IN_WARM_UP + CUTS_AFTER_IT)
def test_indicators(cut, history, other_future, short):
    """Another future changes no indicator up to the cut, in the warm-up or after it."""
    check_causal(lambda bars: all_rows(bars, short), history, other_future, cut)


@pytest.mark.parametrize("cut", CUTS_AFTER_IT)
def test_feature_rows(cut, history, other_future, short):
    """Another future changes no feature row up to the cut."""
    check_causal(lambda bars: warm_rows(bars, short), history, other_future, cut)


@settings(derandomize=True, deadline=None, max_examples=25)
@given(row=st.integers(WARM_UP - 1, N_BARS - 1))
def test_last_known_bar(row, history, short):
    """A bar has the same row when it is the last that is known."""
    alone = warm_rows(history.iloc[: row + 1], short).iloc[-1]
    pd.testing.assert_series_equal(alone, warm_rows(history, short).loc[history.index[row]], check_exact=True)


@pytest.mark.parametrize("horizon_bars", [1, 5])
@pytest.mark.parametrize("cut", [60, 137, 238])
def test_labels(cut, horizon_bars, history, other_future, short):
    """A label knows its horizon and nothing later."""
    label = Label(horizon_bars=horizon_bars, threshold=0.001)

    def rows_with_known_labels(bars):
        # the row at `t` may know the close of `t + horizon_bars`, so it is filed there
        return build_dataset(bars, short, label).shift(horizon_bars, freq="h")

    check_causal(rows_with_known_labels, history, other_future, cut)


def back_filled(bars, settings):
    return all_rows(bars, settings).bfill()


def centred(bars, settings):
    return all_rows(bars, settings).assign(zscore=bars["close"] / bars["close"].rolling(5, center=True).mean())


def scaled_by_all_bars(bars, settings):
    return all_rows(bars, settings) / bars["close"].std()


def shifted_back(bars, settings):
    return all_rows(bars, settings).assign(returns_1=bars["close"].pct_change().shift(-1))


def ranked_among_all_bars(bars, settings):
    return all_rows(bars, settings).assign(volume_ratio=bars["volume"].rank())


@pytest.mark.parametrize(
    ("leak", "cuts"),
    [
        pytest.param(back_filled, CUTS_IN_WARM_UP, id="back-filled warm-up"),
        pytest.param(centred, CUTS_IN_WARM_UP[1:] + CUTS_AFTER_IT, id="centred window"),
        pytest.param(scaled_by_all_bars, CUTS_IN_WARM_UP + CUTS_AFTER_IT, id="global scaling"),
        pytest.param(shifted_back, CUTS_IN_WARM_UP + CUTS_AFTER_IT, id="next bar's return"),
        pytest.param(ranked_among_all_bars, CUTS_AFTER_IT[:-1], id="rank among all bars"),
    ],
)
def test_planted_leaks(leak, cuts, history, make_bars, short):
    """A planted leak is caught at every cut that can show it."""
    for cut in cuts:
        with pytest.raises(AssertionError, match="are different"):
            check_causal(lambda bars: leak(bars, short), history, make_bars(N_BARS, seed=22), cut)


def test_why_cuts_in_the_warm_up(history, make_bars, short):
    """A back-filled warm-up passes every cut after it, so cuts inside it are needed."""
    for cut in CUTS_AFTER_IT:
        check_causal(lambda bars: back_filled(bars, short), history, make_bars(N_BARS, seed=22), cut)
