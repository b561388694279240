"""Killed: stages, DVC and our commands, at their writes."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

import yaml

from tests.checkouts import MORE_FOREST, Checkout
from tests.faults.fault import fault
from tests.faults.points import spread
from tests.faults.world import (
    METADATA,
    NEVER,
    Seen,
    World,
    ask,
    changes,
    head,
    killed,
    mended,
    outs,
    promoted_version,
    src,
)
from tests.folders import names, served

STAGES = {
    "fetch": "src.stages.fetch",
    "featurize": "src.stages.featurize",
    "train_lgbm": "src.stages.train lgbm",
    "train_xgb": "src.stages.train xgb",
    "train_rf": "src.stages.train rf",
    "ensemble": "src.stages.ensemble",
    "evaluate": "src.stages.evaluate",
}
# The short run kills these stages at their first write, the others at their last.
AT_FIRST = ("fetch", "train_lgbm", "train_rf", "ensemble")
AGAIN = "the command again"


def stage_killed(world: World, signal: str, names: Iterable[str]):
    """A stage at its first write, at its last, or between: `dvc repro` then makes the same bytes."""
    checkout = world.copy(world.promoted)
    whole = outs(checkout)
    for name in world.points.among(names):
        once = ("dvc", "repro", "--force", "--single-item", name)
        last = len(_stage_outs(checkout, name)) * 3
        at = world.points.pick(1 if name in AT_FIRST else last, range(1, last + 1))
        _, writes = killed(checkout, STAGES[name], at, *once, signal=signal)
        assert (checkout.root / "dvc.lock").read_bytes() == whole["dvc.lock"]
        assert promoted_version(checkout) in {"1.0.0", "refused"}
        held = "old" if promoted_version(checkout) == "1.0.0" else "refused"
        healed = ask(checkout, "dvc", "repro")
        assert healed.status == 0, healed.said
        assert outs(checkout) == whole
        assert changes(checkout) == ""
        yield Seen(f"{name}, {writes[-1]}", held, "`dvc repro`")


def _stage_outs(checkout, name):
    return yaml.safe_load((checkout.root / "dvc.lock").read_text())["stages"][name]["outs"]


@fault("SIGKILL", "each stage, at its first write or its last, or between")
def stage_sigkill(world: World):
    """No handler runs."""
    yield from stage_killed(world, "SIGKILL", STAGES)


@fault("SIGTERM", "featurize and ensemble, at their first write or last, or between")
def stage_sigterm(world: World):
    """As a scheduler would."""
    yield from stage_killed(world, "SIGTERM", ("featurize", "ensemble"))


def repro_killed(world: World, signal: str, n_points: int):
    """At points all over its writes, those of dvc.lock and of its own books among them."""
    ready = world.changed()
    reference, writes = world.undisturbed(ready, "dvc repro", "dvc", "repro")
    whole, n_writes = outs(reference), len(writes)
    lock_at = [at for at, write in enumerate(writes, start=1) if write.endswith("dvc.lock")]
    old = (ready.root / "dvc.lock").read_bytes()
    for at in sorted({*world.points.among(lock_at), *world.points.numbers(spread(5, n_writes, n_points))}):
        checkout = world.copy(ready)
        _, writes = killed(checkout, "dvc repro", at, "dvc", "repro", signal=signal)
        lock = (checkout.root / "dvc.lock").read_bytes()
        # The model of before, or the candidate of which no metadata say that it was promoted.
        assert promoted_version(checkout) in {"1.0.0", "refused"}
        then = mended(checkout, whole)
        yield Seen(writes[-1], "old" if lock == old else "new" if lock == whole["dvc.lock"] else "refused", then)


@fault("SIGKILL", "`dvc repro`, at writes all over it and at those of dvc.lock")
def repro_sigkill(world: World):
    """No handler runs."""
    yield from repro_killed(world, "SIGKILL", 4)


@fault("SIGTERM", "`dvc repro`, at writes all over it and at those of dvc.lock")
def repro_sigterm(world: World):
    """As a scheduler would."""
    yield from repro_killed(world, "SIGTERM", 2)


def _candidate(root: Path, promoted: Checkout):
    """A repository whose candidate is not promoted yet, committed."""
    ready = promoted.copy(root)
    ready.set_params(MORE_FOREST)
    ready.repro()
    ready.commit("candidate")


def _while_it_changes(writes: list[str], n_points: int) -> list[int]:
    """Return one place before, and some from the note that a command takes of what it will change."""
    first = next(at for at, write in enumerate(writes, start=1) if "unfinished" in write)
    return [first // 2, *spread(first, len(writes), n_points)]


def promote_killed(world: World, signal: str):
    """From the note it takes to the last tag; then promoting again ends as if nothing had been."""
    ready = world.once("candidate", lambda root: _candidate(root, world.promoted))
    command = ("python", "-m", "src", "promote")
    _, writes = world.undisturbed(ready, "-m src promote", *command)
    for at in world.points.numbers(_while_it_changes(writes, 4)):
        checkout = world.copy(ready)
        before = head(checkout)
        _, died = killed(checkout, "-m src promote", at, *command, signal=signal)
        held = "old" if head(checkout) == before else "new"
        assert promoted_version(checkout) in {"refused", "1.1.0"}
        again = src(checkout, "promote")
        assert again.status == 0, again.said
        assert promoted_version(checkout) == "1.1.0"
        assert changes(checkout) == ""
        assert checkout.run("git", "rev-list", "--count", f"{before}..HEAD").strip() == "1"
        tags = checkout.run("git", "tag", "--points-at", "HEAD").split()
        assert tags == ["production-ensemble#production#2", "production-ensemble@v1.1.0"]
        yield Seen(died[-1], held, AGAIN)


@fault("SIGKILL", "`promote`, before the gate and all over what it changes", kills="promote")
def promote_sigkill(world: World):
    """No handler runs."""
    yield from promote_killed(world, "SIGKILL")


def rollback_killed(world: World, signal: str, n_points: int):
    """All over what it changes; then the same command again ends as if nothing had been."""
    command = ("python", "-m", "src", "rollback", "1.0.0")
    whole, writes = world.undisturbed(world.two_versions, "-m src rollback", *command)
    expected = outs(whole)
    for at in world.points.numbers(_while_it_changes(writes, n_points)):
        checkout = world.copy(world.two_versions)
        before = head(checkout)
        _, died = killed(checkout, "-m src rollback", at, *command, signal=signal)
        held = "old" if head(checkout) == before else "new"
        if signal == "SIGTERM" and held == "old":
            assert (promoted_version(checkout), changes(checkout)) == ("1.1.0", "")
        assert promoted_version(checkout) in {"1.0.0", "1.1.0", "refused"}
        if at % 3 == 0 and (checkout.root / ".git" / "unfinished.json").exists():
            said = src(checkout, "retrain", "--dry-run").said
            assert "was stopped half-way; run it again" in said
        again = src(checkout, *command[3:])
        assert again.status == 0, again.said
        assert (promoted_version(checkout), changes(checkout), outs(checkout)) == ("1.0.0", "", expected)
        assert json.loads((checkout.root / METADATA).read_text())["version"] == "1.0.0"
        assert checkout.run("git", "rev-list", "--count", f"{before}..HEAD").strip() == "1"
        yield Seen(died[-1], held, AGAIN)


@fault("SIGKILL", "`rollback`, before and all over what it changes", kills="rollback")
def rollback_sigkill(world: World):
    """No handler runs."""
    yield from rollback_killed(world, "SIGKILL", 6)


@fault("SIGTERM", "`rollback`, before and all over what it changes")
def rollback_sigterm(world: World):
    """It puts back what it changed before it ends."""
    yield from rollback_killed(world, "SIGTERM", 3)


def _rolled_on(root: Path, two_versions: Checkout):
    """A repository that deployed 1.0.0 and has 1.1.0 to deploy, in a folder beside that deployment."""
    checkout = two_versions.copy(root / "repository")
    (checkout.root / ".git" / "info" / "exclude").write_text("/served\n")
    assert src(checkout, "rollback", "1.0.0").status == 0
    assert src(checkout, "deploy", str(root / "served")).status == 0
    assert src(checkout, "rollback", "1.1.0").status == 0


def _about_to_deploy(world: World):
    """Return a repository, the folder that it shall deploy to, and what it deployed before, to be put there."""
    ready = world.once("rolled on", lambda root: _rolled_on(root, world.two_versions)).root
    checkout = world.copy(Checkout(ready / "repository"))
    return checkout, checkout.root / "served", ready / "served"


@fault("SIGKILL", "`deploy`, at writes all over it", kills="deploy")
def deploy_sigkill(world: World):
    """Every reader sees one version whole; the same command again ends as if nothing had been."""
    checkout, folder, old = _about_to_deploy(world)
    command = ("python", "-m", "src", "deploy", str(folder))
    shutil.copytree(old, folder, symlinks=True)
    _, writes = killed(checkout, "-m src deploy", NEVER, *command)
    for at in world.points.numbers(spread(1, len(writes), 8)):
        shutil.rmtree(folder)
        shutil.copytree(old, folder, symlinks=True)
        _, died = killed(checkout, "-m src deploy", at, *command)
        version = served(folder)
        assert version in {"1.0.0", "1.1.0"}
        assert src(checkout, "deploy", str(folder)).status == 0
        assert served(folder) == "1.1.0"
        assert names(folder / "releases") == ["1.0.0", "1.1.0"]
        yield Seen(died[-1], "old" if version == "1.0.0" else "new", AGAIN)


@fault("SIGKILL", "`deploy`, again and again, each over what the one before left", kills="deploy")
def deploy_sigkill_again(world: World):
    """Old, until one day new; the one that ends clears all away, and the version before can be had back."""
    checkout, folder, old = _about_to_deploy(world)
    command = ("python", "-m", "src", "deploy", str(folder))
    shutil.copytree(old, folder, symlinks=True)
    versions = ["1.0.0"]
    for at in world.points.numbers(range(2, 32, 5), n_drawn=4):
        _, died = killed(checkout, "-m src deploy", at, *command)
        versions.append(served(folder))
        yield Seen(died[-1], "old" if versions[-1] == "1.0.0" else "new", AGAIN)
    assert src(checkout, *command[3:]).status == 0
    assert versions == sorted(versions)
    assert names(folder / "releases") == ["1.0.0", "1.1.0"]
    said = src(checkout, "deploy", str(folder), "--rollback").said
    assert "serves version 1.0.0.\nIt was 1.1.0; `python -m src deploy " in said
    assert served(folder) == "1.0.0"
