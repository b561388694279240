"""What happens in the weeks of a year: each disturbs a week, and says what brought it to a good end."""

import subprocess
from collections.abc import Callable
from datetime import timedelta

from tests.exchange_server import Lie, ends_early, promises_more, sends
from tests.faults.damage import HOWS, OUTPUTS, spoil
from tests.faults.fault import Fault
from tests.faults.kills import AGAIN
from tests.faults.points import Points
from tests.faults.tree_kills import UNLOCKED, unlocked
from tests.faults.world import ENSEMBLE, METADATA, Seen, ask, mended, mounted, outs, promoted_version, src
from tests.faults.year import Year, assert_judged
from tests.folders import served

YEAR_FAULTS: list[Fault] = []
NAMED = "nothing to do: named, and skipped"
MARKS = "<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> theirs\n"
Happens = Callable[[Year], tuple[str, str]]
LIES: dict[str, Lie] = {
    "a negative price": lambda rows: [["-1", *row[1:]] for row in rows],
    "a page": sends("<html>maintenance</html>", kind="text/html"),
    "ended early": ends_early,
    "a body cut off": promises_more,
    "highs of 1e99": lambda rows: [[row[0], "1e99", *row[2:]] for row in rows],
    "digits that are not ASCII": lambda rows: [["٤" + row[0][1:], *row[1:]] for row in rows],
}


def week_with(name: str, to: str, *, kills: str = "") -> Callable[[Happens], Happens]:
    """Add what happens to the kinds that are drawn; it returns which state was found, and what brought a good end."""

    def add(happens: Happens) -> Happens:
        def tries(year: Year):
            held, then = happens(year)
            yield Seen(f"week {year.week}", held, then)

        tries.__name__ = f"year_{happens.__name__}"
        YEAR_FAULTS.append(Fault(name, to, tries, kills=kills))
        return happens

    return add


@week_with("nothing", "a quiet week")
def quiet(year: Year) -> tuple[str, str]:
    """As most are."""
    return "new", "nothing to do"


