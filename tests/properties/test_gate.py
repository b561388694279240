"""What the gate says of noise, of the champion itself, and of candidates made worse; `make proof` counts."""

import pytest

from src.features.feature_manager import build_dataset
from src.gate.compare import compare_forecasts, vote
from src.gate.rules import judge_champion
from src.verdict.finding import overall
from tests.proof.candidates import forecast, lagged, one_reversed, verdict
from tests.proof.worlds import random_direction, random_walk, shuffled_labels

N_BARS = 5_000


@pytest.fixture(scope="module")
def few_trees(params):
    """The shipped parameters with 20 trees a member."""
    members = {key: getattr(params.train, key) for key in ("lgbm", "xgb", "rf")}
    small = {key: member.model_copy(update={"n_estimators": 20}) for key, member in members.items()}
    return params.model_copy(update={"train": params.train.model_copy(update=small)})


@pytest.fixture(scope="module")
def real(bars, params):
    """Features and labels of the last bundled bars."""
    return build_dataset(bars.iloc[-N_BARS:], params.features, params.label)


@pytest.fixture(scope="module")
def champion(real, few_trees):
    return forecast(real, few_trees)


def against(champion, challenger, dataset, params):
    """What the gate says of a challenger on the same bars."""
    settings = params.ensemble.model_dump()
    theirs, ours = vote(champion, settings), vote(challenger, settings)
    found = compare_forecasts(theirs, ours, dataset, name="the champion", seed=params.seed)
    return overall(list(judge_champion({**found, "since_training": None}, params.gate)))


@pytest.mark.parametrize("world", [random_walk, random_direction])
def test_bars_without_direction_are_refused(world, bars, few_trees):
    """As a first model, with no champion to beat."""
    made = world(bars, 1).iloc[:N_BARS]
    dataset = build_dataset(made, few_trees.features, few_trees.label)
    assert verdict(dataset, made, forecast(dataset, few_trees), few_trees) == "no"


def test_shuffled_labels_are_refused(bars, real, few_trees):
    """Real features tell nothing of labels in random order."""
    dataset = shuffled_labels(real, 1)
    assert verdict(dataset, bars, forecast(dataset, few_trees), few_trees) == "no"


def test_the_champion_is_not_better_than_itself(champion, real, few_trees):
    """Equal is not better."""
    assert against(champion, champion, real, few_trees) == "no"


def test_a_member_taught_the_opposite_is_refused(champion, real, few_trees):
    """Though two of three members are as good as the champion's."""
    assert against(champion, forecast(real, few_trees, one_reversed), real, few_trees) == "no"


def test_late_features_are_refused_and_timely_ones_promoted(champion, real, few_trees):
    """One bar of delay makes worse; without it, better by as much."""
    late = forecast(lagged(real), few_trees)
    assert against(champion, late, real, few_trees) == "no"
    assert against(late, champion, real, few_trees) == "yes"
