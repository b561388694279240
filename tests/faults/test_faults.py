"""Every fault leaves the old state or the new one, and the next command heals or says what to do."""

import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from src.base import paths
from tests.checkouts import Checkout
from tests.faults import seen
from tests.faults.suite import FAULTS, YEAR_FAULTS, Fault
from tests.faults.table import REPORT, page, rows_of
from tests.faults.world import ImpossibleError, World


def _as_parameter(fault: Fault) -> object:
    marks = [] if fault.is_quick else [pytest.mark.faults]
    return pytest.param(fault, id=f"{fault.id}, {fault.name}: {fault.to}", marks=marks)


@pytest.mark.parametrize("fault", [_as_parameter(fault) for fault in FAULTS])
def test_fault(
    fault: Fault,
    promoted: Checkout,
    two_versions: Checkout,
    built_once: Callable[..., Checkout],
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    """Try it everywhere; what was seen is kept for the table."""
    record_property("fault", fault.id)
    try:
        found = list(fault.tries(World(promoted, two_versions, tmp_path, built_once)))
    except ImpossibleError as error:
        record_property("impossible", str(error))
        pytest.skip(str(error))
    assert found
    record_property("seen", [asdict(one) for one in found])


def test_a_process_under_test_is_a_python_of_its_own(tmp_path: Path) -> None:
    """What is killed, limited or raced was started, and so are its children; it is no fork of one that runs."""
    path = Checkout(tmp_path).environment(is_warm=False)["PATH"]
    for program in ("python", "dvc"):
        assert shutil.which(program, path=path) == str(Path(sys.executable).parent / program)


def test_the_page_lists_exactly_these() -> None:
    """docs/faults.md has a row for every fault, in order, and for none that the suite has not, in both tables."""
    expected, of_year = ([(fault.name, fault.to) for fault in faults] for faults in (FAULTS, YEAR_FAULTS))
    assert rows_of(REPORT.read_text()) == [expected, expected, of_year]
    assert paths.relative(REPORT) == "docs/faults.md"


def test_the_page_is_what_the_counts_say() -> None:
    """Nobody wrote it by hand: it is made of tests/faults/seen.json, which counts faults of the suite alone."""
    short, endured = seen.read()
    assert REPORT.read_text() == page(FAULTS, YEAR_FAULTS, short, endured)
    names = [fault.id for fault in (*FAULTS, *YEAR_FAULTS)]
    assert len(set(names)) == len(names)
    assert {*short.faults, *endured.faults} <= set(names)
    assert endured.tries == sum(run.tries for run in endured.runs)
