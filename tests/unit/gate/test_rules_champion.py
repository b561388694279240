"""The gate's rules beside the champion: who has to be ahead, and who may not be shown to be worse."""

import pytest

from tests.unit.gate.test_rules import (
    ABSENT,
    CHAMPION,
    COMPARISON,
    HIGH,
    LOW,
    POINT,
    SINCE,
    WORSE,
    against,
    changed,
    parts,
    refused,
)


def test_the_champion_itself():
    """It is not ahead of itself, and the words say why."""
    judged = against(changed(COMPARISON, ("differences", "brier_skill"), {"difference": 0.0, "interval": [0.0, 0.0]}))
    words = "0, more than 0 is asked; it forecasts what the champion does"
    assert (judged[CHAMPION[POINT]].verdict, judged[CHAMPION[POINT]].words) == ("failed", words)


def test_a_challenger_that_is_ahead():
    """It may lose a little at the lower end, leads in the middle, and is not shown to be worse since."""
    judged = against(COMPARISON)
    assert refused(judged) == {}
    assert {name: (one.value, one.threshold) for name, one in judged.items()} == {
        CHAMPION[LOW]: (-0.003, -0.005),
        CHAMPION[POINT]: (0.002, 0.0),
        CHAMPION[WORSE]: (-0.02, 1e-6),
    }


@pytest.mark.parametrize(
    ("keys", "value", "verdict", "words"),
    [
        pytest.param(LOW, -0.005, "passed", "-0.005, at least -0.005 is asked", id="lower end at the tolerance"),
        pytest.param(LOW, -0.006, "failed", "-0.006, at least -0.005 is asked", id="lower end below"),
        pytest.param(POINT, 1e-6, "passed", "1e-06, more than 0 is asked", id="ahead"),
        pytest.param(POINT, 0.0, "failed", "0, more than 0 is asked", id="level"),
        pytest.param(POINT, -0.001, "failed", "-0.001, more than 0 is asked", id="behind"),
        pytest.param(WORSE, 1e-6, "passed", "1e-06, at most 1e-06 is asked", id="not shown to be worse"),
        pytest.param(WORSE, 0.001, "failed", "0.001, at most 1e-06 is asked", id="shown to be worse"),
    ],
)
def test_a_difference_at_its_threshold(keys, value, verdict, words):
    """The challenger has to be ahead; to be as good is not enough."""
    judged = against(changed(COMPARISON, keys, value))
    found = judged.pop(CHAMPION[keys])
    assert (found.value, found.verdict, found.words) == (value, verdict, words)
    assert refused(judged) == {}


@pytest.mark.parametrize(
    ("changed", "n_bars", "asked"),
    [
        pytest.param("patch", 168, {HIGH, CHAMPION[WORSE]}, id="newer bars"),
        pytest.param("minor", 168, set(CHAMPION.values()), id="other parameters"),
        pytest.param("major", 168, set(CHAMPION.values()), id="other code"),
        pytest.param("patch", 0, set(CHAMPION.values()), id="no newer bar"),
        pytest.param(None, 168, set(CHAMPION.values()), id="not known"),
    ],
)
def test_a_lead_is_asked_of_another_procedure(changed, n_bars, asked):
    """The same one on newer bars leads or lags by luck: it may not be shown to be worse."""
    judged = against(COMPARISON | {"changed": changed, "since_training": SINCE | {"n_bars": n_bars}})
    assert set(judged) == asked
    assert refused(judged) == {}


@pytest.mark.parametrize(
    ("interval", "verdict"),
    [([-0.02, -0.005], "passed"), ([-0.02, -0.006], "failed"), (None, "unknown"), ([-0.02, None], "unknown")],
    ids=repr,
)
def test_newer_bars_excuse_no_loss_that_is_shown(interval, verdict):
    """The whole interval lies below the tolerance."""
    judged = against(changed(COMPARISON | {"changed": "patch"}, ("differences", "brier_skill", "interval"), interval))
    assert judged[HIGH].verdict == verdict
    assert (judged[HIGH].threshold, judged[CHAMPION[WORSE]].verdict) == (-0.005, "passed")


def test_the_champion_itself_is_refused():
    """An identical model gains nothing: all differences and both ends of their intervals are 0."""
    same = {"difference": 0.0, "interval": [0.0, 0.0]}
    judged = against({"differences": {"brier_skill": same, "log_loss": same}, "since_training": None})
    assert refused(judged) == {CHAMPION[POINT]: "failed"}


@pytest.mark.parametrize("value", ABSENT, ids=repr)
@pytest.mark.parametrize("keys", CHAMPION, ids=CHAMPION.get)
def test_a_difference_that_is_no_finite_number_is_unknown(keys, value):
    """As where a certainty that was wrong makes the log loss infinite."""
    judged = against(changed(COMPARISON, keys, value))
    assert refused(judged) == {CHAMPION[keys]: "unknown"}
    assert judged[CHAMPION[keys]].words.startswith("the comparison holds no such number")


@pytest.mark.parametrize("container", [None, 0.9, "text", [], {}], ids=repr)
@pytest.mark.parametrize("keys", CHAMPION, ids=CHAMPION.get)
def test_a_difference_without_its_container_is_unknown(keys, container):
    """At whatever depth something else stands, the rule cannot tell."""
    for part in parts(keys):
        if part != ("since_training",):
            assert refused(against(changed(COMPARISON, part, container)))[CHAMPION[keys]] == "unknown"


@pytest.mark.parametrize(
    ("since", "n_bars"),
    [
        pytest.param(None, 0, id="none since"),
        pytest.param(
            SINCE | {"n_bars": 49, "differences": {"log_loss": {"interval": [0.5, 0.9]}}}, 49, id="few, worse"
        ),
        pytest.param({"n_bars": 49, "refused": "cannot be asked"}, 49, id="few, refused"),
    ],
)
def test_too_few_bars_since_the_champion_was_trained(since, n_bars):
    """Under fifty bars show nothing, for or against."""
    found = against(COMPARISON | {"since_training": since})[CHAMPION[WORSE]]
    words = f"{n_bars} bars are too few to show that it is worse"
    assert (found.value, found.verdict, found.words) == (None, "told", words)


@pytest.mark.parametrize("since", [{}, {"since_training": {}}], ids=["absent", "empty"])
def test_a_comparison_that_does_not_say_what_came_since(since):
    """That there were no such bars has to be said."""
    judged = against({"differences": COMPARISON["differences"], **since})
    assert refused(judged) == {CHAMPION[WORSE]: "unknown"}


def test_a_champion_that_cannot_be_asked():
    """What it would have said since is unknown, and why."""
    since = {"n_bars": 50, "refused": "the champion's model cannot be asked: it is damaged"}
    found = against(COMPARISON | {"since_training": since})[CHAMPION[WORSE]]
    assert (found.value, found.verdict, found.words) == (None, "unknown", since["refused"])
