"""All faults, in the order of the table, and those of the weeks of a year."""

from tests.faults import (
    damage,
    folder,
    git_faults,
    kills,
    machine,
    prune_races,
    races,
    tree_kills,
    year_faults,
    year_kills,
)
from tests.faults.fault import FAULTS, Fault
from tests.faults.year_faults import YEAR_FAULTS

__all__ = [
    "FAULTS",
    "YEAR_FAULTS",
    "Fault",
    "damage",
    "folder",
    "git_faults",
    "kills",
    "machine",
    "prune_races",
    "races",
    "tree_kills",
    "year_faults",
    "year_kills",
]
