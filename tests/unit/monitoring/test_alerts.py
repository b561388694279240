"""Telling people: a webhook that answers in every way, and one that does not."""

import json
import logging
import re
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from apprise.plugins.discord import NotifyDiscord
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from src.base import paths, storage
from src.commands.shared import tell_people
from src.monitoring import alerts
from src.monitoring.alerts import Message, due, send, tell
from src.verdict.finding import Finding

ID, TOKEN = "123456789012345678", "s3cretTokenOfTheWebhook-abcdefghijklmnopqrstuvwxyz"
WEBHOOK = f"https://discord.com/api/webhooks/{ID}/{TOKEN}"
NOW, DAY = datetime(2020, 1, 2, tzinfo=UTC), timedelta(days=1)
MESSAGE = Message("failure", "Version 1.0.0", "F1 is low")


def judged(**verdicts):
    return [Finding(name, 1.0, 0.0, verdict, f"{name} is {verdict}") for name, verdict in verdicts.items()]


@pytest.fixture
def discord(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> HTTPServer:
    """A stand-in for Discord's webhooks on this machine, and the address of one."""
    monkeypatch.setattr(NotifyDiscord, "notify_url", httpserver.url_for("/api/webhooks"))
    monkeypatch.setenv("ALERT_URL", WEBHOOK)
    monkeypatch.delenv("ALERT_URL_FILE", raising=False)
    return httpserver


@pytest.fixture
def impatient(discord, monkeypatch):
    """A deadline that a test can wait for; a busy machine needs longer for an ordinary answer.

    What is sent after it reaches the stand-in before the next test listens there.
    """
    monkeypatch.setattr(alerts, "DEADLINE_S", 2.0)
    before = set(threading.enumerate())
    yield
    for late in set(threading.enumerate()) - before:
        late.join(20)
        assert not late.is_alive()


@pytest.fixture
def told(tmp_path, monkeypatch):
    """An empty memory of what was told."""
    monkeypatch.setattr(paths, "ALERTS", tmp_path / "alerts.json")
    return paths.ALERTS


@pytest.fixture(autouse=True)
def no_secret(capfd, caplog) -> Iterator[None]:
    """Whatever happens, the address appears in no output and in no log, but for that of the stand-in itself."""
    caplog.set_level(logging.DEBUG)
    yield
    records = [*caplog.get_records("call"), *caplog.records]
    seen = "".join(capfd.readouterr()) + "\n".join(one.getMessage() for one in records if one.name != "werkzeug")
    assert TOKEN not in seen
    assert ID not in seen


def bodies(server: HTTPServer) -> list[str]:
    """What arrived: all texts of each message."""
    return [json.dumps(request.get_json()) for request, _ in server.log]


def test_a_message_arrives(discord):
    """With its title and its body."""
    discord.expect_request(f"/api/webhooks/{ID}/{TOKEN}", method="POST").respond_with_data(status=204)
    assert send(MESSAGE) == ""
    (body,) = bodies(discord)
    assert "F1 is low" in body
    assert "Version 1.0.0" in body


def test_any_address_of_apprise(httpserver, monkeypatch):
    """Such as JSON to a server of one's own; from a file, too."""
    httpserver.expect_request("/hook").respond_with_data(status=200)
    monkeypatch.setenv("ALERT_URL", f"json://127.0.0.1:{httpserver.port}/hook")
    assert send(MESSAGE) == ""
    assert httpserver.log[0][0].get_json()["type"] == "failure"


def test_the_address_may_lie_in_a_file(discord, tmp_path, monkeypatch):
    """As secrets of containers do; it goes before the variable."""
    discord.expect_request(f"/api/webhooks/{ID}/{TOKEN}").respond_with_data(status=204)
    (tmp_path / "secret").write_text(f"{WEBHOOK}\n")
    monkeypatch.setenv("ALERT_URL", "json://127.0.0.1:1/")
    monkeypatch.setenv("ALERT_URL_FILE", str(tmp_path / "secret"))
    assert send(MESSAGE) == ""
    monkeypatch.setenv("ALERT_URL_FILE", str(tmp_path / "nowhere"))
    assert send(MESSAGE) == "nobody was told: the file that ALERT_URL_FILE names cannot be read (FileNotFoundError)"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500, 502])
