"""A year of weeks, unattended but for faults drawn from a seed: each retrains, deploys and predicts.

`python -m tests.faults.live --seed 3` lives through one and writes nothing; `make endure` begins with one.
"""

import argparse
import itertools
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from src.base import paths, tables
from tests.faults.publications import VERIFY
from tests.faults.suite import YEAR_FAULTS
from tests.faults.world import Seen, src
from tests.faults.year import KEEP, Year, build, exchange
from tests.warm import programs as warm

WEEKS = 52
Figures = dict[str, list[float]]
# Takes the kind of a week, what was seen, how long it took, in seconds, and its number.
Say = Callable[[str, Seen, float, int], object]
# What may be larger in the last quarter of the year than in the first, and how many times; a median of the week's own.
BOUNDS = {
    # By the clock on the wall, beside other tries.
    "seconds": 2.0,
    "cache, KiB": 1.3,
    "remote, KiB": 1.3,
    "git, KiB": 2.0,
    "reports, KiB": 1.5,
    "prediction log, KiB": 1.2,
    "served folder, KiB": 1.3,
    "left in .git, files": 1.0,
}
# These hold what was added in a week; of the others all that is there.
ADDED = ("cache, KiB", "remote, KiB", "git, KiB", "prediction log, KiB")


def every_version_serves(year: Year) -> int:
    """A newcomer without a cache pulls every published version, and each answers its known rows; return how many."""
    newcomer = year.newcomer()
    newcomer.run("dvc", "fetch", "--all-commits")
    listed = json.loads(newcomer.run("python", "-m", "src", "history", "--json"))["versions"]
    for one in listed:
        newcomer.run("git", "checkout", "--quiet", one["commit"])
        newcomer.run("dvc", "checkout")
        assert newcomer.python(VERIFY).strip() == one["version"]
    return len(listed)


def figures(sizes: list[dict[str, float]]) -> Figures:
    """Return for each size its median of a week in the first quarter of the year, and in the last; `BOUNDS` holds."""
    grown = [
        {name: now[name] - before[name] if name in ADDED else now[name] for name in BOUNDS}
        for before, now in itertools.pairwise(sizes)
    ]
    quarter = max(1, len(grown) // 4)
    found = {}
    for name, times in BOUNDS.items():
        first, last = (statistics.median(week[name] for week in part) for part in (grown[:quarter], grown[-quarter:]))
        found[name] = [round(first, 1), round(last, 1)]
        # A year that is cut short has not filled what is kept.
        assert quarter <= KEEP or last <= first * times, (
            f"{name}: {first:.1f} a week in the first quarter, {last:.1f} in the last"
        )
    return found


def live(root: Path, seed: int, n_weeks: int, say: Say, goes_on: Callable[[], bool] = lambda: True) -> Figures:
    """Live through weeks of a seed while it goes on; `say` has what was seen in each. Returns the figures."""
    bars = tables.read_frame(paths.SAMPLE).resample("1h").ffill()
    with exchange(bars) as stand_in:
        build(root)
        year = Year(root, stand_in, random.Random(f"year {seed}"), bars)  # noqa: S311 - no secret
        kinds = (YEAR_FAULTS * (n_weeks // len(YEAR_FAULTS) + 1))[:n_weeks]
        year.random.shuffle(kinds)
        assert src(year.user, "deploy", str(year.served)).status == 0
        sizes = [year.measure(0)]
        for year.week, kind in enumerate(kinds, start=1):
            if year.week > 1 and not goes_on():
                break
            began = time.monotonic()
            found = list(kind.tries(year))
            job_began = time.monotonic()
            year.job()
            year.check()
            sizes.append(year.measure(time.monotonic() - job_began))
            say(kind.id, found[0], time.monotonic() - began, year.week)
        n_versions = every_version_serves(year)
    n_lived = len(sizes) - 1
    return {"weeks": [n_lived, n_lived], "versions that serve": [n_versions, n_versions]} | figures(sizes)


def main() -> int:
    """Live through one, and say what was seen."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.live")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--weeks", type=int, default=WEEKS)
    chosen = parser.parse_args()

    def say(kind: str, found: Seen, seconds: float, _: int) -> None:
        sys.stdout.write(f"{found.at}, {seconds:.0f} s: {kind}: {found.held}; {found.then}\n")
        sys.stdout.flush()

    warm.set_up()
    try:
        with tempfile.TemporaryDirectory(prefix="year-") as folder:
            for name, (first, last) in live(Path(folder), chosen.seed, chosen.weeks, say).items():
                sys.stdout.write(f"{name}: {first:g}, {last:g}\n")
    finally:
        warm.tear_down()
    return 0


if __name__ == "__main__":
    sys.exit(main())
