"""What a year of weeks is lived on: a clone, its remotes beside it, an exchange, and what a week's timer does."""

import json
import os
import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd

from src.base import paths, tables
from tests.checkouts import Checkout, copy_work_tree
from tests.exchange_server import Bitbank, rows_of, serve
from tests.faults.publications import hub, use_hub
from tests.faults.trees import STAND_IN
from tests.faults.world import METADATA, Ended, ask, changes, head, promoted_version, src
from tests.folders import served

FIRST_MONDAY = datetime(2018, 3, 5, tzinfo=UTC)
WEEK = timedelta(weeks=1)
# Years are shorter than the weeks from here to today.
BEFORE = datetime.now(UTC) - 60 * WEEK
KEEP = 3
# The folders in .git of the commands that have one, each with a lock of its name beside it.
WORK_IN = ("retrain", "publish", "rerun")
# As in params.yaml, but for the first bar that is answered.
WARM_UP = timedelta(hours=499)
EXCHANGE = {
    ("data", "source"): "ccxt",
    ("data", "symbol"): "BTC/JPY",
    ("data", "start"): "2017-07-08T00:00:00Z",
    ("data", "end"): f"{FIRST_MONDAY:%Y-%m-%dT%H:%M:%SZ}",
    # Bars of years ago.
    ("gate", "newest_bar_age_max_h"): 1e6,
    ("monitor", "late_bars_max"): 1_000_000,
    # As many bars every week.
    ("retrain", "window_days"): 240,
    # Fewer would be refused in most weeks.
    ("train", "rf", "n_estimators"): 30,
    ("train", "lgbm", "n_estimators"): 20,
    ("train", "xgb", "n_estimators"): 20,
}


@dataclass(frozen=True)
class Watched(Checkout):
    """A checkout whose programs ask the stand-in of the exchange, and whose commits are of a day."""

    day: datetime

    def environment(self, *, is_warm: bool = True) -> dict[str, str]:
        """Add the exchange's address and the day."""
        dates = dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), f"{self.day:%s} +0000")
        return super().environment(is_warm=is_warm) | {"PYTHONPATH": str(STAND_IN)} | dates


