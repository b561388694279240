"""Logs of JSON lines: appended to by several, mended by who holds the lock, read from the end."""

import json
import subprocess
import sys
from fcntl import LOCK_EX, flock
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.base import line_log
from src.base.errors import DataError
from src.base.line_log import append_lines, drop_lines, is_kept, newest_lines, reject, rejected
from tests.full_disk import disk_full

ONE, TWO = '{"a": 1}', '{"a": 2}'
# A writer among others; the odd ones may write no further than byte 100,000, and try again.
WRITE = """
import json, resource, sys
from pathlib import Path
from src.base.line_log import append_lines

name, file = sys.argv[1], Path(sys.argv[2])
for number in range(300):
    try:
        append_lines([json.dumps({"from": name, "number": number, "padding": "x" * 400})], file)
    except OSError:
        resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
    else:
        if int(name) % 2 and not number % 10:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size + 1_000, -1))
"""


@pytest.fixture
def log(tmp_path):
    """Where a log will lie."""
    return tmp_path / "live.jsonl"


def test_lines_are_appended(tmp_path):
    """Each call adds whole lines after those that are there; folders are made."""
    log = tmp_path / "log" / "live.jsonl"
    assert append_lines([ONE, TWO], log) == ""
    append_lines(iter(['{"a": 3}']), log)
    append_lines([], log)
    assert log.read_text() == f'{ONE}\n{TWO}\n{{"a": 3}}\n'
    assert [entry.name for entry in log.parent.iterdir()] == ["live.jsonl"]


def test_a_log_on_a_disk_that_is_full_stays_as_it_was(log):
    """Half a line would spoil the next one."""
    append_lines(["{}"], log)
    with disk_full(), pytest.raises(OSError, match="File too large"):
        append_lines(["x" * 5_000], log)
    assert log.read_text() == "{}\n"


def test_what_another_wrote_meanwhile_is_not_cut_off(log, monkeypatch):
    """One that asks for no lock, between our bytes and the error."""

    def fail(_):
        with log.open("a") as other:
            other.write("from another\n")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="No space"):
        append_lines([ONE], log)
    assert log.read_text() == f"{ONE}\nfrom another\n"


def test_half_a_line_at_the_end_is_moved_aside(log):
    """What a killed writer left; the words say so, and nothing is lost."""
    log.write_text(f'{ONE}\n{{"a"')
    assert append_lines([TWO], log).endswith("live.jsonl: its last line was cut off; it is in live.jsonl.rejected now")
    assert log.read_text() == f"{ONE}\n{TWO}\n"
    assert rejected(log).read_text() == '{"a"\n'


@pytest.mark.parametrize("tail", [TWO, "\0" * 70_000], ids=["a whole line", "longer than any line"])
def test_a_last_line_that_stays_is_ended(log, tail):
    """A whole one counts; of zeros without end nobody looks for the beginning."""
    log.write_text(f"{ONE}\n{tail}")
    assert append_lines([ONE], log).endswith("its last line had no end, and has one now")
    assert log.read_text() == f"{ONE}\n{tail}\n{ONE}\n"


def test_half_a_line_that_cannot_be_kept_stays(log):
    """Its place is taken by a folder."""
    rejected(log).mkdir()
    log.write_text('{"a"')
    append_lines([TWO], log)
    assert log.read_text() == f'{{"a"\n{TWO}\n'


def test_whoever_holds_the_lock_for_long_is_told(log, monkeypatch):
    """Nobody waits for ever."""
    monkeypatch.setattr(line_log, "LOCK_DEADLINE_S", 0.05)
    with log.open("a") as held:
        flock(held, LOCK_EX)
        with pytest.raises(DataError, match=r"live\.jsonl: another process has held its lock for 0\.05 s"):
            append_lines([ONE], log)
    append_lines([ONE], log)


