"""The last step: the survivors of the first two before the whole suite, in one run, and which of them a test notices.

A fault that breaks what many tests stand on would hide the others. So each meets the few test files alone that say most
of its module first; those that are left are planted together.
"""

import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path

from tests.mutants.fault import Fault
from tests.mutants.reach import likely
from tests.mutants.results import IMPORTERS, SUITE, SURVIVED, Result, Results
from tests.mutants.rooms_first import Say, caught, is_measured, keep_baseline, limit_s
from tests.mutants.scratch import Run, Scratch, harmless, planted

LIMIT_S = 3 * 3600
MET = ("tests/unit/", "tests/properties/")  # in the first two steps, as far as they are near


class WholeSuite:
    """Runs of the whole suite, and which faults they notice.

    Parameters
    ----------
    not_counted
        Tests whose failures say nothing about what the code does, as a person found out.
    """

    def __init__(
        self, scratch: Scratch, results: Results, not_counted: Collection[str], processes: int, say: Say
    ) -> None:
        self.scratch, self.results, self.say = scratch, results, say
        self.not_counted = set(not_counted)
        self.options = ["--numprocesses", str(processes), "--dist", "loadfile"]

    def meet(self, faults: Sequence[Fault]) -> None:
        """Let faults meet the likely tests alone, then the suite together; those that share a line in further runs."""
        if not faults:
            return
        seconds = self._measured(faults)
        further = [file for file in seconds if not file.startswith(MET)]
        waiting = [fault for fault in faults if not self._is_caught_by_likely(fault, further)]
        while waiting:
            together = self._meet_together(waiting)
            waiting = [fault for fault in waiting if fault not in together]

    def _measured(self, faults: Sequence[Fault]) -> dict[str, float]:
        """Run the suite once with a comment in each file; what fails on that is not counted."""
        if not is_measured(self.results, SUITE, faults):
            self.say("the whole suite without a fault")
            files = {fault.file for fault in faults}
            self.scratch.plant(harmless(self.scratch.root, files))
            run = self.scratch.test([], *self.options, limit_s=LIMIT_S)
            keep_baseline(run, self.results, SUITE, files)
            self.say(f"{len(run.failed)} tests fail on a comment, in {run.seconds:.0f} s")
        seconds: dict[str, float] = self.results.baseline[SUITE]
        return seconds

    def _meet_together(self, faults: Sequence[Fault]) -> list[Fault]:
        """Return those that could be planted together, each with its result."""
        texts, together = planted(self.scratch.root, faults)
        self.say(f"the whole suite, {len(together)} faults planted")
        run = self._run(texts, [], LIMIT_S)
        if not run.ended and len(together) > 1:  # one of them hangs, or stops pytest
            return self._meet_together(together[: len(together) // 2])
        self.say(f"{len(run.failed)} tests failed in {run.seconds:.0f} s")
        if not run.ended:
            self._keep(together[0], caught(run, SUITE, run.seconds))
        else:
            self._attribute(together, [*run.failed])
        return together

    def _attribute(self, faults: Sequence[Fault], failed: Sequence[str]) -> None:
        """Halve the faults until each that one of the tests notices stands alone."""
        files = {test.partition("::")[0] for test in failed}
        groups = [[fault for fault in faults if not self._is_caught_by_likely(fault, files)]]
        while groups:
            if not (group := groups.pop()):
                continue
            texts, _ = planted(self.scratch.root, group)
            run = self._run(texts, sorted(files), LIMIT_S, "-x", only=failed) if failed else Run(0, 0.0)
            if run.passed:
                for fault in group:
                    self._keep(fault, Result(SURVIVED, SUITE))
            elif len(group) == 1:
                self._keep(group[0], caught(run, SUITE, run.seconds))
            else:
                groups += [group[: len(group) // 2], group[len(group) // 2 :]]

    def _is_caught_by_likely(self, fault: Fault, tests: Collection[str]) -> bool:
        texts, _ = planted(self.scratch.root, [fault])
        files = likely(tests, fault, self.scratch.root)
        if not files or (run := self._run(texts, files, limit_s(files, self.results.baseline[SUITE]), "-x")).passed:
            return False
        self._keep(fault, caught(run, SUITE, run.seconds))
        return True

    def _run(
        self, texts: dict[str, str], files: Sequence[str], limit: float, *options: str, only: Collection[str] = ()
    ) -> Run:
        self.scratch.plant(texts)
        without = self.not_counted | {*self.results.uncounted}
        return self.scratch.test(files, *self.options, *options, limit_s=limit, only=only, without=without)

    def _keep(self, fault: Fault, result: Result) -> None:
        self.results.add(fault, result)
        self.say(f"{result.outcome} ({result.step}, {result.seconds:.0f} s) {fault.told()} {result.by}")


def meet_suite(root: Path, results: Results, not_counted: Collection[str], processes: int, say: Say) -> None:
    """Let the survivors of the first two steps meet the whole suite."""
    with tempfile.TemporaryDirectory(prefix="mutants-", ignore_cleanup_errors=True) as folder:
        suite = WholeSuite(Scratch(root, Path(folder)), results, not_counted, processes, say)
        suite.meet(results.survivors(IMPORTERS))
