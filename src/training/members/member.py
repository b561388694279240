"""The registry of members, as params.yaml and dvc.yaml call them. Each is a module of this folder, as `Member` says.

A library is imported only where a member of it is built or read: a stage that trains one need not load the others.
The modules bear the names in params.yaml, since one named like a library would be taken for it where it is started.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import src.base.openmp

from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from src.ml.model_view import VIEW_NAMES, VOLATILITY, scale_free_view
from src.training.members import lgbm, rf, xgb

if TYPE_CHECKING:
    import treelite
    from sklearn.base import ClassifierMixin

    from src.base.params import Label, Train


class Member(Protocol):
    """What a member's module has."""

    # What the ensemble, its weights and its files call it.
    NAME: str
    # Module and name of its class.
    CLASSIFIER: tuple[str, str]
    # Modules and names that its pickle may hold beside those that all members' do.
    PICKLED: set[tuple[str, str]]
    # Whether it rounds what it is given before it compares.
    IS_SINGLE_PRECISION: bool

    def build(self, settings: Any, /, *, trends: list[int], seed: int, n_jobs: int) -> ClassifierMixin:  # noqa: ANN401 - its section of `Train`
        """Return the classifier, not yet fitted; `trends` says which way each column may move the probability."""

    def read_trees(self, classifier: Any, /) -> treelite.Model:  # noqa: ANN401 - the libraries have no types
        """Read the trees of a fitted classifier of its class."""


REGISTRY: dict[str, Member] = {"lgbm": lgbm, "xgb": xgb, "rf": rf}
# What params.yaml and dvc.yaml call a member, and what the ensemble calls it.
MEMBERS = {key: member.NAME for key, member in REGISTRY.items()}


def volatility_trend(label: Label) -> int:
    """Return 1 if wider moves make the label likelier, -1 if less likely, 0 if they do not tell.

    Returns that spread around zero pass a threshold above it the more often the wider they spread, one below it the
    more seldom, and zero itself half of the time.
    """
    return (label.threshold > 0) - (label.threshold < 0)


def build_member(key: str, train: Train, *, trend: int, seed: int, n_jobs: int) -> Pipeline:
    """Build one of `MEMBERS`: a pipeline of the scale-free view and its classifier, so that it takes twelve features.

    `trend` says which way the probability may move with the volatility, as `volatility_trend` does.
    """
    trends = [trend if name == VOLATILITY else 0 for name in VIEW_NAMES]
    classifier = REGISTRY[key].build(getattr(train, key), trends=trends, seed=seed, n_jobs=n_jobs)
    return make_pipeline(FunctionTransformer(scale_free_view), classifier)
