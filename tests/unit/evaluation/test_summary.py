"""Ensemble, members and baselines scored on the same out-of-fold rows."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from btc_signal.catalog import FEATURE_NAMES, TARGET
from src.base.errors import DataError
from src.base.params import Label, Split
from src.evaluation.summary import evaluate
from src.features.feature_manager import build_dataset
from src.ml.ensemble import ProductionEnsemble
from src.training.splits import walk_forward

LABEL = Label(horizon_bars=1, threshold=0.0)
SPLIT = Split(n_splits=3, gap=1)
MEMBERS = ["lightgbm", "xgboost", "random_forest"]
SHARES = {"returns_1": 0.75, "rsi_14": 0.25}


class Replay:
    """A classifier that repeats the probabilities it was given."""

    def __init__(self, rise):
        self.rise = rise

    def predict_proba(self, X):
        """Return them, whatever the rows."""
        assert len(X) == len(self.rise)
        return np.column_stack([1 - self.rise, self.rise])


@pytest.fixture(scope="module")
def dataset(make_bars, params):
    settings = params.features.model_copy(update={"warm_up_bars": 60})
    return build_dataset(make_bars(500, seed=9), settings, LABEL)


@pytest.fixture(scope="module")
def rows(dataset):
    """The rows of all test folds."""
    folds = walk_forward(dataset[TARGET].to_numpy(), SPLIT)
    return dataset.iloc[np.concatenate([fold.test for fold in folds])]


@pytest.fixture
def out_of_fold(rows):
    """Random probabilities for every member."""
    rng = np.random.default_rng(2)
    return {
        name: pd.DataFrame({"fold": 1, TARGET: rows[TARGET], "probability": rng.uniform(size=len(rows))})
        for name in MEMBERS
    }


def evaluated(dataset, members, params, settings=None):
    changed = params.model_copy(update={"split": SPLIT, "label": LABEL, "ensemble": settings or params.ensemble})
    # the features hold the closes; each bar opens where the one before it closed
    bars = pd.DataFrame(
        {"open": dataset["close"].shift(1, fill_value=dataset["close"].iloc[0]), "close": dataset["close"]}
    )
    return evaluate(dataset, bars, members, SHARES, changed)


def test_rows(dataset, rows, out_of_fold, params):
    """Only test rows are scored and counted."""
    found = evaluated(dataset, out_of_fold, params).metrics
    # 500 bars less 59 of warm-up less the last make 440 rows, in four parts of 110: three test folds
    assert (found["n_training_rows"], found["n_samples"]) == (440, 330)
    assert found["base_rate"] == pytest.approx(rows[TARGET].mean())
    window = (rows.index[0].isoformat(), rows.index[-1].isoformat())
    assert (found["window"]["first_open"], found["window"]["last_open"]) == tuple(
        moment.replace("+00:00", "Z") for moment in window
    )


def test_members(dataset, rows, out_of_fold, params):
    """Each member has the scores of its own probabilities."""
    found = evaluated(dataset, out_of_fold, params).metrics["members"]
    aucs = {name: round(metrics.roc_auc_score(rows[TARGET], out_of_fold[name]["probability"]), 8) for name in MEMBERS}
    assert {name: found[name]["roc_auc"] for name in MEMBERS} == aucs
    assert len(set(aucs.values())) == 3


def test_ensemble_votes_as_in_production(dataset, rows, out_of_fold, params):
    """The ensemble is scored on the vote that the production model casts."""
    weights = params.ensemble.weights.model_dump()
    voters = {name: Replay(frame["probability"].to_numpy()) for name, frame in out_of_fold.items()}
    vote = ProductionEnsemble(voters, weights=weights).predict_proba(rows[list(FEATURE_NAMES)])[:, 1]
    found = evaluated(dataset, out_of_fold, params).metrics["ensemble"]
    assert found["brier_score"] == pytest.approx(metrics.brier_score_loss(rows[TARGET], vote), abs=1e-8)
    assert found["accuracy"] == pytest.approx(((vote > 0.5) == rows[TARGET]).mean(), abs=1e-8)


def test_weights_and_threshold(dataset, rows, out_of_fold, params):
    """Weights and threshold of params.yaml decide."""
    alone = params.ensemble.weights.model_copy(update={"lightgbm": 0.0, "xgboost": 0.0, "random_forest": 1.0})
    settings = params.ensemble.model_copy(update={"weights": alone, "decision_threshold": 0.9})
    found = evaluated(dataset, out_of_fold, params, settings).metrics
    assert found["ensemble"] == found["members"]["random_forest"]
    decided = out_of_fold["random_forest"]["probability"] > 0.9
    assert found["ensemble"]["accuracy"] == pytest.approx((decided == rows[TARGET]).mean(), abs=1e-8)


def test_baselines(dataset, out_of_fold, params):
    """Every baseline stands beside the ensemble, with the same scores."""
    found = evaluated(dataset, out_of_fold, params).metrics
    assert set(found["baselines"]) == {"majority_class", "persistence", "base_rate", "volatility_only"}
    for scores in found["baselines"].values():
        assert scores.keys() == found["ensemble"].keys()


def test_json(dataset, out_of_fold, params):
    """The scores are JSON that any parser reads."""
    found = evaluated(dataset, out_of_fold, params).metrics
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    # a majority class that is certain is wrong with certainty
    assert found["baselines"]["majority_class"]["log_loss"] is None


def test_same_input(dataset, out_of_fold, params):
    """The same input gives the same scores and plots."""
    first, second = (evaluated(dataset, out_of_fold, params) for _ in range(2))
    assert first.metrics == second.metrics
    for name, table in first.plots.items():
        pd.testing.assert_frame_equal(table, second.plots[name], check_exact=True)


def test_plots(dataset, rows, out_of_fold, params):
    """Every plot is drawn from the scored rows."""
    found = evaluated(dataset, out_of_fold, params)
    drawn = {name: len(table) for name, table in found.plots.items()}
    assert drawn["confusion"] == found.plots["calibration"]["n_samples"].sum() == len(rows)
    assert (drawn["roc"], drawn["precision_recall"], drawn["fold_auc"], drawn["feature_importance"]) == (101, 100, 3, 2)
    assert list(found.plots["fold_auc"]) == ["fold", "ensemble", "volatility_only"]
    assert found.plots["regime_auc"]["tercile"].tolist() == [1, 2, 3]
    agreed = found.plots["confusion"]["actual"] == found.plots["confusion"]["predicted"]
    assert agreed.mean() == pytest.approx(found.metrics["ensemble"]["accuracy"], abs=1e-8)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda frame: frame.shift(freq="1h"), id="other bars"),
        pytest.param(lambda frame: frame.iloc[1:], id="a row too few"),
        pytest.param(lambda frame: frame.iloc[::-1], id="another order"),
        pytest.param(lambda frame: frame.assign(target=1 - frame[TARGET]), id="other labels"),
    ],
)
def test_other_rows(change, dataset, out_of_fold, params):
    """A member scored on other rows is refused by name."""
    out_of_fold["xgboost"] = change(out_of_fold["xgboost"])
    with pytest.raises(DataError, match="out-of-fold rows of xgboost are not those of this dataset; run `dvc repro`"):
        evaluated(dataset, out_of_fold, params)
