"""The content of production_model_metadata.json: what was promoted, from what, and how good it was."""

import platform
import tomllib
from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import version
from typing import Any

from src import paths
from src.features.catalog import FEATURE_MANAGER_VERSION, FEATURE_NAMES
from src.ml.bundle import sha256
from src.params import Params
from src.storage import utc_text

LIBRARIES = ("joblib", "lightgbm", "numpy", "pandas", "scikit-learn", "ta-lib")
XGBOOST_WHEELS = {"Darwin": "xgboost"}
NOTES = "Scores are walk-forward and out of sample: the procedure's, not the shipped fit's, which saw every row."


def build_metadata(
    params: Params,
    metrics: Mapping[str, Any],
    content: bytes,
    *,
    model_version: str,
    git_commit: str,
    previous_version: str | None,
    now: datetime,
) -> dict[str, Any]:
    """Describe one promoted model.

    Parameters
    ----------
    params, metrics
        What the candidate was trained with, and how it scored.
    content
        The bytes of the pickled ensemble.
    model_version
        Such as 1.0.0.
    git_commit
        The commit whose dvc.lock describes the candidate.
    previous_version
        The commit that brings the model before it back, if there is one.
    now
        The moment of promotion, UTC.

    Returns
    -------
    dict
        JSON-ready; every key of the founding document, and what the verification on load needs.
    """
    scores = metrics["ensemble"]
    weights = params.ensemble.weights.model_dump()
    moment, digest = utc_text(now), sha256(content)
    return {
        "version": model_version,
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
        "training_info": {
            "samples_count": metrics["n_training_rows"],
            "out_of_fold_count": metrics["n_samples"],
            "out_of_fold_window": metrics["window"],
            "base_rate": metrics["base_rate"],
            "validation_method": f"TimeSeriesSplit({params.split.n_splits}, gap={params.split.gap})",
            "last_retrain": moment,
            "data": params.data.model_dump(mode="json"),
            "label": params.label.model_dump(),
        },
        "version_control": {
            "git_commit": git_commit,
            "model_hash": digest,
            "previous_version": previous_version,
        },
        "files": {paths.ENSEMBLE.name: {"sha256": digest, "size_bytes": len(content)}},
        "libraries": {"python": platform.python_version()} | {name: version(name) for name in _libraries()},
        "notes": NOTES,
    }


def _libraries() -> tuple[str, ...]:
    """Name the installed distributions; XGBoost's has another name on macOS."""
    return (*LIBRARIES, XGBOOST_WHEELS.get(platform.system(), "xgboost-cpu"))
