"""The content of production_model_metadata.json: what was promoted, from what, and how good it was."""

import platform
import tomllib
from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from btc_signal.bundle import sha256
from btc_signal.catalog import FEATURE_MANAGER_VERSION, FEATURE_NAMES
from btc_signal.ensemble import ProductionEnsemble
from btc_signal.in_sample import first_unknown
from btc_signal.times import utc_text
from btc_signal.voters import PROBABILITY_DECIMALS
from src.base import paths
from src.base.params import Params
from src.gate.trials import params_hash

LIBRARIES = (*("joblib", "lightgbm", "numpy", "onnx", "onnxruntime", "pandas", "scikit-learn", "ta-lib", "treelite"),)
N_SMOKE_ROWS = 5
XGBOOST_WHEELS = {"Darwin": "xgboost"}
NOTES = "Scores are walk-forward and out of sample: the procedure's, not the shipped fit's, which saw every row."


class Promotion(NamedTuple):
    """The names of a promotion, and the one before it.

    Parameters
    ----------
    version
        Such as 1.0.0.
    git_commit
        The commit that the candidate was made from.
    previous_version
        The commit that brings the model before it back, if there is one.
    moment
        Of the promotion, UTC.
    """

    version: str
    git_commit: str
    previous_version: str | None
    moment: datetime


def build_metadata(
    promotion: Promotion,
    params: Params,
    metrics: Mapping[str, Any],
    files: Mapping[str, bytes],
    bars: bytes,
    dataset: pd.DataFrame,
) -> dict[str, Any]:
    """Describe one promoted model.

    Parameters
    ----------
    promotion
        Its names.
    params, metrics
        What the candidate was trained with, and how it scored.
    files
        The bytes of the graph and of the pickled ensemble, by file name.
    bars
        The bytes of the bars' file.
    dataset
        What the candidate was trained on; a few of its rows become the smoke test.

    Returns
    -------
    dict
        JSON-ready; every key of the founding document, and what the verification on load needs.
    """
    scores = metrics["ensemble"]
    weights = params.ensemble.weights.model_dump()
    moment = utc_text(promotion.moment)
    described = {name: {"sha256": sha256(content), "size_bytes": len(content)} for name, content in files.items()}
    return {
        "version": promotion.version,
        "created_at": moment,
        "model_type": "ProductionEnsemble_MLOps",
        "model_file": paths.relative(paths.ENSEMBLE),
        "phase": "production",
        "status": "production_ready",
        "mlops_version": f"v{tomllib.loads(paths.PROJECT.read_text(encoding='utf-8'))['project']['version']}",
        "feature_manager_version": FEATURE_MANAGER_VERSION,
        "feature_names": list(FEATURE_NAMES),
        "feature_settings": params.features.model_dump(),
        "individual_models": list(weights),
        "model_weights": weights,
        "decision_threshold": params.ensemble.decision_threshold,
        "performance_metrics": scores,
        "training_info": _training_info(params, metrics, sha256(bars), dataset.index[-1], moment),
        "version_control": {
            "git_commit": promotion.git_commit,
            "model_hash": described[paths.ENSEMBLE.name]["sha256"],
            "previous_version": promotion.previous_version,
        },
        "files": described,
        "smoke_test": _smoke_test(files[paths.ENSEMBLE.name], dataset),
        "libraries": libraries(),
        "notes": NOTES,
    }


def _training_info(
    params: Params, metrics: Mapping[str, Any], bars_hash: str, last_labelled: datetime, moment: str
) -> dict[str, Any]:
    """Describe the training data, how it was scored, and the first open whose label the model did not know."""
    return {
        "samples_count": metrics["n_training_rows"],
        "out_of_fold_count": metrics["n_samples"],
        "out_of_fold_window": metrics["window"],
        "honest_from": utc_text(first_unknown(last_labelled, params.data.step)),
        "base_rate": metrics["base_rate"],
        "validation_method": f"TimeSeriesSplit({params.split.n_splits}, gap={params.split.gap})",
        "last_retrain": moment,
        "data": params.data.model_dump(mode="json") | {"bars_hash": bars_hash},
        "label": params.label.model_dump(),
        "params_hash": f"sha256:{params_hash(params)}",
    }


def _smoke_test(content: bytes, dataset: pd.DataFrame) -> dict[str, Any]:
    """Return the candidate's probabilities of a few rows, spread evenly; on load the model must give the same."""
    rows = dataset[list(FEATURE_NAMES)].iloc[np.linspace(0, len(dataset) - 1, N_SMOKE_ROWS).astype(int)]
    probabilities = ProductionEnsemble.from_bytes(content).predict_proba(rows)[:, 1]
    return {"rows": rows.to_numpy().tolist(), "probabilities": probabilities.round(PROBABILITY_DECIMALS).tolist()}


def libraries() -> dict[str, str]:
    """Return the versions of Python and of what makes a model; XGBoost's distribution has another name on macOS."""
    names = (*LIBRARIES, XGBOOST_WHEELS.get(platform.system(), "xgboost-cpu"))
    return {"python": platform.python_version()} | {name: version(name) for name in names}
