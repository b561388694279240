"""The gate's rules on leaks, bars, the bundle and luck: what passes, what does not, and what cannot be told."""

import math
import re
from datetime import UTC, datetime, timedelta

import pytest

from src.evaluation.causality import Leak
from src.gate.rules import judge_bundle, judge_data, judge_leaks, judge_luck
from src.verdict.finding import Finding, result_of

HOUR = timedelta(hours=1)
NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
MEASURED = {"parity": 2e-7, "n_flipped": 0, "size_mb": 0.9, "latency_ratio": 130.0, "memory_mib": 75.0}
QUALITY = {"missing_share": 0.01, "last_open": "2026-01-02T09:00:00Z"}
MISSING, AGE = "share of bars missing", "age of the newest bar, hours"
BUNDLE = {
    "parity": "graph less its members, probability",
    "n_flipped": "decisions that differ from its members'",
    "size_mb": "model file, MB",
    "latency_ratio": "times faster than three libraries",
    "memory_mib": "memory resident, MiB",
}
ABSENT = [None, math.nan, math.inf, -math.inf, True, "0", [], pytest.param(10**400, id="400 digits")]


@pytest.fixture
def gate(params):
    """The shipped thresholds with those of this file in their place, the newest bar's age among them."""
    asked = {
        "missing_share_max": 0.02,
        "newest_bar_age_max_h": 2.0,
        "model_size_max_mb": 5.0,
        "latency_ratio_min": 20.0,
        "memory_max_mib": 130.0,
    }
    return params.gate.model_copy(update=asked)


@pytest.fixture
def data(gate):
    """A function that judges the bars, by name."""

    def judge(quality, *, step=HOUR, **thresholds):
        asked = gate.model_copy(update=thresholds)
        return {one.name: one for one in judge_data(quality, step, asked, NOW)}

    return judge


@pytest.fixture
def bundle(gate):
    """A function that judges the files, by name."""
    return lambda measured: {one.name: one for one in judge_bundle(measured, 1e-6, gate)}


def check(name, words, *, is_clean):
    leaks = [] if is_clean else [Leak("close", "", "", "a cause")]
    return Finding(name, len(leaks), 0, result_of(is_clean), words, details=leaks)


def test_no_leaks():
    """Clean checks pass, and are counted."""
    checks = [check("no feature knows a later bar", "", is_clean=True), check("columns", "", is_clean=True)]
    (found,) = judge_leaks(checks)
    assert found == Finding("leaks", 0.0, 0.0, "passed", "2 checks are clean")


def test_leaks():
    """One is enough, and every one of them is named with what was found."""
    checks = [
        check("no feature knows a later bar", "1 features know later bars", is_clean=False),
        check("columns", "12 columns", is_clean=True),
        check("batch and stream agree", "40 rows", is_clean=False),
    ]
    (found,) = judge_leaks(checks)
    assert (found.value, found.threshold, found.verdict) == (2.0, 0.0, "failed")
    assert found.words == (
        "not so: no feature knows a later bar (1 features know later bars); not so: batch and stream agree (40 rows)"
    )


def test_no_checks_are_no_yes():
    """Who looked for nothing cannot tell."""
    (found,) = judge_leaks([])
    assert (found.value, found.verdict) == (0, "unknown")


@pytest.mark.parametrize(
    ("share", "verdict", "words"),
    [
        pytest.param(0.0, "passed", "0, at most 0.02 is asked", id="none"),
        pytest.param(0.02, "passed", "0.02, at most 0.02 is asked", id="at the threshold"),
        pytest.param(0.0201, "failed", "0.0201, at most 0.02 is asked", id="too many"),
    ],
)
def test_missing_bars(share, verdict, words, data):
    """The share that the source lacks has a bound; at it is within."""
    found = data(QUALITY | {"missing_share": share})[MISSING]
    assert (found.value, found.threshold, found.verdict, found.words) == (share, 0.02, verdict, words)


@pytest.mark.parametrize("share", ABSENT, ids=repr)
def test_an_unknown_share_of_missing_bars(share, data):
    """No number is no yes."""
    found = data(QUALITY | {"missing_share": share})[MISSING]
    words = "reports/data_quality.json holds no such number; run `dvc repro`"
    assert (found.value, found.verdict, found.words) == (None, "unknown", words)


@pytest.mark.parametrize(
    ("last_open", "age", "verdict"),
    [
        # bars of an hour: the one of 11:00 closed at 12:00, now
        pytest.param("2026-01-02T11:00:00Z", 0, "passed", id="just closed"),
        pytest.param("2026-01-02T09:00:00Z", 2, "passed", id="at the threshold"),
        pytest.param("2026-01-02T08:59:24Z", 2.01, "failed", id="old"),
        pytest.param("2025-12-31T11:00:00Z", 48, "failed", id="two days old"),
    ],
)
def test_the_age_of_the_newest_bar(last_open, age, verdict, data):
    """Counted in hours from its close."""
    found = data(QUALITY | {"last_open": last_open})[AGE]
    assert (found.value, found.threshold, found.verdict) == (pytest.approx(age), 2, verdict)


