"""Cut, flipped, gone: files of the work tree, the cache and the remote."""

import shutil

from src.base import paths, storage, tables
from src.base.errors import ProjectError
from src.ml.ensemble import ProductionEnsemble
from src.policy import load_policy
from src.training.member_files import read_member
from tests.faults.fault import fault
from tests.faults.world import (
    METADATA,
    Seen,
    World,
    ask,
    changes,
    cut,
    flip,
    mended,
    outs,
    promoted_version,
    rewrite,
    src,
)

SHARES = [number / 40 for number in range(40)]
READERS = {
    "data/features.parquet": tables.read_frame,
    "data/oof/xgboost.parquet": tables.read_frame,
    "models/training/xgboost.pkl": read_member,
    "models/training/random_forest.pkl": read_member,
    "reports/metrics.json": storage.read_json,
    "params.yaml": load_policy,
}
# In these a flipped bit may be another number or another letter, which is for git to tell.
IN_GIT = ("reports/metrics.json", "params.yaml")


DAMAGES = {
    "cut": lambda file, share, _: cut(file, share),
    "flipped": lambda file, share, points: flip(file, share, points.pick(0, range(8))),
}
HOWS = ("cut", "flipped", "gone")


def read_damaged(world: World, how: str):
    """A file is refused in words that name it, or holds what it held."""
    checkout = world.copy(world.promoted)
    for name, read in READERS.items():
        file = checkout.root / name
        whole = file.read_bytes()
        expected = read(file)
        for share in world.points.shares(SHARES, n_drawn=10):
            DAMAGES[how](file, share, world.points)
            yield Seen(f"{name} at {share:.2%}", *_seen(name, file, expected))
            rewrite(file, whole)


def not_named(words):
    """Fail with what was said instead."""
    msg = f"expected words that name the file, got: {words}"
    raise AssertionError(msg)


def _seen(name, file, expected):
    """Read it: refused in words that name it, or what it was; the text files that git has may read otherwise."""
    try:
        found = READERS[name](file)
    except ProjectError as error:
        words = str(error)
        return ("refused", "the words name the file" if file.name in words else not_named(words))
    assert name in IN_GIT or found.equals(expected)
    return (
        ("new", "read as something else, unnoticed: a text that git has")
        if name in IN_GIT
        else ("old", "nothing that is read was hit")
    )


@fault("cut off", "Parquet, pickle, JSON, params.yaml, as they are read", is_quick=True)
def files_cut(world: World):
    """At forty places each, ten if drawn."""
    yield from read_damaged(world, "cut")


@fault("a bit flipped", "Parquet, pickle, JSON, params.yaml, as they are read", is_quick=True)
def files_flipped(world: World):
    """At forty places each, ten if drawn."""
    yield from read_damaged(world, "flipped")


@fault("cut off, a bit flipped", "ONNX, pickle and metadata of the promoted model", is_quick=True)
def bundle_damaged(world: World):
    """Refused unread; metadata that can be read and of which no digest, no weight and no answer changed are git's."""
    folder = (world.copy(world.promoted).root / METADATA).parent
    held = {path.name: path.read_bytes() for path in folder.iterdir() if path.name in {*_bundle(), paths.METADATA.name}}
    for name, content in held.items():
        for how, damage in DAMAGES.items():
            for share in world.points.shares(SHARES, n_drawn=10):
                damage(folder / name, share, world.points)
                try:
                    loaded = ProductionEnsemble.load(folder)
                except ProjectError:
                    yield Seen(f"{name} {how} at {share:.2%}", "refused", "refused in words")
                else:
                    assert name == paths.METADATA.name
                    assert loaded.to_bytes() == held[paths.ENSEMBLE.name]
                    yield Seen(
                        f"{name} {how} at {share:.2%}", "old", "the same model, another word in its metadata, unnoticed"
                    )
                rewrite(folder / name, content)


def _bundle():
    return (paths.GRAPH.name, paths.ENSEMBLE.name)


OUTPUTS = {
    "data/raw/bars.parquet": "cut",
    "data/features.parquet": "flipped",
    "data/oof/lightgbm.parquet": "gone",
    "models/training/random_forest.pkl": "flipped",
    "models/production/production_ensemble.onnx": "cut",
    "models/production/production_ensemble.pkl": "flipped",
    "reports/plots/confusion.csv": "gone",
}


