"""The production model, by the path that others import and pickles name: by default the promoted one."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from btc_signal import ensemble
from btc_signal.bundle import PICKLE_PROTOCOL
from btc_signal.graph import MemberGraph
from btc_signal.in_sample import honest_from
from btc_signal.voters import Member
from src.base import paths
from src.base.errors import ModelError


class ProductionEnsemble(ensemble.ProductionEnsemble):
    """Weighted vote of classifiers over the twelve features, as `btc_signal.ensemble` documents it.

    Without `models`, the promoted model is loaded and verified.

    Examples
    --------
    >>> model = ProductionEnsemble()
    >>> model
    ProductionEnsemble(models=3, features=12, weights={'lightgbm': 0.4, 'xgboost': 0.4, 'random_forest': 0.2}, ...)
    """

    def __init__(
        self,
        models: Mapping[str, Member] | MemberGraph | None = None,
        *,
        weights: Mapping[str, float] | None = None,
        decision_threshold: float = ensemble.STANDARD_THRESHOLD,
    ) -> None:
        if models is None:
            self.__dict__.update(self.load().__dict__)
        else:
            super().__init__(models, weights=weights, decision_threshold=decision_threshold)

    @classmethod
    def load(cls, directory: Path = paths.PRODUCTION, *, serial_min: int = 0) -> Self:
        """Load the promoted model that lies in `directory`, verified, as `btc_signal.ensemble` documents it."""
        return super().load(directory, serial_min=serial_min)

    def to_bytes(self) -> bytes:
        """Return what `from_bytes` and `joblib.load` read. Not compressed: zlib's bytes differ between its builds."""
        if not isinstance(self.voters, MemberGraph):
            msg = "only an ensemble of a MemberGraph is written; build one with src.training.export.build_graph"
            raise ModelError(msg)
        return pickle.dumps(self, PICKLE_PROTOCOL)

    def validate_predictions(self, X: Any, y_true: Any = None) -> dict[str, Any]:  # noqa: ANN401 - as in predict
        """Sum up the predictions for `X`, and score them where the outcomes `y_true`, 0 or 1, are given.

        Scores of rows that the model was fitted on flatter: ask about bars from `btc_signal.in_sample.honest_from` on.
        `in_training` counts them, where the model was promoted and `X` is a DataFrame indexed by open time; `f1_score`
        is weighted by class.
        """
        summary = super().validate_predictions(X)
        if y_true is None:
            return summary
        from sklearn.metrics import accuracy_score, f1_score  # noqa: PLC0415 - serving does without scikit-learn

        times: Any = getattr(X, "index", None)
        if self.metadata is not None and getattr(times, "tz", None) is not None:
            summary["in_training"] = int((times < honest_from(self.metadata)).sum())
        decision = self.predict(X)
        return summary | {
            "accuracy": float(accuracy_score(y_true, decision)),
            "f1_score": float(f1_score(y_true, decision, average="weighted", zero_division=0)),
        }
