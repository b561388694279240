"""Killed: stages, DVC and our commands, at their writes."""

import json
import shutil
from collections.abc import Iterable

import yaml

from tests.checkouts import MORE_FOREST
from tests.faults.fault import fault
from tests.faults.world import (
    METADATA,
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
NEVER = 10**9
AGAIN = "the command again"


def spread(first: int, last: int, n_points: int) -> list[int]:
    """Return that many numbers from first to last, both among them."""
    return sorted({first + round(at * (last - first) / (n_points - 1)) for at in range(n_points)})


def stage_killed(world: World, signal: str, names: Iterable[str]):
    """Every stage at its first write, and at its last: `dvc repro` then makes the same bytes."""
    checkout = world.copy(world.promoted)
    whole = outs(checkout)
    for name in names:
        once = ("dvc", "repro", "--force", "--single-item", name)
        for at in (1, len(_stage_outs(checkout, name)) * 3)[: 1 if name in {"train_lgbm", "train_xgb"} else 2]:
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


@fault("SIGKILL", "each stage, at its first write, most at their last, too")
def stage_sigkill(world: World):
    """No handler runs."""
    yield from stage_killed(world, "SIGKILL", STAGES)


@fault("SIGTERM", "featurize and ensemble, at their first and last write")
def stage_sigterm(world: World):
    """As a scheduler would."""
    yield from stage_killed(world, "SIGTERM", ("featurize", "ensemble"))


def repro_killed(world: World, signal: str, n_points: int):
    """At points all over its writes, those of dvc.lock and of its own books among them."""
    ready = world.copy(world.promoted).copy(world.folder / "changed")
    ready.set_params(MORE_FOREST)
    checkout = world.copy(ready)
    _, writes = killed(checkout, "dvc repro", NEVER, "dvc", "repro")
    whole, n_writes = outs(checkout), len(writes)
    lock_at = [at for at, write in enumerate(writes, start=1) if write.endswith("dvc.lock")]
    points = sorted({*lock_at, *spread(5, n_writes, n_points)})
    old = (ready.root / "dvc.lock").read_bytes()
    for at in points:
        checkout = world.copy(ready)
        _, writes = killed(checkout, "dvc repro", at, "dvc", "repro", signal=signal)
        lock = (checkout.root / "dvc.lock").read_bytes()
        # The model of before, or the candidate of which no metadata say that it was promoted.
        assert promoted_version(checkout) in {"1.0.0", "refused"}
        then = mended(checkout, whole)
        yield Seen(writes[-1], "old" if lock == old else "new" if lock == whole["dvc.lock"] else "refused", then)
    shutil.rmtree(ready.root)


@fault("SIGKILL", "`dvc repro`, at writes all over it and at those of dvc.lock")
def repro_sigkill(world: World):
    """No handler runs."""
    yield from repro_killed(world, "SIGKILL", 6)


@fault("SIGTERM", "`dvc repro`, at writes all over it and at those of dvc.lock")
def repro_sigterm(world: World):
    """As a scheduler would."""
    yield from repro_killed(world, "SIGTERM", 3)


def _candidate(world: World):
    """A repository whose candidate is not promoted yet, committed."""
    ready = world.copy(world.promoted).copy(world.folder / "candidate")
    ready.set_params(MORE_FOREST)
    ready.repro()
    ready.commit("candidate")
    return ready


def promote_killed(world: World, signal: str):
    """From the note it takes to the last tag; then promoting again ends as if nothing had been."""
    ready = _candidate(world)
    command = ("python", "-m", "src", "promote")
    _, writes = killed(world.copy(ready), "-m src promote", NEVER, *command)
    first = next(at for at, write in enumerate(writes, start=1) if "unfinished" in write)
    for at in (first // 2, *spread(first, len(writes), 6)):
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
    shutil.rmtree(ready.root)


@fault("SIGKILL", "`promote`, before the gate and all over what it changes")
def promote_sigkill(world: World):
    """No handler runs."""
    yield from promote_killed(world, "SIGKILL")


def rollback_killed(world: World, signal: str, n_points: int):
    """All over what it changes; then the same command again ends as if nothing had been."""
    command = ("python", "-m", "src", "rollback", "1.0.0")
    whole = world.copy(world.two_versions)
    _, writes = killed(whole, "-m src rollback", NEVER, *command)
    expected = outs(whole)
    first = next(at for at, write in enumerate(writes, start=1) if "unfinished" in write)
    for at in (first // 2, *spread(first, len(writes), n_points)):
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


@fault("SIGKILL", "`rollback`, before and all over what it changes")
def rollback_sigkill(world: World):
    """No handler runs."""
    yield from rollback_killed(world, "SIGKILL", 9)


@fault("SIGTERM", "`rollback`, before and all over what it changes")
def rollback_sigterm(world: World):
    """It puts back what it changed before it ends."""
    yield from rollback_killed(world, "SIGTERM", 4)


@fault("SIGKILL", "`deploy`, at writes all over it")
def deploy_sigkill(world: World):
    """Every reader sees one version whole; the same command again ends as if nothing had been."""
    checkout = world.copy(world.two_versions)
    folder = checkout.root / "served"
    (checkout.root / ".git" / "info" / "exclude").write_text("/served\n")
    assert src(checkout, "rollback", "1.0.0").status == 0
    assert src(checkout, "deploy", str(folder)).status == 0
    assert src(checkout, "rollback", "1.1.0").status == 0
    old = world.folder / "old"
    shutil.copytree(folder, old, symlinks=True)
    command = ("python", "-m", "src", "deploy", str(folder))
    _, writes = killed(checkout, "-m src deploy", NEVER, *command)
    for at in spread(1, len(writes), 14):
        shutil.rmtree(folder)
        shutil.copytree(old, folder, symlinks=True)
        _, died = killed(checkout, "-m src deploy", at, *command)
        version = served(folder)
        assert version in {"1.0.0", "1.1.0"}
        assert src(checkout, "deploy", str(folder)).status == 0
        assert served(folder) == "1.1.0"
        assert names(folder / "releases") == ["1.0.0", "1.1.0"]
        yield Seen(died[-1], "old" if version == "1.0.0" else "new", AGAIN)
    shutil.rmtree(old)
