"""`publish` between two clones, with real git, real DVC and remotes of both."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from src.base import paths
from tests.checkouts import Checkout
from tests.remotes import closed_port, point

MODEL = paths.relative(paths.ENSEMBLE)
VERIFY = "from src.ml.ensemble import ProductionEnsemble as P; print(P().get_model_info()['version'])"


@pytest.fixture
def mine(promoted: Checkout, two_versions: Checkout, tmp_path: Path) -> Checkout:
    """A clone that published version 1.0.0, and promoted 1.1.0; its remote of DVC is a folder."""
    mine = two_versions.copy(tmp_path / "mine")
    shutil.copytree(promoted.root / ".dvc-remote", tmp_path / "objects")
    point(mine, {"url": str(tmp_path / "objects")})
    mine.run("git", "init", "--quiet", "--bare", "--initial-branch", "main", str(tmp_path / "origin.git"))
    mine.run("git", "remote", "add", "origin", f"file://{tmp_path}/origin.git")
    tags = (f"refs/tags/production-ensemble{name}" for name in ("@v1.0.0", "#production#1"))
    mine.run("git", "push", "--quiet", "origin", "HEAD~2:refs/heads/main", *tags)
    mine.run("git", "branch", "--quiet", "--set-upstream-to", "origin/main")
    return mine


def clone(mine: Checkout, name: str) -> Checkout:
    """Clone what is published, as a colleague with a machine of his own does."""
    folder = mine.root.parent
    Checkout(folder).run("git", "clone", "--quiet", f"file://{folder}/origin.git", name)
    shutil.copy(mine.root / ".dvc" / "config.local", folder / name / ".dvc")
    return Checkout(folder / name)


def publish(checkout: Checkout, expect: int = 0) -> str:
    return checkout.run("python", "-m", "src", "publish", expect=expect)


def head(checkout: Checkout) -> str:
    return checkout.run("git", "rev-parse", "HEAD").strip()


def somebody_promotes(mine: Checkout) -> Checkout:
    """Another candidate than ours, from what is published."""
    other = clone(mine, "other")
    other.run("dvc", "pull")
    other.set_params({("train", "rf", "n_estimators"): 12})
    other.repro()
    other.commit("candidate")
    shown = other.run("python", "-m", "src", "promote")
    assert "Version 1.1.0 is in production; `python -m src publish` tells the others." in shown
    return other


def there(checkout: Checkout) -> dict[str, str]:
    """Every ref of the remote."""
    lines = checkout.run("git", "ls-remote", "origin", "refs/*").splitlines()
    return {ref: found for found, ref in (line.split("\t") for line in lines)}


def serves(newcomer: Checkout, commit: str) -> str:
    """Check a commit out, pull it, and return the version that its model says."""
    newcomer.run("git", "checkout", "--quiet", commit)
    newcomer.run("dvc", "pull")
    return newcomer.python(VERIFY).strip()


def hook(checkout: Checkout, script: str) -> Path:
    """Have something happen just before git pushes."""
    file = checkout.root / ".git" / "hooks" / "pre-push"
    file.write_text(f"#!/bin/sh\nunset GIT_DIR\n{script}\n")
    file.chmod(0o755)
    return file


def test_whoever_comes_second_is_told_how_to_go_on(mine: Checkout) -> None:
    """Both promoted 1.1.0. The commands that are printed, run as they are, end well: every version can be served."""
    other = somebody_promotes(mine)
    first = head(mine)
    assert publish(mine).startswith("origin has main at ")
    refs, before = there(mine), other.git_state()[:3]
    said = publish(other, expect=2)
    assert said.startswith("error: origin has commits of main that this clone lacks and gave production-ensemble")
    assert (there(mine), other.git_state()[:3]) == (refs, before)
    other.run("sh", "-c", said.split("`")[1])
    second = head(other)
    mine.run("git", "pull", "--quiet", "--ff-only")
    newcomer = clone(mine, "newcomer")
    assert [serves(newcomer, commit) for commit in (first, second)] == ["1.1.0", "1.2.0"]
    found = there(mine)
    assert [found[f"refs/tags/production-ensemble@v{version}^{{}}"] for version in ("1.1.0", "1.2.0")] == [
        first,
        second,
    ]
    assert found["refs/heads/main"] == found["refs/tags/production-ensemble#production#3^{}"] == second
    assert newcomer.run("git", "log", "--format=%s", "--", paths.relative(paths.METADATA)).split("\n")[:3] == [
        "Promote 1.2.0",
        "Promote 1.1.0",
        "Promote 1.0.0",
    ]


def test_every_promotion_that_is_not_published_can_be_pulled(mine: Checkout) -> None:
    """Not only what the work tree holds: a promotion, and a rollback; run again, nothing is left to do."""
    commits = [head(mine)]
    assert "`python -m src publish` tells the others." in mine.run("python", "-m", "src", "rollback", "1.0.0")
    commits.append(head(mine))
    published = json.loads(mine.run("sh", "-c", "python -m src publish --json 2>/dev/null"))
    assert (published["commit"], published["commits"]) == (commits[-1], 3)
    names = ("#production#2", "#production#3", "@v1.1.0")
    assert published["tags"] == [f"production-ensemble{name}" for name in names]
    newcomer = clone(mine, "newcomer")
    assert [serves(newcomer, commit) for commit in commits] == ["1.1.0", "1.0.0"]
    refs = there(mine)
    assert "Nothing to publish: origin has main and its tags, DVC's remote has the objects." in publish(mine)
    assert there(mine) == refs


def test_a_rollback_is_done_again_on_what_the_others_promoted(mine: Checkout) -> None:
    """By the commands that are printed, as they are."""
    mine.run("python", "-m", "src", "rollback", "1.0.0")
    publish(somebody_promotes(mine))
    mine.run("sh", "-c", publish(mine, expect=2).split("`")[1])
    newcomer = clone(mine, "newcomer")
    assert serves(newcomer, "main") == "1.0.0"
    assert newcomer.run("git", "log", "-2", "--format=%s").split("\n")[0] == "Roll back to 1.0.0"
    assert serves(newcomer, "production-ensemble@v1.1.0") == "1.1.0"


def test_a_race_at_the_push_leaves_nothing_half_out(mine: Checkout) -> None:
    """Somebody pushes after the question: the same words, and the commands merge what they pushed."""
    other = clone(mine, "other")
    promoted = head(mine)
    file = hook(mine, f"cd '{other.root}' && git commit --quiet --allow-empty --message typo && git push --quiet")
    said = publish(mine, expect=2).splitlines()[-1]
    file.unlink()
    assert "neither branch nor tags were published; pushed objects stay on DVC's remote, where no commit names" in said
    assert "refs/tags/production-ensemble@v1.1.0" not in there(mine)
    mine.run("sh", "-c", said.split("`")[1])
    assert there(mine)["refs/tags/production-ensemble@v1.1.0^{}"] == promoted
    newcomer = clone(mine, "newcomer")
    assert [serves(newcomer, commit) for commit in (promoted, "main")] == ["1.1.0", "1.1.0"]


@pytest.mark.parametrize(
    ("script", "expect", "words"),
    [
        pytest.param("exit 1", 2, "origin did not take it: `git push --quiet --atomic origin ", id="refused"),
        pytest.param(
            "git push --quiet --no-verify --atomic --follow-tags; exit 1", 0, "origin has main at ", id="answer lost"
        ),
        pytest.param("kill -TERM $(ps -o ppid= -p $PPID)", 143, "", id="killed"),
        pytest.param("python -m src publish 2>../second; exit 0", 0, "origin has main at ", id="twice"),
    ],
)
def test_what_was_stopped_is_completed_by_the_next_run(script: str, expect: int, words: str, mine: Checkout) -> None:
    """Between objects and git, while a second one is refused, or before the answer came."""
    commit = head(mine)
    file = hook(mine, script)
    command = subprocess.run(
        ["python", "-m", "src", "publish"],
        cwd=mine.root,
        env=mine.environment(is_warm=False),
        capture_output=True,
        text=True,
        check=False,
    )
    file.unlink()
    assert (command.returncode, words in command.stdout + command.stderr) == (expect, True), command.stderr
    assert not (mine.root / ".git" / "publish").exists()
    if "second" in script:
        second = (mine.root.parent / "second").read_text()
        assert "error: another promotion, rollback, publication or prune is at work in this clone" in second
    publish(mine)
    assert there(mine)["refs/heads/main"] == there(mine)["refs/tags/production-ensemble@v1.1.0^{}"] == commit
    assert serves(clone(mine, "newcomer"), "main") == "1.1.0"


def test_what_git_has_and_dvc_lacks_is_sent(mine: Checkout) -> None:
    """Somebody pushed to git alone; the branch's newest objects, and tags, arrive."""
    mine.run("git", "push", "--quiet", "origin", "main")
    assert "objects, then 0 commits and the tags production-ensemble#production#2, production-en" in publish(mine)
    assert serves(clone(mine, "newcomer"), "production-ensemble@v1.1.0") == "1.1.0"


