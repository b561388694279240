"""Change what is in production: promote, retrain, roll back, deploy; and list what was."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from btc_signal.times import read_utc
from src.base import paths
from src.base.errors import DataError, GateError, ProjectError, exit_on_error
from src.commands.shared import AsFirst, Json, Stage, console, print_json, say, tell_people

Offline = Annotated[bool, typer.Option("--offline", help="Do not ask the remote whether it would take the push.")]


def promote(
    *,
    as_first: AsFirst = False,
    amend: Annotated[bool, typer.Option("--amend", help="Into the last commit, if nobody else has it yet.")] = False,
    stage: Annotated[Stage, typer.Option(help="What the version is tagged for.")] = "production",
    offline: Offline = False,
    as_json: Json = False,
) -> None:
    """Ask the gate, and on its yes make the candidate the production model: a commit and its tags, or neither."""
    from src.release.base_commit import how_to_publish
    from src.release.promote import promote as promote_candidate

    with exit_on_error():
        metadata = promote_candidate(as_first=as_first, amend=amend, stage=stage, offline=offline)
        if as_json:
            print_json(metadata)
            return
        words = how_to_publish(offline=offline)
        say(f"Version {metadata['version']} is in production; {words}")
        _say_what_the_statement_lacks(stage)


def publish(*, as_json: Json = False) -> None:
    """Push the objects, prove that a clone without a cache can pull them, then push branch and tags, or neither."""
    from src.retrain.publish import publish as publish_branch

    with exit_on_error():
        published = publish_branch()
        if as_json:
            print_json(published._asdict())
        else:
            say(published.words)


def retrain(
    *,
    end: Annotated[
        str | None, typer.Option(metavar="TIME", help="The new data.end, UTC; without it, the newest closed bar's.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Stop after the gate's verdict.")] = False,
    as_json: Json = False,
) -> None:
    """Fetch, reproduce, then promote and publish if the gate says yes; exit status 1 if it says no, 2 if it failed."""
    from src.retrain.retrain import retrain as retrain_once

    with exit_on_error(), _told(dry_run=dry_run) as told:
        _say_what_the_statement_lacks("production")
        report = retrain_once(_moment(end), dry_run=dry_run)
        told.append(report["words"])
        if as_json:
            print_json(report)
        else:
            say(f"{report['words']} {paths.relative(paths.RETRAIN_REPORT)} has the gate's figures.")


@contextmanager
def _told(*, dry_run: bool) -> Iterator[list[str]]:
    """Tell people how a retraining ended: an error, the gate's no, or the words that were added."""
    words: list[str] = []
    try:
        yield words
    except GateError as error:
        tell_people("warning", "Retrained, not promoted", str(error), unless=dry_run)
        raise
    except ProjectError as error:
        tell_people("failure", "The retraining failed", str(error), unless=dry_run)
        raise
    tell_people("success", "Retrained", " ".join(words), unless=dry_run)


def history(*, as_json: Json = False) -> None:
    """List every promoted version, newest first: when, on which bars, its scores, and where its files are."""
    from src.commands.history_report import history_table
    from src.release.history import history as promoted_versions

    with exit_on_error():
        versions = [promoted.to_plain() for promoted in promoted_versions()]
        if as_json:
            print_json({"versions": versions})
        else:
            console().print(history_table(versions))


def rollback(
    revision: Annotated[str, typer.Argument(metavar="VERSION|REV", help="As `history` lists them; or any commit.")],
    *,
    offline: Offline = False,
    as_json: Json = False,
) -> None:
    """Bring a model that was promoted before into production again: fetched, verified, then a new commit and tag."""
    from src.release.base_commit import how_to_publish
    from src.release.rollback import rollback as roll_back_to

    with exit_on_error():
        done = roll_back_to(revision, offline=offline)
        if as_json:
            print_json(done._asdict())
            return
        words = how_to_publish(offline=offline)
        say(f"Version {done.version} is in production, commit {done.commit[:7]}; {words}")
        _say_what_the_statement_lacks("production")
        if done.missing:
            say(f"Neither in the cache nor on the remote, not needed to serve: {', '.join(done.missing)}")


def deploy(
    folder: Annotated[Path, typer.Argument(help="Holds the releases and a link for each stage; made if not there.")],
    *,
    stage: Annotated[Stage, typer.Option(help="Whose link is replaced.")] = "production",
    keep: Annotated[int, typer.Option(min=1, help="How many releases stay besides those in use.")] = 5,
    rollback: Annotated[bool, typer.Option("--rollback", help="Point to where the link pointed before.")] = False,
    as_json: Json = False,
) -> None:
    """Export the promoted model, verified, and serve it from FOLDER/STAGE in one step."""
    from src.release.deploy import deploy as deploy_to
    from src.release.deploy import roll_back, served

    warnings: list[str] = []

    def warn(words: str) -> None:
        warnings.append(words)
        say(f"warning: {words}", on_error=True)

    with exit_on_error():
        before = served(folder, stage)
        version = roll_back(folder, stage, warn=warn) if rollback else deploy_to(folder, stage, keep=keep, warn=warn)
        if as_json:
            print_json({"link": str(folder / stage), "version": version, "before": before, "warnings": warnings})
            return
        say(f"{folder / stage} serves version {version}.")
        if before not in (None, version):
            say(f"It was {before}; `python -m src deploy {folder} --stage {stage} --rollback` goes back to it.")


def channel(
    *,
    stage: Annotated[Stage, typer.Option(help="Which link it is for.")] = "production",
    days: Annotated[
        float | None, typer.Option(min=1, max=3_650, help="Until it expires; else twice monitor.model_age_max_days.")
    ] = None,
    before: Annotated[
        str | None, typer.Option(metavar="VERSION", help="What it allows besides; else the version before; or none.")
    ] = None,
    after: Annotated[
        int | None, typer.Option(min=0, metavar="SERIAL", help="Count on from it, where git has a wrong one.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the statement which versions a bot with a public key may load; the owner of the key signs it."""
    from btc_signal.channel import statement_signature
    from btc_signal.times import utc_text
    from src.release.issue import issue

    with exit_on_error():
        file, statement = issue(stage, days=days, before=before, after=after)
        name, folder = paths.relative(file), file.parent
        signature = paths.relative(statement_signature(folder, stage, statement.serial))
        if as_json:
            print_json({"file": name, "signature": signature, "statement": statement.to_plain()})
            return
        allowed, expires = " and ".join(statement.versions), utc_text(statement.expires)
        say(f"{name} allows {allowed} until {expires}, serial {statement.serial}. Where the key is, then here:")
        say(f"  openssl pkeyutl -sign -rawin -inkey release.pem -in {name} -out {signature}")
        say(f'  git add {name} {signature} && git commit --message "Allow {allowed}"')


def _say_what_the_statement_lacks(stage: Stage) -> None:
    """Say on standard error that the statement does not allow this version, or expires soon, where there is one."""
    from src.release.statements import lacking

    if words := lacking(stage):
        say(f"warning: {words}", on_error=True)


def _moment(text: str | None) -> datetime | None:
    """Read a moment of the command line."""
    try:
        return read_utc(text or None)
    except ValueError as error:
        msg = f"--end: {error}, got {text!r}"
        raise DataError(msg) from error
