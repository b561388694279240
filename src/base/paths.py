"""Every file the pipeline reads or writes, as absolute paths.

Standard library only, and any Python from 3.8 on.
"""

from __future__ import annotations

from pathlib import Path

from btc_signal import files

ROOT = Path(__file__).resolve().parents[2]

PARAMS = ROOT / "params.yaml"
PROJECT = ROOT / "pyproject.toml"
LOCK = ROOT / "dvc.lock"

SAMPLE = ROOT / "data" / "sample" / "btcusd_1h.parquet"
EXCHANGE_CACHE = ROOT / "data" / "exchange_cache"
BARS = ROOT / "data" / "raw" / "bars.parquet"
FEATURES = ROOT / "data" / "features.parquet"
OUT_OF_FOLD = ROOT / "data" / "oof"
TRAINING = ROOT / "models" / "training"

PRODUCTION = ROOT / "models" / "production"
ENSEMBLE = PRODUCTION / files.ENSEMBLE
GRAPH = PRODUCTION / files.GRAPH
METADATA = PRODUCTION / files.METADATA

REPORTS = ROOT / "reports"
DATA_QUALITY = REPORTS / "data_quality.json"
METRICS = REPORTS / "metrics.json"
PLOTS = REPORTS / "plots"
GATE = REPORTS / "gate.json"
GATE_REPORT = REPORTS / "gate.md"
TRIALS = REPORTS / "trials.jsonl"
RETRAIN = REPORTS / "retrain.json"
RETRAIN_REPORT = REPORTS / "retrain.md"
MONITOR = REPORTS / "monitor.json"
MONITOR_REPORT = REPORTS / "monitor.md"
MONITOR_HISTORY = REPORTS / "monitor.jsonl"
ALERTS = REPORTS / "alerts.json"
PRUNE = REPORTS / "prune.json"
PAGE = REPORTS / "index.html"


def member_model(name: str) -> Path:
    """Where the fitted member lies that is called `name` in the ensemble."""
    return TRAINING / f"{name}.pkl"


def out_of_fold(name: str) -> Path:
    """Where that member's out-of-fold probabilities lie."""
    return OUT_OF_FOLD / f"{name}.parquet"


def plot(name: str) -> Path:
    """Where the points of the plot called `name` lie."""
    return PLOTS / f"{name}.csv"


def relative(path: Path) -> str:
    """Name `path` as the user would: from the repository's root where it lies inside."""
    return path.relative_to(ROOT).as_posix() if ROOT in (path, *path.parents) else str(path)
