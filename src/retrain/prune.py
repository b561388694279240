"""Bound what grows: delete what neither a promotion, nor a branch, nor the last weeks need.

Deleted is only what a dvc.lock of this repository, or DVC's memory of a run of it, says that the pipeline made. What
is deleted follows from git alone, and DVC's memory of a run goes after the objects that it names: a prune that was
killed leaves what the next one deletes.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from btc_signal.times import read_utc, utc_text
from src.base import paths, storage
from src.base.errors import PromotionError, warn, words_of
from src.base.line_log import drop_lines
from src.release.transaction import undisturbed
from src.repo.dvc_lock import files_in
from src.repo.dvc_store import Place, Stored, Stores, opened_stores
from src.repo.git import check_full_history, git
from src.repo.manifests import Named, known_commits, read_named, remote_tips
from src.repo.run_cache import Run, forget, remembered_runs
from src.repo.scratch_folder import lock_out

PLACES: tuple[Place, Place] = ("remote", "cache")
# A clock may be wrong by as much; a moment further ahead says nothing of today.
AHEAD_MAX_S = 86_400
Report = dict[str, Any]


class _Outdated(NamedTuple):
    """What is deleted: objects by place and md5, and runs that DVC remembers."""

    objects: dict[Place, list[str]]
    runs: list[Run]


def prune(weeks: int, *, dry_run: bool, now: datetime | None = None) -> Report:
    """Delete what nothing needs any more from cache, remote and reports; a dry run only says what that is.

    Everything younger than these weeks stays, by the clocks of commits, stores and lines. Returns plain JSON, which is
    also in reports/prune.json, before anything is deleted, and after it. `PromotionError` if it is not sure what is
    needed, or another command is at work, and then nothing is deleted; also if a store refuses to delete.
    """
    check_full_history()
    now_s = (now or datetime.now(UTC)).timestamp()
    with _exclusive() as stores:
        commits = known_commits()
        elsewhere = remote_tips(git("remote").splitlines(), commits)
        listed = {place: stores.listed(place) for place in PLACES}
        since = _since(commits, listed, now_s, weeks)
        named = read_named(commits, elsewhere, since, paths.METADATA)
        outdated, named = _outdated(stores, listed, named, since)
        report = {
            "outcome": "dry run" if dry_run else "unfinished",
            "weeks": weeks,
            "younger_than": utc_text(datetime.fromtimestamp(since, UTC)),
            "places": _counted(outdated, named, listed, since),
        }
        if dry_run:
            return report
        _record(report, outdated)
        refused = _delete(stores, outdated, since)
        report["outcome"] = "refused" if refused else "done"
        _record(report, outdated)
    if refused:
        msg = f"{len(refused)} objects could not be deleted, {refused[0]} is the first; the others are deleted"
        raise PromotionError(msg)
    return report


def to_delete(objects: Mapping[str, Stored], named: Named, since: float) -> list[str]:
    """Return the objects that the pipeline made, that nothing needs, and that were written before.

    One of which the store does not say when it was written stays.
    """
    old = {one for one, stored in objects.items() if stored.written_s is not None and stored.written_s < since}
    return sorted((old & named.outdated) - named.kept)


@contextmanager
def _exclusive() -> Iterator[Stores]:
    """Open the stores while no other command of this clone changes what is in them or what needs it."""
    with ExitStack() as stack:
        stack.enter_context(lock_out("retrain"))
        stack.enter_context(undisturbed())
        stores = stack.enter_context(opened_stores())
        stack.enter_context(stores.locked())
        yield stores


def _since(commits: Mapping[str, int], listed: Mapping[Place, Mapping[str, Stored]], now_s: float, weeks: int) -> float:
    """Return from when on everything stays, in seconds since 1970.

    The weeks end with the newest commit or object, if that is before this machine's clock: where the clock is ahead,
    nothing is older for it.
    """
    written = [stored.written_s for objects in listed.values() for stored in objects.values()]
    moments = [*commits.values(), *(moment for moment in written if moment is not None)]
    sound = [moment for moment in moments if moment <= now_s + AHEAD_MAX_S]
    if len(sound) < len(moments):
        words = f"{len(moments) - len(sound)} commits or objects are dated after now, {datetime.now(UTC):%Y-%m-%d}"
        warn(f"{words}, and stay: a clock is wrong, or was")
    return min(now_s, max(sound, default=0.0)) - timedelta(weeks=weeks).total_seconds()


def _outdated(
    stores: Stores, listed: Mapping[Place, Mapping[str, Stored]], named: Named, since: float
) -> tuple[_Outdated, Named]:
    """Choose what is deleted, and add to what is named what runs that DVC remembers and folders name."""
    runs = list(remembered_runs(stores.runs, named.kept))
    made = named.outdated.union(*(run.made for run in runs))
    there = listed["cache"].keys() | listed["remote"].keys()
    kept = named.kept | _files(stores, named.kept & there)
    named = Named(kept, (made | _files(stores, (made - kept) & there)) - kept)
    objects = {place: to_delete(listed[place], named, since) for place in PLACES}
    left = kept.union(*(listed[place].keys() - set(objects[place]) for place in PLACES))
    old_runs = [run for run in runs if not run.made <= left and run.file.stat().st_mtime < since]
    return _Outdated(objects, old_runs), named


def _files(stores: Stores, digests: Iterable[str]) -> set[str]:
    """Return the files of those outputs that are folders."""
    folders = {digest: stores.read(digest) for digest in digests if digest.endswith(".dir")}
    return set().union(*(files_in(content, digest) for digest, content in folders.items() if content is not None))


def _delete(stores: Stores, outdated: _Outdated, since: float) -> list[str]:
    """Delete, runs after the objects that they name; return what the stores refused."""
    refused = [words for place in PLACES for words in stores.delete(place, outdated.objects[place])]
    if not refused:
        for run in outdated.runs:
            forget(run)
    if any(_is_old(line, since) for line in _history()):
        drop_lines(paths.MONITOR_HISTORY, lambda line: _is_old(line, since))
    return refused


def _record(report: Report, outdated: _Outdated) -> None:
    """Name what is deleted, by place and md5, in reports/prune.json; a disk that is full must not keep it from that."""
    try:
        storage.write_json(report | {"objects": outdated.objects}, paths.PRUNE)
    except OSError as error:
        warn(f"{paths.relative(paths.PRUNE)} cannot be written ({words_of(error)}); what is deleted is not recorded")


def _history() -> list[bytes]:
    """Read the ended lines of the monitor's history."""
    lines = paths.MONITOR_HISTORY.read_bytes().splitlines(keepends=True) if paths.MONITOR_HISTORY.is_file() else []
    return [line for line in lines if line.endswith(b"\n")]


