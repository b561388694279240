"""The command line: what is done by hand around the pipeline.

A command imports what it needs when it runs: `predict` starts in a fraction of the second that DVC takes to load.
"""

from typing import Any

import typer
from typer._completion_classes import completion_init
from typer.core import TyperGroup

from src.commands import candidate, checking, inspecting, predicting, pruning, releasing, watching


class _Commands(TyperGroup):
    """Lists the commands alone, so that the list is one small screen: the only option is `--help` itself."""

    # Typer has a copy of click inside.
    def format_options(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401
        self.format_commands(ctx, formatter)


app = typer.Typer(
    cls=_Commands,
    help="Commands around the pipeline, which `dvc repro` runs. COMMAND -h has examples.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    add_completion=False,  # scripts/completion.sh does it: what is completed is `python -m src`, not a program's name
    rich_markup_mode=None,  # plain help: a line for each command, all of them on one small screen
    pretty_exceptions_enable=False,
)

# In the order of `--help`: a line for it there, and what a reader would type.
COMMANDS = (
    (candidate.scores, "The last evaluation, beside what it has to beat", ["", "--json | jq .ensemble.auc"]),
    (candidate.report, "Write the page of all there is to see: reports/index.html", ["", "--json"]),
    (candidate.gate, "Judge whether the candidate may go into production", ["", "--as-first", "--markdown > gate.md"]),
    (candidate.compare, "Compare with another revision on the same bars", ["", "main", "v1.0.0 --json"]),
    (
        candidate.leakcheck,
        "Search features, labels and folds for look-ahead leakage",
        ["", "--callable my_features:mine"],
    ),
    (releasing.promote, "Make the candidate the production model", ["", "--stage staging"]),
    (releasing.publish, "Tell the others: objects, branch and tags", ["", "--json | jq -r .commit"]),
    (releasing.retrain, "Fetch, reproduce, promote, publish", ["--dry-run", "--end 2026-01-01T00:00:00Z"]),
    (releasing.history, "List every promoted version", ["", "--json | jq -r '.versions[].version'"]),
    (releasing.rollback, "Bring an earlier version back", ["1.0.0", "HEAD~3"]),
    (releasing.deploy, "Export the promoted model for a bot", ["/srv/bot", "/srv/bot --rollback"]),
    (releasing.channel, "Write which versions a bot may load, to be signed", ["", "--stage staging --days 30"]),
    (pruning.prune, "Delete old files that nothing needs any more", ["", "--weeks 12 --yes", "--json"]),
    (predicting.predict, "Ask the promoted model", ["bars.csv", "--follow --log bot.jsonl < feed.jsonl"]),
    (watching.monitor, "Compare live scores with the promoted ones", ["bot.jsonl", "bot.jsonl --interval 3600"]),
    (
        inspecting.inspect,
        "Say what a file of bars is, and what lets it in",
        ["bars.csv", "bars.csv --json | jq .settings"],
    ),
    (checking.doctor, "Look for what is broken, and how to repair it", ["", "status", "data-check --json"]),
    (checking.repair, "Repair what a kill or a full disk left", [""]),
)
# The names that these commands had; they stay, and the list leaves them out.
ALIASES = {"check": checking.doctor, "mend": checking.repair}
for command, line, examples in COMMANDS:
    typed = "\n".join(f"  python -m src {command.__name__} {example}".rstrip() for example in examples)
    # \b: the lines stay as they are
    app.command(short_help=line, epilog=f"\b\nExamples:\n{typed}")(command)

for alias, command in ALIASES.items():
    app.command(alias, hidden=True)(command)

completion_init()
