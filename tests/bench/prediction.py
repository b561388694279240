"""Prediction, start, memory and file size: the served graph against the members as their libraries keep them."""

import io
from collections.abc import Iterator
from typing import Any

import joblib
import numpy as np

from btc_signal.catalog import FEATURE_NAMES
from src.base import paths, tables
from src.gate.serving_cost import one_thread
from src.gate.timing import run_fresh_process, time_interleaved
from src.ml.ensemble import ProductionEnsemble
from src.training.member_files import read_members
from src.training.members import MEMBERS
from tests.bench.result import result

SCORE = "import numpy; row = numpy.array([[8000, 100, 0, 50, 1, 1, 30, 0.5, 8000, 8000, 0, 1]], dtype=float); "
OURS = "from src.ml.ensemble import ProductionEnsemble; model = ProductionEnsemble(); model.predict_proba(row)"
NATIVE = (
    "import joblib; models = [joblib.load(f'models/training/{name}.pkl') for name in "
    f"{list(MEMBERS.values())}]; [model.predict_proba(row) for model in models]"
)


def compare_prediction() -> Iterator[dict[str, Any]]:
    """One row and 20,000 rows, in one process."""
    model, native = ProductionEnsemble(), _native()
    X = tables.read_frame(paths.FEATURES)[list(FEATURE_NAMES)].to_numpy()
    X = np.concatenate([X, X])[:20_000]
    np.testing.assert_allclose(model.predict_proba(X), native.predict_proba(X), rtol=0, atol=1e-6)
    assert (model.predict(X) == native.predict(X)).all()
    row = X[:1].copy()
    one = time_interleaved(
        {"ONNX graph": lambda: model.predict_proba(row), "three libraries": lambda: native.predict_proba(row)},
        rounds=30,
        repeat=20,
    )
    yield result("one prediction", "ms", one, scale=1e3)
    many = time_interleaved(
        {"ONNX graph": lambda: model.predict_proba(X), "three libraries": lambda: native.predict_proba(X)}, rounds=7
    )
    yield result("20,000 predictions", "s", many)


def compare_start() -> Iterator[dict[str, Any]]:
    """From nothing to the first answer, in processes of their own; what they hold then; what lies on the disk."""
    starts = {"ONNX graph": OURS, "three libraries": NATIVE}
    runs = {name: [run_fresh_process(SCORE + code) for _ in range(2)][1:] for name, code in starts.items()}
    for _ in range(6):
        for name, code in starts.items():
            runs[name].append(run_fresh_process(SCORE + code))
    seconds, memory = ({name: np.array(values)[:, i] for name, values in runs.items()} for i in (0, 1))
    yield result("start to first prediction", "s", seconds)
    yield result("memory then, resident", "MiB", memory)
    served = paths.ENSEMBLE.stat().st_size
    kept = sum(paths.member_model(name).stat().st_size for name in MEMBERS.values())
    packed = io.BytesIO()
    joblib.dump(_native().voters.models, packed, compress=3)
    sizes = {"ONNX graph": served, "three libraries": kept, "three libraries, compressed": len(packed.getvalue())}
    yield result("model file", "MB", {name: np.array([size]) for name, size in sizes.items()}, scale=1e-6)


def _native() -> ProductionEnsemble:
    """The fitted members, each asked through its library with one thread, as the graph is."""
    return one_thread(read_members())
