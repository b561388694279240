"""The three members of the ensemble, built from params.yaml and not yet fitted.

Each is a pipeline of the scale-free view and one third-party classifier, so it takes the twelve features. A library
is imported only where its member is built: a stage that trains one need not load the others.
"""

from collections.abc import Callable, Mapping
from typing import Literal

import src.base.openmp

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from src.base.errors import ModelError
from src.base.params import Lgbm, Rf, Train, Xgb
from src.ml.model_view import VIEW_NAMES, VOLATILITY, scale_free_view

MemberKey = Literal["lgbm", "xgb", "rf"]

# What params.yaml and dvc.yaml call a member, and what the ensemble calls it.
MEMBERS: dict[MemberKey, str] = {"lgbm": "lightgbm", "xgb": "xgboost", "rf": "random_forest"}


def build_member(key: MemberKey, train: Train, *, trend: int, seed: int, n_jobs: int) -> Pipeline:
    """Build one member.

    Parameters
    ----------
    key
        Which of `MEMBERS`.
    train
        Settings of all three.
    trend
        Which way the probability may move with the volatility, as `src.features.labels.volatility_trend` returns it.
    seed
        Of its random draws.
    n_jobs
        Threads while training.
    """
    trends = [trend if name == VOLATILITY else 0 for name in VIEW_NAMES]
    build: dict[MemberKey, Callable[[], ClassifierMixin]] = {
        "lgbm": lambda: _lightgbm(train.lgbm, trends, seed, n_jobs),
        "xgb": lambda: _xgboost(train.xgb, trends, seed, n_jobs),
        "rf": lambda: _random_forest(train.rf, trends, seed, n_jobs),
    }
    return make_pipeline(FunctionTransformer(scale_free_view), build[key]())


def _lightgbm(settings: Lgbm, trends: list[int], seed: int, n_jobs: int) -> ClassifierMixin:
    from lightgbm import LGBMClassifier  # noqa: PLC0415 - see the module's docstring

    return LGBMClassifier(
        **settings.model_dump(),
        subsample_freq=1,
        monotone_constraints=trends,
        monotone_constraints_method="advanced",
        importance_type="gain",
        random_state=seed,
        n_jobs=n_jobs,
        deterministic=True,
        force_row_wise=True,
        verbosity=-1,
    )


def _xgboost(settings: Xgb, trends: list[int], seed: int, n_jobs: int) -> ClassifierMixin:
    from xgboost import XGBClassifier  # noqa: PLC0415 - see the module's docstring

    return XGBClassifier(
        **settings.model_dump(),
        tree_method="hist",
        monotone_constraints=tuple(trends),
        importance_type="total_gain",
        random_state=seed,
        n_jobs=n_jobs,
    )


def _random_forest(settings: Rf, trends: list[int], seed: int, n_jobs: int) -> ClassifierMixin:
    from sklearn.ensemble import RandomForestClassifier  # noqa: PLC0415 - see the module's docstring

    return RandomForestClassifier(**settings.model_dump(), monotonic_cst=trends, random_state=seed, n_jobs=n_jobs)


def importances(members: Mapping[str, Pipeline], weights: Mapping[str, float]) -> dict[str, float]:
    """Return each feature's share of what the splits of the fitted members gain, weighted like their votes.

    Returns
    -------
    dict of str to float
        By name of the scale-free view; the shares sum to 1.

    Raises
    ------
    ModelError
        If a member found nothing to split on.
    """
    shares = np.zeros(len(VIEW_NAMES))
    for name, member in members.items():
        gains = np.asarray(member[-1].feature_importances_, dtype=float)
        if not gains.sum() > 0:
            msg = f"member {name!r} never split, it forecasts a constant; give more bars, or ease its settings"
            raise ModelError(msg)
        shares += weights[name] * gains / gains.sum()
    return dict(zip(VIEW_NAMES, shares.tolist(), strict=True))
