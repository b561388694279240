"""The pipeline: `dvc repro` from nothing, and with nothing to do against DVC's own floor."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from src.gate.timing import time_interleaved
from tests.bench.result import result
from tests.checkouts import Checkout, copy_work_tree

N_STAGES = 7


def compare_pipeline() -> Iterator[dict[str, Any]]:
    """In scratch repositories with git and DVC of their own; this one is left alone."""
    with tempfile.TemporaryDirectory() as folder:
        ours, floor = Path(folder) / "ours", Path(folder) / "floor"
        ours.mkdir()
        copy_work_tree(ours)
        whole = time_interleaved({"dvc repro": lambda: _cleared(ours)}, rounds=1)
        yield result("`dvc repro` from nothing, bundled bars", "s", whole)
        _empty_repository(floor)
        ways = {"dvc repro": lambda: _repro(ours), "seven empty stages": lambda: _repro(floor)}
        yield result("`dvc repro` with nothing to do", "s", _cpu(ways, rounds=9))


def _repro(root: Path) -> None:
    """Run the pipeline, quietly."""
    Checkout(root).run("dvc", "repro", "--quiet")


def _cleared(root: Path) -> None:
    """Run all of it, whatever ran before."""
    Checkout(root).run("dvc", "repro", "--quiet", "--force")


def _cpu(ways: dict[str, Any], *, rounds: int) -> dict[str, np.ndarray]:
    """Return the processor seconds of the children; a wall clock would count the machine's other guests."""
    seconds = {name: np.empty(rounds) for name in ways}
    for number in range(-1, rounds):
        for name, way in ways.items():
            before = os.times()
            way()
            after = os.times()
            used = after.children_user + after.children_system - before.children_user - before.children_system
            if number >= 0:
                seconds[name][number] = used
    return seconds


def _empty_repository(root: Path) -> None:
    """Make a repository of seven stages in a row that do nothing."""
    root.mkdir()
    checkout = Checkout(root)
    checkout.run("git", "init", "--quiet", "--initial-branch", "main")
    # `dvc init` would report to DVC's makers that it was called, before any configuration could say not to.
    (root / ".dvc").mkdir()
    (root / ".dvc" / "config").write_text("[core]\n    analytics = false\n    check_update = false\n")
    (root / ".dvc" / ".gitignore").write_text("/tmp\n/cache\n")  # noqa: S108 - a pattern of git
    stages = {f"stage_{n}": {"cmd": f"touch out_{n}", "outs": [f"out_{n}"]} for n in range(N_STAGES)}
    for n in range(1, N_STAGES):
        stages[f"stage_{n}"]["deps"] = [f"out_{n - 1}"]
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
    _repro(root)
    checkout.commit("empty")
