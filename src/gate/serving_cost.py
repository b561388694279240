"""What a candidate costs to serve, beside the three libraries it stands for."""

import copy
from collections.abc import Mapping
from pathlib import Path

import src.base.openmp

import numpy as np
from sklearn.pipeline import Pipeline

from btc_signal.ensemble import ProductionEnsemble
from src.base import storage
from src.evaluation.parity import measure_parity
from src.gate.timing import run_fresh_process, time_interleaved

ROUNDS, REPEAT = 10, 5
MEGABYTE = 1e6
SERVE = """
import sys, numpy
from pathlib import Path
from btc_signal.ensemble import ProductionEnsemble
row = numpy.array([[float(number) for number in sys.argv[2:]]])
ProductionEnsemble.from_bytes(Path(sys.argv[1]).read_bytes()).predict_proba(row)
"""


def measure_serving(file: Path, members: Mapping[str, Pipeline], rows: np.ndarray) -> dict[str, float]:
    """Measure a candidate, pickled in a file, as it would be served, with rows of shape (n_rows, 12).

    Returns `parity`, the largest difference to a member's probability; `n_flipped`, decisions that differ; `size_mb`;
    `latency_ratio`, how many times longer the members take for one row, each with one thread; `memory_mib`, resident in
    a fresh process that answered. `ModelError` if the candidate cannot be read, or the process does not answer.
    """
    candidate = ProductionEnsemble.from_bytes(storage.read_bytes(file))
    parity = measure_parity(candidate, members, rows)
    native, row = one_thread(members), rows[:1].copy()
    ways = {"graph": lambda: candidate.predict_proba(row), "members": lambda: native.predict_proba(row)}
    seconds = time_interleaved(ways, rounds=ROUNDS, repeat=REPEAT)
    _, memory_mib = run_fresh_process(SERVE, str(file), *map(repr, row[0].tolist()))
    return {
        "parity": parity.difference,
        "n_flipped": float(parity.n_flipped),
        "size_mb": file.stat().st_size / MEGABYTE,
        "latency_ratio": float(np.median(seconds["members"] / seconds["graph"])),
        "memory_mib": memory_mib,
    }


def one_thread(members: Mapping[str, Pipeline]) -> ProductionEnsemble:
    """Return copies of the members as an ensemble, each asked through its library with one thread, as the graph is."""
    copies = copy.deepcopy(dict(members))
    for member in copies.values():
        member[-1].set_params(n_jobs=1)
    return ProductionEnsemble(copies)
