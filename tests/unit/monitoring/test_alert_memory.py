"""What was told is remembered, whatever became of the file."""

import json
from datetime import UTC, datetime

import pytest
from pytest_httpserver import HTTPServer

from src.base import paths
from src.base.errors import DataError
from src.base.line_log import rejected
from src.monitoring.alert_memory import AlertMemory
from src.monitoring.monitor import tell_whether_it_looks

NOW = datetime(2020, 1, 2, tzinfo=UTC)
FINE = {"f1": "2020-01-01T12:00:00Z"}


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    """Where it lies."""
    monkeypatch.setattr(paths, "ALERTS", tmp_path / "alerts.json")
    return paths.ALERTS


@pytest.mark.parametrize(
    "at", ["yesterday", "2020-01-01T12:00:00", "2099-01-01T00:00:00Z", None, 7, ["2020-01-01T12:00:00Z"], {}]
)
def test_a_time_that_is_none_is_named_once_and_left_out(file, at):
    """Without a zone, of a moment to come, no time at all; the others count."""
    file.write_text(json.dumps(FINE | {"drift": at}))
    told, words = AlertMemory().read(NOW)
    assert told == {"f1": datetime(2020, 1, 1, 12, tzinfo=UTC)}
    assert words == f"warning: {file}: 1 alerts had no time in UTC up to now; told anew, see alerts.json.rejected"
    assert AlertMemory().read(NOW) == (told, "")
    assert json.loads(rejected(file).read_text()) == {"drift": at}


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"f1": NaN}', b"\0" * 20, b'{\n "f1": "2020-'])
def test_a_file_that_is_none_is_an_empty_memory(file, content):
    """Said once, and kept."""
    file.write_bytes(content)
    told, words = AlertMemory().read(NOW)
    assert (told, bool(words)) == ({}, True)
    assert AlertMemory().read(NOW) == ({}, "")
    assert content in rejected(file).read_bytes()


def test_a_disk_that_takes_nothing(file):
    """As long as the process lives, it remembers; then the file does."""
    memory, told = AlertMemory(), {"f1": NOW}
    file.mkdir()
    assert memory.write(told).startswith("what was told is remembered in this process only: ")
    assert memory.read(NOW) == (told, "")
    file.rmdir()
    assert memory.write(told) == ""
    assert memory.read(NOW) == AlertMemory().read(NOW) == (told, "")


@pytest.mark.parametrize("is_full", [False, True], ids=["a disk", "a full disk"])
def test_that_it_cannot_look_is_told_once(httpserver: HTTPServer, file, monkeypatch, is_full):
    """And when it looks again; where the disk takes no memory, as long as this process lives."""
    httpserver.expect_request("/hook").respond_with_data(status=200)
    monkeypatch.setenv("ALERT_URL", f"json://127.0.0.1:{httpserver.port}/hook")
    if is_full:
        monkeypatch.setattr("src.base.storage.os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space")))
    memory, said = AlertMemory(), []
    for error in (None, DataError("no bars"), DataError("no bars"), OSError(28, "No space"), None, None, KeyError()):
        tell_whether_it_looks(error, said.append, memory)
    told = [request.get_json()["message"] for request, _ in httpserver.log]
    assert told == ["ALERT cannot look: no bars", "over: cannot look", "ALERT cannot look: KeyError()"]
    assert [("remembered in this process only" in words) for words in said] == [is_full] * 3
    assert file.exists() != is_full


def test_nobody_is_told_who_did_not_ask(monkeypatch):
    """Nor is it said every hour that nobody was."""
    for name in ("ALERT_URL", "ALERT_URL_FILE"):
        monkeypatch.delenv(name, raising=False)
    said = []
    tell_whether_it_looks(DataError("no bars"), said.append, AlertMemory())
    assert said == []


def test_a_memory_that_cannot_be_read_keeps_nobody_from_being_told(httpserver: HTTPServer, file, monkeypatch):
    """A folder in its place; as long as this process lives, it remembers."""
    httpserver.expect_request("/hook").respond_with_data(status=200)
    monkeypatch.setenv("ALERT_URL", f"json://127.0.0.1:{httpserver.port}/hook")
    file.mkdir()
    memory, said = AlertMemory(), []
    for _ in range(3):
        tell_whether_it_looks(DataError("no bars"), said.append, memory)
    assert len(httpserver.log) == 1
    (words,) = said
    assert words.startswith(f"what was told before is not known: {file}: Is a directory; told: 1 alerts")


def test_a_name_that_cannot_be_written_is_left_out(file):
    """Else nothing could be remembered beside it, and every look would tell anew."""
    file.write_text('{"\\ud800": "2020-01-01T12:00:00Z"}')
    told, words = AlertMemory().read(NOW)
    assert (told, words.startswith(f"warning: {file}: 1 alerts had")) == ({}, True)
    assert AlertMemory().write({**told, "f1": NOW}) == ""
