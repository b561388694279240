"""Every fault leaves the old state or the new one, and the next command heals or says what to do."""

from dataclasses import asdict
from pathlib import Path

import pytest

from src.base import paths
from tests.checkouts import Checkout
from tests.faults.suite import FAULTS, Fault
from tests.faults.table import REPORT, rows_of
from tests.faults.world import ImpossibleError, World


def _as_parameter(fault: Fault) -> object:
    marks = [] if fault.is_quick else [pytest.mark.faults]
    return pytest.param(fault, id=f"{fault.name}: {fault.to}", marks=marks)


@pytest.mark.parametrize("fault", [_as_parameter(fault) for fault in FAULTS])
def test_fault(
    fault: Fault, promoted: Checkout, two_versions: Checkout, tmp_path: Path, record_property: pytest.FixtureRequest
) -> None:
    """Try it everywhere; what was seen is kept for the table."""
    try:
        seen = list(fault.tries(World(promoted, two_versions, tmp_path)))
    except ImpossibleError as error:
        record_property("impossible", str(error))
        pytest.skip(str(error))
    assert seen
    record_property("seen", [asdict(one) for one in seen])


def test_the_table_lists_exactly_these() -> None:
    """docs/faults.md has a row for every fault, in order, and for none that the suite has not."""
    assert rows_of(REPORT.read_text()) == [(fault.name, fault.to) for fault in FAULTS]
    assert paths.relative(REPORT) == "docs/faults.md"