@week_with("damaged commit", "metadata with merge marks, or cut off, repaired in the next commit, both pushed")
def damaged_commit(year: Year) -> tuple[str, str]:
    """It stays in history for ever."""
    clone = year.colleague()
    file = clone.root / METADATA
    whole = file.read_text()
    file.write_text(year.random.choice([MARKS.format(whole, whole), whole[: len(whole) // 2], "[]"]))
    clone.commit("resolve")
    file.write_text(whole)
    clone.commit("repair")
    clone.run("git", "push", "--quiet")
    year.retrain_to_the_end()
    return "new", NAMED


@week_with("foreign tags", "lightweight, malformed, moved or foreign, on the remote")
def foreign_tags(year: Year) -> tuple[str, str]:
    """They take no number and stop nobody."""
    clone = year.colleague()
    kind = year.random.choice(["lightweight", "malformed", "moved", "foreign"])
    name = {
        "lightweight": f"production-ensemble@v9.0.{year.week}",
        "malformed": f"production-ensemble#production#seven{year.week}",
        "moved": "production-ensemble@v1.0.0",
        "foreign": f"other-model@v1.0.{year.week}",
    }[kind]
    how = [] if kind == "lightweight" else ["--annotate", "--message", "by hand"]
    clone.run("git", "tag", "--force", *how, name, "HEAD")
    clone.run("git", "push", "--quiet", "--force", "origin", f"refs/tags/{name}")
    year.retrain_to_the_end()
    return "new", NAMED


@week_with("torn and garbage lines", "in the prediction log")
def damaged_log(year: Year) -> tuple[str, str]:
    """Named once, kept in FILE.rejected; the other lines count."""
    garbage = year.random.choice([b"\0\xff garbage\n", b'{"time": "2099-01-01T00:00:00Z"}\n', b'{"time": \n', b"[]\n"])
    with year.log.open("ab") as log:
        log.write(garbage)
    first, second = (_looked(year) for _ in range(2))
    rejected = f"{year.log.name}.rejected"
    assert (rejected in first, rejected in second) == (True, False), (first, second)
    assert garbage.strip() in year.log.with_name(rejected).read_bytes()
    with year.log.open("ab") as log:
        log.write(b'{"time": "20')  # torn: the next writer mends it
    return "old", "nothing to do: named once, and left out"


def _looked(year: Year) -> str:
    done = src(year.user, "monitor", str(year.log), "--bars", str(year.recent_bars()), "--dry-run")
    assert done.status in {0, 1}, done.said
    return done.said


@week_with("disk full", "`deploy`, to a disk with 4 to 80 KiB left")
def full_disk(year: Year) -> tuple[str, str]:
    """It says so; with room, the same command serves the model."""
    size = f"size={year.random.randint(4, 80)}k"
    with mounted(year.root / "disk", "-t", "tmpfs", "-o", size, "tmpfs") as disk:
        done = src(year.user, "deploy", str(disk))
        assert done.status == 0 or "No space left on device" in done.said, done.said
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        assert src(year.user, "deploy", str(disk)).status == 0
        assert served(disk) == promoted_version(year.user)
    return "old" if done.status else "new", AGAIN


@week_with("killed git", "its locks of the index, HEAD or the branch, under `retrain`")
def git_locks(year: Year) -> tuple[str, str]:
    """Named, with what to do."""
    lock = year.user.root / ".git" / year.random.choice(["index.lock", "HEAD.lock", "refs/heads/main.lock"])
    lock.touch()
    done, n_locks = unlocked(year.retrain, year.user)
    assert_judged(done)
    if lock.exists():  # what was published did not reach this work tree, and the words say how it does
        lock.unlink()
        assert "git pull" in done.said, done.said
    follow(year)
    return "old" if n_locks else "new", UNLOCKED if n_locks else "that lock deleted, `git pull && dvc pull`"


def follow(year: Year) -> None:
    """Do what the words say where the work tree did not follow."""
    year.user.run("git", "pull", "--quiet", "--ff-only", "--no-tags")
    year.user.run("dvc", "pull")


@week_with("remote gone", "that of git or that of DVC, under `retrain`, for a while")
def remote_down(year: Year) -> tuple[str, str]:
    """Nothing is published before both are there."""
    there = year.root / year.random.choice(["origin.git", "store"])
    away = there.with_name("away")
    there.rename(away)
    if there.name == "store":
        there.write_text("no folder")
    done = year.retrain()
    assert done.status == 2, done.said
    assert "error: " in done.said
    if there.name == "store":
        there.unlink()
    away.rename(there)
    return "old", AGAIN


@week_with("remote moved", "a colleague pushes while `retrain` is at work")
def remote_moved(year: Year) -> tuple[str, str]:
    """What they pushed stays, and nothing of ours is there until it is done again."""
    clone = year.colleague()
    clone.run("git", "commit", "--quiet", "--allow-empty", "--message", f"week {year.week}")
    hook = year.user.root / ".git" / "hooks" / "pre-push"
    hook.write_text(f"#!/bin/sh\nunset GIT_DIR\ncd '{clone.root}' && git push --quiet\n")
    hook.chmod(0o755)
    done = year.retrain()
    hook.unlink()
    assert done.status == 2, done.said
    return "old", AGAIN


@week_with("cut off, a bit flipped, gone", "an object in the cache, the work tree's file gone too")
def cache_damaged(year: Year) -> tuple[str, str]:
    """It comes back."""
    user = year.user
    whole, name = outs(user), year.random.choice(sorted(OUTPUTS))
    spoil(user.object_file(name), year.random.choice(HOWS), Points(f"{year.week}"))
    (user.root / name).unlink()
    return "refused", mended(user, whole)


@week_with("gone, a bit flipped", "an object on the remote, pulled by a newcomer")
def remote_damaged(year: Year) -> tuple[str, str]:
    """The one who has it deletes it there and pushes again."""
    there = year.root / "store" / year.user.object_name(ENSEMBLE)
    spoil(there, year.random.choice(("gone", "flipped")), Points(f"{year.week}"))
    visitor = year.newcomer()
    assert ask(visitor, "dvc", "pull").status != 0
    there.unlink(missing_ok=True)
    year.user.run("dvc", "push")
    assert ask(visitor, "dvc", "pull").status == 0
    return "refused", "deleted there, `dvc push`, `dvc pull`"


@week_with("answers that are wrong", "of the exchange: prices, pages, ends; about a day of the week")
def exchange_lies(year: Year) -> tuple[str, str]:
    """Refused in words that name the day."""
    day = year.monday - timedelta(days=year.random.randint(1, 7))
    year.exchange.keep_lying(f"{day:%Y%m%d}", LIES[year.random.choice(sorted(LIES))])
    done = year.retrain()
    assert done.status == 2, done.said
    assert f"{day:%Y-%m-%d}" in done.said, done.said
    year.exchange.lie(f"{day:%Y%m%d}")
    return "old", AGAIN


@week_with("a wrong clock", "commits dated 2001 or 2099")
def clock(year: Year) -> tuple[str, str]:
    """The order of commits decides, not their time."""
    date = f"{year.random.choice([978307200, 4070908800])} +0000"
    done = year.retrain(GIT_COMMITTER_DATE=date, GIT_AUTHOR_DATE=date)
    assert_judged(done)
    return "new", "nothing to do"
