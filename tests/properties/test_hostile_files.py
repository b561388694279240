"""Whatever a file holds, its reader answers or says in words what is wrong with it: only a `ProjectError` comes out."""

import gzip
import io
import json
import zipfile
from contextlib import suppress
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pyarrow import feather

from btc_signal.bundle import read_metadata, read_promoted
from btc_signal.channel import Statement, read_statement
from src.base import paths, storage, tables
from src.base.errors import DataError, ParamsError, ProjectError
from src.features.stream import FeatureStream
from src.monitoring.prediction_log import read_log
from src.policy import load_policy
from src.sources.exchange_cache import DayCache
from src.sources.file import read_bars
from src.sources.inspect import inspect
from src.sources.json_lines import read_lines

FUZZ = settings(
    derandomize=True, deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SHIPPED = paths.PARAMS.read_bytes()
METADATA = paths.METADATA.read_bytes()
SETTINGS = load_policy().data.model_copy(update={"start": None, "end": None})
CSV = b"time,open,high,low,close,volume\n2020-01-01T00:00:00Z,1,2,0.5,1.5,3\n2020-01-01T01:00:00Z,1,2,0.5,1.5,3\n"
LINE = b'{"time": 1571302800, "open": 100.0, "high": 103.0, "low": 97.0, "close": 101.0, "volume": 2.0}\n'
STATEMENT = Statement(
    "production", 7, {"1.0.0": f"sha256:{'a' * 64}"}, *(datetime(2026, n, 1, tzinfo=UTC) for n in (3, 5))
)
LOG = b'{"time": "2020-01-01T00:00:00Z", "probability": 0.5, "decision": 1, "model_version": "1.0.0"}\n'
# What parsers stumble over.
TOKENS = [
    *(b"NaN", b"Infinity", b"-0", b"1e999", b"1" * 400, b"null", b"true", b'""', b"{}", b"[]", b'"\\ud800"', b"0x1F"),
    *(
        b"\x00",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\r",
        b"\n\n",
        b"'",
        b'"',
        b",",
        b";",
        b"\t",
        b": ",
        b"- ",
        b"&a ",
        b"*a",
    ),
    *(b"!!python/object/apply:os.system [id]", b"<<: *a", b"%YAML 9.9", b"---", b"[" * 3_000, b'{"a":' * 3_000, b"? "),
    *(b"2020-01-01", b"9999-99-99T99:99:99Z", b"0000-00-00", b"1" * 5_000, b"../../etc/passwd", b"$(id)", b"${seed}"),
]


@st.composite
def changed(draw, whole):
    """A file that holds what it should, with pieces cut, doubled, put elsewhere or replaced."""
    content = whole
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(content)))
        stop = draw(st.integers(start, min(len(content), start + 40)))
        piece = draw(st.one_of(st.sampled_from(TOKENS), st.binary(max_size=12), st.just(content[start:stop] * 2)))
        content = content[:start] + piece + content[stop:]
    return content


def parquet_of(columns):
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue().to_pybytes()


def feather_of(frame, compression):
    sink = pa.BufferOutputStream()
    feather.write_feather(frame, sink, compression=compression)
    return sink.getvalue().to_pybytes()


def zip_of(content):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as folder:
        folder.writestr("bars.csv", content)
    return sink.getvalue()


FRAME = pd.read_csv(io.BytesIO(CSV))
PARQUET = parquet_of(FRAME)
FILES = {
    "csv": CSV,
    "semicolons": CSV.replace(b",", b";").replace(b".", b","),
    "UTF-16": CSV.decode().encode("utf-16"),
    "lists": b"[[1577836800000, 1, 2, 0.5, 1.5, 3], [1577840400000, 1, 2, 0.5, 1.5, 3]]",
    "objects": FRAME.to_json(orient="records").encode(),
    "lines": LINE * 3,
    "feather": feather_of(FRAME, "uncompressed"),
    "packed feather": feather_of(FRAME, "lz4"),
    "parquet": PARQUET,
    "gzip": gzip.compress(CSV, mtime=0),
    "zip": zip_of(CSV),
    "zst": pa.compress(CSV, "zstd", asbytes=True),
}


@FUZZ
@given(content=changed(SHIPPED))
@example(content=b"")
@example(content=b"\x80")
def test_params(content, tmp_path):
    """params.yaml."""
    (tmp_path / "params.yaml").write_bytes(content)
    with suppress(ParamsError):
        load_policy(tmp_path / "params.yaml")


@pytest.mark.parametrize("kind", FILES)
@FUZZ
@given(data=st.data())
def test_bars(kind, data, tmp_path):
    """A file of bars, of every kind that is read."""
    (tmp_path / "bars").write_bytes(data.draw(changed(FILES[kind])))
    with suppress(DataError):
        read_bars(tmp_path / "bars", SETTINGS)
    assert inspect(tmp_path / "bars").status in (0, 1, 2)


@FUZZ
@given(content=changed(PARQUET))
def test_frame(content, tmp_path):
    """A frame between two stages."""
    (tmp_path / "bars.parquet").write_bytes(content)
    with suppress(DataError):
        tables.read_frame(tmp_path / "bars.parquet")