def spoil(file, how, points):
    """Cut, flip or remove it."""
    file.unlink() if how == "gone" else DAMAGES[how](file, *points.shares((0.5,)), points)


@fault("cut off, a bit flipped, gone", "outputs in the work tree, noticed by the clock or not")
def outputs_damaged(world: World):
    """They come back from the cache, byte for byte."""
    checkout = world.copy(world.promoted)
    whole = outs(checkout)
    for name in world.points.among(OUTPUTS):
        how = world.points.pick(OUTPUTS[name], HOWS)
        for by_clock in world.points.among((True, False)):
            file = checkout.root / name
            spoil(file, how, world.points)
            if by_clock and file.exists():
                file.touch()
            held = "refused" if promoted_version(checkout) == "refused" else "old"
            yield Seen(f"{name} {how}{'' if by_clock else ', clock as before'}", held, mended(checkout, whole))
            assert changes(checkout) == ""


@fault("cut off, a bit flipped, gone", "objects in the cache, the work tree's file gone too")
def cache_damaged(world: World):
    """The stage runs again, or the object comes back from the remote."""
    checkout = world.copy(world.promoted)
    whole = outs(checkout)
    for name in world.points.among(OUTPUTS):
        kept = checkout.object_file(name)
        how = world.points.pick(HOWS[list(OUTPUTS).index(name) % 3], HOWS)
        spoil(kept, how, world.points)
        (checkout.root / name).unlink()
        yield Seen(f"{name} {how}", "refused", mended(checkout, whole))
        assert promoted_version(checkout) == "1.0.0"


@fault("gone, a bit flipped", "objects on the remote, pulled into a clone without a cache")
def remote_damaged(world: World):
    """What was changed is refused; the one who has it deletes it there and pushes again."""
    origin = world.copy(world.promoted)
    for how in world.points.among(("gone", "flipped")):
        clone = origin.clone(world.folder / how)
        clone.run("dvc", "remote", "modify", "--local", "local", "url", str(origin.root / ".dvc-remote"))
        there = origin.object_file(paths.relative(paths.ENSEMBLE), ".dvc-remote")
        spoil(there, how, world.points)
        pulled = ask(clone, "dvc", "pull")
        assert pulled.status != 0, pulled.said
        assert promoted_version(clone) == "refused"
        there.unlink(missing_ok=True)
        assert ask(origin, "dvc", "push").status == 0
        assert ask(clone, "dvc", "pull").status == 0
        assert promoted_version(clone) == "1.0.0"
        shutil.rmtree(clone.root)
        yield Seen(f"the model {how}", "refused", "deleted there, `dvc push`, `dvc pull`")


def configuration_damaged(world: World, name: str, how: str, shares):
    """Damage a file that git has: the next repro heals, or it and `repair` say what to do."""
    checkout = world.copy(world.promoted)
    whole, lock, version = outs(checkout), (checkout.root / "dvc.lock").read_bytes(), "1.0.0"
    for share in world.points.shares(shares):
        DAMAGES[how](checkout.root / name, share, world.points)
        done, then = ask(checkout, "dvc", "repro"), "`dvc repro`"
        if done.status:
            assert name in done.said or name in src(checkout, "repair").said, done.said
            then = f"`git checkout {name}`, `dvc repro`"
        checkout.run("git", "checkout", "--quiet", name)
        assert ask(checkout, "dvc", "repro").status == 0
        assert (outs(checkout), promoted_version(checkout), changes(checkout)) == (whole, version, "")
        assert (checkout.root / "dvc.lock").read_bytes() == lock
        yield Seen(f"at {share:.2%}", "old", then)


@fault("cut off", "dvc.lock")
def lock_cut(world: World):
    """What is missing runs again, or git brings the file back."""
    yield from configuration_damaged(world, "dvc.lock", "cut", (0, 0.3, 0.501, 0.97))


@fault("a bit flipped", "dvc.lock")
def lock_flipped(world: World):
    """A stage whose entry does not fit runs again, or git brings the file back."""
    yield from configuration_damaged(world, "dvc.lock", "flipped", (0.001, 0.2, 0.444, 0.7, 0.9))


@fault("cut off", "params.yaml")
def params_cut(world: World):
    """Nothing runs, and the words name the file or the key."""
    yield from configuration_damaged(world, "params.yaml", "cut", (0, 0.4, 0.73))
