"""Candidates made the way the pipeline makes them, or worse on purpose, and what the gate says of them."""

from collections.abc import Callable
from functools import partial
from typing import Any

import src.base.openmp

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.preprocessing import FunctionTransformer

from btc_signal.catalog import FEATURE_NAMES, TARGET
from btc_signal.voters import weighted_vote
from src.evaluation.metrics import Forecast
from src.evaluation.summary import evaluate
from src.gate.compare import compare_forecasts, compare_since, vote
from src.gate.rules import judge_champion, judge_scores
from src.ml.model_view import VIEW_NAMES
from src.policy import Policy
from src.training.fit import fit, out_of_fold
from src.training.members.member import MEMBERS, build_member, volatility_trend
from src.training.splits import walk_forward
from src.verdict.finding import Verdict, overall

Members = dict[str, pd.DataFrame]
Build = Callable[[], Any]
Change = Callable[[str, Build], Build]


class Reversed(ClassifierMixin, BaseEstimator):
    """A classifier that is taught the opposite."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> "Reversed":
        """Fit on the other class."""
        self.model.fit(X, 1 - y, sample_weight=sample_weight)
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Ask the model as it is."""
        return self.model.predict_proba(X)


def forecast(dataset: pd.DataFrame, params: Policy, change: Change = lambda _, build: build) -> Members:
    """Forecast walk-forward, member by member, as the training stages do; `change` replaces how a member is built."""
    folds = walk_forward(dataset[TARGET].to_numpy(), params.split)
    trend = volatility_trend(params.label)
    build = partial(build_member, train=params.train, trend=trend, seed=params.seed, n_jobs=1)
    return {
        name: out_of_fold(change(name, partial(build, key)), dataset, folds, half_life_rows=params.train.half_life_rows)
        for key, name in MEMBERS.items()
    }


def one_reversed(name: str, build: Build) -> Build:
    """Teach XGBoost the opposite."""

    def built() -> Any:
        member = build()
        member.steps[-1] = ("reversed", Reversed(member[-1]))
        return member

    return built if name == "xgboost" else build


def raw_levels(name: str, build: Build) -> Build:
    """Show the member the twelve features as they are, prices among them, instead of the scale-free view."""

    def built() -> Any:
        member = build()
        member.steps[0] = ("raw", FunctionTransformer())
        # The constraint is on a column of the view.
        constraint = "monotonic_cst" if name == "random_forest" else "monotone_constraints"
        member[-1].set_params(**{constraint: None})
        return member

    return built


def lagged(dataset: pd.DataFrame) -> pd.DataFrame:
    """Give every label the features of the bar before."""
    late = dataset[list(FEATURE_NAMES)].shift(1).iloc[1:]
    return late.assign(**{TARGET: dataset[TARGET].iloc[1:]})


def half_the_trees(params: Policy) -> Policy:
    """Halve every member."""
    members = {key: getattr(params.train, key) for key in MEMBERS}
    halved = {key: one.model_copy(update={"n_estimators": one.n_estimators // 2}) for key, one in members.items()}
    return params.model_copy(update={"train": params.train.model_copy(update=halved)})


def shipped(dataset: pd.DataFrame, params: Policy) -> Callable[[pd.DataFrame], Forecast]:
    """Fit the members on every row, as they are shipped; return what asks them."""
    X, y = dataset[list(FEATURE_NAMES)].to_numpy(), dataset[TARGET].to_numpy()
    build = partial(build_member, train=params.train, trend=volatility_trend(params.label), seed=params.seed, n_jobs=1)
    members = {name: fit(build(key), X, y, half_life_rows=params.train.half_life_rows) for key, name in MEMBERS.items()}
    weights = params.ensemble.weights.model_dump()

    def ask(rows: pd.DataFrame) -> Forecast:
        votes = np.column_stack([members[name].predict_proba(rows.to_numpy())[:, 1] for name in weights])
        probability = weighted_vote(votes, list(weights.values()))
        return Forecast.from_probability(probability, params.ensemble.decision_threshold)

    return ask


def verdict_later(dataset: pd.DataFrame, bars: pd.DataFrame, members: Members, params: Policy, n_newer: int) -> Verdict:
    """Return what the gate says of a candidate whose champion was made the same way, `n_newer` bars before."""
    before = dataset.iloc[:-n_newer]
    since = compare_since(shipped(before, params), len(before), dataset, params)
    return verdict(dataset, bars, members, params, forecast(before, params), since)


def verdict(
    dataset: pd.DataFrame,
    bars: pd.DataFrame,
    members: Members,
    params: Policy,
    champion: Members | None = None,
    since: dict[str, Any] | None = None,
) -> Verdict:
    """Return what the gate's rules on scores say of a candidate, beside a champion on the same bars if there is one.

    With `since`, a comparison on the bars since the champion was trained, only the bars are newer.
    """
    shares = dict.fromkeys(VIEW_NAMES, 1 / len(VIEW_NAMES))
    metrics = evaluate(dataset, bars, members, shares, params).metrics
    settings = params.ensemble.model_dump()
    judgements = list(judge_scores(metrics, settings["weights"], params.gate))
    if champion is not None:
        theirs, ours = vote(champion, settings), vote(members, settings)
        found = compare_forecasts(theirs, ours, dataset, name="the champion", seed=params.seed)
        comparison = {**found, "since_training": since, "changed": "patch" if since else "minor"}
        judgements += judge_champion(comparison, params.gate)
    return overall(judgements)
