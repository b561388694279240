"""All faults, in the order of the table."""

from tests.faults import damage, folder, kills, machine, races, tree_kills
from tests.faults.fault import FAULTS, Fault

__all__ = ["FAULTS", "Fault", "damage", "folder", "kills", "machine", "races", "tree_kills"]
