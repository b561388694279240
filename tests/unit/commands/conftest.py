"""A small promoted model, and bars for it."""

from collections.abc import Callable

import pandas as pd
import pytest

from btc_signal.ensemble import ProductionEnsemble
from btc_signal.stream import FeatureStream
from src.features.promoted import promoted as promoted_value


@pytest.fixture
def promoted(candidate: ProductionEnsemble, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small model in the place of the promoted one, with a short warm-up."""
    settings = promoted_value("feature_settings") | {"warm_up_bars": 60}
    monkeypatch.setattr(ProductionEnsemble, "load", classmethod(lambda *_, **__: candidate))
    monkeypatch.setattr(FeatureStream, "of_model", classmethod(lambda cls, _: cls(settings, "1h")))


@pytest.fixture
def walk(make_bars: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    """Eighty bars."""
    return make_bars(80, seed=4)
