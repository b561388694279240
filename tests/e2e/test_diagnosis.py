"""A repository broken by hand in many ways, and mended by nothing but the commands that `doctor` prints."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from src.base import paths
from tests.checkouts import Checkout

MODEL, GRAPH, FEATURES, BARS, METADATA = (
    paths.relative(path) for path in (paths.ENSEMBLE, paths.GRAPH, paths.FEATURES, paths.BARS, paths.METADATA)
)
MEMBER = "data/oof/random_forest.parquet"
MAX_ROUNDS = 5
Break = Callable[[Path], object]


def checked(checkout: Checkout, *subset: str, expect: int = 0) -> list[dict]:
    """The lines, as a machine reads them."""
    return json.loads(checkout.run("python", "-m", "src", "doctor", *subset, "--json", expect=expect))["lines"]


def failing(lines: list[dict]) -> list[dict]:
    return [line for line in lines if line["verdict"] == "fail"]


def mended(checkout: Checkout) -> list[str]:
    """Run what is printed for what is broken, from the top down, until nothing is; return all that was said."""
    said = []
    for _ in range(MAX_ROUNDS):
        done = subprocess.run(
            ["python", "-m", "src", "doctor", "--json"],
            cwd=checkout.root,
            env=checkout.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        lines = failing(json.loads(done.stdout)["lines"])
        assert done.returncode == int(bool(lines)), done.stderr
        if not lines:
            return said
        for line in lines:
            assert line["command"], line
            said.append(f"{line['subject']}: {line['words']} $ {line['command']}")
            subprocess.run(
                ["bash", "-c", line["command"]], cwd=checkout.root, env=checkout.environment(), check=False, timeout=600
            )
    raise AssertionError(said)


def flip(file: Path, at: int = 1000) -> None:
    """Change one bit; size and time stay, as where a disk or somebody is to blame."""
    before, content = file.stat(), bytearray(file.read_bytes())
    content[at] ^= 1
    file.chmod(0o644)
    file.write_bytes(content)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def cut(file: Path) -> None:
    """Lose the second half; objects of DVC are read-only."""
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def lose_bars(root: Path) -> None:
    """File, object, and the remote's object: only a run of their stage brings them back."""
    for file in (*(Checkout(root).object_file(BARS, store) for store in (".dvc/cache", ".dvc-remote")), root / BARS):
        file.unlink()


def edit(name: str, text: str) -> Break:
    """A function that appends to a file."""

    def append(root: Path) -> None:
        with (root / name).open("a") as file:
            file.write(text)

    return append


MARKS = "<<<<<<< HEAD\na: 1\n=======\na: 2\n>>>>>>> other\n"
# In an order in which each can still be done; those of dvc.lock come last.
BROKEN: dict[str, Break] = {
    "a git that was killed": lambda root: (root / ".git" / "index.lock").touch(),
    "an unknown key": edit("params.yaml", "unknown: 1\n"),
    "dvc.yaml cut off": lambda root: cut(root / "dvc.yaml"),
    "settings of DVC gone": lambda root: (root / ".dvc" / "config").unlink(),
    "locks of DVC unreadable": lambda root: (root / ".dvc" / "tmp" / "rwlock").write_text("{"),
    "a bit of the features": lambda root: flip(root / FEATURES),
    "a file gone": lambda root: (root / MEMBER).unlink(),
    "a model of somebody else": lambda root: flip(root / MODEL),
    "metadata cut off": lambda root: cut(root / METADATA),
    "a bit of an object": lambda root: flip(Checkout(root).object_file(GRAPH)),
    "a bit on the remote": lambda root: flip(
        Checkout(root).object_file("data/oof/xgboost.parquet", ".dvc-remote"), at=100
    ),
    "nowhere any more": lose_bars,
    "no Python": edit("src/gate/trials.py", "def\n"),
    "code gone": lambda root: (root / "src" / "stages" / "fetch.py").unlink(),
    "not to be read": lambda root: (root / "reports" / "metrics.json").chmod(0),
    "a verdict cut off": lambda root: cut(root / "reports" / "gate.json"),
    "a retraining cut off": lambda root: (root / "reports" / "retrain.json").write_text("{"),
    "points of a plot by hand": edit("reports/plots/roc.csv", "0,0\n"),
    "dvc.lock in conflict": edit("dvc.lock", MARKS),
}


def test_all_at_once(promoted: Checkout, tmp_path: Path) -> None:
    """Nothing but what is printed, and every file is as it was; what was written by hand is in the stash."""
    checkout = promoted.copy(tmp_path / "repository")
    names = [
        MODEL,
        GRAPH,
        FEATURES,
        BARS,
        METADATA,
        MEMBER,
        "params.yaml",
        "dvc.yaml",
        "dvc.lock",
        "reports/metrics.json",
    ]
    before = {name: (checkout.root / name).read_bytes() for name in names}
    for spoil in BROKEN.values():
        spoil(checkout.root)
    mended(checkout)
    assert {name: (checkout.root / name).read_bytes() for name in names} == before
    assert checkout.run("git", "status", "--porcelain") == ""
    assert "unknown: 1" in checkout.run("git", "stash", "list", "-p")
    # What lay where a file of ours belongs may be somebody's.
    aside = {file.name for file in (checkout.root / ".dvc" / "tmp").glob("aside.*/*")}
    assert {Path(name).name for name in (MODEL, FEATURES, "reports/retrain.json")} <= aside
    lines = checked(checkout)
    assert {line["verdict"] for line in lines} <= {"ok", "warn"}


def test_the_cache_lies_elsewhere(promoted: Checkout, tmp_path: Path) -> None:
    """As where several clones share one: nothing is missing, and nothing is prescribed that cannot help."""
    checkout = promoted.copy(tmp_path / "repository")
    checkout.run("dvc", "cache", "dir", "--local", str(tmp_path / "cache"))
    (checkout.root / ".dvc" / "cache").rename(tmp_path / "cache")
    lines = checked(checkout)
    assert failing(lines) == []
    assert [line["words"] for line in lines if line["subject"] in {"outputs", "cache"}] == [
        "11 files are what dvc.lock says, and so are their objects in the cache"
    ]
    cut(checkout.object_file(MEMBER, "../cache"))
    assert "damaged" in str(failing(checked(checkout, "data-check", expect=1)))
    checkout.run("python", "-m", "src", "repair")
    assert not checkout.object_file(MEMBER, "../cache").exists()


def test_after_a_rollback(two_versions: Checkout, tmp_path: Path) -> None:
    """The model that serves is right; files of its training that nobody has are told, and nothing is broken."""
    checkout = two_versions.copy(tmp_path / "repository")
    lost = ["models/training/random_forest.pkl", MEMBER]
    objects = [checkout.object_file(name, store) for name in lost for store in (".dvc/cache", ".dvc-remote")]
    for file in [*objects, *(checkout.root / name for name in lost)]:
        file.unlink()
    shown = checkout.run("python", "-m", "src", "rollback", "1.0.0")
    assert "not needed to serve: " in shown
    for subset in ("ml-models", "data-check", "full-check"):
        lines = checked(checkout, subset)
        assert failing(lines) == []
        (told,) = [line for line in lines if "not needed to serve" in line["words"]]
        assert told["verdict"] == "warn"
        assert lost[0] in told["words"]
    assert "version 1.0.0, every sha256 right" in str(checked(checkout, "ml-models"))
