"""The command line. A command imports what it needs when it runs: `predict` starts long before DVC has loaded."""

import json
import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from src import paths, storage
from src.errors import DataError, exit_on_error
from src.times import read_utc

if TYPE_CHECKING:
    from src.ml.predict import Prediction

app = typer.Typer(
    help="Commands around the pipeline. The pipeline itself is run by `dvc repro`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a machine instead of text.")]
Markdown = Annotated[bool, typer.Option("--markdown", help="Print Markdown, as for a pull request.")]
AsFirst = Annotated[bool, typer.Option("--as-first", help="Compare with the baselines only, as the first model ever.")]
Stage = Literal["staging", "production"]
N_SHOWN = 10


@app.command()
def scores(*, as_json: Json = False) -> None:
    """Show the scores of the last evaluation beside what they have to beat."""
    from rich.console import Console

    from src.evaluation.report import differences_table, scores_table, verdict
    from src.params import load_params

    with exit_on_error():
        metrics = storage.read_json(paths.METRICS)
        if as_json:
            _print_json(metrics)
            return
        console = Console()
        console.print(scores_table(metrics))
        console.print(differences_table(metrics))
        for sentence in verdict(metrics, load_params().gate.f1_score_min):
            console.print(sentence, highlight=False)
        console.print("Next: `dvc plots show` draws the curves; reports/metrics.json has every digit; README.md.")


@app.command()
def gate(*, as_first: AsFirst = False, as_markdown: Markdown = False, as_json: Json = False) -> None:
    """Judge whether the candidate may replace the production model; exit status 0 yes, 1 no, 2 cannot tell."""
    from src.lifecycle.gate import gate as ask_gate

    with exit_on_error():
        report = ask_gate(as_first=as_first)
        if as_json:
            _print_json(report)
        else:
            _print_markdown(storage.read_bytes(paths.GATE_REPORT).decode(), as_markdown=as_markdown)
    raise typer.Exit({"yes": 0, "no": 1}.get(report["verdict"], 2))


@app.command()
def promote(
    *,
    as_first: AsFirst = False,
    amend: Annotated[bool, typer.Option("--amend", help="Into the last commit, if nobody else has it yet.")] = False,
    stage: Annotated[Stage, typer.Option(help="What the version is tagged for.")] = "production",
    as_json: Json = False,
) -> None:
    """Ask the gate, and on its yes make the candidate the production model: a commit and its tags."""
    from src.lifecycle.promote import promote as promote_candidate

    with exit_on_error():
        metadata = promote_candidate(as_first=as_first, amend=amend, stage=stage)
        if as_json:
            _print_json(metadata)
            return
        typer.echo(
            f"Version {metadata['version']} is in production; `dvc push && git push --follow-tags` tells others."
        )


@app.command()
def retrain(
    *,
    end: Annotated[
        str | None, typer.Option(metavar="TIME", help="The new data.end, UTC; without it, the newest closed bar's.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Stop after the gate's verdict.")] = False,
    as_json: Json = False,
) -> None:
    """Fetch, reproduce, then promote and publish if the gate says yes; exit status 1 if it says no, 2 if it failed."""
    from src.lifecycle.retrain import retrain as retrain_once

    with exit_on_error():
        report = retrain_once(_moment(end), dry_run=dry_run)
        if as_json:
            _print_json(report)
        else:
            typer.echo(f"{report['words']} {paths.relative(paths.RETRAIN_REPORT)} has the gate's figures.")


@app.command()
def history(*, as_json: Json = False) -> None:
    """List every promoted version, newest first: when, on which bars, its scores, and where its files are."""
    from rich.console import Console

    from src.lifecycle.history import history as promoted_versions
    from src.lifecycle.history_report import history_table

    with exit_on_error():
        versions = [promoted.to_plain() for promoted in promoted_versions()]
        if as_json:
            _print_json({"versions": versions})
        else:
            Console().print(history_table(versions))


@app.command()
def rollback(
    revision: Annotated[str, typer.Argument(metavar="VERSION|REV", help="As `history` lists them; or any commit.")],
) -> None:
    """Bring a model that was promoted before into production again: fetched, verified, then a new commit."""
    from src.lifecycle.rollback import rollback as roll_back_to

    with exit_on_error():
        done = roll_back_to(revision)
        typer.echo(f"Version {done.version} is in production, commit {done.commit[:7]}; `git push` tells the others.")
        if done.missing:
            typer.echo(f"Neither in the cache nor on the remote, not needed to serve: {', '.join(done.missing)}")


@app.command()
def deploy(
    folder: Annotated[Path, typer.Argument(help="Holds the releases and a link for each stage; made if not there.")],
    *,
    stage: Annotated[Stage, typer.Option(help="Whose link is replaced.")] = "production",
    keep: Annotated[int, typer.Option(min=1, help="How many releases stay besides those in use.")] = 5,
    rollback: Annotated[bool, typer.Option("--rollback", help="Point to where the link pointed before.")] = False,
) -> None:
    """Export the promoted model, verified, and serve it from FOLDER/STAGE in one step."""
    from src.lifecycle.deploy import deploy as deploy_to
    from src.lifecycle.deploy import roll_back

    with exit_on_error():
        version = roll_back(folder, stage) if rollback else deploy_to(folder, stage, keep=keep)
        typer.echo(f"{folder / stage} serves version {version}.")


