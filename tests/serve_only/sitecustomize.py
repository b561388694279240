"""Python imports this first where this folder is on its path: what requirements-serve.lock does not pin is not there.

What was imported stands, a distribution a line, in the file that the variable IMPORTED names.
"""

import atexit
import importlib.abc
import os
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

LOCK = Path(__file__).resolve().parents[2] / "requirements-serve.lock"
PINNED = set(re.findall(r"^([a-z0-9-]+)==", LOCK.read_text(), re.MULTILINE))


def normal(name):
    """Write a distribution's name as the locks do."""
    return re.sub(r"[-_.]+", "-", name).lower()


OWNERS = {module: {normal(name) for name in names} for module, names in packages_distributions().items()}


class Refuse(importlib.abc.MetaPathFinder):
    """Finds nothing, and says so before anyone else is asked."""

    def find_spec(self, name, path=None, target=None):  # noqa: ARG002 - as importlib calls it
        """Raise for a module of which no owner is pinned; leave all others to the finders behind."""
        owners = OWNERS.get(name.partition(".")[0], PINNED)
        if not owners & PINNED:
            msg = f"No module named {name!r}: {', '.join(owners)} is not in {LOCK.name}"
            raise ModuleNotFoundError(msg, name=name)


def note():
    """Append the pinned owners of everything that was imported."""
    modules = {name.partition(".")[0] for name in sys.modules}
    with Path(os.environ["IMPORTED"]).open("a") as file:
        file.writelines(f"{name}\n" for module in modules for name in OWNERS.get(module, set()) & PINNED)


sys.meta_path.insert(0, Refuse())
atexit.register(note)
