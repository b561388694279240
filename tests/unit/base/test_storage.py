"""Files are written whole or not at all, equal content gives equal bytes, and damage is noticed."""

import math
import os
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.base import paths, storage, tables
from src.base.errors import DataError
from tests.full_disk import disk_full

OLD = b"what was there before"


def test_bytes_are_read_back(tmp_path):
    """What was written is what is read, and nothing else lies in the folder."""
    storage.write_bytes(b"\x00\xff", tmp_path / "file")
    assert storage.read_bytes(tmp_path / "file") == b"\x00\xff"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_folders_are_made_and_old_content_is_replaced(tmp_path):
    """A first run has no folders, a second has old files."""
    path = tmp_path / "deep" / "folder" / "file"
    storage.write_bytes(b"one, and longer", path)
    storage.write_bytes(b"two", path)
    assert path.read_bytes() == b"two"


def test_a_disk_that_is_full_midway_leaves_the_old_file(tmp_path):
    """The old content stays whole, and the half that was written is gone."""
    path = tmp_path / "file"
    path.write_bytes(OLD)
    with disk_full(), pytest.raises(OSError, match="File too large"):
        storage.write_bytes(bytes(100_000), path)
    assert path.read_bytes() == OLD
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_writer_left_is_cleared_away(tmp_path):
    """Of this file, and of writers that run no more; one that is at work keeps what it writes."""
    ended = subprocess.Popen(["true"])
    ended.wait()
    left = {f".file.{ended.pid}.aside", f".file.{os.getppid()}.aside", f".other.{ended.pid}.aside"}
    for name in left:
        (tmp_path / name).touch()
    storage.write_bytes(OLD, tmp_path / "file")
    assert {path.name for path in tmp_path.iterdir()} == (left | {"file"}) - {f".file.{ended.pid}.aside"}


ORPHAN = """
import os, sys, time
from pathlib import Path
started_by = os.getpid()
if os.fork():
    os._exit(0)
while os.getppid() == started_by:
    time.sleep(0.01)
from src.base import storage
if sys.argv[2] == "late":
    storage.STARTED_BY = started_by
try:
    storage.write_bytes(b"late", Path(sys.argv[1]))
except storage.DataError as error:
    print(error, flush=True)
"""


@pytest.mark.parametrize("killed", ["late", "before it could look around"])
@pytest.mark.parametrize("is_stage", [True, False])
def test_a_stage_whose_dvc_was_killed_writes_nothing(is_stage, killed, tmp_path):
    """The next `dvc repro` may be at work on the same file; other programs may live on."""
    environment = {name: value for name, value in os.environ.items() if name != storage.STAGE}
    environment |= {storage.STAGE: "featurize"} if is_stage else {}
    command = [sys.executable, "-c", ORPHAN, str(tmp_path / "file"), killed]
    options = {"env": environment, "cwd": paths.ROOT, "start_new_session": True}
    said = subprocess.run(command, **options, capture_output=True, text=True, check=True).stdout
    assert ("was not written: the `dvc repro` that started this stage has ended" in said) == is_stage
    assert (tmp_path / "file").exists() != is_stage


def test_a_place_that_cannot_be_replaced_is_left_alone(tmp_path):
    """A folder of the file's name stays, with what is in it."""
    (tmp_path / "file").mkdir()
    (tmp_path / "file" / "kept").touch()
    with pytest.raises(OSError, match="file"):
        storage.write_bytes(b"content", tmp_path / "file")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "kept"]


def not_a_frame():
    """A frame that Parquet cannot hold: numbers and text in one column."""
    return pd.DataFrame({"mixed": [1, "text"]}, dtype=object)


@pytest.mark.parametrize(
    ("write", "content"),
    [
        pytest.param(tables.write_frame, not_a_frame(), id="frame"),
        pytest.param(storage.write_json, {"score": math.nan}, id="JSON"),
    ],
)
def test_what_cannot_be_written_leaves_the_old_file(write, content, tmp_path):
    """Whatever the format, a failure changes nothing on disk."""
    path = tmp_path / "file"
    path.write_bytes(OLD)
    with pytest.raises((ValueError, TypeError, AttributeError, pickle.PicklingError)):
        write(content, path)
    assert path.read_bytes() == OLD
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("read", [storage.read_bytes, tables.read_frame, storage.read_json])
def test_an_absent_file_is_named(read, tmp_path):
    """Outside the repository with the whole path, and with what makes it."""
    with pytest.raises(DataError, match=rf"^{tmp_path}/absent: cannot be read \(No such file .*; run `dvc repro`"):
        read(tmp_path / "absent")


NUMBERS = st.one_of(st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False))
LEAVES = st.one_of(NUMBERS, st.text(max_size=9), st.booleans(), st.none())
JSON = st.dictionaries(st.text(max_size=9), st.one_of(LEAVES, st.lists(LEAVES, max_size=3)), max_size=5)


@given(content=JSON)
@settings(derandomize=True, deadline=None, max_examples=50)
def test_json_is_read_back(content, tmp_path_factory):
    """Any object, its keys in their order and its numbers to the last bit."""
    path = tmp_path_factory.getbasetemp() / "object.json"
    storage.write_json(content, path)
    read = storage.read_json(path)
    assert read == content
    assert list(read) == list(content)


def test_json_is_written_for_people_too(tmp_path):
    """Indented, letters as they are, one line end at the end."""
    storage.write_json({"b": 1, "a": "±3 %"}, tmp_path / "object.json")
    assert (tmp_path / "object.json").read_text(encoding="utf-8") == '{\n  "b": 1,\n  "a": "±3 %"\n}\n'


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, np.float64("nan")])
def test_json_refuses_what_json_does_not_know(number, tmp_path):
    """NaN would be written as a word that other parsers reject."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        storage.write_json({"scores": [{"auc": number}]}, tmp_path / "object.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", "not valid JSON", id="empty"),
        pytest.param(b'{"a": 1', "not valid JSON", id="cut short"),
        pytest.param(b'{"a": 1} {}', "not valid JSON", id="two objects"),
        pytest.param(b"<<<<<<< HEAD\n{}", "not valid JSON", id="merge conflict"),
        pytest.param(b'{"a": "\xe9"}', "not valid JSON", id="other encoding"),
        pytest.param(b"[1, 2]", "expected a JSON object, got list", id="list"),
        pytest.param(b"null", "expected a JSON object, got NoneType", id="null"),
        pytest.param(b'"text"', "expected a JSON object, got str", id="text"),
        pytest.param(b'{"auc": NaN}', "NaN", id="NaN"),
    ],
)
def test_what_is_no_json_object_is_refused(content, words, tmp_path):
    """The file is named, and what came instead."""
    (tmp_path / "object.json").write_bytes(content)
    with pytest.raises(DataError, match=rf"object\.json: .*{words}"):
        storage.read_json(tmp_path / "object.json")
