"""A monitor that sees nothing says so."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.base.params import Label
from src.monitoring.coverage import judge_coverage
from src.policy import load_policy

START, HOUR = datetime(2020, 1, 1, tzinfo=UTC), timedelta(hours=1)
LABEL = Label(horizon_bars=1, threshold=0.003)
LIMITS = load_policy().monitor
BARS = pd.DataFrame({"close": 1.0}, pd.date_range(START, periods=600, freq="1h"))
YEARS_LATER = datetime(2026, 1, 1, tzinfo=UTC)


def judged(hours, *, now=YEARS_LATER, limits=LIMITS, label=LABEL):
    """Both judgements on predictions logged so many hours after the first bar."""
    times = pd.DatetimeIndex([START + hour * HOUR for hour in hours])
    log = pd.DataFrame({"probability": 0.4}, times)
    return list(judge_coverage(log, BARS, label, HOUR, limits, now))


def test_predictions_that_miss_every_bar_are_an_alert():
    """A minute before the hour; one logged time is shown, and the bar that is nearest to it."""
    meeting, _ = judged(hour - 1 / 60 for hour in range(1, 502))
    assert (meeting.verdict, meeting.value) == ("failed", 0)
    assert "0 of the newest 501 that are old enough" in meeting.words
    assert "2020-01-21T20:59:00Z was logged, the nearest bar opened 2020-01-21T21:00:00Z" in meeting.words


@pytest.mark.parametrize(
    ("hours", "value", "verdict"),
    [
        (range(600), 600, "passed"),
        ([3.5], 0, "failed"),
        ([3], 1, "passed"),
        ([3, 4.5], 1, "passed"),
        ([*range(200), *(hour + 0.5 for hour in range(300))], 200, "passed"),
        ([*range(199), *(hour + 0.5 for hour in range(300))], 199, "failed"),
        (range(-300, 0), 0, "failed"),
        (range(600, 900), 0, "failed"),
        (range(450, 900), 150, "failed"),
    ],
    ids=[
        "all meet one",
        "the only one misses",
        "the only one meets one",
        "one of two",
        "enough for scores",
        "too few for scores",
        "before all bars",
        "after all bars",
        "bars that end in the middle",
    ],
)
def test_as_many_must_meet_a_bar_as_scores_need(hours, value, verdict):
    """All of what a verdict on scores takes, where so many were logged; else one at least."""
    meeting, _ = judged(sorted(hours))
    assert (meeting.value, meeting.verdict) == (value, verdict)
    assert ("was logged, the nearest bar" in meeting.words) == (value < min(len(list(hours)), LIMITS.window_bars))


def test_misses_are_told_where_enough_meet_a_bar():
    """Half of them off by half an hour."""
    meeting, _ = judged(half / 2 for half in range(600))
    assert meeting.words.startswith("300 of the newest 600 that are old enough for an outcome; at least 200 is asked; ")
    assert "2020-01-13T11:30:00Z was logged" in meeting.words


@pytest.mark.parametrize(("now_h", "verdict"), [(11.9, "unknown"), (12, "failed")])
def test_a_bot_that_just_began_is_given_time(now_h, verdict):
    """A prediction of the bar of 10:00 has its outcome when the bar of 11:00 has closed, at 12:00 and no earlier."""
    meeting, _ = judged([10 - 1e-3], now=START + now_h * HOUR)
    assert meeting.verdict == verdict
    # With a horizon of three bars it takes two hours longer.
    meeting, _ = judged([10 - 1e-3], now=START + (now_h + 2) * HOUR, label=LABEL.model_copy(update={"horizon_bars": 3}))
    assert meeting.verdict == verdict


@pytest.mark.parametrize("hours", [[700], [*range(590), 700]], ids=["all of them", "one among many"])
def test_predictions_of_bars_to_come_are_an_alert(hours):
    """They would be too young for an outcome until then, and hide that the bot died."""
    live = LIMITS.model_copy(update={"late_bars_max": 2})
    meeting, silence = judged(hours, now=START + 600 * HOUR, limits=live)
    assert meeting.verdict == "failed"
    assert "1 are of bars to come, 2020-01-30T04:00:00Z the last, and here it is 2020-01-26T00:00:00Z" in meeting.words
    assert (silence.value, silence.verdict) == ((None, "unknown") if len(hours) == 1 else (10, "failed"))


def test_a_prediction_of_the_bar_that_opens_now_is_not_of_a_bar_to_come():
    """A bot's clock may be ahead of this one by nearly a bar."""
    meeting, _ = judged([600], now=START + 600 * HOUR)
    assert meeting.verdict == "unknown"


@settings(derandomize=True, deadline=None, max_examples=100)
@given(minutes=st.sets(st.integers(-6_000, 42_000), min_size=1, max_size=300))
def test_never_blind_and_content(minutes):
    """If no prediction of a log meets a bar, whatever its times are, there is an alert or nothing is old enough yet."""
    meeting, _ = judged(sorted(minute / 60 for minute in minutes))
    meets = [minute for minute in minutes if minute % 60 == 0 and 0 <= minute < 600 * 60]
    assert meeting.value == len(meets)
    assert meets or meeting.verdict == "failed"


@pytest.mark.parametrize(
    ("late_bars_max", "last", "value", "verdict"),
    [
        (None, 300, 299, "off"),
        (2, 596, 3, "failed"),
        (2, 597, 2, "passed"),
        (2, 599, 0, "passed"),
        (2, 700, 0, "passed"),
    ],
)
def test_bars_that_go_on_without_predictions(late_bars_max, last, value, verdict):
    """A bot that died is an alert where the source is live, as late bars are."""
    _, silence = judged(range(last + 1), limits=LIMITS.model_copy(update={"late_bars_max": late_bars_max}))
    assert (silence.value, silence.verdict) == (value, verdict)
    assert f"{START + last * HOUR:%Y-%m-%dT%H:00:00Z}" in silence.words
