"""`prune --yes` beside what needs the objects: the other is refused or done, and what is published can be pulled."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

from tests.checkouts import Checkout
from tests.faults.fault import fault
from tests.faults.operations import Operation, Promote
from tests.faults.publications import Publish, Retrain
from tests.faults.races import Racer, tries
from tests.faults.world import Seen, World, changes

PRUNE = ("python", "-m", "src", "prune", "--weeks", "8", "--yes")


def _aged(operation: Operation, world: World) -> tuple[Racer, Racer]:
    """All objects are old, so that what only DVC's memory of a run names is deleted."""
    checkout = operation.prepare(world)
    then = (datetime.now(UTC) - timedelta(weeks=10)).timestamp()
    for folder in (checkout.root / ".dvc" / "cache", checkout.root / ".dvc-remote", checkout.root.with_name("store")):
        for file in folder.rglob("*"):
            os.utime(file, (then, then), follow_symlinks=False)
    return Racer(checkout, operation.command), Racer(checkout, PRUNE)


def _check(operation: Operation, checkout: Checkout) -> str:
    held = operation.held(checkout)
    assert changes(checkout) == ""
    if held == "new":
        operation.assert_ended(checkout)
    return held


def _add_row(operation: Operation) -> None:
    def race(world: World) -> Iterator[Seen]:
        prepare: Callable[[World], tuple[Racer, Racer]] = partial(_aged, operation)
        yield from tries(world, prepare, partial(_check, operation))

    race.__name__ = f"race_of_prune_and_{operation.name}"
    fault("two at once", f"`{operation.name}`, `prune --yes`")(race)


for _operation in (Promote(), Retrain(), Publish()):
    _add_row(_operation)
