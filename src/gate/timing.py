"""How long code takes beside other code, and what a fresh process needs to run it."""

import gc
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping

import numpy as np
import psutil

from src.base import paths
from src.base.errors import ModelError

MEBIBYTE = 2**20
DONE = "this process is done and waits"
WAIT = f"\nimport sys; print(); print({DONE!r}, flush=True); sys.stdin.read()"
TIMEOUT_S = 60.0


def time_interleaved(
    ways: Mapping[str, Callable[[], object]], *, rounds: int, repeat: int = 1
) -> dict[str, np.ndarray]:
    """Return the seconds per call of every way, shape (rounds,); in turns, so that noise of the machine is shared."""
    seconds = {name: np.empty(rounds) for name in ways}
    gc.collect()
    gc.disable()
    try:
        for number in range(-1, rounds):  # the first round only warms up
            for name, way in ways.items():
                begun = time.perf_counter()
                for _ in range(repeat):
                    way()
                if number >= 0:
                    seconds[name][number] = (time.perf_counter() - begun) / repeat
    finally:
        gc.enable()
    return seconds


def run_fresh_process(code: str, *arguments: str) -> tuple[float, float]:
    """Run Python code in a fresh process: the seconds until it is done, and the MiB resident then.

    `ModelError` if the code fails, or is not done within a minute.
    """
    begun = time.perf_counter()
    command = [sys.executable, "-c", code + WAIT, *arguments]
    with subprocess.Popen(command, cwd=paths.ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        deadline = threading.Timer(TIMEOUT_S, process.kill)
        deadline.start()
        is_done = any(line.strip() == DONE for line in process.stdout or ())
        seconds = time.perf_counter() - begun
        deadline.cancel()
        if not is_done:
            msg = f"a fresh process could not load the model and answer within {TIMEOUT_S:g} s"
            raise ModelError(msg)
        return seconds, psutil.Process(process.pid).memory_info().rss / MEBIBYTE
