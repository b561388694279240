"""`make bench`: ours and the alternatives, results first found equal, then timed in turns on one core."""

import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console

from src.base import paths, storage
from src.base.errors import exit_on_error
from tests.bench.features import compare_bar, compare_batch
from tests.bench.files import compare_files
from tests.bench.fits import compare_fits
from tests.bench.pipeline import compare_pipeline
from tests.bench.prediction import compare_prediction, compare_start
from tests.bench.table import table_lines

REPORT = paths.REPORTS / "bench.json"
LIBRARIES = ("dvc", "lightgbm", "numpy", "onnxruntime", "pandas", "scikit-learn", "ta-lib", "talipp", "xgboost-cpu")


def main() -> None:
    """Run all comparisons, say each as it is known, write them down."""
    _pin()
    console = Console(stderr=True)
    results: list[dict[str, Any]] = []
    for step in (
        compare_prediction,
        compare_start,
        compare_batch,
        compare_bar,
        compare_fits,
        compare_files,
        compare_pipeline,
    ):
        with console.status(step.__name__.replace("_", " ")), exit_on_error():
            found = step()
            results += [found] if isinstance(found, dict) else list(found)
    report = {"machine": _machine(), "libraries": {name: version(name) for name in LIBRARIES}, "results": results}
    storage.write_json(report, REPORT)
    sys.stdout.write("\n".join([*table_lines(results), "", f"written to {paths.relative(REPORT)}", ""]))


def _pin() -> None:
    """Keep this process and its children on one core, where the system knows how."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def _machine() -> dict[str, Any]:
    """Say what this ran on."""
    info = Path("/proc/cpuinfo")
    models = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
    return {
        "processor": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    main()