@dataclass
class Year:
    """The repository of the owner, its remotes beside it, and what happens in a week."""

    root: Path
    exchange: Bitbank
    random: random.Random
    bars: pd.DataFrame
    week: int = 0
    sizes: list[dict[str, float]] = field(default_factory=list)

    @property
    def user(self) -> Checkout:
        """The clone that retrains."""
        return Watched(self.root / "user", self.day)

    @property
    def day(self) -> datetime:
        """When the week's commits and objects were made, so that those of the first weeks are old in the last."""
        return BEFORE + self.week * WEEK

    @property
    def monday(self) -> datetime:
        """The end of the week's bars."""
        return FIRST_MONDAY + self.week * WEEK

    @property
    def served(self) -> Path:
        """What a bot reads."""
        return self.root / "served"

    @property
    def log(self) -> Path:
        """What a bot wrote."""
        return self.root / "predictions.jsonl"

    def colleague(self) -> Checkout:
        """Return a clone with all that was published."""
        clone = Watched(self.root / "colleague", self.day)
        if not clone.root.exists():
            self.user.run("git", "clone", "--quiet", "../origin.git", str(clone.root))
            use_hub(clone)
        clone.run("git", "pull", "--quiet", "--ff-only", "--no-tags")
        return clone

    def newcomer(self) -> Checkout:
        """Return a clone without a cache."""
        clone = Checkout(self.root / "newcomer")
        shutil.rmtree(clone.root, ignore_errors=True)
        self.user.run("git", "clone", "--quiet", "../origin.git", str(clone.root))
        use_hub(clone)
        return clone

    def retrain_command(self) -> tuple[str, ...]:
        """The command of this week."""
        return ("python", "-m", "src", "retrain", "--end", f"{self.monday:%Y-%m-%dT%H:%M:%SZ}")

    def retrain(self, **environment: str) -> Ended:
        """Retrain on the week's bars."""
        return ask(self.user, *self.retrain_command(), **environment)

    def retrain_to_the_end(self) -> None:
        """Retrain; the gate may say no."""
        assert_judged(self.retrain())

    def recent_bars(self) -> Path:
        """Write the bars that the bot saw this week, and those before that it needs."""
        file = self.root / "recent.parquet"
        recent = self.bars.loc[self.monday - WEEK - WARM_UP : self.monday - timedelta(hours=1)]
        tables.write_frame(recent, file)
        return file

    def job(self) -> None:
        """Do what a week's timer does, to its end: retrain, deploy, predict."""
        self.retrain_to_the_end()
        assert src(self.user, "deploy", str(self.served), "--keep", str(KEEP)).status == 0
        done = src(self.user, "predict", str(self.recent_bars()), "--log", str(self.log))
        assert done.status == 0, done.said
        self.grow_old()

    def grow_old(self) -> None:
        """Date the objects of this week as its commits."""
        at = self.day.timestamp()
        for folder in (self.root / "user" / ".dvc" / "cache", self.root / "store"):
            for file in folder.rglob("*"):
                if file.lstat().st_mtime > at and file.is_file():
                    os.utime(file, (at, at))

    def check(self) -> None:
        """Nothing is half done: here and on the remote the same, whole, and served; no lock, no folder left."""
        user = self.user
        assert changes(user) == ""
        assert head(user) == user.run("git", "ls-remote", "origin", "refs/heads/main").split()[0]
        version = json.loads((user.root / METADATA).read_text())["version"]
        assert promoted_version(user) == served(self.served) == version
        left = self._left_in_git()
        assert not left, f"left in .git: {left}"

    def _left_in_git(self) -> list[Path]:
        folder = self.user.root / ".git"
        left = [*folder.rglob("*.lock"), *folder.glob("unfinished.json")]
        left += [path for name in WORK_IN for path in folder.glob(f"{name}/*")]
        # The system drops these locks; their files stay.
        return [path for path in left if path.parent != folder or path.stem not in {*WORK_IN, "production"}]

    def measure(self, seconds: float) -> dict[str, float]:
        """Return what there is now, and how long the week's job took."""
        user = self.user.root
        return {
            "seconds": seconds,
            "cache, KiB": _kib(user / ".dvc" / "cache"),
            "remote, KiB": _kib(self.root / "store"),
            "git, KiB": _kib(user / ".git"),
            "reports, KiB": _kib(user / "reports") + _kib(user / "logs"),
            "prediction log, KiB": _kib(self.log),
            "served folder, KiB": _kib(self.served),
            "left in .git, files": len(self._left_in_git()),
        }


def assert_judged(done: Ended) -> None:
    """Assert that a retraining ended, with a model or with the gate's no."""
    assert done.status == 0 or (done.status == 1 and "Not promoted: " in done.said), done.said


def _kib(path: Path) -> float:
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.lstat().st_size for file in files if file.is_file()) / 1024


def build(root: Path) -> None:
    """Build a hub whose first model was promoted, on bars of the exchange."""
    origin = copy_work_tree(root / "first")
    for path in (paths.METADATA, paths.TRIALS):
        (origin.root / paths.relative(path)).unlink()
    origin.run("git", "commit", "--quiet", "--amend", "--all", "--no-edit")
    origin = Watched(origin.root, BEFORE)
    origin.make_small(EXCHANGE)
    origin.repro()
    origin.promote("first")
    hub(root, origin)


@contextmanager
def exchange(bars: pd.DataFrame) -> Iterator[Bitbank]:
    """Answer with the bundled bars, whole: the hours that they lack are as the hour before."""
    with serve() as stand_in:
        stand_in.row_at = rows_of(bars)
        stand_in.now = bars.index[-1].to_pydatetime().astimezone(UTC)
        os.environ["EXCHANGE_URL"] = stand_in.http.url_for("").rstrip("/")
        try:
            yield stand_in
        finally:
            del os.environ["EXCHANGE_URL"]
