"""The machine: disks that are full or read-only, no memory, wrong clocks, somebody else at work."""

import os
import shutil
import subprocess
import time

import psutil

from tests.checkouts import MORE_FOREST
from tests.faults.fault import fault
from tests.faults.world import KILLER, Seen, World, ask, changes, head, mended, mounted, outs, promoted_version, src

KIB = 1024


def full_disk(world: World, free_kib: int, of, *command: str):
    """Run a command in a repository on a disk with so much room, then give it room."""
    with mounted(world.folder / "disk", "-t", "tmpfs", "-o", "size=64m", "tmpfs") as disk:
        checkout = of.copy(disk / "repository")
        used = shutil.disk_usage(disk).used // KIB
        subprocess.run(["mount", "-o", f"remount,size={used + free_kib}k", str(disk)], check=True)
        before, version = head(checkout), promoted_version(checkout)
        done = ask(checkout, *command)
        held = "old" if head(checkout) == before else "new"
        if done.status == 0:
            held = "new"
        else:
            # DVC reads its own lock back before it says that there was no room to write it.
            words = ("No space left on device", "Out of diskspace", "Unable to read RWLock-file")
            assert any(word in done.said for word in words), done.said
            assert promoted_version(checkout) in {version, "refused"}
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        yield checkout, held


@fault("disk full", "`dvc repro`, with 0 to 160 KiB left")
def repro_on_a_full_disk(world: World):
    """With room, the same bytes come as if there had always been room."""
    ready = world.changed()
    reference, _ = world.undisturbed(ready, "dvc repro", "dvc", "repro")
    whole = outs(reference)
    for free_kib in world.points.numbers((0, 40, 160)):
        for checkout, held in full_disk(world, free_kib, ready, "dvc", "repro"):
            yield Seen(f"{free_kib} KiB left", held, mended(checkout, whole))


@fault("disk full", "`rollback`, with 0 to 300 KiB left")
def rollback_on_a_full_disk(world: World):
    """With room, the same command brings the version back whole."""
    for free_kib in world.points.numbers((0, 60, 300)):
        command = ("python", "-m", "src", "rollback", "1.0.0")
        for checkout, held in full_disk(world, free_kib, world.two_versions, *command):
            again = src(checkout, "rollback", "1.0.0")
            assert again.status == 0, again.said
            assert (promoted_version(checkout), changes(checkout)) == ("1.0.0", "")
            yield Seen(f"{free_kib} KiB left", held, "the command again")


@fault("disk full", "`deploy`, to a disk with 4 to 80 KiB left", is_quick=True)
def deploy_to_a_full_disk(world: World):
    """What is served stays; with room, the same command serves the model."""
    checkout = world.copy(world.promoted)
    for free_kib in world.points.numbers((4, 40, 80)):
        with mounted(world.folder / "disk", "-t", "tmpfs", "-o", f"size={free_kib}k", "tmpfs") as disk:
            done = src(checkout, "deploy", str(disk))
            assert done.status in {0, 2}, done.said
            assert done.status == 0 or ("No space left on device" in done.said and not (disk / "production").exists())
            held = "old" if done.status else "new"
            subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
            assert src(checkout, "deploy", str(disk)).status == 0
            assert [path.name for path in (disk / "releases").iterdir()] == ["1.0.0"]
        yield Seen(f"{free_kib} KiB left", held, "the command again")


@fault("read-only", "the cache, while `dvc repro` has something to put there")
def cache_read_only(world: World):
    """It says so; when it may be written to, the repro goes on."""
    checkout = world.copy(world.promoted)
    checkout.set_params(MORE_FOREST)
    cache = checkout.root / ".dvc" / "cache"
    with mounted(cache, "--bind", str(cache)):
        subprocess.run(["mount", "-o", "remount,bind,ro", str(cache)], check=True)
        done = ask(checkout, "dvc", "repro")
        assert done.status != 0
        assert "Read-only file system" in done.said, done.said
    again = ask(checkout, "dvc", "repro")
    assert again.status == 0, again.said
    assert promoted_version(checkout) == "refused"  # a candidate
    assert ask(checkout, "dvc", "status").said.strip().endswith("up to date.")
    yield Seen("the model", "old", "`dvc repro`")


@fault("read-only", "the repository, under `promote`, `rollback` and `deploy`", is_quick=True)
def repository_read_only(world: World):
    """They say so in one line, and nothing changed."""
    checkout = world.copy(world.promoted)
    with mounted(checkout.root, "--bind", str(checkout.root)):
        subprocess.run(["mount", "-o", "remount,bind,ro", str(checkout.root)], check=True)
        for command in (("promote",), ("rollback", "1.0.0"), ("deploy", str(checkout.root / "served"))):
            done = src(checkout, *command)
            assert done.status == 2, done.said
            assert "Read-only file system" in done.said, done.said
            assert promoted_version(checkout) == "1.0.0"
            yield Seen(f"`{command[0]}`", "old", "the words say why")


