"""A retraining that does not get as far as a promotion; tests/e2e/test_weeks.py has those that do."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from tests.checkouts import Checkout

FIRST = "production-ensemble#production#1"


@pytest.fixture
def user(promoted: Checkout, tmp_path: Path) -> Checkout:
    """A clone of a bare git remote with one promoted model."""
    promoted.run("git", "clone", "--quiet", "--bare", str(promoted.root), str(tmp_path / "origin.git"))
    clone = Checkout(tmp_path / "user")
    promoted.run("git", "clone", "--quiet", f"file://{tmp_path}/origin.git", str(clone.root))
    clone.run("dvc", "remote", "modify", "--local", "local", "url", str(promoted.root / ".dvc-remote"))
    return clone


def retrain(checkout: Checkout, *options: str, expect: int = 2) -> str:
    return checkout.run("python", "-m", "src", "retrain", *options, expect=expect)


def state(checkout: Checkout) -> list[str]:
    """What may not change: commit, work tree, tags, and the git remote."""
    asked = (["rev-parse", "HEAD"], ["status", "--porcelain"], ["tag"], ["ls-remote", "origin"])
    return [checkout.run("git", *command) for command in asked]


def dirty(user: Checkout) -> None:
    (user.root / "README.md").write_text("mine")


def detached(user: Checkout) -> None:
    user.run("git", "checkout", "--quiet", "--detach")


def ahead(user: Checkout) -> None:
    (user.root / "README.md").write_text("mine")
    user.commit("only here")


def alone(user: Checkout) -> None:
    user.run("git", "switch", "--quiet", "--create", "mine", "--no-track")


def overtaken(user: Checkout) -> None:
    """Somebody else published other code."""
    other = Checkout(user.root.with_name("other"))
    user.run("git", "clone", "--quiet", str(user.root.with_name("origin.git")), str(other.root))
    with (other.root / "src" / "base" / "errors.py").open("a") as code:
        code.write("# another line\n")
    other.commit("other code")
    other.run("git", "push", "--quiet")


def shallow(user: Checkout) -> None:
    user.run("git", "fetch", "--quiet", "--depth", "1")
    user.run("git", "reflog", "expire", "--expire=now", "--all")


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        pytest.param(dirty, "expected a clean work tree, 1 paths differ", id="dirty"),
        pytest.param(detached, "expected a branch to be checked out", id="detached"),
        pytest.param(
            ahead,
            "expected main as on origin, 1 commits are only here; `python -m src publish`",
            id="ahead",
        ),
        pytest.param(
            alone,
            "mine to follow a branch of a remote; `python -m src publish` makes one",
            id="no upstream",
        ),
        pytest.param(
            overtaken, "origin has other code than this clone (src/base/errors.py); `git pull`", id="other code"
        ),
        pytest.param(shallow, "this clone is shallow; `git fetch --unshallow --tags`", id="shallow"),
    ],
)
def test_what_is_refused_before_anything_is_done(
    prepare: Callable[[Checkout], None], words: str, user: Checkout
) -> None:
    """Exit status 2, a word on the way out, a report, and nothing changed."""
    prepare(user)
    before = state(user)
    assert words in retrain(user, "--end", "2018-01-08T00:00:00Z")
    assert state(user) == before
    report = json.loads((user.root / "reports" / "retrain.json").read_text())
    assert (report["outcome"], words in report["words"], report["gate"]) == ("failed", True, None)
    assert not (user.root / ".git" / "retrain").exists()


@pytest.mark.parametrize(
    ("end", "words"),
    [
        pytest.param("tomorrow", 'error: --end: expected a UTC time such as "2019-10-17T10:00:00Z"', id="no time"),
        pytest.param("2018-01-08T00:00:00", "expected a time in UTC", id="no zone"),
        pytest.param("2017-12-01T00:00:00Z", "expected an end at or after data.end, 2018-01-01T00:00:00Z", id="before"),
    ],
)
def test_an_end_that_cannot_be(end: str, words: str, user: Checkout) -> None:
    """One line says what was expected."""
    before = state(user)
    assert words in retrain(user, "--end", end)
    assert state(user) == before


def test_without_new_bars_there_is_nothing_to_promote(user: Checkout) -> None:
    """All outputs are pulled, no stage runs, and the candidate is the model in production: exit status 0.

    A tag that differs on the remote, or that no promotion made, is named and stops nobody.
    """
    for name in ("production-ensemble@v1.0.0", "production-ensemble#production#seven"):
        user.run("git", "tag", "--annotate", "--force", "--message", "by hand", name, f"{FIRST}^{{commit}}")
    before = state(user)
    said = retrain(user, "--end", "2018-01-01T00:00:00Z", expect=0)
    assert said.count("warning: the tag production-ensemble@v1.0.0 is not the one that origin has, both stay") == 1
    assert said.count("warning: the tag production-ensemble#production#seven is ignored, its name is not one") == 1
    assert "The candidate is the model in production; nothing to promote." in said
    assert "Running stage" not in said
    assert state(user) == before


def test_a_dry_run_stops_after_the_verdict(user: Checkout) -> None:
    """Here a no, as a model is not better than itself; the report has the gate's figures."""
    before = state(user)
    retrain(user, "--dry-run", "--end", "2018-01-01T00:00:00Z", expect=1)
    assert state(user) == before
    report = json.loads((user.root / "reports" / "retrain.json").read_text())
    assert (report["outcome"], report["dry_run"], report["gate"]["verdict"]) == ("refused", True, "no")
    assert "| champion" in (user.root / "reports" / "retrain.md").read_text()


def test_people_are_told_how_it_ended(user: Checkout, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where somebody asked to be; a dead address changes no exit status, and no dry run tells anything."""
    httpserver.expect_request("/hook/s3cret").respond_with_data(status=200)
    (user.root / "README.md").write_text("mine")
    for port, words in ((1, "nobody was told: "), (httpserver.port, "")):
        monkeypatch.setenv("ALERT_URL", f"json://127.0.0.1:{port}/hook/s3cret")
        said = retrain(user)
        assert words in said
        assert "s3cret" not in said
    retrain(user, "--dry-run")
    ((request, _),) = httpserver.log
    told = request.get_json()
    assert (told["title"], told["type"]) == ("The retraining failed", "failure")
    assert "expected a clean work tree" in told["message"]
