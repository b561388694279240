"""What needs no repository of its own: versions and the content of the metadata."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from src import paths, storage
from src.errors import GateError, PromotionError
from src.features.catalog import FEATURE_NAMES
from src.features.feature_manager import build_dataset
from src.lifecycle.git import git
from src.lifecycle.metadata import build_metadata
from src.lifecycle.promote import _check_gate, next_version
from src.ml.bundle import sha256
from src.ml.ensemble import ProductionEnsemble
from src.params import Params

NOW = datetime(2026, 1, 4, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(("version", "following"), [("1.0.0", "1.0.1"), ("2.3.9", "2.3.10")])
def test_the_last_number_is_raised(version: str, following: str) -> None:
    """A number of two digits stays a number."""
    assert next_version(version) == following


@pytest.mark.parametrize("f1_score", [0.59, float("nan")])
def test_the_gate_refuses_what_does_not_reach_it(f1_score: float) -> None:
    """What is not a number does not pass either; the words name the value and the threshold."""
    with pytest.raises(GateError, match=rf"weighted F1 is {f1_score:.4f}, gate.f1_score_min .* 0.6; not promoted"):
        _check_gate(f1_score, 0.6)


def test_the_gate_lets_pass_what_reaches_it() -> None:
    """Equal is enough."""
    _check_gate(0.6, 0.6)


def test_a_failing_git_is_quoted() -> None:
    """The words of git reach the reader."""
    with pytest.raises(PromotionError, match=r"`git rev-parse --verify nowhere` failed: fatal"):
        git("rev-parse", "--verify", "nowhere")


@pytest.fixture
def dataset(make_bars: Callable[..., pd.DataFrame], params: Params) -> pd.DataFrame:
    """Features and labels of a hundred bars."""
    return build_dataset(make_bars(600), params.features, params.label)


def test_the_metadata_describe_the_bytes_they_were_made_from(
    params: Params, candidate: ProductionEnsemble, dataset: pd.DataFrame
) -> None:
    """Hash and size are those of the content; the moment is UTC; all of it is JSON."""
    files = {"production_ensemble.onnx": b"model", "production_ensemble.pkl": candidate.to_bytes()}
    metadata = build_metadata(
        params,
        storage.read_json(paths.METRICS),
        files,
        dataset,
        model_version="3.2.1",
        git_commit="abc",
        previous_version="def",
        now=NOW,
    )
    # The sha256 of the five letters "model", by sha256sum.
    digest = "sha256:9372c470eeadd5ecd9c3c74c2b3cb633f8e2f2fad799250a0f70d652b6b825e4"
    assert metadata["files"]["production_ensemble.onnx"] == {"sha256": digest, "size_bytes": 5}
    model_hash = sha256(files["production_ensemble.pkl"])
    assert metadata["version_control"] == {"git_commit": "abc", "model_hash": model_hash, "previous_version": "def"}
    assert metadata["files"]["production_ensemble.pkl"]["sha256"] == model_hash
    assert metadata["created_at"] == metadata["training_info"]["last_retrain"] == "2026-01-04T12:30:00Z"
    assert metadata["feature_settings"] == params.features.model_dump()
    assert json.loads(json.dumps(metadata, allow_nan=False)) == metadata
    smoke = metadata["smoke_test"]
    rows = dataset[list(FEATURE_NAMES)].to_numpy()
    # five rows, the first and the last among them
    assert (len(smoke["rows"]), smoke["rows"][0], smoke["rows"][-1]) == (5, rows[0].tolist(), rows[-1].tolist())
    answers = candidate.predict_proba(np.array(smoke["rows"]))[:, 1]
    np.testing.assert_allclose(smoke["probabilities"], answers, rtol=0, atol=1e-9)
