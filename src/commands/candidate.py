"""Look at the candidate: its scores, the report page, the gate's verdict, a comparison, leaks."""

from typing import Annotated

import typer

from src.base import paths, storage
from src.base.errors import ProjectError, exit_on_error
from src.commands.shared import AsFirst, Json, Markdown, console, print_json, print_markdown, say


def scores(*, as_json: Json = False) -> None:
    """Show the scores of the last evaluation beside what they have to beat."""
    from src.evaluation.score_report import differences_table, scores_table
    from src.gate.gate_report import in_words

    with exit_on_error():
        metrics = storage.read_json(paths.METRICS)
        if as_json:
            print_json(metrics)
            return
        terminal = console()
        terminal.print(scores_table(metrics))
        terminal.print(differences_table(metrics))
        for sentence in in_words(metrics):
            terminal.print(sentence, highlight=False)
        terminal.print("Next: `make report` draws it all on one page; `dvc plots show`; reports/metrics.json.")


def report(*, as_json: Json = False) -> None:
    """Write everything that is known of the candidate as one page, reports/index.html, that opens from disk."""
    with exit_on_error():
        try:
            from src.page.page import write_page
        except ModuleNotFoundError as error:
            msg = f"the page needs a library: {error.name} is not installed; `make report` installs it"
            raise ProjectError(msg) from error
        page = paths.relative(write_page())
        if as_json:
            print_json({"page": page})
        else:
            say(f"{page} is written; open it in a browser")


def gate(*, as_first: AsFirst = False, as_markdown: Markdown = False, as_json: Json = False) -> None:
    """Judge whether the candidate may replace the production model; exit status 0 yes, 1 no, 2 unknown."""
    from src.gate.gate import gate as ask_gate

    with exit_on_error():
        report = ask_gate(as_first=as_first)
        if as_json:
            print_json(report)
        else:
            print_markdown(storage.read_bytes(paths.GATE_REPORT).decode(), as_markdown=as_markdown)
    raise typer.Exit({"yes": 0, "no": 1}.get(report["verdict"], 2))


def compare(
    revision: Annotated[
        str | None, typer.Argument(help="The champion's: any name git knows. Without it: the promoted commit.")
    ] = None,
    *,
    as_markdown: Markdown = False,
    as_json: Json = False,
) -> None:
    """Compare the work tree's forecasts with another revision's, on the same bars."""
    from src.gate.compare import compare as compare_with
    from src.gate.compare_report import markdown

    with exit_on_error():
        comparison = compare_with(revision)
        if as_json:
            print_json(comparison)
            return
        print_markdown(markdown(comparison), as_markdown=as_markdown)


def leakcheck(
    function: Annotated[
        str | None, typer.Option("--callable", help="module:function of your own, from bars to features.")
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Search features, labels and folds for look-ahead leakage; exit status 1 if there is any."""
    from src.base import tables
    from src.evaluation.leakcheck import check_callable, check_pipeline, load_callable, markdown, summary
    from src.policy import load_policy

    with exit_on_error():
        params, bars = load_policy(), tables.read_frame(paths.BARS)
        if function is None:
            checks = check_pipeline(bars, params)
        else:
            checks = check_callable(load_callable(function), bars, params)
    found = summary(checks)
    if as_json:
        print_json(found)
    else:
        print_markdown(markdown(checks), as_markdown=False)
    raise typer.Exit(0 if found["is_clean"] else 1)
