"""Weeks in the life of the model, on one machine: a git remote, S3, and an exchange's stand-in."""

import json
import signal
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from src.base import paths
from tests.checkouts import Checkout, copy_work_tree
from tests.exchange_server import Bitbank, Rows, rows_of, serve
from tests.remotes import S3Remote, point

STAND_IN = Path(__file__).parents[1] / "stand_in"
METADATA = paths.relative(paths.METADATA)
VERIFY = "from src.ml.ensemble import ProductionEnsemble as P; print(P().get_model_info()['version'])"
# Of the bundled bars; a first model on the first of these Mondays, the others are weeks of the story.
FIRST, PROMOTED, REFUSED, TROUBLED, LAST = "2017-12-04", "2017-12-11", "2017-12-18", "2017-12-25", "2018-01-08"
EXCHANGE = {
    ("data", "source"): "ccxt",
    ("data", "symbol"): "BTC/JPY",
    ("data", "start"): "2017-07-02T00:00:00Z",
    ("data", "end"): f"{FIRST}T00:00:00Z",
    # Bars of years ago.
    ("gate", "newest_bar_age_max_h"): 1e6,
    ("monitor", "late_bars_max"): 1_000_000,
}


@pytest.fixture
def bitbank(bars: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bitbank]:
    """An exchange whose bars are the bundled ones, and which the children of this process ask."""
    with serve() as exchange:
        exchange.row_at = rows_of(bars)
        exchange.now = datetime(2018, 1, 9, tzinfo=UTC)
        monkeypatch.setenv("EXCHANGE_URL", exchange.http.url_for("").rstrip("/"))
        monkeypatch.setenv("PYTHONPATH", str(STAND_IN))
        yield exchange


@pytest.fixture
def user(bitbank: Bitbank, s3: S3Remote, tmp_path: Path) -> Checkout:
    """A clone of a bare git remote on which the first model was promoted."""
    origin = copy_work_tree(tmp_path / "first")
    for path in (paths.METADATA, paths.TRIALS):
        (origin.root / paths.relative(path)).unlink()
    origin.run("git", "commit", "--quiet", "--amend", "--all", "--no-edit")
    origin.make_small(EXCHANGE)
    origin.repro()
    point(origin, s3.options)
    origin.promote("first")
    origin.run("git", "clone", "--quiet", "--bare", ".", str(tmp_path / "origin.git"))
    clone = Checkout(tmp_path / "user")
    origin.run("git", "clone", "--quiet", str(tmp_path / "origin.git"), str(clone.root))
    point(clone, s3.options)
    return clone


def retrain(user: Checkout, end: str, *options: str, expect: int = 0) -> str:
    return user.run("python", "-m", "src", "retrain", "--end", f"{end}T00:00:00Z", *options, expect=expect)


def report_of(user: Checkout) -> dict:
    return json.loads((user.root / "reports" / "retrain.json").read_text())


def state(user: Checkout) -> dict[str, str]:
    """What a run that promotes nothing leaves as it was: here and on the git remote."""
    asked = {"here": ("rev-parse", "HEAD"), "changes": ("status", "--porcelain"), "there": ("ls-remote", "origin")}
    return {name: user.run("git", *command) for name, command in asked.items()}


def negative(rows: Rows) -> Rows:
    return [["-1", *row[1:]] for row in rows]


