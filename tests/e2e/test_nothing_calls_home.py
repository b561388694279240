"""A day's commands and a bot, each with an empty home of its own: what they leave there, and whom they call.

Many packages report to their makers or look for newer versions of themselves; a home is where they would note it. The
commands are forked from a process that is watched from before its first import.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest

from src.cli import COMMANDS
from tests.checkouts import Checkout
from tests.documents import FEED, bot
from tests.warm import programs as warm

BARS = "data/raw/bars.parquet"
# A later command stands on what an earlier one left.
A_DAY = {
    "retrain": ("--dry-run", "--end", "2018-01-03T00:00:00Z"),
    "scores": (),
    "report": (),
    "gate": (),
    "compare": ("HEAD~3",),
    "leakcheck": (),
    "promote": (),
    "publish": (),
    "history": (),
    "rollback": ("1.0.0",),
    "deploy": ("../served",),
    "channel": (),
    "prune": (),
    "inspect": (BARS,),
    "predict": (BARS, "--log", "logs/bot.jsonl"),
    "monitor": ("logs/bot.jsonl", "--bars", BARS),
    "doctor": (),
    "repair": (),
}
BOT = "a bot"
# onnxruntime's telemetry collects for nine seconds before it first calls.
STAY = "\nimport time\ntime.sleep(15)\n"
SERVER = "what the commands are forked from"
CALL = re.compile(r"^\d+ +(?:connect|sendto|sendmsg|sendmmsg)\(.*")
INTERNET = re.compile(r'sa_family=AF_INET6?, sin6?_port=htons\((\d+)\).*?(?:inet_addr\(|AF_INET6, )"([^"]+)"')
DNS_PORT = 53
TIMEOUT_S = 600


class Done(NamedTuple):
    """What a command printed, its exit status, what lies in its home, and how many processes were forked for it."""

    said: str
    status: int
    home: list[str]
    forked: int = 0


def can_trace() -> bool:
    """Say whether strace is there and may look at another process."""
    strace = shutil.which("strace")
    return bool(strace) and subprocess.run([strace, "-f", "true"], capture_output=True, check=False).returncode == 0


TRACED = can_trace()
needs_strace = pytest.mark.skipif(not TRACED, reason="no strace that may look at a process: who was called is not seen")


def watched(trace: Path, *command: str) -> list[str]:
    """Let strace, where there is one, write down whom a command and its children call."""
    calls = "trace=connect,sendto,sendmsg,sendmmsg,setpgid"
    strace = ["strace", "-D", "-f", "-qq", "--seccomp-bpf", "-o", str(trace), "-e", calls]
    return [*strace, *command] if TRACED else [*command]


def forked(trace: Path) -> int:
    """Count the processes that were forked; each begins with a group of its own."""
    return trace.read_text().count("setpgid(0, 0)") if trace.exists() else 0


def foreign_calls(trace: Path) -> list[str]:
    """Return the calls that leave this machine; to ask for a name is one, also where a local server passes it on."""
    calls = [line for line in trace.read_text().splitlines() if CALL.match(line)]
    return [line for line in calls if "io.systemd.Resolve" in line or any(map(_is_foreign, INTERNET.findall(line)))]


def _is_foreign(called: tuple[str, str]) -> bool:
    port, address = called
    return int(port) == DNS_PORT or not (address.startswith("127.") or address == "::1")


def start(command: list[str], cwd: Path, environment: dict[str, str], home: Path) -> subprocess.Popen[str]:
    """Start a command that has an empty home, and no variable that names another place for what lies in homes."""
    home.mkdir(parents=True)
    return subprocess.Popen(
        command,
        cwd=cwd,
        env=at_home(environment, home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def at_home(environment: dict[str, str], home: Path) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith("XDG_")} | {"HOME": str(home)}


def finish(process: subprocess.Popen[str], home: Path) -> Done:
    """Wait for its end, and look at what it left."""
    said, _ = process.communicate(timeout=TIMEOUT_S)
    return Done(said, process.returncode, left_in(home))


def left_in(home: Path) -> list[str]:
    return sorted(str(path.relative_to(home)) for path in home.rglob("*"))


@pytest.fixture(scope="module")
def repository(two_versions: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A clone of a bare git remote with two promoted models."""
    folder = tmp_path_factory.mktemp("day")
    two_versions.run("git", "clone", "--quiet", "--bare", str(two_versions.root), str(folder / "origin.git"))
    checkout = Checkout(folder / "repository")
    two_versions.run("git", "clone", "--quiet", f"file://{folder}/origin.git", str(checkout.root))
    checkout.run("dvc", "remote", "modify", "--local", "local", "url", str(two_versions.root / ".dvc-remote"))
    checkout.run("dvc", "pull", "--quiet")
    return checkout


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where strace writes whom the bot and the commands call."""
    return tmp_path_factory.mktemp("traces")


@pytest.fixture(scope="module")
def server_home(traces: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of the process, watched, from which the commands are forked."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(warm.FOLDER, raising=False)  # until the end, the one of all tests
        warm.set_up(at_home(dict(os.environ), home), *watched(traces / SERVER))
        yield home
        warm.tear_down()


@pytest.fixture(scope="module")
def runs(
    repository: Checkout, bars: pd.DataFrame, server_home: Path, traces: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Done]:
    """The guide's bot in a folder of its own, and meanwhile every command."""
    folder = tmp_path_factory.mktemp("runs")
    feed = bars.tail(505).reset_index().to_json(orient="records", date_format="iso", double_precision=15)
    (folder / "bot.py").write_text(FEED.format(feed=feed, n_bars=505) + bot() + STAY)
    cold = repository.environment(is_warm=False) | {"PYTHONPATH": str(repository.root)}
    serving = start(watched(traces / BOT, "python", "bot.py"), folder, cold, folder / BOT)
    try:
        commands = {}
        for name, arguments in A_DAY.items():
            # Watched, too: what is not forked starts from here.
            command, home = watched(traces / name, "python", "-m", "src", name, *arguments), folder / name
            before = forked(traces / SERVER)
            done = finish(start(command, repository.root, repository.environment(), home), home)
            commands[name] = done._replace(forked=forked(traces / SERVER) - before)
    finally:
        served = finish(serving, folder / BOT)
    return {BOT: served, SERVER: Done("", 0, left_in(server_home)), **commands}


