"""Prices and volumes as files write them, as float64."""

import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from src.base.errors import truncate
from src.base.findings import Findings
from src.files.raw import Raw

PLAIN_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
SPACES = "\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}"
GROUPED = re.compile(r"[+-]?\d{1,3}(?:([,.' ])\d{3})+(?:[.,]\d+)?")


def read_numbers(column: pa.ChunkedArray, name: str, raw: Raw, thousands: str | None, found: Findings) -> np.ndarray:
    """Return float64, NaN where a cell is empty; text that is no number is a problem, with its row and value."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return column.cast(pa.float64(), safe=False).to_numpy()
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        if column.null_count < len(column):
            found.refuse(f"{name} is of type {kind}, expected numbers")
        return np.full(len(column), np.nan)
    text = pc.utf8_trim_whitespace(column)
    if thousands:
        spaces = SPACES if thousands == " " else ""
        for mark in f"{thousands}{spaces}":
            text = pc.replace_substring(text, mark, "")
    if raw.decimal == ",":
        text = pc.replace_substring(text, ",", ".")
    series = text.to_pandas()
    good = (series.isna() | series.str.fullmatch(PLAIN_NUMBER).eq(other=True)).to_numpy(dtype=bool)
    numbers = pd.to_numeric(series.where(good), errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    empty = (series == "").fillna(value=False).to_numpy(dtype=bool)
    if len(wrong := np.flatnonzero(~good & ~empty)):
        _refuse(column, wrong, name, thousands, found)
    return numbers


def _refuse(column: pa.ChunkedArray, wrong: np.ndarray, name: str, thousands: str | None, found: Findings) -> None:
    """Name the first cell that is no number; ask for the mark between thousands if that is what all lack."""
    cells = [str(column[int(at)]) for at in wrong[:1000]]
    more = f"; {len(wrong) - 1:,} more are so" if len(wrong) > 1 else ""
    words = f"row {wrong[0] + 1}: {name} is {truncate(cells[0], 60)!r}, expected a plain number such as 8035.88{more}"
    grouped = [GROUPED.fullmatch(re.sub(f"[{SPACES}]", " ", cell.strip())) for cell in cells]
    if not thousands and all(grouped) and grouped[0]:
        # Once for all columns.
        if not any("thousands" in problem.settings for problem in found.problems):
            found.refuse(f"{words}; data.thousands says what stands between thousands", thousands=grouped[0][1])
    else:
        found.refuse(words)
