"""Two at once: each pair of the operations that change what is in production, the second begun while the first runs."""

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.checkouts import Checkout
from tests.faults.fault import fault
from tests.faults.operations import FIRST, SECOND, Deploy, Operation, Promote, Recovery, Rollback, candidate
from tests.faults.publications import Publish, Published, Retrain, hub, use_hub
from tests.faults.world import TIMEOUT_S, Ended, Seen, World, ask, changes, promoted_version, src
from tests.folders import served

VERSION = re.compile(r"production-ensemble@v([0-9.]+)")
# The second begins after these shares of the time that the first takes alone.
SHARES = (0, 0.25, 0.5, 0.8)
BOTH, ONE, NONE = (
    "nothing to do, both were done",
    "the one that was refused, again",
    "both again, one after the other",
)


@dataclass(frozen=True)
class Racer:
    """A command and where it runs."""

    checkout: Checkout
    command: tuple[str, ...]

    def start(self) -> subprocess.Popen:
        """Start it; what it says is kept."""
        return subprocess.Popen(
            self.command,
            cwd=self.checkout.root,
            env=self.checkout.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


def race(first: Racer, second: Racer, delay_s: float) -> list[Ended]:
    """Run both at once; each is done, or refused in words."""
    both = [first.start()]
    time.sleep(delay_s)
    both.append(second.start())
    ended = [
        Ended(said_by.returncode, said) for said_by in both for said in [said_by.communicate(timeout=TIMEOUT_S)[0]]
    ]
    for one in ended:
        assert "Traceback" not in one.said, one.said
        assert one.status == 0 or (one.status in {1, 2} and "error: " in one.said), one.said
    return ended


def tries(
    world: World, prepare: Callable[[World], tuple[Racer, Racer]], check: Callable[[Checkout], str]
) -> Iterator[Seen]:
    """Race them at several delays; afterwards whoever was refused comes again, and is done or refused as alone."""
    racers = prepare(world)
    began = time.monotonic()
    ask(racers[0].checkout, *racers[0].command)
    takes_s = time.monotonic() - began
    for share in world.points.shares(SHARES):
        racers = prepare(world)
        ended = race(*racers, share * takes_s)
        held = check(racers[0].checkout)
        refused = [racer for racer, one in zip(racers, ended, strict=True) if one.status]
        for racer in refused:
            again = ask(racer.checkout, *racer.command)
            assert again.status == 0 or "error: " in again.said, again.said
        check(racers[0].checkout)
        yield Seen(f"{share:.0%} of the first", held, (BOTH, ONE, NONE)[len(refused)])


def _same(operation: Operation, *others: tuple[str, ...]) -> Callable[[World], tuple[Racer, Racer]]:
    """Let an operation race with itself, or with another command, in one repository."""

    def prepare(world: World) -> tuple[Racer, Racer]:
        checkout = operation.prepare(world)
        return Racer(checkout, operation.command), Racer(checkout, *(others or (operation.command,)))

    return prepare


def _on_main(checkout: Checkout) -> str:
    """One of both versions, whole and committed; no half-done change is left."""
    assert changes(checkout) == ""
    assert not (checkout.root / ".git" / "unfinished.json").exists()
    assert promoted_version(checkout) in {FIRST, SECOND}
    assert src(checkout, "history").status == 0
    return "new"


@fault("two at once", "`promote`, `promote`")
def race_of_promotions(world: World):
    """One promotion, once."""

    def check(checkout):
        Promote().assert_ended(checkout)
        return "new"

    yield from tries(world, _same(Promote()), check)


@fault("two at once", "`promote`, `rollback`")
def race_of_promote_and_rollback(world: World):
    """In this order or the other, or one is refused."""
    yield from tries(world, _same(Promote(), Rollback.command), _on_main)


@fault("two at once", "`rollback`, `rollback`")
def race_of_rollbacks(world: World):
    """One commit."""

    def check(checkout):
        Rollback().assert_ended(checkout)
        return "new"

    yield from tries(world, _same(Rollback()), check)


@fault("two at once", "`deploy`, `deploy`")
def race_of_deployments(world: World):
    """One version, whole."""

    def check(checkout):
        Deploy().assert_ended(checkout)
        return "new"

    yield from tries(world, _same(Deploy()), check)


@fault("two at once", "`deploy`, recovery")
def race_of_deploy_and_recovery(world: World):
    """What is served is whole; the recovery is done once, and `deploy` after it serves what it was told to."""

    def check(checkout):
        version = served(checkout.root / "served")
        assert version in {FIRST, SECOND}
        return "old" if version == SECOND else "new"

    yield from tries(world, _same(Recovery(), Deploy.command), check)


def _assert_served_by_remote(checkout: Checkout) -> str:
    """Branch and tags of the remote fit together, a newcomer pulls and loads; here nothing is half done."""
    held = Retrain().held(checkout)
    assert changes(checkout) == ""
    assert not (checkout.root / ".git" / "retrain").exists()
    if held == "new":
        Retrain().assert_pulled(checkout)
    return held


@fault("two at once", "`retrain`, `retrain` in one clone")
def race_of_retrainings(world: World):
    """One publishes, the other is refused, or finds nothing new."""
    yield from tries(world, _same(Retrain()), _assert_served_by_remote)


def _in_two_clones(operation: Published, other: tuple[str, ...]) -> Callable[[World], tuple[Racer, Racer]]:
    """Let a colleague's clone of the same remote race with it."""

    def prepare(world: World) -> tuple[Racer, Racer]:
        user = operation.prepare(world)
        colleague = user.copy(user.root.with_name("colleague"))
        use_hub(colleague)
        return Racer(user, operation.command), Racer(colleague, other)

    return prepare


@fault("two at once", "`retrain`, `retrain` in two clones of a remote")
def race_of_retrainings_in_two_clones(world: World):
    """One is first; the other publishes nothing, or found the model in production."""
    yield from tries(world, _in_two_clones(Retrain(), Retrain.command), _assert_served_by_remote)


class RetrainCandidate(Retrain):
    """With a candidate committed and pushed, which a promotion may take before."""

    name = "retrain a candidate"
    version = SECOND

    def ready(self, root, world):
        """The candidate was published, and not promoted."""
        done = src(
            hub(root, world.once("candidate", lambda built: candidate(built, world.promoted))),
            *(*Retrain.command[3:], "--dry-run"),
        )
        assert done.status == 0, done.said


@fault("two at once", "`retrain`, `promote`")
def race_of_retrain_and_promote(world: World):
    """The clone of the one never sees the work tree of the other; what is published fits together."""

    def check(checkout):
        there = RetrainCandidate().there(checkout)
        tip = there["refs/heads/main"]
        assert changes(checkout) == ""
        assert src(checkout, "history").status == 0
        if tip == checkout.run("git", "rev-parse", "refs/before").strip():
            assert not {ref for ref in there if ref.endswith((SECOND, "#2"))}
            return "old"
        # The promotion beside it may have taken 1.1.0 here, and then the number is the next.
        at_tip = " ".join(ref.removesuffix("^{}") for ref, commit in there.items() if commit == tip)
        assert "refs/tags/production-ensemble#production#" in at_tip
        RetrainCandidate().assert_pulled(checkout, VERSION.search(at_tip)[1])
        return "new"

    yield from tries(world, _same(RetrainCandidate(), Promote.command), check)


def _published(checkout: Checkout) -> str:
    held = Publish().held(checkout)
    assert changes(checkout) == ""
    if held == "new":
        Publish().assert_pulled(checkout)
    return held


@fault("two at once", "`publish`, `publish` of two clones that took the same number")
def race_of_publications(world: World):
    """One has it; the other is told what takes its promotion back."""

    def prepare(world):
        user = Publish().prepare(world)
        colleague = Checkout(user.root.with_name("colleague"))
        use_hub(colleague)
        return Racer(user, Publish.command), Racer(colleague, Publish.command)

    yield from tries(world, prepare, _published)


@fault("two at once", "`publish`, `retrain`")
def race_of_publish_and_retrain(world: World):
    """The retraining goes on from what was published, or says that it is not."""
    yield from tries(world, _same(Publish(), Retrain.command), _published_twice)


def _published_twice(checkout: Checkout) -> str:
    """The retraining may have published a version more."""
    assert Publish().held(checkout) == "new"
    assert changes(checkout) == ""
    newest = src(checkout, "history", "--json")
    assert newest.status == 0, newest.said
    return "new"
