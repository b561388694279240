"""Kills in the weeks of a year: a command with all its children, before a write of any of them or at an instant."""

import re
from functools import partial

from tests.faults.kills import AGAIN
from tests.faults.tree_kills import UNLOCKED, unlocked
from tests.faults.trees import Moment, Stopped, killed_tree
from tests.faults.world import ask, promoted_version, src
from tests.faults.year import Year, assert_judged
from tests.faults.year_faults import follow, week_with
from tests.folders import served

VERSION = re.compile(r'"version": "([0-9.]+)"')
MEMBERS = ("lightgbm", "xgboost", "random_forest")


def _moment(year: Year, writes_max: int, seconds_max: float) -> Moment:
    if year.random.random() < 0.5:
        return Moment(write=year.random.randint(1, writes_max))
    return Moment(seconds=year.random.uniform(0, seconds_max))


def _killed(year: Year, moment: Moment, *command: str) -> tuple[Stopped, str]:
    """Kill a command and its children; then run it to its end, and say what that took."""
    run = partial(killed_tree, year.user, year.root, moment, *command)
    stopped, n_locks = unlocked(run, year.user)
    done, more = unlocked(partial(ask, year.user, *command), year.user)
    assert_judged(done)
    return stopped, UNLOCKED if n_locks + more else AGAIN


@week_with("SIGKILL of all", "`retrain` and its children, before a write or at an instant", kills="retrain")
def retrain_killed(year: Year) -> tuple[str, str]:
    """Published whole or not at all."""
    there = year.user.run("git", "ls-remote", "origin", "refs/heads/main")
    run = partial(killed_tree, year.user, year.root, _moment(year, 8000, 20), *year.retrain_command())
    unlocked(run, year.user)
    held = "old" if year.user.run("git", "ls-remote", "origin", "refs/heads/main") == there else "new"
    done, n_locks = unlocked(year.retrain, year.user)
    assert_judged(done)
    follow(year)
    return held, UNLOCKED if n_locks else AGAIN


def _versions(year: Year) -> list[str]:
    """Return the versions of the last promotions, newest first."""
    said = src(year.user, "history", "--json")
    assert said.status == 0, said.said
    return list(dict.fromkeys(VERSION.findall(said.said)))


@week_with("SIGKILL of all", "`rollback` to the version before, then published, and its children", kills="rollback")
def rollback_killed(year: Year) -> tuple[str, str]:
    """The retraining of the week goes on from there."""
    before = _version_before(year)
    stopped, then = _killed(year, _moment(year, 140, 2), "python", "-m", "src", "rollback", before)
    assert promoted_version(year.user) == before
    _publish(year)
    return "old" if stopped.is_killed else "new", then


@week_with("SIGKILL of all", "`promote` of a candidate made by hand, then published, and its children", kills="promote")
def promote_killed(year: Year) -> tuple[str, str]:
    """The retraining of the week goes on from there."""
    user, now = year.user, promoted_version(year.user)
    weights = year.random.choice([(0.2, 0.2, 0.6), (0.3, 0.3, 0.4), (0.5, 0.3, 0.2), (0.1, 0.5, 0.4)])
    user.set_params({("ensemble", "weights"): dict(zip(MEMBERS, weights, strict=True))})
    user.repro()
    user.commit("candidate")
    stopped, then = _killed(year, _moment(year, 300, 3), "python", "-m", "src", "promote")
    if promoted_version(user) == "refused":
        user.run("git", "reset", "--quiet", "--hard", "HEAD~1")
        user.run("dvc", "checkout")
        return "old", f"{then}, which said no; the candidate taken back"
    assert promoted_version(user) != now
    _publish(year)
    return "old" if stopped.is_killed else "new", then


def _publish(year: Year) -> None:
    """Let the others have it."""
    done = src(year.user, "publish")
    assert done.status == 0, done.said


@week_with("SIGKILL of all", "`publish` of a rollback, and its children", kills="publish")
def publish_killed(year: Year) -> tuple[str, str]:
    """Branch and tags are there, or neither; the same command again sends what is lacking."""
    before = _roll_back(year)
    stopped, then = _killed(year, _moment(year, 900, 6), "python", "-m", "src", "publish")
    assert promoted_version(year.user) == before
    return "old" if stopped.is_killed else "new", then


def _version_before(year: Year) -> str:
    now = promoted_version(year.user)
    return next((version for version in _versions(year) if version != now), now)


def _roll_back(year: Year) -> str:
    before = _version_before(year)
    done = src(year.user, "rollback", before)
    assert done.status == 0, done.said
    return before


@week_with("SIGKILL of all", "`deploy` and its children", kills="deploy")
def deploy_killed(year: Year) -> tuple[str, str]:
    """A bot reads one version whole."""
    year.retrain_to_the_end()
    before = served(year.served)
    command = ("python", "-m", "src", "deploy", str(year.served), "--keep", "3")
    killed_tree(year.user, year.root, _moment(year, 45, 0.5), *command)
    version = served(year.served)
    assert version in {before, promoted_version(year.user)}
    assert ask(year.user, *command).status == 0
    return "old" if version == before else "new", AGAIN


PRUNE = ("python", "-m", "src", "prune", "--weeks", "4", "--yes")


@week_with("a prune", "of what is older than four weeks")
def pruned(year: Year) -> tuple[str, str]:
    """What the year's versions need stays."""
    done = ask(year.user, *PRUNE)
    assert done.status == 0, done.said
    return "new", "nothing to do"


@week_with("SIGKILL of all", "`prune --yes` and its children")
def prune_killed(year: Year) -> tuple[str, str]:
    """It deletes what the one that was killed did not reach."""
    stopped, then = _killed(year, _moment(year, 60, 3), *PRUNE)
    return "old" if stopped.is_killed else "new", then
