"""Repositories to change."""

from pathlib import Path

import pytest

from tests.checkouts import Checkout
from tests.conftest import BuiltOnce

MORE_FOREST = {("ensemble", "weights"): {"lightgbm": 0.2, "xgboost": 0.2, "random_forest": 0.6}}


@pytest.fixture
def champion(small: Checkout, tmp_path: Path) -> Checkout:
    """A repository whose last commit is the champion, and whose work tree equals it."""
    return small.copy(tmp_path / "repository")


@pytest.fixture(scope="session")
def two_versions(built_once: BuiltOnce, promoted: Checkout) -> Checkout:
    """A repository that promoted and pushed 1.0.0 and, with other weights, 1.1.0; copy before changing."""

    def build(root: Path) -> None:
        checkout = promoted.copy(root)
        checkout.set_params(MORE_FOREST)
        checkout.repro()
        checkout.promote("second")

    return built_once("two_versions", build)