def no_remote_of_dvc(mine: Checkout) -> None:
    (mine.root / ".dvc" / "config.local").write_text("[core]\n    remote = nowhere\n")


def a_model_is_gone(mine: Checkout) -> None:
    """Of a promotion before the newest commit."""
    mine.run("python", "-m", "src", "rollback", "1.0.0")
    mine.object_file(MODEL, revision="HEAD~1").unlink()


def a_dirty_tree(mine: Checkout) -> None:
    (mine.root / "README.md").write_text("mine")


def no_server(mine: Checkout) -> None:
    point(mine, {"url": "s3://models/dvc", "endpointurl": f"http://127.0.0.1:{closed_port()}"})


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        pytest.param(no_remote_of_dvc, "DVC cannot be asked for the files (", id="no remote"),
        pytest.param(no_server, "DVC cannot be asked for the files (", id="no server"),
        pytest.param(a_model_is_gone, f"neither the cache nor the remote has {MODEL}", id="gone"),
        pytest.param(a_dirty_tree, "expected a clean work tree, 1 paths differ", id="dirty"),
    ],
)
def test_what_is_refused(prepare: Callable[[Checkout], None], words: str, mine: Checkout) -> None:
    """In one line, with nothing published, and this clone as it was."""
    prepare(mine)
    refs, before = there(mine), mine.git_state()
    said = publish(mine, expect=2).splitlines()
    assert len(said) == 1
    assert words in said[0]
    assert (there(mine), mine.git_state()) == (refs, before)
    assert not (mine.root / ".git" / "publish").exists()
