"""Numbers in delimited text: which are read, which are refused, and what is asked for."""

import numpy as np
import pandas as pd
import pytest

from src.base.errors import DataError
from tests.files_of_bars import BARS, HEADER, PLAIN, ROWS, TIMES, lines


@pytest.mark.parametrize(
    "value", ["abc", "$11", "11 USD", "1_000", "0x10", "True", "--", "1.1.1", "\uff11", "1+2j", "11K", "11%"]
)
@pytest.mark.parametrize("column", ["open", "volume"])
def test_text_among_the_numbers_is_refused_with_its_row(value, column, write, table_of):
    """The row, the column and the text itself are named."""
    cells = dict(zip(HEADER.split(","), ROWS[1].split(","), strict=True)) | {column: value}
    with pytest.raises(DataError) as error:
        table_of(write(lines(HEADER, ROWS[0], ",".join(cells.values()), ROWS[2])))
    assert f"row 2: {column} is {value!r}, expected a plain number such as 8035.88" in str(error.value)


@pytest.mark.parametrize(
    ("mark", "price", "decimal"),
    [
        (",", "1,011.5", "."),
        ("'", "1'011.5", "."),
        (" ", "1 011.5", "."),
        (" ", "1\N{NO-BREAK SPACE}011.5", "."),
        (".", "1.011,5", ","),
    ],
)
def test_what_stands_between_thousands_is_asked_for(mark, price, decimal, write, bars_of, table_of):
    """Once for all columns; with the answer the numbers are what they are."""
    rows = [f"{row[:20]};{price};{price};{price};{price};7{decimal}5" for row in ROWS]
    path = write(lines(HEADER.replace(",", ";"), *rows))
    with pytest.raises(DataError) as error:
        table_of(path)
    assert str(error.value).count("data.thousands says what stands between thousands") == 1
    assert f"row 1: open is {price!r}, expected a plain number such as 8035.88; 2 more are so" in str(error.value)
    assert bars_of(path, thousands=mark).iloc[0].tolist() == [1011.5] * 4 + [7.5]


@pytest.mark.parametrize("cell", ["", " ", "NaN", "null", "None", "-", "N/A"])
def test_an_empty_cell_stays_missing(cell, write, bars_of):
    """What is not there is NaN until the check of the bars refuses it; no other row changes."""
    read = bars_of(write(PLAIN.replace("6.5", cell)))
    assert np.isnan(read.loc[TIMES[1], "volume"])
    pd.testing.assert_frame_equal(read.drop(TIMES[1]), BARS.drop(TIMES[1]))


@pytest.mark.parametrize(
    "row",
    [
        ",,,,,",
        HEADER,
        HEADER.replace(",", " , "),
        "2020-01-01T01:30:00Z,,,,,",
        "2020-01-01T01:30:00Z,NaN,NaN,NaN,NaN,0",
    ],
)
def test_a_row_that_is_no_bar_is_left_out(row, write, bars_of, table_of):
    """Empty, a header in the middle of files that were joined, or without any price; the numbers of rows stay."""
    path = write(lines(HEADER, ROWS[0], row, *ROWS[1:]))
    pd.testing.assert_frame_equal(bars_of(path), BARS)
    assert table_of(path)[0].index.tolist() == [1, 3, 4]


def test_every_digit_counts(write, bars_of):
    """The shortest text of a float64 is read back to the same bits."""
    numbers = np.exp(np.random.default_rng(0).uniform(-20, 20, (1_000, 5)))
    times = pd.date_range("2020-01-01T00:00Z", periods=len(numbers), freq="h")
    rows = [
        ",".join([f"{time:%Y-%m-%dT%H:%M:%SZ}", *map(repr, row)])
        for time, row in zip(times, numbers.tolist(), strict=True)
    ]
    assert (bars_of(write(lines(HEADER, *rows))).to_numpy() == numbers).all()
