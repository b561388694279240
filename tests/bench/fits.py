"""Fits: the processor time of one beside two busy processes, against that of one alone."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from btc_signal.catalog import FEATURE_NAMES, TARGET
from src.base import paths, tables
from src.base.errors import ModelError
from src.policy import load_policy
from src.training.fit import fit
from src.training.members.member import MEMBERS, build_member, volatility_trend
from tests.bench.result import result

MEASURED = ("lgbm", "xgb")  # a forest's threads do not wait for each other
ROUNDS = 5
N_CORES = 2  # `n_jobs` of params.yaml
# Threads that wait for another one, and do not sleep, take many times as much.
MAX_RATIO = 1.3
TIMEOUT_S = 600


def compare_fits() -> Iterator[dict[str, Any]]:
    """Two threads on two cores, each member in a process of its own; fail if the busy processes cost too much."""
    for key in MEASURED:
        command = [sys.executable, "-m", "tests.bench.fits", key]
        said = subprocess.run(command, cwd=paths.ROOT, stdout=subprocess.PIPE, check=True, timeout=TIMEOUT_S).stdout
        seconds = {name: np.array(values) for name, values in json.loads(said).items()}
        found = result(f"fit of {MEMBERS[key]}, processor time", "s", seconds)
        check(found)
        yield found


def check(found: dict[str, Any]) -> None:
    """Refuse a fit that spends its time on waiting."""
    (other,) = found["others"]
    if other["ratio"] > MAX_RATIO:
        msg = f"{found['what']}: {other['name']} {other['ratio']:g} times that alone, expected at most {MAX_RATIO:g}; "
        msg += "threads that wait do not sleep, see src/base/openmp.py"
        raise ModelError(msg)


def measure(key: str) -> dict[str, list[float]]:
    """Fit in turns alone and beside busy processes, after one that warms up; return the processor seconds."""
    cores = spread()
    params = load_policy()
    dataset = tables.read_frame(paths.FEATURES)
    X, y = dataset[list(FEATURE_NAMES)].to_numpy(), dataset[TARGET].to_numpy()

    def seconds() -> float:
        member = build_member(key, params.train, trend=volatility_trend(params.label), seed=params.seed, n_jobs=N_CORES)
        begun = time.process_time()
        fit(member, X, y, half_life_rows=params.train.half_life_rows)
        return time.process_time() - begun

    seconds()
    found: dict[str, list[float]] = {"alone": [], "beside two busy processes": []}
    for _ in range(ROUNDS):
        found["alone"].append(seconds())
        with busy(cores):
            found["beside two busy processes"].append(seconds())
    return found


def spread() -> list[int]:
    """Let this process use two cores again, where the bench has bound it to one."""
    if not hasattr(os, "sched_setaffinity"):
        return list(range(N_CORES))
    last = max(os.sched_getaffinity(0))
    cores = list(range(max(last - N_CORES + 1, 0), last + 1))
    os.sched_setaffinity(0, cores)
    return cores


@contextmanager
def busy(cores: list[int]) -> Iterator[None]:
    """Keep every core busy with another process."""
    pin = "import os; hasattr(os, 'sched_setaffinity') and os.sched_setaffinity(0, {%d})\nwhile True: pass"
    with ExitStack() as stack:
        for core in cores:
            process = stack.enter_context(subprocess.Popen([sys.executable, "-c", pin % core]))
            stack.callback(process.kill)
        time.sleep(0.2)  # they are started
        yield


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(sys.argv[1])))
