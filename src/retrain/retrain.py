"""Retrain: from new bars to a published model, or to the reasons why not; in a clone, atomic."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from btc_signal.times import utc_text
from src.base import paths, storage
from src.base.errors import GateError, ProjectError, PromotionError
from src.base.foreign_text import inert
from src.gate.gate_report import headline
from src.release.base_commit import Base, find_base
from src.release.transaction import check_committed
from src.repo.git import check_full_history, git, git_config
from src.repo.scratch_folder import exclusive, share_caches
from src.repo.subprocesses import run, run_checked, sigterm_as_exit
from src.retrain.publish import publish_clone
from src.retrain.window import move_window

Report = dict[str, Any]
# Whose commits they are, and how they are signed, where only this clone's own settings say so.
OF_THE_USER = (
    *("user.name", "user.email", "user.signingKey", "commit.gpgSign", "tag.gpgSign"),
    *("gpg.format", "gpg.program", "gpg.openpgp.program", "gpg.ssh.program", "gpg.ssh.defaultKeyCommand"),
)
HEADINGS = {
    "promoted": "Promoted",
    "accepted": "Dry run: would be promoted",
    "unchanged": "Nothing new",
    "refused": "Kept what is in production: the gate says no",
    "failed": "Failed",
}


def retrain(end: datetime | None = None, *, dry_run: bool = False) -> Report:
    """Fetch, reproduce, ask the gate, and on its yes promote and publish; otherwise nothing changes anywhere.

    `end` is the new data.end, UTC; None: as far as there are closed bars, whole days of an exchange. A dry run stops
    after the gate's verdict. Returns plain JSON, as in reports/retrain.json, which is written however this ends;
    reports/retrain.md is for people. `GateError` if the gate says no, `ProjectError` says what else failed.
    """
    with sigterm_as_exit(), exclusive("retrain") as folder, _reported(dry_run=dry_run) as report:
        check_full_history()
        check_committed()
        base = find_base()
        clone = folder / "clone"
        _make_clone(base, clone)
        data = move_window(clone, end, datetime.now(UTC))
        report |= {"base": base.commit, "data": data.model_dump(mode="json")}
        run_checked(clone, "dvc", "repro", "--pull")
        candidate = _commit_all(clone, f"Retrain on bars to {'the last' if data.end is None else utc_text(data.end)}")
        # The remote was asked for the base; the origin of that clone is this one.
        # Every commit that is published holds the model that its metadata describe.
        promote = ("promote", "--offline", "--amend") if candidate != base.commit else ("promote", "--offline")
        _ask_the_gate(clone, ("gate",) if dry_run else promote, report)
        if dry_run:
            report |= {"outcome": "accepted", "words": "The gate says yes; a dry run promotes nothing."}
        elif git("rev-parse", "HEAD", root=clone) == candidate:
            report |= {"outcome": "unchanged", "words": "The candidate is the model in production; nothing to promote."}
        else:
            version = storage.read_json(clone / paths.relative(paths.METADATA))["version"]
            left = publish_clone(clone, base)
            report |= {"outcome": "promoted", "words": f"Version {version} is in production. {left}".strip()}
    return report


def _make_clone(base: Base, root: Path) -> None:
    """Clone the repository at the base, with its user, its remotes, its cache and its kept days of the exchange.

    It is thrown away afterwards: the work tree that it was made from never sees a half-done step.
    """
    # From within the folder, so that the next run finds what a killed one left running.
    git("clone", "--quiet", "--no-checkout", str(paths.ROOT), str(root), root=root.parent)
    git("fetch", "origin", base.ref, root=root)
    git("checkout", "--quiet", "-B", base.branch, base.commit, root=root)
    for key in OF_THE_USER:
        if value := git_config(key):
            git("config", key, value, root=root)
    share_caches(root)


def _commit_all(root: Path, message: str) -> str:
    """Commit what changed, if anything did, and return its last commit."""
    git("add", "--all", root=root)
    if git("status", "--porcelain", root=root):
        git("commit", "--quiet", "--message", message, root=root)
    return git("rev-parse", "HEAD", root=root)


def _ask_the_gate(clone: Path, command: tuple[str, ...], report: Report) -> None:
    """Run `gate` or `promote` in the clone, and keep what the gate wrote."""
    written, in_words = (clone / paths.relative(path) for path in (paths.GATE, paths.GATE_REPORT))
    # The last promotion's report lies there.
    written.unlink(missing_ok=True)
    done = run(clone, "src", *command)
    if written.exists():
        report |= {"gate": storage.read_json(written), "gate_in_words": storage.read_bytes(in_words).decode()}
    if done.status:
        no = report["gate"] is not None and report["gate"]["verdict"] != "yes"
        error = GateError if done.status == GateError.exit_status else PromotionError
        raise error(headline(report["gate"]) if no else done.words)


@contextmanager
def _reported(*, dry_run: bool) -> Iterator[Report]:
    """Yield a report to fill in, and write it however the run ends."""
    report: Report = {
        "outcome": "failed",
        "words": "unexpected error, see the log",
        "dry_run": dry_run,
        "started_at": utc_text(datetime.now(UTC)),
        **dict.fromkeys(("base", "data", "gate", "gate_in_words")),
    }
    try:
        yield report
    except ProjectError as error:
        report |= {"outcome": "refused" if isinstance(error, GateError) else "failed", "words": str(error)}
        raise
    except (KeyboardInterrupt, SystemExit):
        report["words"] = "interrupted"
        raise
    finally:
        report["ended_at"] = utc_text(datetime.now(UTC))
        storage.write_bytes(_markdown(report).encode(), paths.RETRAIN_REPORT)
        storage.write_json(report, paths.RETRAIN)


def _markdown(report: Mapping[str, Any]) -> str:
    """Write the report as Markdown, the gate's own below it."""
    lines = [f"# {HEADINGS[report['outcome']]}", "", inert(report["words"]), ""]
    if data := report["data"]:
        lines += [f"Bars of {inert(data['symbol'])}, {data['timeframe']}, from {data['start']} to {data['end']}.", ""]
    lines += [f"From {report['started_at']} to {report['ended_at']}, on {(report['base'] or 'no commit')[:10]}.", ""]
    return "\n".join(lines) + (f"\n{report['gate_in_words']}" if report["gate_in_words"] else "")
