"""Scratch checkouts of this repository, with real git and real DVC."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml
from filelock import FileLock

from src.base import paths
from tests.warm.programs import programs

GIT_IDENTITY = {
    "GIT_AUTHOR_NAME": "test",
    "GIT_AUTHOR_EMAIL": "test@example.invalid",
    "GIT_COMMITTER_NAME": "test",
    "GIT_COMMITTER_EMAIL": "test@example.invalid",
}
# Where DVC notes the hashes of files that it saw, for all repositories of a machine.
SITE_CACHE = "DVC_SITE_CACHE_DIR"
# Few bars and few trees: the whole pipeline in seconds.
SMALL = {
    ("data", "end"): "2018-01-01T00:00:00Z",
    ("train", "lgbm", "n_estimators"): 5,
    ("train", "xgb", "n_estimators"): 5,
    ("train", "rf", "n_estimators"): 10,
    # So few bars and trees are never sure of a rise.
    ("ensemble", "decision_threshold"): 0.38,
}
# What so few bars can reach.
LENIENT = {
    ("gate", "f1_score_min"): 0.3,
    ("gate", "brier_skill_min"): -1.0,
    ("gate", "volatility_tolerance"): 1.0,
    ("gate", "champion_tolerance"): 1.0,
    ("gate", "calibration_error_max"): 1.0,
    ("gate", "latency_ratio_min"): 1.0,
}
# Another candidate than the small one.
MORE_FOREST = {("ensemble", "weights"): {"lightgbm": 0.2, "xgboost": 0.2, "random_forest": 0.6}}


@dataclass(frozen=True)
class Checkout:
    """One work tree in a folder of its own, which shares this environment's programs."""

    root: Path

    def environment(self, *, is_warm: bool = True) -> dict[str, str]:
        """The variables of a command: this environment's programs, nothing of git, DVC or make around the tests.

        Not warm: Python itself starts, for a command that is killed, raced, or watched with its children.
        """
        around = ("GIT_", "DVC_", "MAKE", "MFLAGS")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(around) or name == SITE_CACHE}
        kept.pop("PYTHONDONTWRITEBYTECODE", None)
        path = os.pathsep.join([*(programs() if is_warm else []), str(Path(sys.executable).parent), os.environ["PATH"]])
        return kept | GIT_IDENTITY | {"PATH": path, "COLUMNS": "120"}

    def run(self, *command: str, expect: int = 0) -> str:
        """Run a command in the work tree and return what it prints; fail with its output on another exit status."""
        done = subprocess.run(
            command, cwd=self.root, env=self.environment(), capture_output=True, text=True, timeout=1800, check=False
        )
        assert done.returncode == expect, f"{command} exited with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def python(self, code: str, expect: int = 0) -> str:
        """Run Python code in a fresh process."""
        return self.run("python", "-c", code, expect=expect)

    def repro(self, *stages: str) -> list[str]:
        """Reproduce the pipeline, or these stages and what they need, and return the stages that ran."""
        output = self.run("dvc", "repro", *stages)
        return [line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage")]

    def commit(self, message: str) -> str:
        """Commit everything and return the commit."""
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--message", message)
        return self.run("git", "rev-parse", "HEAD").strip()

    def object_name(self, output: str, revision: str = "HEAD") -> str:
        """Name the object with the content of an output of a commit, such as files/md5/ab/cdef."""
        stages = yaml.safe_load(self.run("git", "show", f"{revision}:dvc.lock"))["stages"].values()
        (md5,) = {out["md5"] for stage in stages for out in stage["outs"] if out["path"] == output}
        return f"files/md5/{md5[:2]}/{md5[2:]}"

    def object_file(self, output: str, store: str = ".dvc/cache", revision: str = "HEAD") -> Path:
        """Return where that object lies: in the cache, or in a remote that is a folder."""
        return self.root / store / self.object_name(output, revision)

    def git_state(self) -> list[str]:
        """What a refused command must leave as it was: the commit, the index, the work tree and every ref."""
        asked = (["rev-parse", "HEAD"], ["ls-files", "--stage"], ["status", "--porcelain"], ["for-each-ref"])
        return [self.run("git", *command) for command in asked]

    def set_params(self, changes: dict[tuple[str, ...], object]) -> None:
        """Change values in params.yaml."""
        file = self.root / "params.yaml"
        content = yaml.safe_load(file.read_text())
        for location, value in changes.items():
            section = content
            for key in location[:-1]:
                section = section[key]
            section[location[-1]] = value
        file.write_text(yaml.safe_dump(content, sort_keys=False))

    def make_small(self, changes: dict[tuple[str, ...], object] | None = None) -> None:
        """Let the pipeline take seconds: few bars, few trees, few draws of the bootstrap; and a gate that allows it."""
        self.set_params({**SMALL, **LENIENT, **(changes or {})})
        file = self.root / "src" / "evaluation" / "intervals.py"
        file.write_text(file.read_text().replace("N_RESAMPLES = 1_000\n", "N_RESAMPLES = 100\n"))
        assert "N_RESAMPLES = 100\n" in file.read_text()

    def promote(self, message: str, *options: str) -> str:
        """Commit, promote, push; return the commit of the promotion."""
        if self.run("git", "status", "--porcelain"):
            self.commit(f"{message}: reproduced")
        self.run("python", "-m", "src", "promote", *options)
        self.run("dvc", "push")
        return self.run("git", "rev-parse", "HEAD").strip()

    def copy(self, root: Path) -> "Checkout":
        """Return a repository of its own, the same in work tree, history and cache."""
        shutil.copytree(self.root, root, symlinks=True)
        return Checkout(root)

    def restore(self) -> "Checkout":
        """Bring the work tree back to its commit."""
        self.run("git", "checkout", "--quiet", ".")
        self.run("git", "clean", "--quiet", "--force", "-d")
        self.run("dvc", "checkout", "--force")
        return self

    def clone(self, root: Path) -> "Checkout":
        """Clone with git, as another user would."""
        self.run("git", "clone", "--quiet", str(self.root), str(root))
        return Checkout(root)


def copy_work_tree(root: Path) -> Checkout:
    """Commit the files of this work tree, as they are now, to a repository of their own."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listing, cwd=paths.ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (paths.ROOT / name).exists():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(paths.ROOT / name, root / name)
    checkout = Checkout(root)
    checkout.run("git", "init", "--quiet", "--initial-branch", "main")
    checkout.commit("as it is now")
    return checkout


def build_once(shared: Path, name: str, build: Callable[[Path], object]) -> Checkout:
    """Build a checkout in a folder of its own, once for all processes that share that folder's parent."""
    root, done = shared / name, shared / f"{name}.done"
    with FileLock(shared / f"{name}.lock"):
        if not done.exists():
            shutil.rmtree(root, ignore_errors=True)  # one half-built
            build(root)
            done.touch()
    return Checkout(root)


def build_small(root: Path) -> None:
    """Build one with few bars, few trees and no promoted model, reproduced and committed."""
    checkout = copy_work_tree(root)
    # Its history knows no promoted model and no trial.
    for path in (paths.METADATA, paths.TRIALS):
        (checkout.root / paths.relative(path)).unlink()
    checkout.run("git", "commit", "--quiet", "--amend", "--all", "--no-edit")
    checkout.make_small()
    checkout.repro()
    checkout.commit("small")
    checkout.run("git", "gc", "--quiet")  # fewer files to copy


def build_promoted(small: Checkout, root: Path) -> None:
    """Build one whose first model was promoted and pushed."""
    small.copy(root).promote("first")


def build_two_versions(promoted: Checkout, root: Path) -> None:
    """Build one that promoted and pushed 1.0.0 and, with other weights, 1.1.0."""
    checkout = promoted.copy(root)
    checkout.set_params(MORE_FOREST)
    checkout.repro()
    checkout.promote("second")
