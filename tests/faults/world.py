"""What faults are tried on: copies of small repositories, and what must hold afterwards."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from src.base import paths
from src.base.errors import ModelError
from src.ml.ensemble import ProductionEnsemble
from tests.checkouts import MORE_FOREST, Checkout
from tests.faults.points import Points

KILLER = Path(__file__).parent / "killer"
METADATA, ENSEMBLE = paths.relative(paths.METADATA), paths.relative(paths.ENSEMBLE)
TIMEOUT_S = 300
NEVER = 10**9


class ImpossibleError(Exception):
    """The machine does not allow the fault: it was not tried."""


@dataclass(frozen=True)
class Seen:
    """One try: where the fault hit, which state was found, and what brought the next command to a good end."""

    at: str
    held: str  # old, new, or refused: neither is served, and the error says what to do
    then: str


@dataclass(frozen=True)
class Ended:
    """A command that ended: its exit status and all it said."""

    status: int
    said: str


@dataclass(frozen=True)
class World:
    """Repositories to copy, a folder for the copies, what builds others once for all tries, and where to try."""

    promoted: Checkout
    two_versions: Checkout
    folder: Path
    once: Callable[[str, Callable[[Path], object]], Checkout]
    points: Points = field(default_factory=Points)

    def copy(self, of: Checkout) -> Checkout:
        """Return a repository of its own; the one before is thrown away."""
        root = self.folder / "repository"
        shutil.rmtree(root, ignore_errors=True)
        return of.copy(root)

    def changed(self) -> Checkout:
        """Return a repository whose parameters were changed and whose pipeline did not run yet."""
        return self.once("changed", lambda root: self.promoted.copy(root).set_params(MORE_FOREST))

    def undisturbed(self, of: Checkout, who: str, *command: str) -> tuple[Checkout, list[str]]:
        """Return a repository in which a command ran to its end, and its writes."""
        name = f"{of.root.name} after {command[-1]}"
        checkout = self.once(name, lambda root: killed(of.copy(root), who, NEVER, *command))
        return checkout, _writes(checkout)


def ask(checkout: Checkout, *command: str, is_warm: bool = True, **environment: str) -> Ended:
    """Run a command that may fail; a traceback is never an answer of ours. Not warm if the process is under test."""
    done = subprocess.run(
        command,
        cwd=checkout.root,
        env=checkout.environment(is_warm=is_warm) | environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    said = done.stdout + done.stderr
    assert not (command[0] == "python" and "Traceback" in said and done.returncode != 0), said
    return Ended(done.returncode, said)


def src(checkout: Checkout, *command: str, **environment: str) -> Ended:
    """Run one of our commands."""
    return ask(checkout, "python", "-m", "src", *command, **environment)


def killed(
    checkout: Checkout, who: str, at: int, *command: str, signal: str = "SIGKILL", **environment: str
) -> tuple[Ended, list[str]]:
    """Run a command in which the process called `who` dies at its n-th write; and return its writes up to there."""
    log = _log(checkout)
    log.unlink(missing_ok=True)
    chosen = {"WHO": who, "AT": str(at), "BELOW": str(checkout.root), "WITH": signal, "LOG": str(log)}
    environment |= {f"KILL_{name}": value for name, value in chosen.items()} | {"PYTHONPATH": str(KILLER)}
    # What is killed leaves its temporary files behind.
    temporary = checkout.root.with_name("temporary")
    temporary.mkdir(exist_ok=True)
    environment["TMPDIR"] = str(temporary)
    done = ask(checkout, *command, is_warm=False, **environment)
    writes = _writes(checkout)
    assert (len(writes) >= at) == (done.status != 0), done.said
    return done, writes


def _log(checkout: Checkout) -> Path:
    return checkout.root.with_name(f"{checkout.root.name}.writes")


def _writes(checkout: Checkout) -> list[str]:
    log = _log(checkout)
    return log.read_text().replace(str(checkout.root) + "/", "").splitlines() if log.exists() else []


def mended(checkout: Checkout, whole: dict[str, bytes]) -> str:
    """Reproduce; if that does not heal, do what `mend` does or says; say what it took to have these bytes."""
    if ask(checkout, "dvc", "repro").status == 0 and outs(checkout) == whole:
        return "`dvc repro`"
    found, then = src(checkout, "repair"), "`python -m src repair`, `dvc repro`"
    if found.status:
        assert "bring it back with `git checkout dvc.lock`" in found.said, found.said
        checkout.run("git", "checkout", "--quiet", "dvc.lock")
        then = "`git checkout dvc.lock`, as `python -m src repair` says, `dvc repro`"
    said = ask(checkout, "dvc", "repro")
    assert said.status == 0, said.said
    assert outs(checkout) == whole
    return then


def promoted_version(checkout: Checkout) -> str:
    """Return the version that the work tree serves, or refused: damage and mixtures are never served."""
    try:
        return ProductionEnsemble.load((checkout.root / METADATA).parent).get_model_info()["version"]
    except ModelError:
        return "refused"


def outs(checkout: Checkout) -> dict[str, bytes]:
    """Return every output that dvc.lock names, and dvc.lock."""
    lock = (checkout.root / "dvc.lock").read_bytes()
    names = [out["path"] for stage in yaml.safe_load(lock)["stages"].values() for out in stage["outs"]]
    return {"dvc.lock": lock} | {name: (checkout.root / name).read_bytes() for name in names}


def head(checkout: Checkout) -> str:
    """Return the last commit."""
    return checkout.run("git", "rev-parse", "HEAD").strip()


def changes(checkout: Checkout) -> str:
    """Return what git sees that is not committed."""
    return checkout.run("git", "--no-optional-locks", "status", "--porcelain")


def flip(file: Path, at: float, bit: int = 0) -> None:
    """Change one bit at a share of the file's length, in place; read-only files too."""
    content = bytearray(file.read_bytes())
    content[min(int(at * len(content)), len(content) - 1)] ^= 1 << bit
    rewrite(file, bytes(content))


def cut(file: Path, at: float) -> None:
    """Keep the first part of a file."""
    content = file.read_bytes()
    rewrite(file, content[: int(at * len(content))])


def rewrite(file: Path, content: bytes) -> None:
    """Change what a file holds, not when it says it was changed last: a bad disk keeps no books."""
    before = file.stat()
    file.chmod(0o644)
    file.write_bytes(content)
    file.chmod(before.st_mode)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[Path]:
    """Mount something at a folder, and unmount it; `ImpossibleError` where that is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["mount", *options, str(folder)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ImpossibleError(done.stderr.strip())
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
