"""A program of `tests/warm` is to its caller what Python itself is, and imports the code of its own folder."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.checkouts import Checkout
from tests.warm.programs import programs

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there is no such server")

# What a program can see of how it was started.
SEEN = """
import os, sys
print(__name__, sys.argv[1:], sys.path[0], os.getcwd(), sys.stdin.read(), sys.stdout.encoding, sys.stdout.isatty())
for of_the_shell in ("_", "PWD", "OLDPWD", "SHLVL"):
    os.environ.pop(of_the_shell, None)
print(sorted(os.environ.items()), oct(os.umask(0)), file=sys.stderr)
import numpy, src, btc_signal.times
print(numpy.__version__, src.__path__, btc_signal.times.HERE)
"""
ENDS = {
    "nothing": "",
    "a status": "import sys; sys.exit(3)",
    "a status above 255": "import sys; sys.exit(259)",
    "words": "import sys; sys.exit('no')",
    "an error": "print('said'); 1 / 0",
    "Ctrl-C": "raise KeyboardInterrupt",
    "a signal": "import os; os.kill(os.getpid(), 9)",
    "at exit": "import atexit, sys; atexit.register(print, 'over'); sys.exit(2)",
    "a thread": "from threading import Timer; Timer(0.2, print, ['late']).start()",
    "a warning": "import warnings; warnings.warn('odd')",
    "a closed pipe": "import sys; sys.stdout.close()",
}


@pytest.fixture
def folder(tmp_path: Path) -> Checkout:
    """A folder with a module to start, and another `btc_signal`."""
    for room in ("src", "btc_signal"):
        (tmp_path / "with space" / room).mkdir(parents=True)
        (tmp_path / "with space" / room / "__init__.py").touch()
    (tmp_path / "with space" / "btc_signal" / "times.py").write_text("HERE = 'here'\n")
    return Checkout(tmp_path / "with space")


def outcome(folder: Checkout, *command: str, **environment: str) -> tuple[int, str, str]:
    """Return status, output and error of a program that reads `asked`; the last line of a traceback stands for it."""
    done = subprocess.run(
        command,
        cwd=folder.root,
        env=folder.environment() | {"EMPTY": "", "ODD": "\udcff\n"} | environment,
        input="asked",
        capture_output=True,
        text=True,
        check=False,
        umask=0o27,
    )
    error = done.stderr.splitlines()[-1:] if "Traceback" in done.stderr else done.stderr.splitlines()
    return done.returncode, done.stdout, "\n".join(error)


def test_it_sees_what_python_sees(folder: Checkout) -> None:
    """Arguments, folder, input, environment, umask; and our modules are those of its folder."""
    (folder.root / "src" / "seen.py").write_text(SEEN)
    arguments = ("-m", "src.seen", "-a", "two words", "")
    for asked in (arguments, ("-c", SEEN, *arguments[2:])):
        warm = outcome(folder, "python", *asked)
        assert warm == outcome(folder, sys.executable, *asked)
        assert warm[0] == 0
        assert "here" in warm[1]


@pytest.mark.parametrize("code", ENDS.values(), ids=ENDS)
def test_it_ends_as_python_ends(folder: Checkout, code: str) -> None:
    """With the same status or signal, and all that was said."""
    (folder.root / "src" / "ends.py").write_text(code)
    for asked in (("-m", "src.ends"), ("-c", code)):
        assert outcome(folder, "python", *asked) == outcome(folder, sys.executable, *asked)


@pytest.mark.parametrize("options", [(), ("-W", "error")], ids=["plain", "warnings are errors"])
def test_it_is_forked(folder: Checkout, options: tuple[str, ...]) -> None:
    """So the tests above compare two things: packages are there before the first import."""
    code = "import sys, warnings; print('sklearn' in sys.modules, 'src.base' in sys.modules); warnings.warn('odd')"
    (folder.root / "src" / "forked.py").write_text(code)
    status, said, _ = outcome(folder, "python", *options, "-m", "src.forked")
    assert (status, said) == (len(options) // 2, "True False\n")


@pytest.mark.parametrize("name", ["PYTHONPATH", "LC_ALL", "OMP_NUM_THREADS", "LD_PRELOAD"])
def test_what_is_read_at_the_start_starts_python(folder: Checkout, name: str) -> None:
    """A process that runs already cannot be given it."""
    (folder.root / "src" / "forked.py").write_text("import sys; print('sklearn' in sys.modules)")
    assert outcome(folder, "python", "-m", "src.forked", **{name: ""})[:2] == (0, "False\n")


def test_scripts_and_what_asks_for_modules_start_python(folder: Checkout) -> None:
    """What asks which are imported gets Python's own answer."""
    (folder.root / "script.py").write_text("import sys; print('sklearn' in sys.modules)")
    assert outcome(folder, "python", "-c", "import sys; print('sklearn' in sys.modules)")[:2] == (0, "False\n")
    assert outcome(folder, "python", "script.py")[:2] == (0, "False\n")


@pytest.mark.parametrize(("sent", "expected"), [("SIGTERM", 7), ("SIGKILL", -9)])
def test_a_signal_to_the_program_reaches_the_process(folder: Checkout, sent: str, expected: int) -> None:
    """SIGTERM as itself; and the process outlives no client, however that ended."""
    code = "import os, signal, sys, time; signal.signal(15, lambda *_: sys.exit(7)); print(os.getpid(), flush=True); "
    (folder.root / "src" / "waits.py").write_text(code + "time.sleep(60)")
    with subprocess.Popen(
        ["python", "-m", "src.waits"], cwd=folder.root, env=folder.environment(), stdout=subprocess.PIPE, text=True
    ) as client:
        process = int(client.stdout.readline())
        assert process != client.pid
        client.send_signal(signal.Signals[sent])
        assert client.wait(30) == expected
    deadline = time.monotonic() + 30
    while Path(f"/proc/{process}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_without_a_server_python_starts(folder: Checkout) -> None:
    """The same, only slower."""
    (folder.root / "src" / "forked.py").write_text("import sys; print('sklearn' in sys.modules)")
    (program,) = programs()
    text = Path(program, "python").read_text().replace("/socket", "/nowhere")
    alone = folder.root / "python"
    alone.write_text(text)
    alone.chmod(0o755)
    assert outcome(folder, str(alone), "-m", "src.forked")[:2] == (0, "False\n")
    assert os.access(program, os.X_OK)