@fault("out of memory", "stages of `dvc repro`, each with too little address space")
def out_of_memory(world: World):
    """The stage fails, dvc.lock stays; with memory the same bytes come."""
    checkout = world.copy(world.promoted)
    whole = outs(checkout)
    for name in world.points.among(("featurize", "train_rf", "evaluate")):
        mib = world.points.pick(400, range(200, 401))
        limits = {"LIMIT_WHO": f"src.stages.{name.partition('_')[0]}", "LIMIT_MIB": str(mib), "PYTHONPATH": str(KILLER)}
        done = ask(checkout, "dvc", "repro", "--force", "--single-item", name, is_warm=False, **limits)
        assert done.status != 0, f"{mib} MiB were enough for {name}"
        assert (checkout.root / "dvc.lock").read_bytes() == whole["dvc.lock"]
        held = "old" if promoted_version(checkout) == "1.0.0" else "refused"
        yield Seen(f"{name}, {mib} MiB", held, mended(checkout, whole))


@fault("killed git", "its index.lock, under `promote` and `rollback`")
def index_lock(world: World):
    """Named before anything changes, with what to do."""
    checkout = world.copy(world.two_versions)
    lock = checkout.root / ".git" / "index.lock"
    for command in world.points.among((("promote",), ("rollback", "1.0.0"))):
        lock.touch()
        before = (head(checkout), promoted_version(checkout))
        done = src(checkout, *command)
        assert done.status == 2
        assert "index.lock is there: another git is at work, or was killed; if none is, delete that file" in done.said
        assert (head(checkout), promoted_version(checkout)) == before
        lock.unlink()
        assert src(checkout, *command).status == 0
        yield Seen(f"`{command[0]}`", "old", "that file deleted, the command again")


@fault("killed DVC", "its stage goes on, beside that of the next `dvc repro`")
def orphan(world: World):
    """The orphan writes nothing."""
    checkout = world.copy(world.promoted)
    checkout.set_params({("train", "rf", "n_estimators"): 200})  # seconds, so that it cannot end before DVC is killed
    checkout.repro()
    whole = outs(checkout)
    command = ["dvc", "repro", "--force", "--single-item", "train_rf"]
    for shell, usual_s in world.points.among(
        (("sh", 0), ("bash", 0.5), ("sh", 1))
    ):  # one may stay as the stage's parent
        wait_s = world.points.pick(usual_s, [tenth / 10 for tenth in range(15)])
        options = {
            "cwd": checkout.root,
            "env": checkout.environment(is_warm=False) | {"SHELL": f"/bin/{shell}"},
            "text": True,
        }
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options) as process:
            dvc = psutil.Process(process.pid)
            while not dvc.children():  # DVC names a stage before it starts it
                assert process.poll() is None, process.stdout.read()
                time.sleep(0.01)
            time.sleep(wait_s)
            process.kill()
            process.wait()
            then = mended(checkout, whole)
            said = process.stdout.read()  # until the orphan ends
        assert "has ended; run it again" in said, said
        assert outs(checkout) == whole
        yield Seen(f"train_rf, {wait_s:g} s old, started by {shell}", "old", then)


@fault("two at once", "`dvc repro`, `rollback`")
def two_at_once(world: World):
    """One does it, the other says so or does the same; the end is that of one."""
    for command in world.points.among((("dvc", "repro"), ("python", "-m", "src", "rollback", "1.0.0"))):
        checkout = world.copy(world.two_versions)
        if command[0] == "dvc":
            checkout.set_params({("ensemble", "weights"): {"lightgbm": 0.3, "xgboost": 0.3, "random_forest": 0.4}})
        options = {"cwd": checkout.root, "env": checkout.environment(is_warm=False), "text": True}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        both = [subprocess.Popen(command, **pipes, **options)]
        time.sleep(world.points.pick(0, [tenth / 10 for tenth in range(30)]))
        both.append(subprocess.Popen(command, **pipes, **options))
        said = [process.communicate(timeout=300)[0] for process in both]
        assert not any("Traceback" in words for words in said), said
        assert 0 in [process.returncode for process in both], said
        if command[0] == "dvc":
            assert ask(checkout, "dvc", "repro").status == 0
            assert ask(checkout, "dvc", "status").said.strip().endswith("up to date.")
            yield Seen("`dvc repro`", "new", "`dvc repro`")
        else:
            assert (promoted_version(checkout), changes(checkout)) == ("1.0.0", "")
            yield Seen("`rollback`", "new", "the other was refused, or found it done")


@fault("a wrong clock", "files of 1990 to 2090; commits dated 2001")
def clock(world: World):
    """Contents decide, and the order of commits; not the time."""
    checkout = world.copy(world.promoted)
    whole = outs(checkout)
    for year in world.points.numbers((1990, 2090)):
        moment = 631_152_000 + (year - 1990) * 31_557_600
        for name in checkout.run("git", "ls-files").split():
            os.utime(checkout.root / name, (moment, moment))
        for name in whole:
            os.utime(checkout.root / name, (moment, moment))
        yield Seen(f"files of {year}", "old", mended(checkout, whole))
    date = "978307200 +0000"
    dated = world.copy(world.two_versions)
    assert src(dated, "rollback", "1.0.0", GIT_COMMITTER_DATE=date, GIT_AUTHOR_DATE=date).status == 0
    assert src(dated, "rollback", "1.1.0", GIT_COMMITTER_DATE=date, GIT_AUTHOR_DATE=date).status == 0
    listed = src(dated, "history", "--json").said
    assert listed.index('"1.1.0"') < listed.index('"1.0.0"')
    assert promoted_version(dated) == "1.1.0"
    yield Seen("commits of 2001", "new", "`history` goes by the order of commits")