def test_the_age_counts_from_the_close(data):
    """A bar of four hours that opened three hours ago is still open, and one of four hours ago just closed."""
    ages = [data(QUALITY | {"last_open": f"2026-01-02T0{hour}:00:00Z"}, step=4 * HOUR)[AGE].value for hour in (9, 8, 5)]
    assert ages == [-1, 0, 3]


@pytest.mark.parametrize("last_open", [None, 1_767_344_400, True, [], "yesterday", "2026-01-02T09:00:00"], ids=repr)
def test_an_unknown_age(last_open, data):
    """What is no moment in UTC has no age."""
    found = data(QUALITY | {"last_open": last_open})[AGE]
    assert (found.value, found.threshold, found.verdict) == (None, 2, "unknown")


def test_a_clock_before_the_newest_bar_cannot_tell_its_age(data):
    """A clock that was set back would make any bar fresh."""
    judged = data(QUALITY | {"last_open": "2026-01-02T11:30:00Z"})[AGE]
    assert judged.verdict == "unknown"
    assert judged.words.startswith("this machine's clock, 2026-01-02 12:00 UTC, is before the newest bar closed")


def test_an_absent_age_is_unknown_only_if_it_is_asked_for(data):
    """A source that is not live has bars of any age."""
    assert data({"missing_share": 0.0})[AGE].verdict == "unknown"
    for quality in ({"missing_share": 0.0}, QUALITY | {"last_open": "2017-01-01T00:00:00Z"}):
        found = data(quality, newest_bar_age_max_h=None)[AGE]
        assert (found.value, found.threshold, found.verdict) == (None, None, "off")
        assert found.words == "gate.newest_bar_age_max_h is null, the source is not live"


def test_a_bundle_that_passes(bundle):
    """Five rules, each with its number."""
    judged = bundle(MEASURED)
    assert {name: judged[BUNDLE[name]].value for name in MEASURED} == MEASURED
    assert {one.verdict for one in judged.values()} == {"passed"}
    assert len(judged) == 5


@pytest.mark.parametrize(
    ("name", "value", "verdict", "words"),
    [
        pytest.param("parity", 1e-6, "passed", "1e-06, at most 1e-06 is asked", id="parity at the threshold"),
        pytest.param("parity", 1.1e-6, "failed", "1.1e-06, at most 1e-06 is asked", id="another answer"),
        pytest.param("n_flipped", 1, "failed", "1, at most 0 is asked", id="another decision"),
        pytest.param("size_mb", 5.0, "passed", "5, at most 5 is asked", id="size at the threshold"),
        pytest.param("size_mb", 5.001, "failed", "5.001, at most 5 is asked", id="large"),
        pytest.param("latency_ratio", 20.0, "passed", "20, at least 20 is asked", id="speed at the threshold"),
        pytest.param("latency_ratio", 19.9, "failed", "19.9, at least 20 is asked", id="slow"),
        pytest.param("memory_mib", 130.0, "passed", "130, at most 130 is asked", id="memory at the threshold"),
        pytest.param("memory_mib", 130.1, "failed", "130.1, at most 130 is asked", id="hungry"),
    ],
)
def test_a_bundle_at_its_thresholds(name, value, verdict, words, bundle):
    """Each rule looks at its own number."""
    judged = bundle(MEASURED | {name: value})
    found = judged.pop(BUNDLE[name])
    assert (found.value, found.verdict, found.words) == (value, verdict, words)
    assert {one.verdict for one in judged.values()} == {"passed"}


@pytest.mark.parametrize("value", ABSENT, ids=repr)
@pytest.mark.parametrize("name", BUNDLE)
def test_a_bundle_that_was_not_measured(name, value, bundle):
    """What is no number, or is not there, is no yes."""
    absent = {key: number for key, number in MEASURED.items() if key != name}
    for measured in (MEASURED | {name: value}, absent):
        judged = bundle(measured)
        assert [one.name for one in judged.values() if one.verdict == "unknown"] == [BUNDLE[name]]
        assert judged[BUNDLE[name]].words.startswith("the measurement holds no such number")


@pytest.mark.parametrize("probability", [0.01, 0.99])
def test_luck_is_said_and_not_asked(probability):
    """However likely it is that it was luck, it is told: nothing is asked of it."""
    (found,) = judge_luck({"n_trials": 12, "expected_best": 1.234, "probability": probability})
    assert found._replace(words="") == Finding("deflated Sharpe ratio", probability, None, "told", "")
    # how many trials, what luck gives, and how sure it is
    assert re.findall(r"\d[\d.%]*", found.words) == ["12", "1.23", f"{probability:.0%}"]