@app.command()
def predict(
    file: Annotated[
        Path | None, typer.Argument(help="Bars: .csv, .parquet, or JSON lines. Without it: JSON lines, standard input.")
    ] = None,
    *,
    follow: Annotated[bool, typer.Option("--follow", help="Answer each bar as it comes; a gap is an error.")] = False,
    log: Annotated[Path | None, typer.Option(help="Append every prediction to this file, as JSON lines.")] = None,
    as_json: Json = False,
) -> None:
    """Ask the promoted model: probability, decision, and how far its members disagree, for every bar."""
    from src.features.stream import FeatureStream
    from src.ml.ensemble import ProductionEnsemble
    from src.ml.predict import predict_history, predict_live

    with exit_on_error():
        model, stream = ProductionEnsemble(), FeatureStream()
        bars = _read_bars(file, stream.timeframe)
        if follow:
            for number, prediction in enumerate(predict_live(bars, stream, model)):
                _log([prediction], log)
                _show([prediction], as_json=as_json, with_header=number == 0)
            return
        predictions = predict_history(bars, stream, model)
        _log(predictions, log)
        _show(predictions if as_json else predictions[-N_SHOWN:], as_json=as_json)
        if not as_json and len(predictions) > N_SHOWN:
            typer.echo(f"the last {N_SHOWN} of {len(predictions):,}; --json prints all")


@app.command()
def compare(
    revision: Annotated[
        str | None, typer.Argument(help="The champion's: any name git knows. Without it: the promoted commit.")
    ] = None,
    *,
    as_markdown: Markdown = False,
    as_json: Json = False,
) -> None:
    """Compare the work tree's forecasts with another revision's, on the same bars."""
    from src.lifecycle.compare import compare as compare_with
    from src.lifecycle.compare_report import markdown

    with exit_on_error():
        comparison = compare_with(revision)
        if as_json:
            _print_json(comparison)
            return
        _print_markdown(markdown(comparison), as_markdown=as_markdown)


@app.command()
def mend() -> None:
    """Mend what a killed command, a full disk or a bad one left; exit status 1 if nothing was found."""
    from src.lifecycle.mend import mend as mend_all

    with exit_on_error():
        mended = mend_all()
    typer.echo("; ".join(mended) or "nothing to mend")
    raise typer.Exit(0 if mended else 1)


@app.command()
def leakcheck(
    function: Annotated[
        str | None, typer.Option("--callable", help="module:function of your own, from bars to features.")
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Search features, labels and folds for what knows the future; exit status 1 if there is any."""
    from rich.console import Console

    from src import tables
    from src.evaluation.leakcheck import check_callable, check_pipeline, load_callable, summary
    from src.evaluation.report import leakcheck_table
    from src.params import load_params

    with exit_on_error():
        params, bars = load_params(), tables.read_frame(paths.BARS)
        if function is None:
            checks = check_pipeline(bars, params)
        else:
            checks = check_callable(load_callable(function), bars, params)
    if as_json:
        _print_json(summary(checks))
    else:
        Console().print(leakcheck_table(checks))
    raise typer.Exit(0 if all(check.is_clean for check in checks) else 1)


def _moment(text: str | None) -> datetime | None:
    """Read a moment of the command line."""
    try:
        return read_utc(text or None)
    except ValueError as error:
        msg = f"--end: {error}, got {text!r}"
        raise DataError(msg) from error


def _read_bars(file: Path | None, timeframe: str) -> Iterable[dict[str, Any]]:
    """Read bars from a table, from lines in a file, or from standard input."""
    from src.bars.lines import read_lines

    if file is None:
        if sys.stdin.isatty():
            typer.echo("reading bars from here, one JSON object a line; Ctrl-D ends", err=True)
        return read_lines(sys.stdin)
    if file.suffix.lower() in {".csv", ".parquet"}:
        from src.bars.build import read_bars

        return read_bars(file, timeframe).reset_index().to_dict("records")
    return read_lines(storage.read_bytes(file).decode().splitlines())


def _log(predictions: "Iterable[Prediction]", log: Path | None) -> None:
    """Append predictions to the log, if there is one."""
    if log is not None:
        storage.append_lines((json.dumps(prediction.to_plain()) for prediction in predictions), log)


def _show(predictions: "list[Prediction]", *, as_json: bool, with_header: bool = True) -> None:
    """Print predictions, a line each."""
    from src.ml.predict import text_lines

    as_text = text_lines(predictions, with_header=with_header)
    for line in (json.dumps(prediction.to_plain()) for prediction in predictions) if as_json else as_text:
        typer.echo(line)
    sys.stdout.flush()


def _print_markdown(text: str, *, as_markdown: bool) -> None:
    """Write Markdown as it is, or drawn for the terminal."""
    from rich import markdown
    from rich.console import Console

    if as_markdown:
        typer.echo(text)
    else:
        Console().print(markdown.Markdown(text))


def _print_json(content: dict[str, Any]) -> None:
    """Write JSON to standard output, nothing around it."""
    typer.echo(json.dumps(content, indent=2, allow_nan=False))
