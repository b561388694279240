"""History, rollback and deployment of two promoted versions, with real git and real DVC."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from src.base import paths
from tests.checkouts import MORE_FOREST, Checkout

METADATA = paths.relative(paths.METADATA)
MODEL = paths.relative(paths.ENSEMBLE)
VERIFY = "from src.ml.ensemble import ProductionEnsemble as P; print(P().get_model_info()['version'])"
# Reads the link over and over until it is told to stop; prints the versions it saw.
READER = """
import sys
from pathlib import Path
from src.ml.ensemble import ProductionEnsemble
folder, stop, seen = Path(sys.argv[1]), Path(sys.argv[2]), set()
print("ready", flush=True)
while not stop.exists():
    seen.add(ProductionEnsemble.load(folder / "production").get_model_info()["version"])
print(*sorted(seen))
"""


@pytest.fixture
def repository(two_versions: Checkout, tmp_path: Path) -> Checkout:
    return two_versions.copy(tmp_path / "repository")


def src(checkout: Checkout, *command: str, expect: int = 0) -> str:
    return checkout.run("python", "-m", "src", *command, expect=expect)


def listed(checkout: Checkout) -> list[dict]:
    return json.loads(src(checkout, "history", "--json"))["versions"]


def test_history(repository: Checkout) -> None:
    """Newest first, with commit, scores, verdict, and where the files are."""
    found = listed(repository)
    assert [version["version"] for version in found] == ["1.1.0", "1.0.0"]
    assert found[0]["commit"] == repository.run("git", "rev-parse", "HEAD").strip()
    metrics = json.loads((repository.root / "reports" / "metrics.json").read_text())
    assert found[0]["scores"]["brier_skill"]["value"] == metrics["ensemble"]["brier_skill"]
    assert found[0]["scores"]["brier_skill"]["interval"] == metrics["intervals"]["scores"]["ensemble"]["brier_skill"]
    assert [version["gate"] for version in found] == ["yes", "yes"]
    assert [version["files"] for version in found] == ["cache", "cache"]
    shutil.rmtree(repository.root / ".dvc" / "cache")
    assert [version["files"] for version in listed(repository)] == ["remote", "remote"]
    shutil.rmtree(repository.root / ".dvc-remote")
    assert [version["files"] for version in listed(repository)] == ["gone", "gone"]
    assert [version["in_production"] for version in found] == [True, False]
    assert src(repository, "history").count("in production") == 1


def test_a_version_comes_back_as_a_new_commit(repository: Checkout) -> None:
    """From the remote, as this cache is empty; what is committed is what was committed with it, but for the reports."""
    first = listed(repository)[1]["commit"]
    shutil.rmtree(repository.root / ".dvc" / "cache")
    shown = src(repository, "rollback", "1.0.0")
    assert "Version 1.0.0 is in production, commit " in shown
    assert "this clone has no remote, so nobody else knows of it." in shown
    assert repository.python(VERIFY).strip() == "1.0.0"
    assert repository.run("git", "status", "--porcelain") == ""
    assert repository.run("git", "diff", "--stat", first, "--", "params.yaml", "dvc.lock", METADATA) == ""
    assert "up to date" in repository.run("dvc", "status")
    # the reports that count trials and tell of the last gate do not go back
    assert repository.run("git", "diff", "--name-only", "HEAD~1", "--", "reports/trials.jsonl", "reports/gate.md") == ""
    assert "Version 1.0.0 is in production" in src(repository, "rollback", "1.0.0")


def test_the_next_promotion_has_a_version_of_its_own(repository: Checkout) -> None:
    """Whoever took which number; the same candidate as before is better than the version that came back."""
    src(repository, "rollback", "1.0.0")
    repository.set_params(MORE_FOREST)
    repository.repro()
    repository.commit("again")
    others_take(repository, "1.1.1")
    before = state(repository)
    assert "origin has 1 tags that this clone lacks, production-ensemble@v1.1.1 is" in src(
        repository, "promote", expect=2
    )
    assert state(repository) == before
    repository.run("git", "fetch", "--quiet", "--tags", "origin")
    shown = src(repository, "promote")
    assert [version["version"] for version in listed(repository)] == ["1.1.2", "1.1.0", "1.0.0"]
    src(repository, *shown.split("`")[1].split()[3:])
    refs = repository.run("git", "ls-remote", "origin")
    commit = repository.run("git", "rev-parse", "HEAD").strip()
    for ref in ("heads/main", "tags/production-ensemble@v1.1.2^{}", "tags/production-ensemble#production#4^{}"):
        assert f"{commit}\trefs/{ref}\n" in refs


def others_take(checkout: Checkout, version: str) -> None:
    """Give the repository a remote, on which somebody else tagged that version."""
    remote = str(checkout.root.with_name("origin.git"))
    checkout.run("git", "clone", "--quiet", "--bare", ".", remote)
    checkout.run("git", "remote", "add", "origin", remote)
    name = f"production-ensemble@v{version}"
    checkout.run("git", "-C", remote, "tag", "--annotate", "--message", "theirs", name, "HEAD")


def damaged_cache(checkout: Checkout) -> None:
    """Change a byte of the first version's model wherever it lies."""
    for store in (".dvc/cache", ".dvc-remote"):
        file = checkout.object_file(MODEL, store, "HEAD~2")
        content = bytearray(file.read_bytes())
        content[1000] ^= 1
        file.unlink()
        file.write_bytes(content)


