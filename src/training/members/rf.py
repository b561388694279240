"""scikit-learn's RandomForest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import treelite
    from sklearn.base import ClassifierMixin

    from src.base.params import Rf

NAME = "random_forest"
CLASSIFIER = ("sklearn.ensemble._forest", "RandomForestClassifier")
PICKLED = {CLASSIFIER, ("sklearn.tree._classes", "DecisionTreeClassifier"), ("sklearn.tree._tree", "Tree")}
IS_SINGLE_PRECISION = True


def build(settings: Rf, *, trends: list[int], seed: int, n_jobs: int) -> ClassifierMixin:
    """Return the classifier, not yet fitted."""
    from sklearn.ensemble import RandomForestClassifier  # noqa: PLC0415 - as `Member` says

    return RandomForestClassifier(**settings.model_dump(), monotonic_cst=trends, random_state=seed, n_jobs=n_jobs)


def read_trees(classifier: Any) -> treelite.Model:  # noqa: ANN401 - scikit-learn has no types
    """Read the fitted trees."""
    import treelite  # noqa: PLC0415 - as `Member` says

    return treelite.sklearn.import_model(classifier)
