"""The folder that `deploy` fills: shared with others, damaged, full, killed over."""

import json
import shutil
from pathlib import Path

from src.base import paths, storage
from src.base.errors import ProjectError
from src.monitoring.recovery import recover
from src.policy import load_policy
from src.release.deploy import deploy, roll_back, served
from src.release.releases import MANIFEST
from tests.checkouts import Checkout
from tests.faults.damage import DAMAGES, SHARES
from tests.faults.fault import fault
from tests.faults.kills import AGAIN
from tests.faults.points import spread
from tests.faults.world import NEVER, Seen, World, killed, mounted, src
from tests.folders import held, names
from tests.folders import served as loaded

OLD = ("0.1.0", "0.2.0", "0.3.0")


def put(checkout: Checkout, folder, keep=1):
    """Deploy what is promoted there, in this process; return the warnings."""
    warnings = []
    promoted = (checkout.root / paths.relative(paths.METADATA)).parent
    deploy(folder, "production", keep=keep, promoted=promoted, warn=warnings.append)
    return warnings


def build_two_deployed(root: Path, two_versions: Checkout):
    """A repository that has 1.1.0, beside a folder to which it deployed 1.0.0, then that, among old releases."""
    checkout, folder = two_versions.copy(root / "repository"), root / "served"
    assert src(checkout, "rollback", "1.0.0").status == 0
    put(checkout, folder)
    for version in OLD:
        release = folder / "releases" / version
        shutil.copytree(folder / "releases" / "1.0.0", release)
        file = release / paths.METADATA.name
        storage.write_json(json.loads(file.read_text()) | {"version": version}, file)
    assert src(checkout, "rollback", "1.1.0").status == 0
    put(checkout, folder, keep=9)


def two_deployed(world: World, folder) -> Checkout:
    """Have 1.1.0 served there, deployed after 1.0.0 and beside old releases; return the repository."""
    ready = world.once("two deployed", lambda root: build_two_deployed(root, world.two_versions)).root
    shutil.copytree(ready / "served", folder, symlinks=True, dirs_exist_ok=True)
    return world.copy(Checkout(ready / "repository"))


def add_things_of_others(folder):
    """Put into the folder what git, a cache, an application and a person would; return it."""
    for name in (".git/HEAD", ".cache/page", "0.0.1/app", "9.9.9/app", ".1.0.0.4711/part", ".DS_Store", "1.0.0.bak"):
        storage.write_bytes(name.encode(), folder / "releases" / name)
    (folder / "releases" / "0.0.2").symlink_to("../elsewhere")
    (folder / "releases" / "latest").symlink_to("1.0.0")
    storage.write_bytes(b"precious", folder / "elsewhere" / "file")
    ours = ("production", *(f"releases/{version}" for version in (*OLD, "1.0.0", "1.1.0")))
    return {
        name: content
        for name, content in held(folder).items()
        if name.startswith("releases/1.0.0.bak") or not name.startswith(ours)
    }


def of_others(folder, theirs):
    """Say what is left of it."""
    return {name: content for name, content in held(folder).items() if name in theirs}


@fault("things of others", "in the folder of `deploy`: of git, a cache, an application, a person; links")
def shared_folder(world: World):
    """They stay, and are no error; a version's name that they have is refused."""
    folder = world.folder / "served"
    checkout = two_deployed(world, folder)
    theirs = add_things_of_others(folder)
    assert put(checkout, folder) == []
    assert of_others(folder, theirs) == theirs
    assert [name for name in names(folder / "releases") if name in {*OLD, "1.0.0", "1.1.0"}] == [
        *("0.3.0", "1.0.0", "1.1.0")
    ]
    yield Seen("beside ours", "new", "nothing to do")
    assert src(checkout, "rollback", "1.0.0").status == 0
    taken = folder / "releases" / "1.0.0"
    shutil.rmtree(taken)
    for take in ("a link", "a file", "a folder"):
        if take == "a link":
            taken.symlink_to("../elsewhere")
        else:
            taken.unlink()
            storage.write_bytes(b"theirs", taken if take == "a file" else taken / "app")
        before = held(folder)
        done = src(checkout, "deploy", str(folder))
        assert done.status == 2, done.said
        assert "move it away, or promote under a new version" in done.said
        assert held(folder) == before
        yield Seen(f"{take} under the version's name", "old", "the words say what to do")


