"""What a change of code or libraries is, by the bytes that the champion's window gives with it."""

import json
import re

import pytest

from tests.checkouts import Checkout

# With the hash of each dep that another file lies in, which DVC writes once the pipeline ran.
ASK = """
import json, sys
from src.gate.changes import what_changed
from src.repo.dvc_lock import DvcLock, read_dvc_lock
from src.repo.revision import Revision
lock = read_dvc_lock().model_dump()
for dep in [dep for stage in lock["stages"].values() for dep in stage["deps"]]:
    if any(f"{name}/".startswith(f"{dep['path']}/") for name in sys.argv[1:]):
        dep["md5"] = 32 * "0"
print(json.dumps(what_changed(Revision("HEAD"), DvcLock.model_validate(lock))))
"""


@pytest.fixture(scope="module")
def repository(promoted: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A repository with a champion, to be changed."""
    return promoted.copy(tmp_path_factory.mktemp("what_changed") / "repository")


@pytest.fixture
def workspace(repository: Checkout) -> Checkout:
    """The same, back at its commit."""
    return repository.restore()


def replace(checkout: Checkout, name: str, old: str, new: str) -> None:
    """Change a file, every place of it."""
    file = checkout.root / name
    assert re.search(old, file.read_text())
    file.write_text(re.sub(old, new, file.read_text()))


def what_changes_no_number(checkout: Checkout) -> None:
    """A comment, a moved file, a renamed function and an upgraded pin; one of them alone would show that it does."""
    replace(checkout, "src/training/fit.py", r"\Z", "# A remark.\n")
    checkout.run("mv", "src/training/splits.py", "src/training/walks.py")
    users = checkout.run("git", "grep", "--name-only", r"src\.training\.splits", "--", "src").splitlines()
    for name in users:
        replace(checkout, name, r"src\.training\.splits", "src.training.walks")
    replace(checkout, "src/features/indicators.py", r"\bis_flat\b", "stands_still")
    replace(checkout, "requirements-model.lock", "(?m)^wrapt==[0-9.]+", "wrapt==99.0")


def a_changed_tree_depth(checkout: Checkout) -> None:
    forest = r"(RandomForestClassifier\(\*\*settings\.model_dump\(\))"
    replace(checkout, "src/training/members/rf.py", forest, r"\1 | {'max_depth': 2}")


def another_vote(checkout: Checkout) -> None:
    replace(checkout, "btc_signal/voters.py", r"weight \* column", "weight * column**2")


def a_stage_that_fails(checkout: Checkout) -> None:
    replace(checkout, "src/training/fit.py", r"\Z", "raise NotImplementedError\n")


FAILED = r"cannot be rerun with today's code, so the hashes decide: .*train_lgbm"
OTHER = r"the champion's window gives other bytes: .*production_ensemble\.onnx, data/oof/random_forest\.parquet\.$"
ANSWERS = r"the champion's window gives other bytes: its answers\.$"
SAME = r"the champion's window gives its graph and its out-of-fold files, byte for byte\.$"


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (what_changes_no_number, "patch", SAME),
        (a_changed_tree_depth, "major", OTHER),
        (another_vote, "major", ANSWERS),
        (a_stage_that_fails, "major", FAILED),
    ],
    ids=lambda of: getattr(of, "__name__", ""),
)
def test_a_change_is_what_comes_out(change, kind: str, words: str, workspace: Checkout) -> None:
    """The hashes of all differ; the numbers of one do, and another gives none."""
    change(workspace)
    changed = [line[3:] for line in workspace.run("git", "status", "--porcelain").splitlines()]
    before = workspace.git_state()
    said = workspace.run("python", "-c", ASK, *changed)
    (found,) = [json.loads(line) for line in said.splitlines() if line.startswith('["')]
    assert found[0] == kind, said
    assert re.search(words, found[1])
    assert workspace.git_state() == before
    assert not (workspace.root / ".git" / "rerun").exists()