def start(user: Checkout, end: str) -> subprocess.Popen:
    command = ["python", "-m", "src", "retrain", "--end", f"{end}T00:00:00Z"]
    return subprocess.Popen(
        command, cwd=user.root, env=user.environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def wait_for(words: str, process: subprocess.Popen) -> None:
    """Read what the process prints until it says these words."""
    assert any(words in line for line in process.stdout)


@pytest.mark.endure
def test_weeks(user: Checkout, bitbank: Bitbank, s3: S3Remote, tmp_path: Path) -> None:
    """Every week ends as it should, and at the end every commit can be had and history tells what was."""
    promotes(user)
    refuses(user, bitbank)
    fails_half_way(user, bitbank)
    is_killed(user)
    goes_on_while_another_is_refused(user)
    rolls_back(user)
    published = s3.names()
    comes_second(user, tmp_path)
    finds_damage(user, s3, set(s3.names()) - set(published))
    goes_on(user)
    every_commit_serves(user, s3, tmp_path)


def promotes(user: Checkout) -> None:
    """A week's bars are fetched, a model of them published, and this clone follows."""
    said = retrain(user, PROMOTED)
    assert "Version 1.0.1 is in production." in said
    assert user.python(VERIFY).strip() == "1.0.1"
    assert state(user)["changes"] == ""
    assert user.run("git", "rev-parse", "HEAD", "origin/main").split()[0] in state(user)["there"]
    assert report_of(user)["outcome"] == "promoted"


def refuses(user: Checkout, bitbank: Bitbank) -> None:
    """The gate says no: exit status 1, the reasons kept, nothing moved; only days that are new were asked for."""
    ask_for(user, 1.0)
    before = state(user)
    bitbank.asked.clear()
    said = retrain(user, REFUSED, expect=1)
    assert "error: Not promoted: " in said
    assert state(user) == before
    assert report_of(user)["outcome"] == "refused"
    assert "Kept what is in production" in (user.root / "reports" / "retrain.md").read_text()
    # The newest kept day is asked for again: it must not have changed.
    assert bitbank.asked == ["pairs", *(f"201712{day}" for day in range(10, 18))]
    ask_for(user, 0.3)


def ask_for(user: Checkout, f1_score_min: float) -> None:
    """Publish another threshold of the gate."""
    user.set_params({("gate", "f1_score_min"): f1_score_min})
    user.commit(f"Ask for F1 of {f1_score_min}")
    user.run("git", "push", "--quiet")


def fails_half_way(user: Checkout, bitbank: Bitbank) -> None:
    """An answer that lies in the middle of the week: exit status 2, and nothing moved."""
    before = state(user)
    bitbank.lie("20171221", negative)
    said = retrain(user, TROUBLED, expect=2)
    assert "1h bars of 2017-12-21: " in said
    assert state(user) == before
    assert report_of(user)["outcome"] == "failed"


def is_killed(user: Checkout) -> None:
    """Without a chance to clear away; its children work on."""
    before = state(user)
    process = start(user, TROUBLED)
    wait_for("Running stage 'train_rf'", process)
    process.kill()
    process.communicate()
    assert state(user) == before
    assert (user.root / ".git" / "retrain").exists()


def goes_on_while_another_is_refused(user: Checkout) -> None:
    """Of two at once one says so; the other clears away what the killed run left, and itself when it is told to end."""
    before = state(user)
    first = start(user, TROUBLED)
    wait_for("Running stage", first)
    assert "another retrain is at work in this clone" in retrain(user, TROUBLED, expect=2)
    wait_for("Running stage", first)
    first.terminate()
    first.communicate()
    assert first.returncode == 128 + signal.SIGTERM
    assert report_of(user)["words"] == "interrupted"
    assert state(user) == before
    assert not (user.root / ".git" / "retrain").exists()


def rolls_back(user: Checkout) -> None:
    """The first model comes back, for everybody."""
    user.run("python", "-m", "src", "rollback", "1.0.0")
    user.run("git", "push", "--quiet", "--atomic", "--follow-tags")
    assert user.python(VERIFY).strip() == "1.0.0"


def comes_second(user: Checkout, tmp_path: Path) -> None:
    """Somebody else pushes while the model is being made: exit status 2, and only what they pushed is published."""
    other = Checkout(tmp_path / "other")
    user.run("git", "clone", "--quiet", str(tmp_path / "origin.git"), str(other.root))
    hook = user.root / ".git" / "hooks" / "pre-push"
    push = "git commit --quiet --allow-empty -m first && git push --quiet"
    hook.write_text(f"#!/bin/sh\nunset GIT_DIR\ncd {other.root} && {push}\n")
    hook.chmod(0o755)
    before = state(user)
    assert "origin did not take it, nothing was published; if somebody else was first" in retrain(user, LAST, expect=2)
    hook.unlink()
    there = other.run("git", "rev-parse", "HEAD").strip()
    assert {**before, "there": ""} == {**state(user), "there": ""}
    assert state(user)["there"] == before["there"].replace(before["here"].strip(), there)


def finds_damage(user: Checkout, s3: S3Remote, pushed: set[str]) -> None:
    """An object that is on the remote already, changed since: nothing is published before it is mended by hand."""
    damaged = max(pushed, key=lambda name: len(s3.read(name)))
    s3.tamper(damaged)
    before = state(user)
    assert "delete the damaged one on the remote, and run it again" in retrain(user, LAST, expect=2)
    assert state(user) == before
    s3.delete(damaged)


def goes_on(user: Checkout) -> None:
    """The next week is compared with the model that came back, on what the others pushed."""
    assert "Version 1.0.2 is in production." in retrain(user, LAST)
    assert "first" in user.run("git", "log", "--format=%s").splitlines()
    assert state(user)["changes"] == ""


def every_commit_serves(user: Checkout, s3: S3Remote, tmp_path: Path) -> None:
    """A newcomer pulls each commit and loads its model, which answers its known rows; history knows the versions."""
    newcomer = Checkout(tmp_path / "newcomer")
    user.run("git", "clone", "--quiet", str(tmp_path / "origin.git"), str(newcomer.root))
    point(newcomer, s3.options)
    promotions = newcomer.run("git", "rev-list", "--reverse", "HEAD", "--", METADATA).split()
    for commit in [promotions[0], *newcomer.run("git", "rev-list", f"{promotions[0]}..HEAD").split()]:
        newcomer.run("git", "checkout", "--quiet", commit)
        newcomer.run("dvc", "pull")
        version = json.loads((newcomer.root / METADATA).read_text())["version"]
        assert newcomer.python(VERIFY).strip() == version
    newcomer.run("git", "checkout", "--quiet", "main")
    versions = json.loads(newcomer.run("python", "-m", "src", "history", "--json"))["versions"]
    assert [version["version"] for version in versions] == ["1.0.2", "1.0.1", "1.0.0"]
