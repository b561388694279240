"""The deflated Sharpe ratio: the authors' own figures, the formula by hand, and strategies that are worth nothing."""

import numpy as np
import pytest
from scipy.stats import norm

from src.evaluation.deflated_sharpe import deflated_sharpe, per_bar

# 100 bars a year, so that the root is 10: 1 a year is 0.1 a bar
MODEL = {"sharpe": 1.0, "bars_per_year": 100.0, "n_bars": 101, "skewness": 0.0, "kurtosis": 3.0}
# The example of Bailey and Lopez de Prado (2014): five years of days, negative skew, fat tails.
EXAMPLE = {"sharpe": 2.5, "bars_per_year": 250.0, "n_bars": 1_250, "skewness": -3.0, "kurtosis": 10.0}


def spread(n, deviation, middle=0.0):
    """As many ratios with exactly this standard deviation."""
    trials = np.linspace(-1, 1, n)
    return list(middle + trials / trials.std(ddof=1) * deviation)


def normal_run(ratio, n_bars):
    """The figures of a run of normal returns with this Sharpe ratio of one bar."""
    return MODEL | {"sharpe": ratio * 10, "n_bars": n_bars}


def test_per_bar():
    """A yearly ratio over the root of the bars of a year."""
    # 2.5 / sqrt(250) = 0.1581
    assert per_bar(EXAMPLE) == pytest.approx(0.15811, abs=1e-5)


def test_one_trial_by_hand():
    """Alone, nothing was selected: it is the probabilistic Sharpe ratio."""
    # Phi(0.1 * sqrt(100) / sqrt(1 + (3 - 1) / 4 * 0.01)) = Phi(1 / sqrt(1.005)) = Phi(0.997509) = 0.840741
    found = deflated_sharpe(MODEL, [0.1])
    assert found == {"n_trials": 1, "expected_best": 0.0, "probability": pytest.approx(0.840741, abs=1e-6)}


def test_moments_by_hand():
    """Negative skew and fat tails make the same ratio less sure."""
    # 1 + 2 * 0.1 + (11 - 1) / 4 * 0.01 = 1.225; Phi(1 / sqrt(1.225)) = Phi(0.903508) = 0.816872
    found = deflated_sharpe(MODEL | {"skewness": -2.0, "kurtosis": 11.0}, [0.1])
    assert found["probability"] == pytest.approx(0.816872, abs=1e-6)


@pytest.mark.parametrize(
    ("n_trials", "luck", "probability"),
    [
        # sqrt(1 / (2 * 250)) * ((1 - 0.5772) * 2.3263 + 0.5772 * 2.6802) = 0.04472 * 2.5306 = 0.1132
        pytest.param(100, 0.1132, 0.9004, id="100 trials"),
        pytest.param(46, None, 0.9505, id="46 trials"),
    ],
)
def test_the_authors_example(n_trials, luck, probability):
    """A yearly ratio of 2.5 is not significant after a hundred trials; it would be after 46."""
    # the trials' yearly ratios have the variance 1/2
    found = deflated_sharpe(EXAMPLE, spread(n_trials, np.sqrt(1 / (2 * 250))))
    assert found["n_trials"] == n_trials
    assert found["probability"] == pytest.approx(probability, abs=2e-4)
    if luck is not None:
        assert found["expected_best"] / np.sqrt(250) == pytest.approx(luck, abs=1e-4)


def test_two_trials_by_hand():
    """The fewest that have a spread."""
    # deviation of 0.1 and -0.1: 0.141421; (1 - 0.577216) * Phi^-1(1/2) = 0; 1 - 1 / 2e = 0.816060, Phi^-1 = 0.900455
    # 0.141421 * 0.577216 * 0.900455 = 0.073505 a bar, 0.735048 a year
    found = deflated_sharpe(MODEL, [0.1, -0.1])
    assert found["expected_best"] == pytest.approx(0.735048, abs=1e-4)
    # (0.1 - 0.073505) * 10 / sqrt(1.005) = 0.264295
    assert found["probability"] == pytest.approx(norm.cdf(0.264295), abs=1e-4)


def test_more_trials_are_worth_less():
    """Who tries more often finds more by luck."""
    found = [deflated_sharpe(MODEL, spread(n, 0.03)) for n in (2, 5, 20, 100, 1_000)]
    assert [one["probability"] for one in found] == sorted((one["probability"] for one in found), reverse=True)
    assert [one["expected_best"] for one in found] == sorted(one["expected_best"] for one in found)
    # of a thousand, luck alone gives the best 0.0977 a bar, nearly all of this one's 0.1
    assert found[-1]["probability"] == pytest.approx(0.51, abs=0.01)


def test_spread_counts():
    """Trials that are all alike were one idea; what luck gives grows as they spread."""
    narrow, wide = (deflated_sharpe(MODEL, spread(10, deviation)) for deviation in (0.01, 0.02))
    assert wide["expected_best"] == pytest.approx(2 * narrow["expected_best"], rel=1e-6)
    assert wide["probability"] < narrow["probability"]
    assert deflated_sharpe(MODEL, [0.1] * 10)["expected_best"] == pytest.approx(0)


def test_the_middle_of_the_trials_does_not_count():
    """The best of worthless ones is asked for, so only how far they spread."""
    low, high = (deflated_sharpe(MODEL, spread(10, 0.02, middle))["expected_best"] for middle in (-0.5, 0.5))
    assert low == pytest.approx(high)


@pytest.mark.parametrize("n_trials", [10, 50, 200])
def test_the_best_of_worthless_strategies(n_trials):
    """Of many searches among returns without any drift, the best ratio found is on average what is expected."""
    searches = np.random.default_rng(n_trials).normal(size=(300, n_trials, 100))
    ratios = searches.mean(axis=2) / searches.std(axis=2)
    expected = [deflated_sharpe(MODEL, list(trials))["expected_best"] / 10 for trials in ratios]
    assert np.mean(expected) == pytest.approx(ratios.max(axis=1).mean(), rel=0.05)


def test_a_worthless_strategy_that_was_not_selected():
    """Its probability is as likely to lie in one tenth as in another."""
    returns = np.random.default_rng(5).normal(size=(2_000, 200))
    ratios = returns.mean(axis=1) / returns.std(axis=1)
    found = [deflated_sharpe(normal_run(ratio, 200), [ratio])["probability"] for ratio in ratios]
    tenths = np.histogram(found, bins=10, range=(0, 1))[0] / len(found)
    # 2,000 draws: a tenth is 0.1 give or take 0.007
    np.testing.assert_allclose(tenths, 0.1, atol=0.03)


def test_a_worthless_strategy_that_was_selected():
    """By itself the best of fifty looks sure; held against all fifty it is not."""
    searches = np.random.default_rng(8).normal(size=(400, 50, 100))
    ratios = searches.mean(axis=2) / searches.std(axis=2)
    best = ratios.max(axis=1)
    naive = [deflated_sharpe(normal_run(one, 100), [one])["probability"] for one in best]
    deflated = [
        deflated_sharpe(normal_run(one, 100), list(trials))["probability"]
        for one, trials in zip(best, ratios, strict=True)
    ]
    assert np.mean(np.array(naive) > 0.95) > 0.8
    assert np.mean(np.array(deflated) > 0.95) < 0.05
    assert np.mean(deflated) == pytest.approx(0.5, abs=0.05)
