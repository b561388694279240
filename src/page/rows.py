"""The tables of the page: text in cells, formatted as the README and the terminal do."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from src.evaluation.intervals import LEVEL
from src.evaluation.score_report import COLUMNS, DIFFERENCES, cells, difference, named, span
from src.gate import compare_report, gate_report

Record = Mapping[str, Any]


class Table(NamedTuple):
    """A caption, headings, rows whose first cell names them; the last `n_texts` columns hold words, not numbers.

    What follows a line break in a cell is set small, below: an interval.
    """

    caption: str
    head: Sequence[str]
    rows: list[list[str]]
    n_texts: int = 0


def scores(metrics: Record) -> Table:
    """Return the score and interval of each baseline, each member and the ensemble."""
    found = {**metrics["baselines"], **metrics["members"], "ensemble": metrics["ensemble"]}
    ends = metrics["intervals"]["scores"]
    rows = [
        [named(name), *map(_below, cells(one), [ends[name][key] for key in COLUMNS])] for name, one in found.items()
    ]
    return Table(f"Scores out of fold, with {LEVEL:.0%} intervals", ["forecast", *COLUMNS.values()], rows)


def differences(metrics: Record) -> Table:
    """Return how much the ensemble scores more than each other forecast."""
    less = metrics["intervals"]["ensemble_less"]
    rows = [
        [named(other), *[difference(less[other].get(key)) for key in DIFFERENCES]]
        for other in (*metrics["baselines"], *metrics["members"])
    ]
    head = ["less", *[COLUMNS[key] for key in DIFFERENCES]]
    return Table(f"The ensemble less each, with {LEVEL:.0%} intervals of the difference", head, rows)


def trading(metrics: Record) -> Table:
    """Return what the decisions would have earned, beside holding."""
    rows = [
        [
            named(name),
            f"{run['net_return']:+.1%}",
            _below(f"{run['sharpe']:.2f}", run["sharpe_interval"], ".2f"),
            f"{run['max_drawdown']:.1%}",
            f"{run['exposure']:.1%}",
            f"{run['trades']:,}",
        ]
        for name, run in metrics["backtest"].items()
        if name in {"model", "buy_and_hold"}
    ]
    head = ["strategy", "net return", "Sharpe ratio, a year", "deepest fall", "time invested", "trades"]
    return Table("Traded after costs", head, rows)


def points(caption: str, columns: Mapping[str, tuple[str, str]], records: Iterable[Record]) -> Table:
    """Return the points of a chart; heading and format by column."""
    rows = [
        ["" if record[name] is None else format(record[name], form) for name, (_, form) in columns.items()]
        for record in records
    ]
    return Table(caption, [heading for heading, _ in columns.values()], rows)


def month_ends(equity: Iterable[Record]) -> list[Record]:
    """Return the last day of each month, and the last of all."""
    return list({day["time"][:7]: day for day in equity}.values())


def rules(report: Record) -> Table:
    """Return a row for every rule of the gate."""
    head, rows = gate_report.rules(report, {})
    return Table("The gate's rules", head, rows, n_texts=2)


def drift(found: Iterable[Record]) -> Table:
    """Return a row for every column whose drift was looked at."""
    rows = [
        [rule["name"], "alert" if rule["verdict"] == "failed" else rule["verdict"], rule["words"]] for rule in found
    ]
    return Table("Drift, column by column", ["column", "result", "because"], rows, n_texts=2)


def champion(comparison: Record) -> Table:
    """Return the scores of both sides on the same bars."""
    head, rows = compare_report.sides(comparison)
    rows = [[*cells, f"{difference}\n{interval}".strip()] for *cells, difference, interval in rows]
    return Table(f"On the same bars, with {LEVEL:.0%} intervals of the difference", head[:-1], rows)


def parts(comparison: Record) -> Table:
    """Return the differences by fold and by volatility."""
    head, rows = compare_report.parts(comparison, DIFFERENCES)
    return Table("Challenger less champion, by fold and by volatility", head, rows)


def quality(found: Record) -> Table:
    """Return what is to be known of the bars."""
    gaps = found["longest_gaps"]
    longest = f"{gaps[0]['missing_bars']:,} bars after {gaps[0]['after']}" if gaps else "none"
    rows = [
        ["bars", f"{found['rows']:,} of {found['symbol']}, {found['timeframe']}"],
        ["source", f"{found['source']}, in steps of {found['source_step']}"],
        ["first and last open", f"{found['first_open']} and {found['last_open']}"],
        ["missing", f"{found['missing_bars']:,} bars ({found['missing_share']:.2%}) in {found['gaps']:,} gaps"],
        ["longest gap", longest],
        ["without volume", f"{found['zero_volume_bars']:,} bars"],
        ["double rows left out", f"{found['dropped_duplicates']:,}"],
        ["incomplete bars left out", f"{found['incomplete_resampled_bars']:,}"],
        *_doubts(found),
        ["rows were put in order", "yes" if found["reordered"] else "no"],
        ["columns not read", ", ".join(found["ignored_columns"]) or "none"],
    ]
    return Table("What the bars are, and what they lack", ["of the bars", "found"], rows, n_texts=1)


def _doubts(found: Record) -> list[list[str]]:
    """Return what is doubtful in the bars, each with its count."""
    doubts = found["doubts"]
    jump = f"{doubts['volume_jump']:,g} times at {doubts['volume_jump_at']}" if doubts["volume_jump_at"] else "none"
    absent = f"{found['absent_parts']:,} in {found['resampled_bars_with_absent_parts']:,} bars"
    return [
        ["parts absent in joined bars", absent],
        ["rows off the grid left out", f"{found['off_grid_rows']:,}"],
        ["with a low under half of open and close", f"{doubts['deep_lows']:,} bars"],
        [
            "equal to the two or more before them",
            f"{doubts['stale_bars']:,} bars, at most {doubts['longest_stale_run']:,} in a row",
        ],
        ["jump in the scale of the volume", jump],
        ["the last bar is a stump", "yes" if doubts["last_is_a_stump"] else "no"],
    ]


def pairs(caption: str, head: Sequence[str], found: Mapping[str, str]) -> Table:
    """Return a row for every name and its text."""
    return Table(caption, head, [[name, text] for name, text in found.items()], n_texts=1)


def _below(cell: str, ends: list[float] | None, form: str = ".3f") -> str:
    """Set the interval below, if there is one."""
    return f"{cell}\n{span(ends, form)}" if ends else cell