@fault("SIGKILL", "`deploy --keep 1` among things of others, at writes all over it", kills="deploy")
def prune_sigkill(world: World):
    """What is not in the manifest is not ours, and stays; the same command again ends as if nothing had been."""
    folder, ready = world.folder / "repository" / "served", world.folder / "ready"
    checkout = two_deployed(world, ready)
    theirs = add_things_of_others(ready)
    shutil.rmtree(ready / "releases" / "1.1.0")
    assert roll_back_by_hand(ready)
    command = ("python", "-m", "src", "deploy", str(folder), "--keep", "1")
    shutil.copytree(ready, folder, symlinks=True)
    _, writes = killed(checkout, "-m src deploy", NEVER, *command)
    for at in world.points.numbers(spread(1, len(writes), 8)):
        shutil.rmtree(folder)
        shutil.copytree(ready, folder, symlinks=True)
        _, died = killed(checkout, "-m src deploy", at, *command)
        version = loaded(folder)
        assert of_others(folder, theirs) == theirs
        assert_recorded(folder, theirs)
        assert src(checkout, *command[3:]).status == 0
        assert loaded(folder) == "1.1.0"
        assert of_others(folder, theirs) == theirs
        assert set(names(folder / "releases")) - names_of(theirs) == {"0.3.0", "1.0.0", "1.1.0"}
        assert json.loads((folder / MANIFEST).read_text())["unfinished"] == []
        yield Seen(died[-1], "old" if version == "1.0.0" else "new", AGAIN)
    shutil.rmtree(ready)


def roll_back_by_hand(folder):
    """Let the folder serve 1.0.0 as if nothing had been deployed after it."""
    (folder / "production.previous").unlink()
    (folder / "production").unlink()
    (folder / "production").symlink_to("releases/1.0.0")
    return served(folder, "production") == "1.0.0"


def names_of(theirs):
    """Return the names in the folder of the releases that are of others."""
    return {name.split("/")[1] for name in theirs if name.startswith("releases/")}


def assert_recorded(folder, theirs):
    """Assert that the manifest names all that is neither of others nor adopted by what it holds."""
    manifest = json.loads((folder / MANIFEST).read_text())
    found = {f"releases/{name}" for name in set(names(folder / "releases")) - names_of(theirs)}
    found |= {name for name in names(folder) if name.startswith(".production")}
    assert found <= {*(f"releases/{version}" for version in manifest["releases"]), *manifest["unfinished"]}, found


@fault("SIGKILL", "`deploy --rollback`, at writes all over it", kills="deploy")
def deploy_rollback_sigkill(world: World):
    """The link has moved or not; what it points to is whole."""
    folder = world.folder / "repository" / "served"
    ready = world.folder / "ready"
    checkout = two_deployed(world, ready)
    command = ("python", "-m", "src", "deploy", str(folder), "--rollback")
    shutil.copytree(ready, folder, symlinks=True)
    _, writes = killed(checkout, "-m src deploy", NEVER, *command)
    for at in world.points.numbers(spread(1, len(writes), 10)):
        shutil.rmtree(folder)
        shutil.copytree(ready, folder, symlinks=True)
        _, died = killed(checkout, "-m src deploy", at, *command)
        held_by, then = loaded(folder), "nothing to do"
        if held_by == "1.1.0":
            assert src(checkout, *command[3:]).status == 0
            then = AGAIN
        assert loaded(folder) == "1.0.0"
        assert src(checkout, "deploy", str(folder)).status == 0
        assert (served(folder, "production"), served(folder, "production.previous")) == ("1.1.0", "1.0.0")
        assert not list(folder.glob(".production*"))
        yield Seen(died[-1], "old" if held_by == "1.1.0" else "new", then)
    shutil.rmtree(ready)


