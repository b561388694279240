"""Tables are written whole, equal content gives equal bytes, and damage is noticed."""

import numpy as np
import pandas as pd
import pytest

from src.base import paths, tables
from src.base.errors import DataError


@pytest.fixture
def frame(make_bars):
    """Sixty bars."""
    return make_bars(60)


def footer_of(content):
    """Where the footer of a Parquet file begins."""
    return len(content) - 8 - int.from_bytes(content[-8:-4], "little")


def flipped(content, at, bit):
    """The same bytes with one bit turned."""
    return content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :]


def test_a_frame_is_read_back_with_its_index(frame, tmp_path):
    """Names, types, times and every bit of every number."""
    tables.write_frame(frame, tmp_path / "frame.parquet")
    pd.testing.assert_frame_equal(tables.read_frame(tmp_path / "frame.parquet"), frame, check_freq=False)


def test_nan_in_a_frame_stays_nan(tmp_path):
    """What is not known is neither dropped nor filled on disk."""
    frame = pd.DataFrame({"rsi_14": [np.nan, 1.5], "target": np.array([0, 1], dtype="int8")})
    tables.write_frame(frame, tmp_path / "frame.parquet")
    pd.testing.assert_frame_equal(tables.read_frame(tmp_path / "frame.parquet"), frame)


@pytest.mark.parametrize("write", [tables.write_frame, tables.write_csv])
def test_equal_frames_give_equal_bytes(write, frame, tmp_path):
    """A copy that was made on another way, under another file's name, gives the same file."""
    detour = pd.concat([frame.iloc[:20], frame.iloc[20:]])[::-1].sort_index()
    write(frame, tmp_path / "one")
    write(detour, tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_every_bit_in_the_pages_is_guarded(frame, tmp_path):
    """A flipped bit before the footer is refused, or lies where it changes nothing."""
    path = tmp_path / "frame.parquet"
    tables.write_frame(frame, path)
    content = path.read_bytes()
    refused = 0
    for at in range(4, footer_of(content), 11):
        path.write_bytes(flipped(content, at, at % 8))
        try:
            pd.testing.assert_frame_equal(tables.read_frame(path), frame, check_freq=False)
        except DataError:
            refused += 1
    assert refused > 100


def test_a_damaged_footer_raises_nothing_but_the_projects_error(frame, tmp_path):
    """The footer has no checksum: what cannot be understood is refused, and no row gets lost."""
    path = tmp_path / "frame.parquet"
    tables.write_frame(frame, path)
    content = path.read_bytes()
    # Thrift writes 60, the number of rows, as the byte 120: it is tried with each of its bits turned.
    counts = [(at, bit) for at in range(footer_of(content), len(content)) if content[at] == 120 for bit in range(7)]
    for at, bit in [*counts, *((at, at % 8) for at in range(footer_of(content), len(content), 41))]:
        path.write_bytes(flipped(content, at, bit))
        try:
            assert len(tables.read_frame(path)) == len(frame)
        except DataError:
            continue


@pytest.mark.parametrize(
    "content", [b"", b"PAR1", b"no Parquet at all", bytes(64)], ids=["empty", "start", "text", "0"]
)
def test_what_is_no_parquet_file_is_refused(content, tmp_path):
    """The message names the file and the way to a good one."""
    (tmp_path / "frame.parquet").write_bytes(content)
    with pytest.raises(DataError, match=r"frame\.parquet: damaged Parquet file .*; delete it, then run `dvc repro`"):
        tables.read_frame(tmp_path / "frame.parquet")


def test_a_file_of_the_repository_is_named_from_its_root():
    """The user sees the path as typed from the repository's root."""
    with pytest.raises(DataError, match=r"^data/absent\.parquet: cannot be read"):
        tables.read_frame(paths.ROOT / "data" / "absent.parquet")


def test_csv_holds_the_columns_without_the_index(tmp_path):
    """One header, one line per point, the same line ends everywhere."""
    tables.write_csv(pd.DataFrame({"x": [0.1, 0.2], "y": ["a", "b"]}, index=[7, 8]), tmp_path / "plot.csv")
    assert (tmp_path / "plot.csv").read_bytes() == b"x,y\n0.1,a\n0.2,b\n"
