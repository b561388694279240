"""The founding document's example runs verbatim, and its readers find every key they look for."""

import json

import pytest

from src.base import paths
from tests.checkouts import Checkout

EXAMPLE = """
from src.ml.ensemble import ProductionEnsemble
from src.features.feature_manager import FeatureManager

feature_manager = FeatureManager()
production_model = ProductionEnsemble()

raw_market_data = get_market_data()          # a frame of OHLCV bars
features = feature_manager.generate_features(raw_market_data)

prediction = production_model.predict(features)
probabilities = production_model.predict_proba(features)

info = production_model.get_model_info()
print(len(feature_manager.get_feature_names()), info["weights"], info["version_info"], info.get("version", "N/A"))
print(production_model.is_fitted)
"""
BUNDLED_BARS = """
import pandas
def get_market_data():
    return pandas.read_parquet("data/sample/btcusd_1h.parquet")
"""
KEYS = {
    "created_at",
    "model_type",
    "model_file",
    "phase",
    "status",
    "mlops_version",
    "feature_manager_version",
    "feature_names",
    "individual_models",
    "model_weights",
    "performance_metrics",
    "training_info",
    "version_control",
    "notes",
}


@pytest.fixture(scope="module")
def metadata() -> dict:
    """The metadata of the promoted model."""
    return json.loads(paths.METADATA.read_text())


def test_the_example_runs_verbatim(reproduced: Checkout) -> None:
    """In a fresh process, with the bundled bars as market data."""
    first, second = reproduced.python(BUNDLED_BARS + EXAMPLE).splitlines()
    assert first.startswith("12 {'lightgbm': 0.4, 'xgboost': 0.4, 'random_forest': 0.2} {'git_commit': ")
    assert second == "True"


def test_every_key_is_there(metadata: dict) -> None:
    """Nothing that a reader of the old file looks up is missing."""
    assert set(metadata) >= KEYS
    assert set(metadata["performance_metrics"]) >= {"f1_score", "precision", "recall", "accuracy"}
    assert set(metadata["training_info"]) >= {"samples_count", "validation_method", "last_retrain"}
    assert set(metadata["version_control"]) == {"git_commit", "model_hash", "previous_version"}


def test_the_metrics_are_those_of_the_evaluation(metadata: dict) -> None:
    """What was promoted is what was scored."""
    assert metadata["performance_metrics"] == json.loads(paths.METRICS.read_text())["ensemble"]


def test_the_commit_is_one_of_this_history(metadata: dict) -> None:
    """The commit that the metadata names can be checked out."""
    shallow = Checkout(paths.ROOT).run("git", "rev-parse", "--is-shallow-repository").strip()
    if shallow == "true":
        pytest.skip("a shallow clone does not hold the commit")
    Checkout(paths.ROOT).run("git", "merge-base", "--is-ancestor", metadata["version_control"]["git_commit"], "HEAD")
