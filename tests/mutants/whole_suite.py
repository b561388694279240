"""The last step: all survivors at once in one run of the whole suite, then each alone before the tests that failed."""

import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path

from tests.mutants.fault import Fault
from tests.mutants.results import SURVIVED, Result, Results
from tests.mutants.rooms_first import IMPORTERS, Say, caught
from tests.mutants.scratch import Run, Scratch, harmless, planted

SUITE = "suite"
LIMIT_S = 3 * 3600


class WholeSuite:
    """Runs of the whole suite, and what it follows from them.

    Parameters
    ----------
    not_counted
        Tests that fail on any change of a file, whatever the code does: their failures say nothing.
    """

    def __init__(
        self, scratch: Scratch, results: Results, not_counted: Collection[str], processes: int, say: Say
    ) -> None:
        self.scratch, self.results, self.say = scratch, results, say
        self.not_counted = set(not_counted)
        self.options = ["--numprocesses", str(processes), "--dist", "worksteal"]

    def meet(self, faults: Sequence[Fault]) -> None:
        """Let faults meet the suite together; those that share a line wait for the next run."""
        waiting = list(faults)
        while waiting:
            together = self._round(waiting)
            waiting = [fault for fault in waiting if fault not in together]

    def _round(self, faults: Sequence[Fault]) -> list[Fault]:
        texts, together = planted(self.scratch.root, faults)
        self.say(f"the whole suite, {len(together)} faults planted")
        self.scratch.plant(texts)
        run = self.scratch.test([], *self.options, limit_s=LIMIT_S)
        if run.status is None and len(together) > 1:  # one of them hangs
            return self._round(together[: len(together) // 2])
        self.say(f"{len(run.failed)} tests failed in {run.seconds:.0f} s")
        if run.status is None:
            self.results.add(together[0], caught(run, SUITE, run.seconds))
        else:
            self._attribute(together, self._meaningful(together, run.failed))
        return together

    def _meaningful(self, faults: Sequence[Fault], failed: dict[str, str]) -> list[str]:
        """Leave out the tests that fail on a comment in the same files, too."""
        asked = [test for test in failed if test not in self.not_counted]
        if not asked:
            return []
        self.scratch.plant(harmless(self.scratch.root, [fault.file for fault in faults]))
        run = self._again(asked)
        self.results.add_uncounted(run.failed)
        self.say(f"{len(run.failed)} of them fail on a comment, too")
        return [test for test in asked if test not in run.failed]

    def _attribute(self, faults: Sequence[Fault], tests: Sequence[str]) -> None:
        """Halve the faults until each that makes one of the tests fail stands alone; the rest survived."""
        if not tests:
            self._survived(faults)
            return
        groups = _halves(faults) if len(faults) > 1 else [faults]
        while groups:
            group = groups.pop()
            texts, _ = planted(self.scratch.root, group)
            self.scratch.plant(texts)
            run = self._again(tests, "-x")
            if run.passed:
                self._survived(group)
            elif len(group) == 1:
                self._keep(group[0], caught(run, SUITE, run.seconds))
            else:
                groups += _halves(group)

    def _again(self, tests: Sequence[str], *options: str) -> Run:
        files = sorted({test.partition("::")[0] for test in tests})
        return self.scratch.test(files, *self.options, *options, limit_s=LIMIT_S, only=tests)

    def _survived(self, faults: Sequence[Fault]) -> None:
        for fault in faults:
            self._keep(fault, Result(SURVIVED, SUITE))

    def _keep(self, fault: Fault, result: Result) -> None:
        self.results.add(fault, result)
        self.say(f"{result.outcome} ({result.step}) {fault.told()} {result.by}")


def _halves(faults: Sequence[Fault]) -> list[Sequence[Fault]]:
    middle = len(faults) // 2
    return [faults[:middle], faults[middle:]]


def meet_suite(root: Path, results: Results, not_counted: Collection[str], processes: int, say: Say) -> None:
    """Let the survivors of the first two steps meet the whole suite."""
    with tempfile.TemporaryDirectory(prefix="mutants-", ignore_cleanup_errors=True) as folder:
        suite = WholeSuite(Scratch(root, Path(folder)), results, not_counted, processes, say)
        suite.meet(results.survivors(IMPORTERS))
