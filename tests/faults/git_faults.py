"""Git in the middle of things: killed at its system calls, told that there is no room or that the disk is bad."""

import re
import shutil
import subprocess
from pathlib import Path

from tests.checkouts import Checkout
from tests.faults.fault import fault
from tests.faults.kills import AGAIN
from tests.faults.world import ImpossibleError, Seen, World, ask, changes, head, promoted_version, src

LOCKS = ("index.lock", "HEAD.lock", "packed-refs.lock", "refs/heads/main.lock", "refs/tags/production-ensemble@v9.lock")
COMMAND = re.compile(r"delete that file: `(rm -f [^`]*)`")
# As the first git on the path: the one that is meant runs under strace, which lets one of its calls fail.
SHIM = """#!/bin/sh
for word; do
    [ "$word" != "$FAULT_WHO" ] ||
        exec {strace} -f -qq -o /dev/null -e "trace=$FAULT_CALL" -e "inject=$FAULT_CALL:$FAULT_HOW" {git} "$@"
done
exec {git} "$@"
"""
# The gits of a rollback that write, and the calls by which they do.
WRITING = {
    "checkout": ("openat", "write", "rename"),
    "add": ("write", "rename"),
    "commit": ("openat", "write", "rename", "link"),
    "tag": ("write", "rename", "link"),
}
ROLLBACK = ("python", "-m", "src", "rollback", "1.0.0")


def shim(folder: Path) -> Path:
    """Return a folder for the path, with a git that can be let fail; `ImpossibleError` where nothing can be traced."""
    strace = shutil.which("strace")
    if strace is None:
        msg = "strace is not installed"
        raise ImpossibleError(msg)
    done = subprocess.run([strace, "-o", "/dev/null", "true"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ImpossibleError(done.stderr.strip())
    folder.mkdir(exist_ok=True)
    (folder / "git").write_text(SHIM.format(strace=strace, git=shutil.which("git")))
    (folder / "git").chmod(0o755)
    return folder


def rolled_back(checkout: Checkout, before: str) -> bool:
    """Tell whether a rollback is whole: one commit, both tags of the version, nothing beside it."""
    tags = checkout.run("git", "tag", "--points-at", "production-ensemble@v1.0.0^{commit}").split()
    counted = checkout.run("git", "rev-list", "--count", f"{before}..HEAD").strip()
    return (promoted_version(checkout), changes(checkout), counted, len(tags)) == ("1.0.0", "", "1", 3)


def failing_git(world: World, how: str):
    """Let each git of a rollback fail at one call or another: the old state or the new one, then the same command."""
    for who, calls in world.points.among(WRITING.items()):
        for call in world.points.among(calls):
            at = world.points.pick(1 if call != "openat" else 12, range(1, 20))
            checkout = world.copy(world.two_versions)
            before = head(checkout)
            path = f"{shim(world.folder / 'shim')}:{checkout.environment(is_warm=False)['PATH']}"
            chosen = {"FAULT_WHO": who, "FAULT_CALL": call, "FAULT_HOW": f"{how}:when={at}"}
            done = ask(checkout, *ROLLBACK, is_warm=False, PATH=path, **chosen)
            held = "old" if head(checkout) == before else "new"
            is_noted = (checkout.root / ".git" / "unfinished.json").exists()
            assert done.status in {0, 2}, done.said
            if done.status and not is_noted:
                assert (promoted_version(checkout), changes(checkout), held) == ("1.1.0", "", "old"), done.said
            again = src(checkout, *ROLLBACK[3:])
            assert again.status == 0, f"{who}, {call} {at}: {done.said}\n{again.said}"
            assert rolled_back(checkout, before), f"{who}, {call} {at}: {done.said}\n{again.said}"
            yield Seen(f"`git {who}`, {call} {at}", held, AGAIN if done.status else "nothing to do")


@fault("killed git", "each lock that a change takes, under `rollback`", is_quick=True)
def git_locks(world: World):
    """Named before anything changes, with the command that removes it; after it, the same command goes through."""
    checkout = world.copy(world.two_versions)
    before = (head(checkout), changes(checkout))
    for name in world.points.among(LOCKS):
        lock = checkout.root / ".git" / name
        lock.touch()
        done = src(checkout, *ROLLBACK[3:])
        assert done.status == 2, done.said
        checkout.run("bash", "-c", COMMAND.search(done.said)[1])
        assert not lock.exists()
        assert (head(checkout), changes(checkout), promoted_version(checkout)) == (*before, "1.1.0")
        yield Seen(name, "old", "the `rm` in the words, the command again")
    assert src(checkout, *ROLLBACK[3:]).status == 0
    assert rolled_back(checkout, before[0])


@fault("SIGKILL", "each git that `rollback` starts, at system calls by which it writes")
def git_sigkill(world: World):
    """Its locks stay, and are the change's own: all is taken back at once."""
    yield from failing_git(world, "signal=SIGKILL")


@fault("disk full", "for each git that `rollback` starts, at system calls by which it writes")
def git_without_room(world: World):
    """Whichever file it is that finds no room."""
    yield from failing_git(world, "error=ENOSPC")


@fault("a bad disk", "for each git that `rollback` starts, at system calls by which it writes")
def git_on_a_bad_disk(world: World):
    """EIO, from calls on any file."""
    yield from failing_git(world, "error=EIO")