@FUZZ
@given(content=changed(LINE * 3))
def test_lines(content):
    """A feed of bars, up to the features."""
    with suppress(DataError):
        stream = FeatureStream(load_policy().features.model_copy(update={"warm_up_bars": 60}), "1h")
        for fields in read_lines(io.BytesIO(content)):
            stream.update(fields)


@FUZZ
@given(content=changed(json.dumps(STATEMENT.to_plain(), indent=2).encode()))
def test_statement(content):
    """Which versions may be served; what is read is what would be written of it."""
    with suppress(DataError):
        statement = read_statement(content, "it")
        assert read_statement(json.dumps(statement.to_plain()).encode(), "it") == statement


@FUZZ
@given(content=changed(METADATA))
def test_metadata(content, tmp_path):
    """What says which model is in production."""
    (tmp_path / paths.METADATA.name).write_bytes(content)
    with suppress(ProjectError):
        read_metadata(tmp_path / paths.METADATA.name)
    with suppress(ProjectError):
        read_promoted(tmp_path)


@FUZZ
@given(content=changed(LOG * 3))
def test_prediction_log(content, tmp_path):
    """What a bot logged."""
    (tmp_path / "live.jsonl").write_bytes(content)
    with suppress(DataError):
        read_log(tmp_path / "live.jsonl", 100, datetime(2020, 1, 2, tzinfo=UTC), str)


@FUZZ
@given(data=st.data())
def test_kept_day(data, tmp_path):
    """A day of an exchange that was kept on this machine."""
    day = pd.Timestamp("2020-01-01").date()
    cache = DayCache(tmp_path, "bitbank", "BTC/JPY", "1h")
    cache.write(day, [(1_577_836_800_000, 1.0, 2.0, 0.5, 1.5, 3.0)])
    file = cache.path(day)
    file.write_bytes(data.draw(changed(file.read_bytes())))
    with suppress(DataError):
        cache.read(day)


BOMB = "a: &a {x: 1, y: 2}\n" + "".join(
    f"{name}: &{name} {{p: *{before}, q: *{before}, r: *{before}}}\n"
    for before, name in zip("abcdefghijklmnopqrstuvwxy", "bcdefghijklmnopqrstuvwxyz", strict=True)
)


def test_a_yaml_of_a_thousand_bytes_is_not_unfolded(tmp_path):
    """Three to the power of 25 sections."""
    (tmp_path / "params.yaml").write_text(BOMB)
    with pytest.raises(ParamsError, match=r"^params\.yaml: not valid YAML: an alias \(\*\) repeats a section"):
        load_policy(tmp_path / "params.yaml")


def test_a_yaml_that_never_ends(tmp_path):
    """No more of it is read than parameters can be long."""
    (tmp_path / "params.yaml").symlink_to("/dev/zero")
    with pytest.raises(ParamsError, match=r"^params\.yaml: expected at most 1,000,000 bytes"):
        load_policy(tmp_path / "params.yaml")


@pytest.mark.parametrize("read", [storage.read_json, read_metadata], ids=["JSON", "metadata"])
@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"a":' * 100_000], ids=["lists", "objects"])
def test_json_nested_without_end(read, content, tmp_path):
    """Python's parser gives up with an error of its own."""
    (tmp_path / "object.json").write_bytes(content)
    with pytest.raises(ProjectError, match=r"object\.json: not valid JSON"):
        read(tmp_path / "object.json")


N_BOMB = 30_000_000
BOMBS = {
    "rows": {"open": pa.array(np.zeros(N_BOMB, dtype="int8"))},
    "texts": {"open": pa.array(["x" * 1_000_000] * 50)},
    "lists": {"open": pa.array([[1.0] * 1_000] * 10)},
    "bytes": {"open": pa.array([b"x" * 100] * 10)},
}


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.parametrize("read", [tables.read_frame, lambda path: read_bars(path, SETTINGS)], ids=["frame", "bars"])
def test_few_bytes_that_stand_for_many(read, name, tmp_path):
    """Parquet keeps a value that repeats once: what is stated is looked at before anything is unfolded."""
    path = tmp_path / "bars.parquet"
    path.write_bytes(parquet_of(BOMBS[name]))
    assert path.stat().st_size < 2_000_000
    with pytest.raises(DataError, match=r"bars\.parquet: .*expected (at most|a number)"):
        read(path)


def test_a_message_stays_readable(tmp_path):
    """What is quoted from a file is cut."""
    (tmp_path / "params.yaml").write_bytes(SHIPPED.replace(b"seed: 42", b"seed: '" + b"x" * 100_000 + b"'"))
    with pytest.raises(ParamsError, match=r"seed: input should be a valid integer") as refusal:
        load_policy(tmp_path / "params.yaml")
    assert len(str(refusal.value)) < 500
    (tmp_path / "bars.csv").write_text(",".join(f"column_{number}" for number in range(50_000)) + "\n1\n")
    with pytest.raises(DataError, match="missing column") as refused:
        read_bars(tmp_path / "bars.csv", SETTINGS)
    assert len(str(refused.value)) < 2_000
