"""Plant small faults in the code and count what the tests catch: `python -m tests.mutants`.

mutmut and cosmic-ray drop no call, swap no arguments and take no check away, draw no fixed number of faults from each
room by a seed, and do not ask a room's own tests first and the whole suite only about what those let pass.
"""

import argparse
import sys
from pathlib import Path

from src.base import paths, storage
from tests.mutants.choose import COUNT, choose, room_of
from tests.mutants.fault import Fault
from tests.mutants.results import Results, caught_in, faults_in
from tests.mutants.rooms_first import SECONDS, is_measured, measure, meet_rooms
from tests.mutants.table import REPORT, lost, not_counted, page
from tests.mutants.whole_suite import meet_suite

RESULTS = paths.ROOT / ".mutants" / "results.jsonl"


def main() -> int:
    """Choose, plant, run, write the page; status 1 if a fault that the suite of before caught survived."""
    options = _options().parse_args()
    results = Results(options.results)
    faults = [fault for fault in _faults(options) if options.only in {None, room_of(fault.file)}]
    if not is_measured(results, SECONDS, faults):
        measure(paths.ROOT, faults, results, _say)
    meet_rooms(paths.ROOT, faults, results, options.workers, _say)
    if not options.rooms_only:
        meet_suite(paths.ROOT, results, not_counted(), options.processes, _say)
    before = Results(options.faults).of if _has_results(options.faults) else {}
    found = {fault: results.of[fault] for fault in faults}
    if options.only is None:
        storage.write_bytes(page(found, before, results.uncounted, options.seed).encode(), REPORT)
    _say(f"{caught_in(found.values())} of {len(found)} faults caught; each is in {paths.relative(options.results)}")
    return int(bool(lost(found, before)))


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1, help="what the faults are drawn by (1)")
    parser.add_argument("--count", type=int, default=COUNT, help=f"how many faults, the rooms in turn ({COUNT})")
    parser.add_argument(
        "--faults", type=Path, help="plant those of an earlier run instead, and compare with its results"
    )
    parser.add_argument("--only", metavar="ROOM", help="only the faults of this room; the page is not written")
    parser.add_argument("--rooms-only", action="store_true", help="leave out the whole suite")
    parser.add_argument("--workers", type=int, default=1, help="copies in which faults meet their rooms at once (1)")
    parser.add_argument("--processes", type=int, default=2, help="processes of the whole suite (2)")
    parser.add_argument(
        "--results", type=Path, default=RESULTS, help="where results are kept; a run goes on from there (%(default)s)"
    )
    return parser


def _faults(options: argparse.Namespace) -> list[Fault]:
    return faults_in(options.faults) if options.faults else choose(paths.ROOT, options.seed, options.count)


def _has_results(file: Path | None) -> bool:
    return file is not None and not file.read_text().lstrip().startswith("[")


def _say(words: str) -> None:
    sys.stderr.write(f"{words}\n")


if __name__ == "__main__":
    sys.exit(main())
