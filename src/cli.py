"""The command line: what is done by hand around the pipeline."""

import json
from typing import Annotated, Any

import typer
from rich.console import Console

from src import paths, storage
from src.errors import exit_on_error
from src.evaluation.report import scores_table, verdict
from src.lifecycle.promote import promote as promote_candidate
from src.params import load_params

app = typer.Typer(
    help="Commands around the pipeline. The pipeline itself is run by `dvc repro`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a machine instead of text.")]


@app.command()
def scores(*, as_json: Json = False) -> None:
    """Show the scores of the last evaluation beside what they have to beat."""
    with exit_on_error():
        metrics = storage.read_json(paths.METRICS)
        if as_json:
            _print_json(metrics)
            return
        console = Console()
        console.print(scores_table(metrics))
        for sentence in verdict(metrics, load_params().gate.f1_score_min):
            console.print(sentence, highlight=False)
        console.print("Next: `dvc plots show` draws the curves; reports/metrics.json has every digit; README.md.")


@app.command()
def promote(*, as_json: Json = False) -> None:
    """Make the candidate in models/production the production model, by writing its metadata."""
    with exit_on_error():
        metadata = promote_candidate()
        if as_json:
            _print_json(metadata)
            return
        name = paths.relative(paths.METADATA)
        Console().print(f"Version {metadata['version']} is in production. Commit {name}.", highlight=False)


def _print_json(content: dict[str, Any]) -> None:
    """Write JSON to standard output, nothing around it."""
    typer.echo(json.dumps(content, indent=2, allow_nan=False))
