"""From bars to predictions, in history and live."""

import numpy as np
import pytest

from btc_signal.predict import predict_history, predict_live
from src.base.errors import DataError, GapError
from src.features.feature_manager import FeatureManager
from src.features.stream import FeatureStream


@pytest.fixture
def settings(params):
    return params.features.model_copy(update={"warm_up_bars": 60})


@pytest.fixture
def walk(make_bars):
    return make_bars(200, seed=4)


@pytest.fixture
def records(walk):
    return walk.reset_index().to_dict("records")


@pytest.fixture
def stream(settings):
    return FeatureStream(settings, "1h")


def test_history(walk, records, stream, settings, candidate):
    """Every bar with its warm-up gets the probability that its features give."""
    predictions = predict_history(records, stream, candidate)
    features = FeatureManager(settings).generate_features(walk)
    assert [prediction.time for prediction in predictions] == list(features.index)
    expected = candidate.predict_proba(features)[:, 1]
    np.testing.assert_allclose([p.probability for p in predictions], expected, rtol=0, atol=1e-15)
    assert [p.decision for p in predictions] == candidate.predict(features).tolist()


def test_live(records, stream, settings, candidate):
    """Bar by bar the same predictions come, each as soon as its bar does."""
    asked = []

    def feed():
        for record in records:
            asked.append(record["time"])
            yield record

    live = []
    for prediction in predict_live(feed(), stream, candidate):
        assert prediction.time == asked[-1]
        live.append(prediction)
    history = predict_history(records, FeatureStream(settings, "1h"), candidate)
    assert [p.time for p in live] == [p.time for p in history]
    np.testing.assert_allclose([p.probability for p in live], [p.probability for p in history], rtol=0, atol=1e-15)


def test_members(records, stream, candidate):
    """The members' votes stand beside the probability, and how far they lie apart."""
    prediction = predict_history(records, stream, candidate)[-1]
    votes = prediction.members
    assert list(votes) == ["lightgbm", "xgboost", "random_forest"]
    # 0.4, 0.4 and 0.2 are the weights
    vote = 0.4 * votes["lightgbm"] + 0.4 * votes["xgboost"] + 0.2 * votes["random_forest"]
    assert prediction.probability == pytest.approx(vote, abs=1e-12)
    assert prediction.disagreement == max(votes.values()) - min(votes.values())
    assert prediction.decision == int(prediction.probability > 0.5)


def test_plain(records, stream, candidate):
    """A prediction as JSON names its bar's time and the model's version, none for a candidate."""
    plain = predict_history(records, stream, candidate)[-1].to_plain()
    # 200 hours from midnight, the first of January 2020
    assert plain["time"] == "2020-01-09T07:00:00Z"
    assert plain["model_version"] is None
    assert set(plain) == {"time", "probability", "decision", "members", "disagreement", "model_version"}


def test_gap(records, stream, candidate):
    """In history a gap starts the warm-up anew; live it is an error."""
    gapped = records[:80] + records[90:]
    times = [prediction.time for prediction in predict_history(gapped, stream, candidate)]
    # bars 60 to 80, then from the sixtieth after the gap
    assert times == [record["time"] for record in records[59:80] + records[149:]]


def test_gap_live(records, settings, candidate):
    live = predict_live(records[:80] + records[90:], FeatureStream(settings, "1h"), candidate)
    with pytest.raises(GapError, match="10 bars from 2020-01-04T08:00:00Z on are missing"):
        list(live)


def test_too_few(records, stream, candidate):
    """Fewer bars than the warm-up are an error that says how many are needed."""
    with pytest.raises(DataError, match="got 50 bars, none has its warm-up; 10 more without a gap are needed"):
        predict_history(records[:50], stream, candidate)


def test_no_bars(stream, candidate):
    with pytest.raises(DataError, match="got 0 bars"):
        predict_history([], stream, candidate)