def gone(checkout: Checkout) -> None:
    """Lose cache and remote."""
    for store in (".dvc/cache", ".dvc-remote"):
        shutil.rmtree(checkout.root / store)


def locked_tag(checkout: Checkout) -> None:
    """Leave what a git leaves that was killed while it tagged."""
    (checkout.root / ".git" / "refs" / "tags" / "production-ensemble#production#3.lock").touch()


def no_answer(checkout: Checkout) -> None:
    """Have a remote that is not there."""
    checkout.run("git", "remote", "add", "origin", "/nowhere.git")


def dirty(checkout: Checkout) -> None:
    """Leave something uncommitted."""
    (checkout.root / "params.yaml").write_text("# half a thought\n")


@pytest.mark.parametrize(
    ("spoil", "revision", "words"),
    [
        pytest.param(damaged_cache, "1.0.0", "is damaged in the cache or on the remote", id="damaged"),
        pytest.param(gone, "1.0.0", "is neither in the cache nor on the remote", id="gone"),
        pytest.param(dirty, "1.0.0", "expected a clean work tree", id="dirty"),
        pytest.param(locked_tag, "1.0.0", "production-ensemble#production#3.lock is there", id="locked tag"),
        pytest.param(no_answer, "1.0.0", "origin cannot be asked which versions it has (fatal: ", id="no answer"),
        pytest.param(None, "9.9.9", "version 9.9.9 was never promoted here", id="no such version"),
        pytest.param(None, "nowhere", "nowhere is no revision with a pipeline", id="no such commit"),
        pytest.param(None, "HEAD~3", "holds no promoted model", id="before the first"),
    ],
)
def test_what_cannot_be_brought_back_changes_nothing(spoil, revision: str, words: str, repository: Checkout) -> None:
    """Fetched and verified first: the model in the work tree is the one from before, byte for byte."""
    if spoil:
        spoil(repository)
    before = state(repository)
    refused = src(repository, "rollback", revision, expect=2)
    assert words in refused
    assert state(repository) == before


def state(checkout: Checkout) -> list[bytes | str]:
    """The model in the work tree, and what git knows; no note of an unfinished change may lie there."""
    assert not (checkout.root / ".git" / "unfinished.json").exists()
    files = [(checkout.root / path).read_bytes() for path in (MODEL, METADATA, "params.yaml", "dvc.lock")]
    return [*files, *checkout.git_state()]


def test_readers_see_one_version_whole(repository: Checkout, tmp_path: Path) -> None:
    """While the link is replaced again and again, every load gives a verified model."""
    folder, stop = tmp_path / "served", tmp_path / "stop"
    src(repository, "deploy", str(folder))
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(folder), str(stop)],
        cwd=repository.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert reader.stdout.readline() == "ready\n"
        src(repository, "rollback", "1.0.0")
        src(repository, "deploy", str(folder))
        for _ in range(3):
            src(repository, "deploy", str(folder), "--rollback")
    finally:
        stop.touch()
        seen, errors = reader.communicate(timeout=60)
    assert (reader.returncode, errors) == (0, "")
    assert seen.split() == ["1.0.0", "1.1.0"]


def test_a_folder_whose_name_no_terminal_can_show(repository: Checkout, tmp_path: Path) -> None:
    """The link has moved, so the command ends well, and names the folder by its bytes."""
    folder = tmp_path / os.fsdecode("モデル".encode() + b"\xff\x1b[2J")
    command = ["python", "-m", "src", "deploy", str(folder)]
    environment = repository.environment() | {"PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(command, cwd=repository.root, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\u30e2\\u30c7\\u30eb\\udcff\\x1b[2J/production serves version 1.1.0" in done.stdout
    assert (folder / "production").exists()
