"""LightGBM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import treelite
    from sklearn.base import ClassifierMixin

    from src.base.params import Lgbm

NAME = "lightgbm"
CLASSIFIER = ("lightgbm.sklearn", "LGBMClassifier")
PICKLED = {
    *{CLASSIFIER, ("lightgbm.basic", "Booster"), ("sklearn.preprocessing._label", "LabelEncoder")},
    *{("collections", "OrderedDict"), ("collections", "defaultdict")},
}
IS_SINGLE_PRECISION = False


def build(settings: Lgbm, *, trends: list[int], seed: int, n_jobs: int) -> ClassifierMixin:
    """Return the classifier, not yet fitted."""
    from lightgbm import LGBMClassifier  # noqa: PLC0415 - as `Member` says

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


def read_trees(classifier: Any) -> treelite.Model:  # noqa: ANN401 - LightGBM has no types
    """Read the fitted trees."""
    from treelite.frontend import from_lightgbm  # noqa: PLC0415 - as `Member` says

    return from_lightgbm(classifier.booster_)
