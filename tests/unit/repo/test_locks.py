"""One at a time."""

import subprocess
import sys
from pathlib import Path

import pytest

from src.base.errors import PromotionError
from src.repo.locks import acquire

HOLD = """
import sys, time
from pathlib import Path
from src.repo.locks import acquire
with acquire(Path(sys.argv[1]), "held"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_second_is_refused_at_once_and_the_next_is_not(tmp_path: Path) -> None:
    """In the words for who holds it."""
    file = tmp_path / "lock"
    refused = pytest.raises(PromotionError, match=r"^another one is at work$")
    with acquire(file, "another one is at work"), refused:
        acquire(file, "another one is at work")
    with acquire(file, "another one is at work"):
        pass


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    """The system drops the lock with the process."""
    file = tmp_path / "lock"
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(file)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    with pytest.raises(PromotionError, match="held"):
        acquire(file, "held")
    process.kill()
    process.communicate()
    with acquire(file, "held"):
        pass