def _is_old(line: bytes, since: float) -> bool:
    """Tell whether a line is a look of before; what is no look is not ours to judge."""
    try:
        looked_at = read_utc(json.loads(line)["looked_at"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return False
    return looked_at is not None and looked_at.timestamp() < since


def _counted(outdated: _Outdated, named: Named, listed: Mapping[Place, Mapping[str, Stored]], since: float) -> Report:
    """Count by place what stays, what goes, and what is not ours."""
    counted: dict[str, dict[str, dict[str, int]]] = {}
    for place in PLACES:
        objects, goes = listed[place], set(outdated.objects[place])
        ours = objects.keys() & (named.kept | named.outdated)
        parts = {"kept": ours - goes, "to_delete": goes, "not_ours": objects.keys() - ours}
        counted[place] = {name: _amount(objects[one].n_bytes for one in found) for name, found in parts.items()}
    counted["runs"] = {"to_delete": _amount(run.file.stat().st_size for run in outdated.runs)}
    sizes: dict[bool, list[int]] = {False: [], True: []}
    for line in _history():
        sizes[_is_old(line, since)].append(len(line))
    counted["reports"] = {"kept": _amount(sizes[False]), "to_delete": _amount(sizes[True])}
    return counted


def _amount(sizes: Iterable[int]) -> dict[str, int]:
    all_sizes = list(sizes)
    return {"count": len(all_sizes), "n_bytes": sum(all_sizes)}