@fault("cut off, a bit flipped", "the manifest of `deploy`")
def manifest_damaged(world: World):
    """Nothing of others goes; the model is served, and a warning says what to do, or the manifest still reads."""
    folder = world.folder / "served"
    checkout = two_deployed(world, folder)
    theirs = add_things_of_others(folder)
    whole = (folder / MANIFEST).read_bytes()
    for how, damage in DAMAGES.items():
        for share in world.points.shares(SHARES, n_drawn=10):
            (folder / MANIFEST).write_bytes(whole)
            damage(folder / MANIFEST, share, world.points)
            warnings = put(checkout, folder, keep=9)
            assert loaded(folder) == "1.1.0"
            assert of_others(folder, theirs) == theirs
            assert not warnings or "move that file away, and the next deploy begins another" in warnings[0]
            (folder / MANIFEST).unlink()
            assert put(checkout, folder, keep=9) == []
            assert set(names(folder / "releases")) - names_of(theirs) == {*OLD, "1.0.0", "1.1.0"}
            yield Seen(f"{how} at {share:.2%}", "new", "that file moved away" if warnings else "nothing to do")


@fault("busy", "an old release, which `deploy` cannot remove")
def busy_release(world: World):
    """A warning after a deployment that worked; the next one removes it."""
    folder = world.folder / "served"
    checkout = two_deployed(world, folder)
    release = folder / "releases" / "0.1.0"
    with mounted(release, "--bind", str(release)):
        done = src(checkout, "deploy", str(folder), "--keep", "1")
        assert done.status == 0, done.said
        assert "0.1.0 cannot be removed" in done.said, done.said
        assert "serves version 1.1.0" in done.said
    assert put(checkout, folder) == []
    assert names(folder / "releases") == ["0.3.0", "1.0.0", "1.1.0"]
    yield Seen("0.1.0", "new", AGAIN)


@fault("disk full", "`deploy --rollback`, with nothing left")
def deploy_rollback_on_a_full_disk(world: World):
    """Links take no room: it works, and warns that it could not keep its books."""
    with mounted(world.folder / "disk", "-t", "tmpfs", "-o", "size=64m", "tmpfs") as disk:
        checkout = two_deployed(world, disk)
        fill(disk, lambda file: file.write_bytes(bytes(4096)))
        done = src(checkout, "deploy", str(disk), "--rollback")
        assert done.status == 0, done.said
        assert "No space left on device" in done.said, done.said
        assert loaded(disk) == "1.0.0"
        yield Seen("0 KiB left", "new", "nothing to do")


def refused(do):
    """Return the words of an error of ours, empty if there was none."""
    try:
        do()
    except ProjectError as error:
        return str(error)
    return ""


def fill(disk, make):
    """Make files until there is no room for another one; return them."""
    made = []
    while True:
        made.append(disk / f"full{len(made)}")
        try:
            make(made[-1])
        except OSError:
            return made[:-1]


@fault("no inode left", "automatic recovery, with 0 to 3 left")
def recovery_without_inodes(world: World):
    """Each look tries again, and says why it failed; with room it is done once, and never swapped back."""
    bad = {"live": {"f1_score": {"interval": [0.4, 0.5]}}, "predictions": 600, "version": "1.1.0", "looked_at": ""}
    limits = load_policy().monitor.model_copy(update={"recover_f1_min": 0.6, "recover_rows_min": 500})
    for n_free in world.points.among(range(4)):
        with mounted(world.folder / "disk", "-t", "tmpfs", "-o", "nr_inodes=200", "tmpfs") as disk:
            two_deployed(world, disk)
            made = fill(disk, lambda file: file.touch())
            for file in made[:n_free]:
                file.unlink()
            for _ in range(2):
                if words := refused(lambda disk=disk: recover(bad, disk, "production", limits, dry_run=False)):
                    assert "No space left on device" in words
                    assert served(disk, "production") == "1.1.0"
            held_by = served(disk, "production")
            for file in made[n_free:]:
                file.unlink()
            recover(bad, disk, "production", limits, dry_run=False)
            again = recover(bad | {"version": "1.0.0"}, disk, "production", limits, dry_run=False)
            assert "was done before" in again
            assert (loaded(disk), served(disk, "production.previous")) == ("1.0.0", "1.1.0")
            assert roll_back(disk, "production") == "1.1.0"
            yield Seen(f"{n_free} left", "old" if held_by == "1.1.0" else "new", "the next look")
