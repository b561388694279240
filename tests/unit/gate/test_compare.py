"""Whose forecasts are compared."""

import pandas as pd
import pytest

from src.base import paths
from src.gate import compare

SETTINGS = {"weights": {"lightgbm": 0.75, "another": 0.25}, "decision_threshold": 0.5}


def test_a_revision_is_read_by_the_members_that_its_own_settings_weigh():
    """A champion may have other members than the candidate; 0.75 * 0.4 + 0.25 * 0.8 = 0.5 is no buy."""
    frames = {
        paths.out_of_fold(name): pd.DataFrame({"fold": [1], "target": [1], "probability": [probability]})
        for name, probability in {"lightgbm": 0.4, "another": 0.8}.items()
    }
    joined = compare._out_of_fold(frames.__getitem__, SETTINGS)
    assert joined["probability"].tolist() == pytest.approx([0.5])
    assert joined["decision"].tolist() == [0]
