"""XGBoost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import treelite
    from sklearn.base import ClassifierMixin

    from src.base.params import Xgb

NAME = "xgboost"
CLASSIFIER = ("xgboost.sklearn", "XGBClassifier")
PICKLED = {CLASSIFIER, ("xgboost.core", "Booster")}
IS_SINGLE_PRECISION = True


def build(settings: Xgb, *, trends: list[int], seed: int, n_jobs: int) -> ClassifierMixin:
    """Return the classifier, not yet fitted."""
    from xgboost import XGBClassifier  # noqa: PLC0415 - as `Member` says

    return XGBClassifier(
        **settings.model_dump(),
        tree_method="hist",
        monotone_constraints=tuple(trends),
        importance_type="total_gain",
        random_state=seed,
        n_jobs=n_jobs,
    )


def read_trees(classifier: Any) -> treelite.Model:  # noqa: ANN401 - XGBoost has no types
    """Read the fitted trees."""
    from treelite.frontend import from_xgboost  # noqa: PLC0415 - as `Member` says

    return from_xgboost(classifier.get_booster())