def test_the_day_has_every_command() -> None:
    """A new command cannot be forgotten here."""
    assert {command.__name__ for command, _, _ in COMMANDS} == set(A_DAY)


@pytest.mark.parametrize("name", [BOT, SERVER, *A_DAY])
def test_the_home_stays_empty(name: str, runs: dict[str, Done]) -> None:
    """Of a command that did its work: it ends with 0, or with 1, a no."""
    done = runs[name]
    assert done.status in {0, 1}, done.said
    assert "Traceback" not in done.said
    assert done.home == []


@needs_strace
@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize("name", [BOT, SERVER, *A_DAY])
def test_nobody_is_called(name: str, traces: Path) -> None:
    """No child of theirs opens a connection to another machine, or asks for an address."""
    assert foreign_calls(traces / name) == []


@needs_strace
@pytest.mark.parametrize("name", A_DAY)
def test_every_command_was_watched(name: str, runs: dict[str, Done]) -> None:
    """It is forked from the watched process."""
    assert runs[name].forked > 0


@needs_strace
@pytest.mark.parametrize(
    ("kind", "address", "is_seen"),
    [
        pytest.param("SOCK_DGRAM", "('192.0.2.1', 443)", True, id="another machine"),
        pytest.param("SOCK_DGRAM", "('127.0.0.53', 53)", True, id="a name, by a server on this machine"),
        pytest.param("SOCK_DGRAM", "('127.0.0.1', 9)", False, id="this machine"),
    ],
)
def test_a_call_is_seen(kind: str, address: str, is_seen: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """What the tests above look for; nothing is sent."""
    code = f"import socket; socket.socket(socket.AF_INET, socket.{kind}).connect({address})"
    subprocess.run(watched(tmp_path / "trace", sys.executable, "-c", code), check=False)
    assert bool(foreign_calls(tmp_path / "trace")) == is_seen