def test_an_answer_that_is_a_no(discord, status):
    """The reason is told, without the address."""
    discord.expect_request(f"/api/webhooks/{ID}/{TOKEN}").respond_with_data(f"no {WEBHOOK}", status=status)
    failed = send(MESSAGE)
    assert failed.startswith("nobody was told: ")
    assert str(status) in failed
    assert TOKEN not in failed


def test_too_many_requests(discord, impatient):
    """429 with retry_after: the next run tries again; this one is not kept waiting for an hour."""
    headers = {"Retry-After": "3600", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "3600"}
    answer = json.dumps({"message": "You are being rate limited.", "retry_after": 3600.0, "global": False})
    discord.expect_request(f"/api/webhooks/{ID}/{TOKEN}").respond_with_data(answer, status=429, headers=headers)
    started = time.monotonic()
    assert send(MESSAGE).startswith("nobody was told: ")
    assert time.monotonic() - started < 30


def test_a_server_that_hangs_or_drips(discord, impatient):
    """The run goes on after the deadline."""
    release = threading.Event()

    def hang(_: Request) -> Response:
        release.wait(20)
        return Response(status=204)

    discord.expect_request(f"/api/webhooks/{ID}/{TOKEN}").respond_with_handler(hang)
    try:
        assert send(MESSAGE) == "nobody was told: no answer in time"
    finally:
        release.set()


