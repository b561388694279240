"""All faults, in the order of the table."""

from tests.faults import damage, folder, git_faults, kills, machine
from tests.faults.fault import FAULTS, Fault

__all__ = ["FAULTS", "Fault", "damage", "folder", "git_faults", "kills", "machine"]
