"""The production model: a weighted vote of its members over the twelve features."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np

from btc_signal.bundle import Promoted, read_promoted, read_state
from btc_signal.catalog import FEATURE_NAMES
from btc_signal.channel import Statement, check_channel
from btc_signal.exceptions import ModelError
from btc_signal.files import ENSEMBLE, GRAPH
from btc_signal.graph import MemberGraph
from btc_signal.inputs import as_numbers, as_rows, as_weights
from btc_signal.voters import FittedMembers, Member, weighted_vote

STANDARD_WEIGHTS = {"lightgbm": 0.4, "xgboost": 0.4, "random_forest": 0.2}
STANDARD_THRESHOLD = 0.5
# What a pickled ensemble of a graph holds.
STATE = {"graph": bytes, "weights": dict, "decision_threshold": float}
SMOKE_TOLERANCE = 1e-6


class ProductionEnsemble:
    """Weighted vote of classifiers over the twelve features.

    The probability of a rise is the weighted mean of the members' probabilities; ``predict`` is exactly
    ``predict_proba(X)[:, 1] > decision_threshold``. `ModelError`, a `ValueError`, if there are no members, the weights
    are invalid, or a promoted model is absent or was changed.

    Parameters
    ----------
    models : mapping of str to Member, or MemberGraph
        Fitted classifiers by name, or all of them as one graph.
    weights : mapping of str to float, optional
        Not negative, sum 1, one per member. Without it, 0.4 / 0.4 / 0.2 for LightGBM, XGBoost and RandomForest,
        equal shares for any other set of members.
    decision_threshold : float
        Buy if the probability is greater than this.

    Examples
    --------
    >>> ProductionEnsemble.load(Path("models/production"))
    ProductionEnsemble(models=3, features=12, weights={'lightgbm': 0.4, 'xgboost': 0.4, 'random_forest': 0.2}, ...)
    """

    def __init__(
        self,
        models: Mapping[str, Member] | MemberGraph,
        *,
        weights: Mapping[str, float] | None = None,
        decision_threshold: float = STANDARD_THRESHOLD,
    ) -> None:
        if not isinstance(models, MemberGraph) and not models:
            msg = "no members given: expected a dict of fitted classifiers, or None to load the promoted model"
            raise ModelError(msg)
        if not 0 <= decision_threshold <= 1:
            msg = f"decision_threshold must be a probability from 0 to 1, got {decision_threshold}"
            raise ModelError(msg)
        self.voters = models if isinstance(models, MemberGraph) else FittedMembers(models)
        self.members = self.voters.members
        if weights is None:
            equal = dict.fromkeys(self.members, 1 / len(self.members))
            weights = STANDARD_WEIGHTS if set(self.members) == set(STANDARD_WEIGHTS) else equal
        self.weights = as_weights(weights, self.members)
        self.decision_threshold = decision_threshold
        self.feature_names = list(FEATURE_NAMES)
        self.metadata: dict[str, Any] | None = None
        self.channel: Statement | None = None

    @classmethod
    def load(cls, directory: Path, *, serial_min: int = 0) -> Self:
        """Load the promoted model that lies in `directory`, verified: its files, its weights, and its answers.

        Where `MODEL_PUBLIC_KEY` names a key, `directory` is a stage's folder or link, and its owner must have allowed
        the version by a statement, of serial `serial_min` or more; `channel` is that statement, else None.
        """
        promoted = read_promoted(directory)
        statement = check_channel(directory, str(promoted.metadata["version"]), promoted.digest, serial_min)
        ensemble = cls._of(promoted)
        ensemble.channel = statement
        return ensemble

    @classmethod
    def load_release(cls, directory: Path) -> Self:
        """Load a promoted model to copy or to judge it, not to serve it: as `load`, whatever a statement allows."""
        return cls._of(read_promoted(directory))

    @classmethod
    def _of(cls, promoted: Promoted) -> Self:
        """Make the ensemble of verified files."""
        ensemble = cls.from_bytes(promoted.files[ENSEMBLE])
        ensemble.metadata = promoted.metadata
        _check_promoted(ensemble, promoted)
        return ensemble

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Read a pickled ensemble as plain data; no code in it is executed."""
        state = read_state(content)
        kinds = {name: type(value) for name, value in state.items()}
        if kinds != STATE:
            msg = f"an ensemble of other parts: expected {', '.join(STATE)}, got {', '.join(map(str, kinds))}"
            raise ModelError(msg)
        return cls(MemberGraph(state.pop("graph")), **state)

    @property
    def n_features_(self) -> int:
        """How many features a row has."""
        return len(self.feature_names)

    @property
    def is_fitted(self) -> bool:
        """Whether there are members to ask; there always are, since an ensemble without members cannot be made."""
        return bool(self.members)

    def predict(self, X: Any) -> np.ndarray:  # noqa: ANN401 - whatever numpy takes
        """Decide for every row of `X`, as in `predict_proba`: shape (n_rows,), 1 buy, 0 stay out."""
        return self._decide(self.predict_proba(X)[:, 1])

    def predict_proba(self, X: Any) -> np.ndarray:  # noqa: ANN401 - whatever numpy takes
        """Return the probabilities of no rise and of a rise, shape (n_rows, 2); each row sums to 1.

        `X` holds the twelve features, array-like of shape (n_rows, 12); a DataFrame must name them in order.
        `ModelError`, a `ValueError`, for a wrong count, names or order of columns, NaN or infinity, or no rows.
        """
        rise = self.vote(self.predict_members(X))
        return np.column_stack([1 - rise, rise])

    def predict_members(self, X: Any) -> np.ndarray:  # noqa: ANN401 - whatever numpy takes
        """Return each member's probability of a rise, shape (n_rows, n_members); `X` as in `predict_proba`."""
        return self.voters.probabilities(as_rows(X))

    def vote(self, probabilities: np.ndarray) -> np.ndarray:
        """Return the weighted mean of what `predict_members` returned, shape (n_rows,)."""
        weights = as_weights(self.weights, self.members)
        return weighted_vote(probabilities, [weights[name] for name in self.members])

    def update_weights(self, new_weights: Mapping[str, float]) -> None:
        """Replace the weights of the members named, then scale all of them to the sum 1."""
        merged = as_numbers({**self.weights, **new_weights})
        total = sum(merged.values())
        if not (np.isfinite(total) and total > 0):
            msg = f"weights must have a positive, finite sum, got {merged}"
            raise ModelError(msg)
        self.weights = as_weights({name: weight / total for name, weight in merged.items()}, self.members)

    def validate_predictions(self, X: Any) -> dict[str, Any]:  # noqa: ANN401 - as in predict
        """Sum up the predictions for `X`; `avg_confidence` is the mean probability of the likelier class."""
        probability = self.predict_proba(X)[:, 1]
        decision = self._decide(probability)
        return {
            "n_samples": len(decision),
            "prediction_range": (int(decision.min()), int(decision.max())),
            "probability_range": (float(probability.min()), float(probability.max())),
            "buy_ratio": float(decision.mean()),
            "avg_confidence": float(np.maximum(probability, 1 - probability).mean()),
        }

    def get_model_info(self) -> dict[str, Any]:
        """Return what this model is: members, weights, features, and which promoted version, if any."""
        info = {
            "type": type(self).__name__,
            "individual_models": list(self.members),
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
            f"{type(self).__name__}(models={len(self.members)}, features={self.n_features_}, "
            f"weights={self.weights}, decision_threshold={self.decision_threshold}, version={version})"
        )

    def __getstate__(self) -> dict[str, Any]:
        """Keep the graph's bytes, or the models; the promoted version's metadata stay in git."""
        voters = self.voters
        members = {"graph": voters.content} if isinstance(voters, MemberGraph) else {"models": voters.models}
        return {**members, "weights": self.weights, "decision_threshold": self.decision_threshold}

    def __setstate__(self, state: dict[str, Any]) -> None:
        models = MemberGraph(state["graph"]) if "graph" in state else state["models"]
        self.__init__(models, weights=state["weights"], decision_threshold=state["decision_threshold"])  # type: ignore[misc]

    def _decide(self, probability: np.ndarray) -> np.ndarray:
        """Say 1 where the probability of a rise is greater than the threshold, else 0."""
        return (probability > self.decision_threshold).astype(int)


def _check_promoted(ensemble: ProductionEnsemble, promoted: Promoted) -> None:
    """Refuse an ensemble that is not what its metadata say: in graph, weights, threshold and answers."""
    metadata = promoted.metadata
    rows, expected = (np.array(metadata["smoke_test"][name]) for name in ("rows", "probabilities"))
    answers = ensemble.predict_proba(rows)[:, 1]
    agrees = {
        GRAPH: getattr(ensemble.voters, "content", None) == promoted.files[GRAPH],
        "model_weights": ensemble.weights == metadata["model_weights"],
        "decision_threshold": ensemble.decision_threshold == metadata["decision_threshold"],
        "smoke_test": answers.shape == expected.shape and np.abs(answers - expected).max() <= SMOKE_TOLERANCE,
    }
    wrong = ", ".join(name for name in agrees if not agrees[name])
    if wrong:
        msg = f"model {metadata['version']} is not what its metadata say: {wrong}; `git checkout` both, then `dvc pull`"
        raise ModelError(msg)