def test_nobody_at_the_address(monkeypatch):
    """A port that is closed."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv("ALERT_URL", f"json://{ID}:{TOKEN}@127.0.0.1:{port}/hook")
    failed = send(MESSAGE)
    assert failed.startswith("nobody was told: ")
    assert TOKEN not in failed


@pytest.mark.parametrize("url", ["", "nonsense", f"nosuch://{ID}/{TOKEN}", "https://discord.com/api/webhooks/"])
def test_an_address_that_is_none(monkeypatch, url):
    """Missing or of no known kind: said, without repeating it."""
    monkeypatch.delenv("ALERT_URL_FILE", raising=False)
    monkeypatch.setenv("ALERT_URL", url)
    words = "neither ALERT_URL nor ALERT_URL_FILE is set" if not url else "ALERT_URL is no address that apprise knows"
    assert send(MESSAGE) == f"nobody was told: {words}"


def test_a_long_message_is_cut(discord):
    """Discord takes 2,000 characters; one message, not ten."""
    discord.expect_request(f"/api/webhooks/{ID}/{TOKEN}").respond_with_data(status=204)
    assert send(MESSAGE._replace(body="long " * 10_000)) == ""
    (body,) = bodies(discord)
    assert "... (cut)" in body
    assert len(body) < 4_000


def test_what_is_due():
    """What is new, what stays long enough, what is over; what is unknown changes nothing."""
    told = dict.fromkeys(("recent", "over", "switched off", "unknown", "gone"), NOW - DAY / 2) | {"old": NOW - DAY}
    results = {"new": "failed", "old": "failed", "recent": "failed", "over": "passed", "switched off": "off"}
    new, over = due(judged(**results, unknown="unknown", fine="passed"), told, NOW, DAY)
    assert [one.name for one in new] == ["new", "old"]
    assert over == ["over", "switched off"]


def test_an_alert_is_told_once_again_and_when_it_is_over(discord, told):
    """One message for all that is due."""
    discord.expect_request(f"/api/webhooks/{ID}/{TOKEN}").respond_with_data(status=204)
    story = [
        (NOW, judged(f1="failed", drift="failed"), "told: 2 alerts, 0 over"),
        (NOW + DAY / 2, judged(f1="failed", drift="failed"), ""),
        (NOW + DAY, judged(f1="failed", drift="passed"), "told: 1 alerts, 1 over"),
        (NOW + 3 * DAY / 2, judged(f1="unknown"), ""),
        (NOW + 2 * DAY, judged(f1="passed"), "told: 0 alerts, 1 over"),
        (NOW + 3 * DAY, judged(f1="passed"), ""),
    ]
    assert [tell(judgements, "title", now, DAY) for now, judgements, _ in story] == [words for *_, words in story]
    first, second, third = bodies(discord)
    assert ("ALERT f1" in first, "ALERT drift" in first) == (True, True)
    assert ("ALERT f1" in second, "over: drift" in second) == (True, True)
    assert "over: f1" in third
    assert json.loads(told.read_text()) == {}


def test_what_was_not_taken_is_told_by_the_next_run(discord, told):
    """Nothing is remembered that nobody heard."""
    url = f"/api/webhooks/{ID}/{TOKEN}"
    discord.expect_oneshot_request(url).respond_with_data(status=500)
    assert tell(judged(f1="failed"), "title", NOW, DAY).startswith("nobody was told: ")
    assert not told.exists()
    discord.expect_oneshot_request(url).respond_with_data(status=204)
    assert tell(judged(f1="failed"), "title", NOW, DAY) == "told: 1 alerts, 0 over"


HOSTILE = (
    "@everyone <@&42> <@7> <#9> @here\nALERT fake: x\r[free](https://evil.example/x) discord.gg/abc steam://run \x1b[2J"
)
# What Discord, read as its client does, would make more of than text.
ALIVE = re.compile(rb"@everyone|@here|<[@#]|[a-z]://|\]\(|discord\.gg|\\u001b|\\r(?!\\n)|\x1b|\r", re.IGNORECASE)


def alive(request: Request) -> list[bytes]:
    """What acts in the bytes that arrived; the picture beside the sender's name is apprise's own."""
    return ALIVE.findall(re.sub(rb'"avatar_url": "[^"]*"', b"", request.get_data()))


@pytest.mark.parametrize("address", [WEBHOOK, "json"], ids=["Discord", "JSON"])
def test_foreign_text_calls_nobody_and_links_nowhere(discord, told, monkeypatch, address):
    """Judged by the bytes that the webhook was sent: a name, words, a title, and what is over."""
    discord.expect_request(re.compile("/.*"), method="POST").respond_with_data(status=204)
    if address == "json":
        monkeypatch.setenv("ALERT_URL", f"json://127.0.0.1:{discord.port}/hook")
    judgement = Finding(f"f1 {HOSTILE}", 0.1, 0.5, "failed", f"the exchange says {HOSTILE}")
    storage.write_json({f"gone {HOSTILE}": "2020-01-01T00:00:00Z"}, told)
    over = judgement._replace(name=f"gone {HOSTILE}", verdict="passed")
    assert tell([judgement, over], f"Version {HOSTILE}", NOW, DAY) == "told: 1 alerts, 1 over"
    assert send(Message("failure", HOSTILE, HOSTILE)) == ""
    for request, _ in discord.log:
        assert alive(request) == []
    first = discord.log[0][0].get_data()
    assert b"@ everyone < @ &42>" in first
    assert rb"\nALERT fake" not in first


def test_a_retraining_tells_no_more(discord, monkeypatch):
    """The words of an error are one line of the message."""
    discord.expect_request(re.compile("/.*")).respond_with_data(status=204)
    tell_people("failure", "The retraining failed", HOSTILE, unless=False)
    (request, _) = discord.log[0]
    assert alive(request) == []
    assert request.get_data().count(rb"\n") == 1  # between title and body


def test_calls_that_hang_do_not_pile_up(discord, monkeypatch):
    """An address may be down for days; as soon as they end, people are told again."""
    release, url = threading.Event(), f"/api/webhooks/{ID}/{TOKEN}"
    monkeypatch.setattr(alerts, "DEADLINE_S", 0.1)
    monkeypatch.setattr(alerts, "HANGING_MAX", 3)
    discord.expect_request(url).respond_with_handler(lambda _: Response(status=204 if release.wait(20) else 500))
    before = set(threading.enumerate())
    try:
        assert [send(MESSAGE) for _ in range(6)] == ["nobody was told: no answer in time"] * 6
        hanging = [thread for thread in set(threading.enumerate()) - before if thread.name == alerts.THREAD]
        assert len(hanging) == 3
    finally:
        release.set()
    for thread in hanging:
        thread.join(20)
    monkeypatch.setattr(alerts, "DEADLINE_S", 20)
    assert send(MESSAGE) == ""
