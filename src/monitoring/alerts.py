"""Tell people: once when something starts, again while it stays, once when it is over; never at the cost of the run.

The address is a secret. It comes from the environment, `ALERT_URL`, or from the file that `ALERT_URL_FILE` names, and
appears in no log and in no error.
"""

import logging
import os
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, NamedTuple

from src.base.errors import DataError
from src.base.foreign_text import inert
from src.monitoring.alert_memory import AlertMemory, Told
from src.verdict.finding import Finding

URL, URL_FILE = "ALERT_URL", "ALERT_URL_FILE"
# Discord takes 2,000 characters; the title and a mark of what was cut have to fit in, too.
BODY_MAX, TITLE_MAX = 1_800, 150
# Longer, and the run goes on without having told.
DEADLINE_S = 30.0
# A call that hangs is left behind in a thread of this name; with so many, no other is made.
THREAD, HANGING_MAX = "alert", 20
# A rule that no longer asks raises no alert either.
OVER = ("passed", "told", "off")
# As apprise calls them.
Level = Literal["failure", "warning", "success"]


class Message(NamedTuple):
    """What people are told."""

    level: Level
    title: str
    body: str


def due(
    findings: Sequence[Finding], told: Told, now: datetime, again_after: timedelta
) -> tuple[list[Finding], list[str]]:
    """Return the alerts that are to be told now, and the names of those that are over.

    What is unknown neither starts nor ends an alert; one that stays is told again some time after it was `told`.
    """
    raised = [finding for finding in findings if finding.verdict == "failed"]
    new = [one for one in raised if one.name not in told or told[one.name] + again_after <= now]
    over = {finding.name for finding in findings if finding.verdict in OVER}
    return new, [name for name in told if name in over]


def tell(
    findings: Sequence[Finding], title: str, now: datetime, again_after: timedelta, memory: AlertMemory | None = None
) -> str:
    """Send what is due in one message, and remember it only if it was taken; in a memory that outlives a full disk.

    Returns what became of it, in words; empty if nothing was due.
    """
    memory = memory or AlertMemory()
    told, damaged = memory.read(now)
    new, over = due(findings, told, now, again_after)
    if not new and not over:
        return damaged
    lines = [f"ALERT {one.name}: {one.words}" for one in new] + [f"over: {name}" for name in over]
    done = send(Message("failure" if new else "success", title, "\n".join(map(inert, lines))))
    if not done:
        kept = {name: at for name, at in told.items() if name not in over} | {one.name: now for one in new}
        done = "; ".join(filter(None, [f"told: {len(new)} alerts, {len(over)} over", memory.write(kept)]))
    return "; ".join(filter(None, [damaged, done]))


def send(message: Message) -> str:
    """Send one message; return why it was not taken, without the address, or nothing.

    Nobody to tell is a reason, too: an unattended machine without an address should not look as if it had one.
    """
    try:
        url = address()
    except DataError as error:
        return f"nobody was told: {error}"
    if not url:
        return f"nobody was told: neither {URL} nor {URL_FILE} is set"
    try:
        import apprise  # noqa: PLC0415 - it takes half a second to load
    except ImportError:
        return "nobody was told: apprise is not installed, `make .venv/.requirements` installs it"
    heard: list[str] = []
    with _quiet(heard):
        target = apprise.Apprise()
        if not target.add(url):
            return f"nobody was told: {URL} is no address that apprise knows"
        taken = _within_deadline(target, message)
    if taken:
        return ""
    reason = "no answer in time" if taken is None else "; ".join(heard) or "it was not taken"
    return f"nobody was told: {redact(reason, url)}"


def is_addressed() -> bool:
    """Tell whether anybody asked to be told."""
    return bool(os.environ.get(URL) or os.environ.get(URL_FILE))


def address() -> str:
    """Return the address, empty if none is set; `DataError` if its file cannot be read."""
    if file := os.environ.get(URL_FILE):
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            msg = f"the file that {URL_FILE} names cannot be read ({type(error).__name__})"
            raise DataError(msg) from error
    return os.environ.get(URL, "").strip()


def redact(text: str, url: str) -> str:
    """Take the address and all longer parts of it out of a text."""
    parts = {url, *re.split(r"[/:?&=@#]+", url)}
    for part in sorted((part for part in parts if len(part) > 3), key=len, reverse=True):  # noqa: PLR2004 - shorter is no secret
        text = text.replace(part, "***")
    return " ".join(text.split())


def _within_deadline(target: Any, message: Message) -> bool | None:  # noqa: ANN401 - see `send`
    """Notify in a thread of its own: one that hangs is left behind. None if it hangs.

    Mentions and links are broken in the text itself: whichever service it is, no option of apprise's forbids them.
    """
    if sum(thread.name == THREAD for thread in threading.enumerate()) >= HANGING_MAX:
        return None
    body, title = "\n".join(map(inert, message.body.split("\n"))), inert(message.title, TITLE_MAX)
    body = body if len(body) <= BODY_MAX else f"{body[:BODY_MAX]} ... (cut)"
    answers: list[bool] = []

    def notify() -> None:
        answers.append(bool(target.notify(body=body, title=title, notify_type=message.level)))

    thread = threading.Thread(target=notify, name=THREAD, daemon=True)
    thread.start()
    thread.join(DEADLINE_S)
    return None if thread.is_alive() else any(answers)


@contextmanager
def _quiet(heard: list[str]) -> Iterator[None]:
    """Collect apprise's warnings; below them both logs hold the address, and are kept shut.

    For good: a call that hangs speaks up when it ends.
    """
    for name in ("apprise", "urllib3"):
        logging.getLogger(name).setLevel(logging.WARNING)
        logging.getLogger(name).propagate = False
    logger = logging.getLogger("apprise")

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    handler = Collect(logging.WARNING)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