def test_writers_never_cut_each_others_lines(log):
    """Three processes, one of which runs into a full disk again and again; each line that was taken is there, once."""
    writers = [subprocess.Popen([sys.executable, "-c", WRITE, str(name), str(log)]) for name in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    for name in "02":
        assert [line["number"] for line in lines if line["from"] == name] == list(range(300))
    numbers = [line["number"] for line in lines if line["from"] == "1"]
    assert numbers == sorted(set(numbers))
    assert not rejected(log).exists()


@settings(deadline=None)  # a busy machine takes any time
@given(content=st.binary(max_size=60).map(lambda drawn: drawn.replace(b"\x01", b"\n")), block=st.integers(1, 20))
def test_lines_are_read_from_the_end(content, block, tmp_path_factory):
    """As if all were read and turned round, whatever the size of a block; the last one only if it is ended."""
    log = tmp_path_factory.mktemp("log") / "log"
    log.write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_log, "BLOCK", block)
        found = list(newest_lines(log))
    assert [line for _, line in found] == content.split(b"\n")[:-1][::-1]
    assert all(content[at:].startswith(line + b"\n") for at, line in found)


def test_only_the_end_of_a_log_is_read(log, monkeypatch):
    """However long it is; a line that begins before is left out."""
    monkeypatch.setattr(line_log, "READ_MAX", 10)
    log.write_text("first\nsecond\nthird\n")
    assert list(newest_lines(log)) == [(13, b"third")]


def test_a_line_is_refused_once(log):
    """Kept in FILE.rejected, by which another process knows it; the log is not touched."""
    log.write_text("nonsense\n")
    assert reject(log, [b"nonsense", b"more", b"nonsense"]) == [b"nonsense", b"more"]
    assert reject(log, [b"more", b"third"]) == [b"third"]
    assert rejected(log).read_bytes() == b"nonsense\nmore\nthird\n"
    assert log.read_text() == "nonsense\n"


def test_what_is_kept_does_not_grow_without_end(log, monkeypatch):
    """Nor is anything named twice by one process where nothing can be kept."""
    monkeypatch.setattr(line_log, "REJECTED_MAX", 20)
    assert reject(log, [b"x" * 30]) == [b"x" * 30]
    assert reject(log, [b"x" * 30]) == []
    assert (is_kept(log, b"y" * 30), is_kept(log, b"short")) == (False, True)
    assert rejected(log).read_bytes() == b"short\n"


def test_many_lines_are_refused_in_no_time(log):
    """Each is looked up among those that are kept, not searched for in their text; one of several lines is, too."""
    lines = [b"nonsense %020d" % number for number in range(20_000)]
    assert reject(log, [*lines, b"{\n}"]) == [*lines, b"{\n}"]
    started = process_time()
    assert reject(log, [*lines, b"{\n}", b"new"]) == [b"new"]
    assert process_time() - started < 1


def test_what_is_named_does_not_grow_without_end(log, monkeypatch):
    """Of the lines that could not be kept, a process remembers the newest."""
    monkeypatch.setattr(line_log, "REJECTED_MAX", 0)
    monkeypatch.setattr(line_log, "NAMED_MAX", 10)
    for number in range(100):
        assert reject(log, [b"%d" % number] * 2) == [b"%d" % number]
    assert reject(log, [b"%d" % number for number in range(90, 101)]) == [b"100"]
    assert len(line_log._named) == 10


def test_lines_are_dropped_while_others_write(log):
    """A writer that waited for the lock writes to the new file; a line that is being written stays."""
    append_lines([ONE, TWO, ONE], log)
    with log.open("ab") as half:
        half.write(b'{"a": 1')

    def is_dropped(line):
        if not started:
            command = [sys.executable, "-c", WRITE.replace("range(300)", "range(1)"), "0", str(log)]
            started.append(subprocess.Popen(command))
        return line == f"{ONE}\n".encode()

    started = []
    drop_lines(log, is_dropped)
    assert started[0].wait() == 0
    kept, last = log.read_bytes().splitlines()
    assert kept == TWO.encode()
    assert json.loads(last)["number"] == 0
    assert rejected(log).read_text() == '{"a": 1\n'
