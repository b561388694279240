"""What was seen as a Markdown page, docs/faults.md."""

from collections.abc import Sequence

from src.base import paths
from tests.faults.fault import Fault
from tests.faults.seen import HELD, Counts, Total

REPORT = paths.ROOT / "docs" / "faults.md"
HEAD = """# Faults tried, and what was seen

Written by `make faults` and `make endure` from their own runs, on small repositories; the quick ones are in `make test`
as well. Old, new: the state that was found. Refused: neither was served or read. A file that git has may read otherwise
after one flipped bit: that counts as new. Where the last column names commands, they were run, and the end is the one
of an undisturbed run.
"""
COLUMNS = """| fault | of what | tried | old | new | refused | what brought it to a good end |
|---|---|---:|---:|---:|---:|---|
"""
SHORT, ENDURED = "\n## At places spread evenly\n\n", "\n## At places drawn from a seed\n\n"
YEAR = """
## In the weeks of a year

Each week of a year retrains, deploys and predicts, on a shortened pipeline, disturbed by one of these, as a seed draws
them. After each week nothing is half done, here or on the remote. At the end of the year every published version is
pulled into a clone without a cache, verified, and answers its known rows.

"""
OF_A_YEAR = """| in a week | a median of the first quarter | of the last |
|---|---:|---:|
"""
KILLS = """
| killed by SIGKILL | in `make faults` | in `make endure` | in sum |
|---|---:|---:|---:|
"""


def page(faults: Sequence[Fault], of_year: Sequence[Fault], short: Total, endured: Total) -> str:
    """Write the page; what was not tried, or cannot be on this machine, says so."""
    told = [f"- `make faults`, {_when(short)}: {_how_many(faults, short)}.", f"- `make endure` {_all_runs(endured)}"]
    if endured.runs:
        told[-1] += f": {_how_many(faults, endured)}, added up."
    tables = [
        KILLS + _kills([*faults, *of_year], short, endured),
        SHORT + _table(faults, short, "make faults"),
        ENDURED + _table(faults, endured, "make endure"),
        YEAR + _table(of_year, endured, "make endure") + _figures(endured),
    ]
    return HEAD + "\n" + "\n".join(told) + "\n" + "".join(tables)


def _kills(faults: Sequence[Fault], short: Total, endured: Total) -> str:
    """Return a row for each operation whose kills are counted."""
    rows = ""
    for operation in dict.fromkeys(fault.kills for fault in faults if fault.kills):
        ids = [fault.id for fault in faults if fault.kills == operation]
        counts = [sum(total.of(name).tried for name in ids) for total in (short, endured)]
        rows += f"| {operation} | {counts[0]} | {counts[1]} | {sum(counts)} |\n"
    return rows


def _figures(endured: Total) -> str:
    """Return what a week of the last year took."""
    last = next((run for run in reversed(endured.runs) if run.year), None)
    if last is None:
        return "\nNo year was lived through yet; `make endure`.\n"
    rows = "".join(f"| {name} | {first:g} | {end:g} |\n" for name, (first, end) in last.year.items())
    return f"\nThe year of the seed {last.seed}, {last.day}, version {last.version}:\n\n{OF_A_YEAR}{rows}"


def rows_of(text: str) -> list[list[tuple[str, str]]]:
    """Return the first two columns of each table of faults."""
    tables = [part.split(COLUMNS)[1].partition("\n\n")[0] for part in text.split("\n## ")[1:]]
    return [[tuple(line.removeprefix("| ").split(" | ")[:2]) for line in table.splitlines()] for table in tables]


def _table(faults: Sequence[Fault], total: Total, command: str) -> str:
    return COLUMNS + "".join(f"{_row(fault, total.of(fault.id), command)}\n" for fault in faults)


def _row(fault: Fault, counts: Counts, command: str) -> str:
    numbers = " | ".join(str(counts.held.get(state, 0)) for state in HELD)
    words = _then(counts) or counts.impossible or f"not tried yet; `{command}`"
    return f"| {fault.name} | {fault.to} | {counts.tried} | {numbers} | {words} |"


def _then(counts: Counts) -> str:
    """Name each good end once, with how often if there are several."""
    ends = sorted(counts.then.items(), key=lambda end: -end[1])
    return "; ".join(f"{then} ({count})" if len(ends) > 1 else then for then, count in ends)


def _when(total: Total) -> str:
    last = total.runs[-1]
    return f"{last.day}, version {last.version}, {sum(run.minutes for run in total.runs):.0f} minutes"


def _all_runs(endured: Total) -> str:
    """Name the seeds; the day and the version are the last run's."""
    if not endured.runs:
        return "did not run yet."
    seeds = ", ".join(str(run.seed) for run in endured.runs)
    return f"of the seeds {seeds}, the last on {_when(endured)} in all"


def _how_many(faults: Sequence[Fault], total: Total) -> str:
    return f"{total.tries} tries, of {sum(total.of(fault.id).tried > 0 for fault in faults)} of {len(faults)} faults"
