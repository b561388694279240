"""A feature manager with a short warm-up, and bars for it."""

import pytest

from src.features.feature_manager import FeatureManager

WARM_UP = 60


@pytest.fixture(scope="session")
def short(params):
    """The shipped windows with a warm-up of 60 bars."""
    return params.features.model_copy(update={"warm_up_bars": WARM_UP})


@pytest.fixture(scope="session")
def manager(short):
    return FeatureManager(short)


@pytest.fixture
def walk(make_bars):
    return make_bars(150)
