"""The command line: what is done by hand around the pipeline.

A command imports what it needs when it runs: `predict` starts in a fraction of the second that DVC takes to load.
"""

import typer

from src.commands import candidate, checking, serving, versions, watching

app = typer.Typer(
    help="Commands around the pipeline. The pipeline itself is run by `dvc repro`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

# In the order of `--help`.
COMMANDS = (
    candidate.scores,
    candidate.report,
    candidate.gate,
    versions.promote,
    versions.retrain,
    versions.history,
    versions.rollback,
    versions.deploy,
    serving.predict,
    watching.monitor,
    candidate.compare,
    candidate.leakcheck,
    checking.check,
    checking.mend,
)
for command in COMMANDS:
    app.command()(command)
