"""What was committed and tagged by mistake stays in history, and stops nobody, with real git and real DVC."""

import json
import subprocess
from pathlib import Path

import pytest

from src.base import paths
from tests.checkouts import Checkout

METADATA, METRICS = (paths.relative(path) for path in (paths.METADATA, paths.METRICS))
FIND = "from src.monitoring.reference import find_reference as f; print(f('1.0.0').promoted.version)"


@pytest.fixture
def repository(two_versions: Checkout, tmp_path: Path) -> Checkout:
    """One whose metadata and metrics were damaged in a commit, and which has tags that no promotion made."""
    checkout = two_versions.copy(tmp_path / "repository")
    before = {name: (checkout.root / name).read_bytes() for name in (METADATA, METRICS)}
    for name in before:
        (checkout.root / name).write_text("<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> theirs\n")
    checkout.commit("merge marks")
    for name, content in before.items():
        (checkout.root / name).write_bytes(content)
    checkout.commit("repaired")
    annotated = ("git", "tag", "--annotate", "--force", "--message", "by hand")
    checkout.run(*annotated, "production-ensemble#production#seven")
    checkout.run(*annotated, "production-ensemble@v1.0.0")
    checkout.run("git", "tag", "production-ensemble@v1.1.1")
    return checkout


def src(checkout: Checkout, *command: str) -> tuple[str, list[str]]:
    """Run a command that ends well; return what it prints, and the warnings."""
    line = ["python", "-m", "src", *command]
    done = subprocess.run(
        line, cwd=checkout.root, env=checkout.environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, [line for line in done.stderr.splitlines() if line.startswith("warning: ")]


def test_the_past_is_named_and_passed_over(repository: Checkout) -> None:
    """By history, promote, rollback and monitor; what was put into production by hand gets a version of its own."""
    marks = repository.run("git", "rev-parse", "HEAD~1").strip()[:7]
    file = repository.root / METADATA
    file.write_text(json.dumps(json.loads(file.read_text()) | {"version": "2.0.0-hotfix"}))
    by_hand = repository.commit("2.0.0-hotfix")[:7]
    commits = {f"warning: commit {commit} is passed over, it holds no" for commit in (by_hand, marks)}
    named = (
        "#production#seven is ignored, its name",
        "@v1.0.0 is ignored, its commit",
        "@v1.1.1 is ignored, it is not",
    )
    tags = {f"warning: the tag production-ensemble{words}" for words in named}

    def assert_named(warnings: list[str], expected: set[str]) -> None:
        assert len(warnings) == len(expected)
        assert all(any(line.startswith(words) for line in warnings) for words in expected), warnings

    shown, warnings = src(repository, "history", "--json")
    assert [(version["version"], version["in_production"]) for version in json.loads(shown)["versions"]] == [
        ("1.1.0", False),
        ("1.0.0", False),
    ]
    assert_named(warnings, commits)
    promoted, warnings = src(repository, "promote", "--as-first", "--json")
    assert json.loads(promoted)["version"] == "1.1.2"
    assert_named(warnings, commits | tags)
    assert repository.run("git", "tag", "--points-at", "HEAD").split() == [
        "production-ensemble#production#3",
        "production-ensemble@v1.1.2",
    ]
    rolled_back, warnings = src(repository, "rollback", "1.0.0", "--json")
    assert json.loads(rolled_back)["version"] == "1.0.0"
    assert_named(warnings, commits | tags)
    first = json.loads(src(repository, "history", "--json")[0])["versions"][-1]["commit"]
    assert "production-ensemble#production#4" in repository.run("git", "tag", "--points-at", first)
    assert repository.python(FIND).startswith("1.0.0")


def test_a_version_by_hand_is_not_brought_back(repository: Checkout) -> None:
    """Its tag would be none that a promotion gives; nothing changes."""
    file = repository.root / METADATA
    before = file.read_bytes()
    file.write_text(json.dumps(json.loads(before) | {"version": "2.0.0-hotfix"}))
    repository.commit("2.0.0-hotfix")
    file.write_bytes(before)
    repository.commit("repaired")
    state = repository.git_state()
    refused = repository.run("python", "-m", "src", "rollback", "HEAD~1", expect=2)
    assert "error: HEAD~1 holds version 2.0.0-hotfix, expected one such as 1.0.2; `python -m src history`" in refused
    assert repository.git_state() == state
