"""The gate's rules on scores: what passes, what does not, and that a number that is missing is no yes."""

import math
from copy import deepcopy

import pytest

from src.gate.rules import judge_champion, judge_scores
from src.policy import Gate
from src.verdict.finding import Finding, overall

GATE = Gate(
    f1_score_min=0.6,
    brier_skill_min=0.0,
    volatility_tolerance=0.01,
    champion_tolerance=0.005,
    calibration_error_max=0.06,
    missing_share_max=0.02,
    newest_bar_age_max_h=None,
    model_size_max_mb=5.0,
    latency_ratio_min=20.0,
    memory_max_mib=130.0,
)
WEIGHTS = {"lightgbm": 0.5, "xgboost": 0.5, "random_forest": 0.0}
METRICS = {
    "ensemble": {"f1_score": 0.7, "expected_calibration_error": 0.04},
    "decision_rate": 0.03,
    "intervals": {
        "scores": {"ensemble": {"brier_skill": [0.03, 0.09]}},
        "ensemble_less": {"volatility_only": {"brier_skill": [0.001, -0.004, 0.006]}},
    },
    "members": {"lightgbm": {"brier_skill": 0.05}, "xgboost": {"brier_skill": 0.06}},
}
SINCE = {"n_bars": 50, "differences": {"log_loss": {"difference": 0.01, "interval": [-0.02, 0.04]}}}
COMPARISON = {
    "differences": {"brier_skill": {"difference": 0.002, "interval": [-0.003, 0.007]}},
    "since_training": SINCE,
}
F1 = ("ensemble", "f1_score")
SKILL = ("intervals", "scores", "ensemble", "brier_skill", 0)
LEAD = ("intervals", "ensemble_less", "volatility_only", "brier_skill", 1)
XGBOOST = ("members", "xgboost", "brier_skill")
CALIBRATION = ("ensemble", "expected_calibration_error")
DECISIONS = ("decision_rate",)
LOW = ("differences", "brier_skill", "interval", 0)
POINT = ("differences", "brier_skill", "difference")
WORSE = ("since_training", "differences", "log_loss", "interval", 0)
SCORES = {
    F1: "weighted F1",
    SKILL: "Brier skill, lower end",
    LEAD: "Brier skill less volatility alone, lower end",
    XGBOOST: "xgboost, Brier skill",
    CALIBRATION: "expected calibration error",
    DECISIONS: "share of bars it would buy",
}
CHAMPION = {
    LOW: "Brier skill less the champion's, lower end",
    POINT: "Brier skill less the champion's",
    WORSE: "log loss less the champion's since its training, lower end",
}
HIGH = "Brier skill less the champion's, upper end"
HUGE = pytest.param(10**400, id="400 digits")
ASKED = "more than 0 and less than 1 is asked"
SAME = f"{ASKED}: ensemble.decision_threshold makes every decision the same"
ABSENT = [None, math.nan, math.inf, -math.inf, True, "0.9", [0.9], {"mean": 0.9}, HUGE]


def changed(content, keys, value):
    """A copy of the content with another value at the end of the keys."""
    content = deepcopy(content)
    inner = content
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    return content


def scores(metrics=METRICS, weights=WEIGHTS):
    """The judgements of the scores, by name."""
    return {judgement.name: judgement for judgement in judge_scores(metrics, weights, GATE)}


def against(comparison):
    """The judgements beside the champion, by name."""
    return {judgement.name: judgement for judgement in judge_champion(comparison, GATE)}


def refused(judgements):
    """What keeps the gate from saying yes."""
    return {
        name: judgement.verdict for name, judgement in judgements.items() if judgement.verdict in {"failed", "unknown"}
    }


def parts(keys):
    """Every container on the way to a number, from the outermost on."""
    return [keys[:n] for n in range(1, len(keys))]


def judgement(verdict):
    return Finding("rule", 1.0, 1.0, verdict, "words")


@pytest.mark.parametrize(
    ("verdicts", "verdict"),
    [
        (["passed", "passed"], "yes"),
        (["passed", "unknown"], "unknown"),
        (["unknown", "failed", "passed"], "no"),
        (["passed", "failed"], "no"),
        (["told", "passed", "off"], "yes"),
        (["told", "off"], "unknown"),
        ([], "unknown"),
    ],
    ids=[
        "all passed",
        "unknown",
        "failed beats unknown",
        "failed",
        "told and off ask nothing",
        "none asks",
        "no rules",
    ],
)
def test_overall(verdicts, verdict):
    """One failed rule is a no; a yes takes a rule that passed and none that is unknown."""
    assert overall([judgement(one) for one in verdicts]) == verdict


def test_scores_that_pass():
    """A rule for F1, skill, lead, every member, calibration and decisions; each gives its number and its threshold."""
    judged = scores()
    assert refused(judged) == {}
    assert [(one.name, one.value, one.threshold) for one in judged.values()] == [
        ("weighted F1", 0.7, 0.6),
        ("Brier skill, lower end", 0.03, 0.0),
        ("Brier skill less volatility alone, lower end", -0.004, -0.01),
        ("lightgbm, Brier skill", 0.05, 0.0),
        ("xgboost, Brier skill", 0.06, 0.0),
        ("random_forest, Brier skill", None, None),
        ("expected calibration error", 0.04, 0.06),
        ("share of bars it would buy", 0.03, None),
    ]


