"""Killed with all their children: the operations that change what is in production."""

import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from src.base import storage
from tests.checkouts import Checkout
from tests.faults.fault import fault
from tests.faults.kills import AGAIN
from tests.faults.operations import Deploy, Operation, Promote, Recovery, Rollback
from tests.faults.points import spread
from tests.faults.publications import Publish, Retrain
from tests.faults.trees import Moment, killed_tree
from tests.faults.world import Ended, Seen, World, ask

# So many kills follow one another, each over what the one before left; then the command runs to its end.
IN_A_ROW = 8
N_DRAWN = 16
LOCK = re.compile(r"[^\s'\"`,;()]+\.lock\b")
LOCKS_MAX = 9
Answer = TypeVar("Answer", bound=Ended)
# Parts of paths to which a command writes by the way.
PASSING = (".git/retrain/", ".git/publish/", ".dvc/tmp/", "temporary/")
REPAIR = "python -m src repair"
UNLOCKED = f"what the words say, a lock deleted or `{REPAIR}`, the command again"


def kills(operation: Operation, world: World, moments: list[Moment]) -> Iterator[Seen]:
    """Kill it at these moments; the command again ends as if nothing had been."""
    for first in range(0, len(moments), IN_A_ROW):
        checkout, seen, n_locks = operation.prepare(world), [], 0
        for moment in moments[first : first + IN_A_ROW]:
            kill = partial(killed_tree, checkout, checkout.root.parent, moment, *operation.command)
            stopped, more = unlocked(kill, checkout)
            n_locks += more
            if stopped.is_killed:
                last = stopped.writes[-1] if stopped.writes else "nothing written"
                seen.append((f"{moment}, {last}", operation.held(checkout)))
            else:
                assert (stopped.status, operation.held(checkout)) == (0, "new"), stopped.said
        done, more = unlocked(partial(operation.again, checkout), checkout)
        assert done.status == 0, done.said
        operation.assert_ended(checkout)
        yield from (Seen(at, held, UNLOCKED if n_locks + more else AGAIN) for at, held in seen)


def unlocked(run: Callable[[], Answer], checkout: Checkout) -> tuple[Answer, int]:
    """Run; while the words name a lock that a killed git left, or the repair, do that and run again; say how often."""
    for n_locks in range(LOCKS_MAX):
        done = run()
        said = done.said if done.status > 0 else ""
        left = [lock for name in LOCK.findall(said) if (lock := checkout.root / name).exists()]
        if left:
            left[0].unlink()
        elif REPAIR in said:
            repaired = ask(checkout, *REPAIR.split())
            assert repaired.status == 0, repaired.said
        else:
            return done, n_locks
    raise AssertionError(done.said)


def measured(operation: Operation, world: World) -> dict[str, Any]:
    """Return its writes, the numbers of those that change what stays, and its seconds, undisturbed."""

    def measure(root: Path) -> None:
        checkout, began = operation.prepare(world), time.monotonic()
        done = killed_tree(checkout, checkout.root.parent, Moment(), *operation.command)
        seconds = time.monotonic() - began
        assert done.status == 0, done.said
        operation.assert_ended(checkout)
        lasting = [at for at, path in enumerate(done.writes, start=1) if not any(part in path for part in PASSING)]
        found = {"writes": len(done.writes), "lasting": lasting, "seconds": seconds}
        storage.write_json(found, root / "measured.json")

    return storage.read_json(world.once(f"{operation.name} measured", measure).root / "measured.json")


def _at_writes(operation: Operation, world: World) -> Iterator[Seen]:
    """Half of them at writes to what stays, not to a folder of its own or to books of DVC."""
    found, half = measured(operation, world), operation.n_writes // 2
    lasting = found["lasting"]
    numbers = [*spread(1, found["writes"], half), *(lasting[at] for at in spread(0, len(lasting) - 1, half))]
    drawn = world.points.numbers(sorted(numbers), n_drawn=N_DRAWN)
    yield from kills(operation, world, [Moment(write=at) for at in drawn])


def _at_instants(operation: Operation, world: World) -> Iterator[Seen]:
    """At any time while it runs."""
    seconds = measured(operation, world)["seconds"]
    evenly = [(at + 0.5) / operation.n_instants for at in range(operation.n_instants)]
    shares = world.points.shares(evenly, n_drawn=N_DRAWN)
    yield from kills(operation, world, [Moment(seconds=share * seconds) for share in shares])


def _add_rows(operation: Operation) -> None:
    for where, moments, words in (
        ("writes", _at_writes, "before a write of any of them"),
        ("instants", _at_instants, "at an instant"),
    ):

        def tries(world: World, moments=moments) -> Iterator[Seen]:
            return moments(operation, world)

        tries.__name__ = f"{operation.name}_tree_at_{where}"
        row = fault("SIGKILL of all", f"{operation.title} and its children, {words}", kills=operation.name)
        row(tries)


for _operation in (Promote(), Rollback(), Deploy(), Recovery(), Retrain(), Publish()):
    _add_rows(_operation)
