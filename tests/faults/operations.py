"""The six operations that change what is in production: where each begins, what it may leave, and how it ends."""

import json
import shutil
from abc import ABC, abstractmethod
from pathlib import Path

from tests.checkouts import MORE_FOREST, Checkout
from tests.faults.world import METADATA, Ended, World, ask, changes, outs, promoted_version, src
from tests.folders import names, served

FIRST, SECOND = "1.0.0", "1.1.0"
RECOVER = """
import sys
from pathlib import Path
from src.base.errors import exit_on_error
from src.monitoring.recovery import recover
from src.policy import load_policy
bad = {"live": {"f1_score": {"interval": [0.4, 0.5]}}, "predictions": 600, "version": sys.argv[1], "looked_at": ""}
limits = load_policy().monitor.model_copy(update={"recover_f1_min": 0.6, "recover_rows_min": 500})
with exit_on_error():
    print(recover(bad, Path("served"), "production", limits, dry_run=False))
"""


class Operation(ABC):
    """A command, on a repository of its own below a folder of its own."""

    name: str
    command: tuple[str, ...]
    # How many kills one run of `make faults` tries: before a write, and at an instant.
    n_writes, n_instants = 12, 8

    @property
    def title(self) -> str:
        """Name it in the table."""
        return f"`{self.name}`"

    @abstractmethod
    def prepare(self, world: World) -> Checkout:
        """Return a fresh repository in which the command has something to do."""

    @abstractmethod
    def held(self, checkout: Checkout) -> str:
        """Say whether the old state or the new one is there; nothing between them is served or published."""

    @abstractmethod
    def assert_ended(self, checkout: Checkout) -> None:
        """Assert that all is as if nothing had happened to the command."""

    def again(self, checkout: Checkout) -> Ended:
        """Run the command to its end."""
        return ask(checkout, *self.command)


class OnMain(Operation):
    """One that ends in a commit with tags."""

    tags: tuple[str, ...]
    version: str

    def held(self, checkout: Checkout) -> str:
        """A commit and the model whose metadata it holds, or neither."""
        assert promoted_version(checkout) in {FIRST, SECOND, "refused"}
        n_commits = _n_commits(checkout)
        assert n_commits in {0, 1}
        return "new" if n_commits else "old"

    def assert_ended(self, checkout: Checkout) -> None:
        """One commit more, all its tags, nothing that is not committed."""
        assert (promoted_version(checkout), changes(checkout)) == (self.version, "")
        assert _n_commits(checkout) == 1
        assert {*self.tags} <= {*checkout.run("git", "tag").split()}
        assert not (checkout.root / ".git" / "unfinished.json").exists()


def _n_commits(checkout: Checkout) -> int:
    return int(checkout.run("git", "rev-list", "--count", "refs/before..HEAD"))


def _marked(checkout: Checkout) -> Checkout:
    """Remember its last commit."""
    checkout.run("git", "update-ref", "refs/before", "HEAD")
    return checkout


class Promote(OnMain):
    """From the gate to the last tag."""

    name = "promote"
    command = ("python", "-m", "src", "promote")
    tags = ("production-ensemble#production#2", "production-ensemble@v1.1.0")
    version = SECOND

    def prepare(self, world: World) -> Checkout:
        """A candidate is committed."""
        return _marked(world.copy(world.once("candidate", lambda root: candidate(root, world.promoted))))


def candidate(root: Path, promoted: Checkout) -> None:
    """A repository whose candidate is not promoted yet, committed."""
    ready = promoted.copy(root)
    ready.set_params(MORE_FOREST)
    ready.repro()
    ready.commit("candidate")


class Rollback(OnMain):
    """From 1.1.0 to 1.0.0."""

    name = "rollback"
    command = ("python", "-m", "src", "rollback", FIRST)
    tags = ("production-ensemble#production#3",)
    version = FIRST

    def prepare(self, world: World) -> Checkout:
        """Two versions were promoted."""
        return _marked(world.copy(world.two_versions))

    def assert_ended(self, checkout: Checkout) -> None:
        """All outputs are there, too."""
        super().assert_ended(checkout)
        assert outs(checkout)
        assert json.loads((checkout.root / METADATA).read_text())["version"] == FIRST


class InFolder(Operation):
    """One that moves a link in a folder of releases."""

    before: str
    after: str

    def held(self, checkout: Checkout) -> str:
        """Every reader sees one version whole."""
        version = served(checkout.root / "served")
        assert version in {self.before, self.after}
        return "old" if version == self.before else "new"

    def assert_ended(self, checkout: Checkout) -> None:
        """Nothing lies there that a killed one left."""
        folder = checkout.root / "served"
        assert served(folder) == self.after
        assert served(folder, "production.previous") == self.before
        assert names(folder / "releases") == [FIRST, SECOND]
        assert not list(folder.glob(".production*"))


class Deploy(InFolder):
    """1.1.0 over 1.0.0."""

    name = "deploy"
    command = ("python", "-m", "src", "deploy", "served")
    before, after = FIRST, SECOND

    def prepare(self, world: World) -> Checkout:
        """The folder serves the version before."""
        ready = world.once("rolled on", lambda root: rolled_on(root, world.two_versions)).root
        checkout = world.copy(Checkout(ready / "repository"))
        shutil.copytree(ready / "served", checkout.root / "served", symlinks=True)
        return checkout


def rolled_on(root: Path, two_versions: Checkout) -> None:
    """A repository that deployed 1.0.0 and has 1.1.0 to deploy, in a folder beside that deployment."""
    checkout = two_versions.copy(root / "repository")
    (checkout.root / ".git" / "info" / "exclude").write_text("/served\n")
    assert src(checkout, "rollback", FIRST).status == 0
    assert src(checkout, "deploy", str(root / "served")).status == 0
    assert src(checkout, "rollback", SECOND).status == 0


class Recovery(InFolder):
    """Back from 1.1.0, as the monitor does by itself."""

    name = "recovery"
    title = "automatic recovery"
    command = ("python", "-c", RECOVER, SECOND)
    before, after = SECOND, FIRST

    def prepare(self, world: World) -> Checkout:
        """Both versions were deployed, one after the other."""
        checkout = Deploy().prepare(world)
        assert src(checkout, *Deploy.command[3:]).status == 0
        return checkout

    def assert_ended(self, checkout: Checkout) -> None:
        """Done once, never swapped back."""
        super().assert_ended(checkout)
        assert "was done before" in ask(checkout, "python", "-c", RECOVER, FIRST).said
        super().assert_ended(checkout)
