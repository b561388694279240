"""The operations that end at the remote of git."""

import shutil
from pathlib import Path

from tests.checkouts import MORE_FOREST, Checkout
from tests.faults.operations import SECOND, Operation
from tests.faults.world import World, changes, head, src

LATER = "2018-01-08T00:00:00Z"
LESS_FOREST = {("ensemble", "weights"): {"lightgbm": 0.3, "xgboost": 0.4, "random_forest": 0.3}}
VERIFY = "from src.ml.ensemble import ProductionEnsemble as P; print(P().get_model_info()['version'])"


def hub(root: Path, of: Checkout) -> Checkout:
    """Put a clone beside the bare repository that it follows and the folder that DVC pushes to; return the clone."""
    user = of.copy(root / "user")
    shutil.move(user.root / ".dvc-remote", root / "store")
    user.run("git", "clone", "--quiet", "--bare", ".", str(root / "origin.git"))
    use_hub(user)
    user.run("git", "remote", "add", "origin", "../origin.git")
    user.run("git", "fetch", "--quiet", "origin")
    user.run("git", "branch", "--quiet", "--set-upstream-to", "origin/main")
    return user


def use_hub(clone: Checkout) -> None:
    """Let DVC push to the folder beside a clone."""
    clone.run("dvc", "remote", "modify", "--local", "local", "url", str(clone.root.with_name("store")))


class Published(Operation):
    """One that ends at the remote of git."""

    version: str

    def ready(self, root: Path, world: World) -> None:
        """Build the hub that is copied for each try."""
        raise NotImplementedError

    def prepare(self, world: World) -> Checkout:
        """Copy the hub; what the remote of git has is remembered."""
        ready = world.once(f"hub to {self.name}", lambda root: self.ready(root, world)).root
        root = world.folder / "hub"
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(ready, root, symlinks=True)
        user = Checkout(root / "user")
        use_hub(user)
        user.run("git", "update-ref", "refs/before", "refs/remotes/origin/main")
        return user

    def held(self, checkout: Checkout) -> str:
        """Branch and tags there, or neither; what is there can be pulled."""
        there = self.there(checkout)
        is_new = there["refs/heads/main"] != checkout.run("git", "rev-parse", "refs/before").strip()
        assert is_new == (f"refs/tags/production-ensemble@v{self.version}" in there)
        assert is_new == ("refs/tags/production-ensemble#production#2" in there)
        return "new" if is_new else "old"

    def there(self, checkout: Checkout) -> dict[str, str]:
        """Return what the remote of git has."""
        lines = checkout.run("git", "ls-remote", "origin").splitlines()
        return {ref: commit for commit, ref in (line.split("\t") for line in lines)}

    def assert_ended(self, checkout: Checkout) -> None:
        """It is there, and here."""
        assert self.held(checkout) == "new"
        assert changes(checkout) == ""
        assert head(checkout) == self.there(checkout)["refs/heads/main"]
        self.assert_pulled(checkout)

    def assert_pulled(self, checkout: Checkout, version: str = "") -> None:
        """A newcomer without a cache pulls what the remote has, and loads it: the operation's version, or another."""
        newcomer = checkout.root.with_name("newcomer")
        shutil.rmtree(newcomer, ignore_errors=True)
        checkout.run("git", "clone", "--quiet", "../origin.git", str(newcomer))
        use_hub(Checkout(newcomer))
        Checkout(newcomer).run("dvc", "pull")
        assert Checkout(newcomer).python(VERIFY).strip() == (version or self.version)


class Retrain(Published):
    """From new bars to what others can pull; what the stages make is in the cache of runs."""

    name = "retrain"
    command = ("python", "-m", "src", "retrain", "--end", LATER)
    version = "1.0.1"
    # Of many seconds.
    n_writes, n_instants = 4, 4

    def ready(self, root: Path, world: World) -> None:
        """A dry run has made the model before."""
        user = hub(root, world.promoted)
        done = src(user, "retrain", "--end", LATER, "--dry-run")
        assert done.status == 0, done.said

    def assert_ended(self, checkout: Checkout) -> None:
        """Nothing of a killed run's folder stays."""
        super().assert_ended(checkout)
        assert not (checkout.root / ".git" / "retrain").exists()


class Publish(Published):
    """Of a promotion that only this clone has."""

    name = "publish"
    command = ("python", "-m", "src", "publish")
    version = SECOND
    n_writes, n_instants = 8, 4

    def ready(self, root: Path, world: World) -> None:
        """A colleague has promoted another candidate under the same number."""
        user = hub(root, world.promoted)
        colleague = user.copy(root / "colleague")
        use_hub(colleague)
        for clone, weights in ((user, MORE_FOREST), (colleague, LESS_FOREST)):
            clone.set_params(weights)
            clone.repro()
            clone.commit("candidate")
            done = src(clone, "promote")
            assert done.status == 0, done.said

    def assert_ended(self, checkout: Checkout) -> None:
        """Nothing of a killed run's folder stays."""
        super().assert_ended(checkout)
        assert not (checkout.root / ".git" / "publish").exists()
