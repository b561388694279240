"""The production model: a weighted vote of its members over the twelve features."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np

from src import paths, storage
from src.errors import ModelError
from src.features.catalog import FEATURE_NAMES
from src.ml.bundle import read_promoted
from src.ml.inputs import as_numbers, as_probabilities, as_rows, as_weights

STANDARD_WEIGHTS = {"lightgbm": 0.4, "xgboost": 0.4, "random_forest": 0.2}
STANDARD_THRESHOLD = 0.5


class Member(Protocol):
    """Anything fitted that gives probabilities."""

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return probabilities of shape (n_rows, 2) for features of shape (n_rows, 12)."""


def weighted_vote(probabilities: Mapping[str, np.ndarray], weights: Mapping[str, float]) -> np.ndarray:
    """Return the weighted mean of the members' probabilities, shape (n_rows,), by weights that sum to 1."""
    vote = sum((weights[name] * probability for name, probability in probabilities.items()), start=np.zeros(()))
    return np.clip(vote, 0, 1)


class ProductionEnsemble:
    """Weighted vote of classifiers over the twelve features.

    The probability of a rise is the weighted mean of the members' probabilities; ``predict`` is exactly
    ``predict_proba(X)[:, 1] > decision_threshold``.

    Parameters
    ----------
    models : mapping of str to Member, optional
        Fitted classifiers by name. Without it, the promoted model is loaded and verified.
    weights : mapping of str to float, optional
        Not negative, sum 1, one per member. Without it, 0.4 / 0.4 / 0.2 for LightGBM, XGBoost and RandomForest,
        equal shares for any other set of members.
    decision_threshold : float
        Buy if the probability is greater than this.

    Raises
    ------
    ModelError
        A `ValueError`: no members, weights that cannot be, or a promoted model that is absent or was changed.

    Examples
    --------
    >>> model = ProductionEnsemble()
    >>> model
    ProductionEnsemble(models=3, features=12, weights={'lightgbm': 0.4, 'xgboost': 0.4, 'random_forest': 0.2}, ...)
    """

    def __init__(
        self,
        models: Mapping[str, Member] | None = None,
        *,
        weights: Mapping[str, float] | None = None,
        decision_threshold: float = STANDARD_THRESHOLD,
    ) -> None:
        if models is None:
            self.__dict__.update(self.load().__dict__)
            return
        if not models:
            msg = "no members given: expected a dict of fitted classifiers, or None to load the promoted model"
            raise ModelError(msg)
        if not 0 <= decision_threshold <= 1:
            msg = f"decision_threshold must be a probability from 0 to 1, got {decision_threshold}"
            raise ModelError(msg)
        if weights is None:
            equal = dict.fromkeys(models, 1 / len(models))
            weights = STANDARD_WEIGHTS if set(models) == set(STANDARD_WEIGHTS) else equal
        self.models = dict(models)
        self.weights = as_weights(weights, self.models)
        self.decision_threshold = decision_threshold
        self.feature_names = list(FEATURE_NAMES)
        self.metadata: dict[str, Any] | None = None

    @classmethod
    def load(cls, directory: Path = paths.PRODUCTION) -> Self:
        """Load the promoted model that lies in `directory`, after its sha256 was compared with its metadata."""
        content, metadata = read_promoted(directory)
        ensemble = cls.from_bytes(content)
        ensemble.metadata = metadata
        return ensemble

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Unpickle a candidate that this pipeline made.

        Unpickling runs code: what comes from elsewhere must be verified first, as `load` does.
        """
        try:
            ensemble = pickle.loads(content)  # noqa: S301 - see the docstring
        except storage.UNREADABLE_PICKLE as error:
            msg = f"not a readable ensemble ({error}); make it anew with `dvc repro`"
            raise ModelError(msg) from error
        if not isinstance(ensemble, cls):
            msg = f"expected a pickled {cls.__name__}, got {type(ensemble).__name__}"
            raise ModelError(msg)
        return ensemble

    def to_bytes(self) -> bytes:
        """Return what `from_bytes` and `joblib.load` read. Not compressed: zlib's bytes differ between its builds."""
        return pickle.dumps(self, storage.PICKLE_PROTOCOL)

    @property
    def n_features_(self) -> int:
        """How many features a row has."""
        return len(self.feature_names)

    @property
    def is_fitted(self) -> bool:
        """Whether there are members to ask; there always are, since an ensemble without members cannot be made."""
        return bool(self.models)

    def predict(self, X: Any) -> np.ndarray:  # noqa: ANN401 - whatever numpy takes
        """Decide for every row.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, 12)
            The twelve features; a DataFrame must name them in order.

        Returns
        -------
        ndarray of shape (n_rows,)
            1 buy, 0 stay out.
        """
        return self._decide(self.predict_proba(X)[:, 1])

    def predict_proba(self, X: Any) -> np.ndarray:  # noqa: ANN401 - whatever numpy takes
        """Return the probabilities of no rise and of a rise.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, 12)
            The twelve features; a DataFrame must name them in order.

        Returns
        -------
        ndarray of shape (n_rows, 2)
            Each row sums to 1.

        Raises
        ------
        ModelError
            A `ValueError`: wrong count, names or order of columns, NaN or infinity, no rows.
        """
        rows, weights = as_rows(X), as_weights(self.weights, self.models)
        rise = weighted_vote({name: self._ask(name, rows) for name in self.models}, weights)
        return np.column_stack([1 - rise, rise])

    def update_weights(self, new_weights: Mapping[str, float]) -> None:
        """Replace the weights of the members named, then scale all of them to the sum 1."""
        merged = as_numbers({**self.weights, **new_weights})
        total = sum(merged.values())
        if not (np.isfinite(total) and total > 0):
            msg = f"weights must have a positive, finite sum, got {merged}"
            raise ModelError(msg)
        self.weights = as_weights({name: weight / total for name, weight in merged.items()}, self.models)

    def validate_predictions(self, X: Any, y_true: Any = None) -> dict[str, Any]:  # noqa: ANN401 - as in predict
        """Sum up the predictions for `X`, and score them where the outcomes are given.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, 12)
        y_true : array-like of shape (n_rows,), optional
            0 or 1.

        Returns
        -------
        dict
            `n_samples`, `prediction_range`, `probability_range`, `buy_ratio`, `avg_confidence` (mean probability of
            the likelier class); with `y_true` also `accuracy` and `f1_score` (weighted).
        """
        probability = self.predict_proba(X)[:, 1]
        decision = self._decide(probability)
        summary = {
            "n_samples": len(decision),
            "prediction_range": (int(decision.min()), int(decision.max())),
            "probability_range": (float(probability.min()), float(probability.max())),
            "buy_ratio": float(decision.mean()),
            "avg_confidence": float(np.maximum(probability, 1 - probability).mean()),
        }
        if y_true is None:
            return summary
        from sklearn.metrics import accuracy_score, f1_score  # noqa: PLC0415 - serving does without scikit-learn

        return summary | {
            "accuracy": float(accuracy_score(y_true, decision)),
            "f1_score": float(f1_score(y_true, decision, average="weighted", zero_division=0)),
        }

    def get_model_info(self) -> dict[str, Any]:
        """Return what this model is: members, weights, features, and which promoted version, if any."""
        info = {
            "type": type(self).__name__,
            "individual_models": list(self.models),
            "weights": dict(self.weights),
            "decision_threshold": self.decision_threshold,
            "n_features": self.n_features_,
            "feature_names": list(self.feature_names),
        }
        if self.metadata is None:
            return info | {"phase": "candidate", "status": "not_promoted", "version_info": {}}
        promoted = {name: self.metadata[name] for name in ("version", "phase", "status")}
        return info | promoted | {"version_info": dict(self.metadata["version_control"])}

    def __repr__(self) -> str:
        version = self.metadata["version"] if self.metadata else "not promoted"
        return (
            f"{type(self).__name__}(models={len(self.models)}, features={self.n_features_}, "
            f"weights={self.weights}, decision_threshold={self.decision_threshold}, version={version})"
        )

    def __getstate__(self) -> dict[str, Any]:
        """Keep each member as its own pickle's bytes: equal members give an equal file."""
        members = {name: pickle.dumps(member, storage.PICKLE_PROTOCOL) for name, member in self.models.items()}
        return {
            "members": members,
            "weights": self.weights,
            "decision_threshold": self.decision_threshold,
            "feature_names": self.feature_names,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        if state["feature_names"] != list(FEATURE_NAMES):
            msg = f"made for the features {', '.join(state['feature_names'])}, expected {', '.join(FEATURE_NAMES)}"
            raise ModelError(msg)
        members = {name: pickle.loads(member) for name, member in state["members"].items()}  # noqa: S301 - verified
        self.__init__(members, weights=state["weights"], decision_threshold=state["decision_threshold"])  # type: ignore[misc]

    def _decide(self, probability: np.ndarray) -> np.ndarray:
        """Say 1 where the probability of a rise is greater than the threshold, else 0."""
        return (probability > self.decision_threshold).astype(int)

    def _ask(self, name: str, X: np.ndarray) -> np.ndarray:
        """Return one member's probabilities of a rise."""
        member = self.models[name]
        if not hasattr(member, "predict_proba"):
            msg = f"member {name!r} has no predict_proba; expected a fitted classifier, got {type(member).__name__}"
            raise ModelError(msg)
        return as_probabilities(member.predict_proba(X), len(X), name)