@pytest.mark.parametrize(
    ("keys", "value", "verdict", "words"),
    [
        pytest.param(F1, 0.6, "passed", "0.6, at least 0.6 is asked", id="F1 at the threshold"),
        pytest.param(F1, 0.5999, "failed", "0.5999, at least 0.6 is asked", id="F1 below"),
        pytest.param(SKILL, 1e-6, "passed", "1e-06, more than 0 is asked", id="skill above"),
        pytest.param(SKILL, 0.0, "failed", "0, more than 0 is asked", id="skill at the threshold"),
        pytest.param(SKILL, -0.25, "failed", "-0.25, more than 0 is asked", id="skill below"),
        pytest.param(LEAD, -0.01, "passed", "-0.01, at least -0.01 is asked", id="lead at the threshold"),
        pytest.param(LEAD, -0.0101, "failed", "-0.0101, at least -0.01 is asked", id="lead below"),
        pytest.param(XGBOOST, 1e-6, "passed", "1e-06, more than 0 is asked", id="member above"),
        pytest.param(XGBOOST, 0, "failed", "0, more than 0 is asked", id="member at the threshold"),
        pytest.param(XGBOOST, -0.1, "failed", "-0.1, more than 0 is asked", id="member below"),
        pytest.param(CALIBRATION, 0.06, "passed", "0.06, at most 0.06 is asked", id="calibration at the threshold"),
        pytest.param(CALIBRATION, 0.0601, "failed", "0.0601, at most 0.06 is asked", id="calibration above"),
        pytest.param(DECISIONS, 1e-4, "passed", f"0.0001, {ASKED}", id="buys once"),
        pytest.param(DECISIONS, 0, "failed", f"0, {SAME}", id="never buys"),
        pytest.param(DECISIONS, 1, "failed", f"1, {SAME}", id="always buys"),
    ],
)
def test_a_score_at_its_threshold(keys, value, verdict, words):
    """Equal is enough where it says at least or at most; the words name both numbers, and no other rule minds."""
    judged = scores(changed(METRICS, keys, value))
    found = judged.pop(SCORES[keys])
    assert (found.value, found.verdict, found.words) == (value, verdict, words)
    assert refused(judged) == {}


@pytest.mark.parametrize("value", ABSENT, ids=repr)
@pytest.mark.parametrize("keys", SCORES, ids=SCORES.get)
def test_what_is_no_finite_number_is_unknown(keys, value):
    """Nothing, NaN, infinity, a flag, a text and a container are no score; what to do is said."""
    judged = scores(changed(METRICS, keys, value))
    assert refused(judged) == {SCORES[keys]: "unknown"}
    words = "reports/metrics.json holds no such number; run `dvc repro`"
    assert (judged[SCORES[keys]].value, judged[SCORES[keys]].words) == (None, words)


@pytest.mark.parametrize("container", [None, 0.9, "text", [], {}, True], ids=repr)
@pytest.mark.parametrize("keys", SCORES, ids=SCORES.get)
def test_a_score_without_its_container_is_unknown(keys, container):
    """At whatever depth something else stands, the rule cannot tell."""
    for part in parts(keys):
        assert refused(scores(changed(METRICS, part, container)))[SCORES[keys]] == "unknown"


def test_without_any_scores_nothing_is_known():
    """An empty file is no yes; only a member without a vote needs no score."""
    judged = scores({})
    assert set(refused(judged)) == set(judged) - {"random_forest, Brier skill"}
    assert overall(list(judged.values())) == "unknown"


@pytest.mark.parametrize("score", [-0.9, None, math.nan], ids=repr)
def test_a_member_without_a_vote(score):
    """With a weight of 0 the rule is off, whatever the member scores; the slightest weight asks again."""
    metrics = changed(METRICS, ("members", "random_forest"), {"brier_skill": score})
    found = scores(metrics)["random_forest, Brier skill"]
    assert (found.value, found.verdict, found.words) == (None, "off", "its weight is 0: it has no vote")
    weights = {"lightgbm": 0.5, "xgboost": 0.499, "random_forest": 0.001}
    assert refused(scores(metrics, weights)) == {
        "random_forest, Brier skill": "failed" if score == -0.9 else "unknown",
    }


def test_no_tolerance():
    """It prints as 0, which has no sign."""
    strict = GATE.model_copy(update={"volatility_tolerance": 0.0, "champion_tolerance": 0.0})
    judged = [*judge_scores(METRICS, WEIGHTS, strict), *judge_champion(COMPARISON, strict)]
    words = {one.name: one.words for one in judged}
    assert words[SCORES[LEAD]] == "-0.004, at least 0 is asked"
    assert words[CHAMPION[LOW]] == "-0.003, at least 0 is asked"
