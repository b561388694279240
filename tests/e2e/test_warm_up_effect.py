"""How long a warm-up must be, by its effect on the probability: what EXPERIMENTS.md says is measured here."""

import numpy as np
import pandas as pd
import pytest

from btc_signal.bar import COLUMNS
from btc_signal.catalog import FEATURE_NAMES
from src.base import paths
from src.features.feature_manager import FeatureManager
from src.features.indicators import compute
from src.ml.ensemble import ProductionEnsemble
from src.policy import Policy
from tests.checkouts import Checkout

WARM_UPS = [50, 75, 100, 150, 200, 250, 300, 350, 400, 500, 750, 1_000, 1_500, 2_000]
N_STARTS = 2_000
# Where the design draws the line.
ALLOWED = 1e-4


@pytest.fixture(scope="module")
def effect(reproduced: Checkout, bars: pd.DataFrame, params: Policy) -> dict[int, float]:
    """The largest change of the probability of any of 2,000 random bars, by how many bars its history has."""
    model = ProductionEnsemble.load(reproduced.root / "models" / "production")
    columns = {name: np.ascontiguousarray(bars[name]) for name in COLUMNS}
    ends = np.random.default_rng(0).integers(max(WARM_UPS), len(bars), N_STARTS) + 1
    full = FeatureManager(params.features).generate_features(bars)
    expected = model.predict_proba(full.loc[bars.index[ends - 1]])[:, 1]
    changes = {}
    for n_bars in WARM_UPS:
        rows = np.empty((N_STARTS, len(FEATURE_NAMES)))
        for row, end in zip(rows, ends, strict=True):
            history = {name: column[end - n_bars : end] for name, column in columns.items()}
            computed = compute(history, params.features)
            row[:] = [computed[name][-1] for name in FEATURE_NAMES]
        changes[n_bars] = float(np.abs(model.predict_proba(rows)[:, 1] - expected).max())
    return changes


def test_the_shipped_warm_up_moves_no_probability(effect: dict[int, float], params: Policy) -> None:
    """From the shipped warm-up on, where the history starts does not matter."""
    assert max(change for n_bars, change in effect.items() if n_bars >= params.features.warm_up_bars) < ALLOWED


def test_half_of_it_would(effect: dict[int, float], params: Policy) -> None:
    """The measurement notices a warm-up that is too short."""
    assert effect[params.features.warm_up_bars // 2] > ALLOWED


def test_the_table_is_what_was_measured(effect: dict[int, float]) -> None:
    """EXPERIMENTS.md shows these changes, to two digits."""
    table = "\n".join(f"| {n_bars:,} | {change:.1e} |" for n_bars, change in effect.items())
    assert table in (paths.ROOT / "EXPERIMENTS.md").read_text()
