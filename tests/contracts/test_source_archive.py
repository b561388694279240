"""A source distribution that is taken for its data stays a file: nothing in it runs."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from scripts.source_archive import SIMPLE_JSON, Archive, download
from tests.distributions import SOURCE, write_source


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """What appears when something of the source distribution runs."""
    return tmp_path / "mark"


@pytest.fixture
def archive(mark: Path, tmp_path: Path, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> Archive:
    """The source distribution on an index of this machine, which pip is set up with."""
    write_source(tmp_path, mark)
    content = (tmp_path / SOURCE).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    page = {
        "meta": {"api-version": "1.0"},
        "name": "other",
        "files": [{"filename": SOURCE, "url": f"../../files/{SOURCE}", "hashes": {"sha256": digest}}],
    }
    httpserver.expect_request("/simple/other/").respond_with_json(page, content_type=SIMPLE_JSON)
    httpserver.expect_request(f"/files/{SOURCE}").respond_with_data(content)
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", httpserver.url_for("/simple"))
    monkeypatch.setenv("NO_PROXY", "*")
    return Archive("other", SOURCE, digest)


def test_the_file_is_taken_and_nothing_runs(archive: Archive, mark: Path, tmp_path: Path) -> None:
    """Byte for byte, from the index that pip is set up with."""
    assert download(archive) == (tmp_path / SOURCE).read_bytes()
    assert not mark.exists()


def test_pip_would_have_run_it(archive: Archive, mark: Path, tmp_path: Path) -> None:
    """So the test above can fail."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", str(tmp_path / "there"), "other==1.0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert mark.exists(), done.stderr


def test_another_file_is_refused(archive: Archive) -> None:
    """By the hash that we know, whatever the index says of its own."""
    with pytest.raises(SystemExit, match=rf"{SOURCE} has sha256 {archive.sha256}, expected 00$"):
        download(archive._replace(sha256="00"))


def test_a_file_that_is_not_there_is_named(archive: Archive) -> None:
    """With what is there."""
    with pytest.raises(SystemExit, match=rf"^error: expected other-2\.0\.zip at http.*, found {SOURCE}$"):
        download(archive._replace(name="other-2.0.zip"))


def test_an_index_that_does_not_answer(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens at port 1."""
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    with pytest.raises(SystemExit, match=r"^error: http://127\.0\.0\.1:1/simple/other/ does not answer: "):
        download(archive)


def test_a_password_is_not_guessed(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pip shows stars in its place."""
    monkeypatch.setenv("PIP_INDEX_URL", "http://user:word@127.0.0.1:1/simple")
    with pytest.raises(SystemExit, match=r"^error: expected an index without a password, pip names "):
        download(archive)


def test_a_file_of_this_machine_is_no_index(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only http and https are asked."""
    monkeypatch.setenv("PIP_INDEX_URL", "file:///etc")
    with pytest.raises(SystemExit, match=r"^error: expected an address that starts with http or https, got file:"):
        download(archive)
