"""How often the gate promotes what it should not, and what it should: `make proof`, about an hour on two cores."""

import multiprocessing
import os
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from statsmodels.stats.proportion import proportion_confint

from src.base import paths, storage
from tests.proof.cases import RUNS, Case, run
from tests.proof.table import table_lines

REPORT = paths.REPORTS / "proof.json"


def main() -> None:
    """Judge them all, in as many processes as there are cores; write the counts and print the table."""
    tasks = [(world, seed) for world, n_runs in RUNS.items() for seed in range(n_runs)]
    cases: list[Case] = []
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        for number, found in enumerate(pool.map(run, *zip(*tasks, strict=True)), start=1):
            cases += found
            sys.stderr.write(f"\r{number} of {len(tasks)}")
    storage.write_json({"results": summed_up(cases)}, REPORT)
    sys.stdout.write("\n".join(["", *table_lines(summed_up(cases)), "", f"written to {paths.relative(REPORT)}", ""]))


def summed_up(cases: list[Case]) -> list[dict[str, object]]:
    """Count, with the exact interval of the rate."""
    counts = Counter((case.world, case.candidate) for case in cases)
    promoted = Counter((case.world, case.candidate) for case in cases if case.verdict == "yes")
    rows = []
    for (world, candidate), n_runs in counts.items():
        low, high = proportion_confint(promoted[world, candidate], n_runs, method="beta")
        rate = {"promoted": promoted[world, candidate], "n_runs": n_runs, "interval": [round(low, 4), round(high, 4)]}
        rows.append({"world": world, "candidate": candidate, **rate})
    return rows


if __name__ == "__main__":
    main()
