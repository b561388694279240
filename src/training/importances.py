"""Which features the fitted members split on, and how much that gained them."""

from collections.abc import Mapping

import src.base.openmp

import numpy as np
from sklearn.pipeline import Pipeline

from src.base.errors import ModelError
from src.ml.model_view import VIEW_NAMES


def importances(members: Mapping[str, Pipeline], weights: Mapping[str, float]) -> dict[str, float]:
    """Return each feature's share of what the splits of the fitted members gain, weighted like their votes; sum 1.

    `ModelError` if a member found nothing to split on.
    """
    shares = np.zeros(len(VIEW_NAMES))
    for name, member in members.items():
        gains = np.asarray(member[-1].feature_importances_, dtype=float)
        if not gains.sum() > 0:
            msg = f"member {name!r} never split, it forecasts a constant; give more bars, or ease its settings"
            raise ModelError(msg)
        shares += weights[name] * gains / gains.sum()
    return dict(zip(VIEW_NAMES, shares.tolist(), strict=True))
