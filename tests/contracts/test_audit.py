"""`make audit` fails on a known advisory, and wherever it cannot tell; against a service on this machine."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from scripts import audit
from src.base import paths

HASH = " \\\n    --hash=sha256:00\n    # via pandas\n"
LOCKS = {
    "requirements-serve.lock": f"numpy==2.4.6{HASH}",
    "requirements.lock": f"numpy==2.4.6{HASH}xgboost==3.2.0 ; sys_platform == 'win32'{HASH}",
}
PROJECT = "[tool.audit]\naccepted = [{accepted}]\n"
ACCEPTED = '{{id = "{}", until = {}, reason = "not called here"}}'
Known = dict[str, dict[str, object]]


def _advisory(name: str, fixed: str | None = None) -> dict[str, object]:
    """What the service says of a version."""
    events = [{"introduced": "0"}, *([{"fixed": fixed}] if fixed else [])]
    package = {"name": name, "ecosystem": "PyPI"}
    affected = [{"package": package, "ranges": [{"type": "ECOSYSTEM", "events": events}]}]
    return {"id": f"GHSA-{name}", "aliases": [f"CVE-{name}"], "summary": "bad", "affected": affected}


DJANGO = {"django==1.8": _advisory("django", "9.9")}


@pytest.fixture
def asked() -> list[str]:
    """Every pin that the service was asked about, in order."""
    return []


@pytest.fixture
def serve(httpserver: HTTPServer, asked: list[str]) -> Callable[[Known], None]:
    """Start a service that knows what it is given."""

    def start(known: Known) -> None:
        def answer(request: Request) -> Response:
            question = json.loads(request.get_data())
            pin = f"{question['package']['name']}=={question['version']}"
            asked.append(pin)
            return Response(json.dumps({"vulns": [known[pin]]} if pin in known else {}))

        httpserver.expect_request("/query", method="POST").respond_with_handler(answer)

    return start


@pytest.fixture
def environment(httpserver: HTTPServer) -> dict[str, str]:
    """Where pip-audit asks."""
    return os.environ | {"PIP_AUDIT_OSV_URL": httpserver.url_for("/query"), "NO_PROXY": "*"}


@pytest.fixture
def run(tmp_path: Path, environment: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Audit a project of two pins."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(paths.ROOT / "scripts" / "audit.py", tmp_path / "scripts")
    for name, text in LOCKS.items():
        (tmp_path / name).write_text(text)

    def audited(accepted: str = "", **changed: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "pyproject.toml").write_text(PROJECT.format(accepted=accepted))
        command = [sys.executable, "scripts/audit.py"]
        return subprocess.run(
            command, cwd=tmp_path, env=environment | changed, capture_output=True, text=True, check=False
        )

    return audited


def test_every_pin_of_every_lock_is_asked_about(
    serve: Callable[[Known], None], asked: list[str], environment: dict[str, str]
) -> None:
    """`make audit` as it is; those for another system, too, which are not installed here."""
    serve(DJANGO)
    command = ["make", "--no-print-directory", "--old-file=.venv/.requirements-dev", "audit"]
    done = subprocess.run(command, cwd=paths.ROOT, env=environment, capture_output=True, text=True, check=False)
    pins = {
        pin
        for lock in paths.ROOT.glob("requirements*.lock")
        for pin in re.findall(r"^[a-z0-9-]+==\S+", lock.read_text(), re.MULTILINE)
    }
    assert (done.returncode, done.stdout) == (0, f"{len(pins)} pins, known advisories: 0\n")
    assert sorted(asked) == sorted([*pins, audit.KNOWN])
    assert {pin.split("==")[0] for pin in asked} >= {"xgboost", "xgboost-cpu"}


def test_an_advisory_fails_with_what_to_do(serve: Callable[[Known], None], run: Callable) -> None:
    """Each with the version that mends it, its ids, and the locks that hold it."""
    serve(DJANGO | {"numpy==2.4.6": _advisory("numpy", "2.4.7"), "xgboost==3.2.0": _advisory("xgboost")})
    done = run()
    head, *rows, mend = [line.split() for line in done.stderr.splitlines() if set(line) - set("- ")]
    assert (done.returncode, head) == (1, ["Name", "Version", "ID", "Fix", "Versions", "Aliases", "Locks"])
    assert rows == [
        ["numpy", "2.4.6", "CVE-numpy", "2.4.7", "GHSA-numpy", "requirements-serve.lock,", "requirements.lock"],
        ["xgboost", "3.2.0", "CVE-xgboost", "GHSA-xgboost", "requirements.lock"],
    ]
    assert mend[0] == "error:"
    assert "make lock UPGRADE=name" in done.stderr


@pytest.mark.parametrize("known_as", ["CVE-numpy", "GHSA-numpy"])
def test_an_accepted_advisory_passes(known_as: str, serve: Callable[[Known], None], run: Callable) -> None:
    """By any of its ids, and it is still counted."""
    serve(DJANGO | {"numpy==2.4.6": _advisory("numpy", "2.4.7")})
    done = run(ACCEPTED.format(known_as, "2999-01-01"))
    assert (done.returncode, done.stdout) == (0, "2 pins, known advisories: 1, accepted\n")


def test_the_last_day_of_an_acceptance_counts() -> None:
    """The day after, people are asked again, with their own reason."""
    rule = {"id": "CVE-1", "until": date(2026, 1, 31), "reason": "not called here"}
    assert audit.over([rule], date(2026, 1, 31)) == {}
    said = "error: CVE-1 was accepted until 2026-01-31: not called here; decide again, or drop it"
    assert audit.over([rule], date(2026, 2, 1)) == {"CVE-1": said}


@pytest.mark.parametrize("known", [{"numpy==2.4.6": _advisory("numpy", "2.4.7")}, {}], ids=["known", "withdrawn"])
def test_an_acceptance_that_is_over_fails(known: Known, serve: Callable[[Known], None], run: Callable) -> None:
    """The advisory is told again if there still is one."""
    serve(DJANGO | known)
    done = run(ACCEPTED.format("CVE-numpy", "2020-01-01"))
    assert done.returncode == 1
    assert "error: CVE-numpy was accepted until 2020-01-01: not called here; decide again" in done.stderr
    assert bool(re.search(r"^numpy +2\.4\.6 +CVE-numpy", done.stderr, re.MULTILINE)) is bool(known)


@pytest.mark.parametrize(
    "accepted",
    ['{id = "CVE-1"}', ACCEPTED.format("CVE-1", '"2999-01-01"'), ACCEPTED.format("CVE-1", "2999-01-01T00:00:00Z")],
    ids=["for ever", "words for a date", "a time"],
)
def test_an_acceptance_has_an_end_and_a_reason(accepted: str, run: Callable) -> None:
    """Nobody is asked before that is clear."""
    done = run(accepted)
    assert done.returncode == 2
    assert re.match(
        r"error: pyproject\.toml, section tool\.audit: expected id, until \(a date\) and reason", done.stderr
    )


def test_a_service_that_cannot_be_reached_is_no_good_news(run: Callable) -> None:
    """Nobody listens at port 1."""
    done = run(PIP_AUDIT_OSV_URL="http://127.0.0.1:1/query")
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert re.match(r"error: expected an answer of the advisory service about 2 pins, got .*ConnectionError", line)
    assert line.endswith("run `make audit` again where the service can be reached")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Response("", status=500), "500"),
        (Response("", status=404), "404"),
        (Response("<html>log in first</html>"), "JSONDecodeError"),
        (Response("{}"), "No known vulnerabilities found"),
    ],
    ids=["broken", "another address", "a page to log in", "knows nothing of anything"],
)
def test_an_answer_that_is_none_is_no_good_news(
    answer: Response, said: str, httpserver: HTTPServer, run: Callable
) -> None:
    """Also that of a service that is empty: it is asked about a version of which everybody knows advisories."""
    httpserver.expect_request("/query").respond_with_response(answer)
    done = run()
    assert (done.returncode, done.stdout) == (2, "")
    assert re.match(rf"error: expected an answer .* got .*{said}", done.stderr)
