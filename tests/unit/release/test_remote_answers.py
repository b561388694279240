"""A remote that does not answer, or asks, with real git."""

import os
import shlex
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext

import pytest

from src.base.errors import PromotionError
from src.release.base_commit import check_upstream, how_to_publish
from src.repo import git
from tests.checkouts import Checkout
from tests.remotes import closed_port, silent_port


def hanging_ssh(mine: Checkout) -> None:
    """It says nothing, and leaves a process that holds whatever it was given open."""
    script = mine.root.parent / "ssh"
    script.write_text("#!/bin/sh\nsleep 60 &\nexec sleep 60\n")
    script.chmod(0o755)
    mine.run("git", "config", "core.sshCommand", str(script))


def nothing(mine: Checkout) -> None:
    """Leave it as it is."""


@pytest.mark.parametrize(
    ("prepare", "url", "words"),
    [
        pytest.param(nothing, "{folder}/nowhere.git", "'.*/nowhere.git' does not appear to be a git repos", id="gone"),
        pytest.param(nothing, "git://127.0.0.1:{closed}/x.git", "Connection refused", id="refused"),
        pytest.param(nothing, "git://127.0.0.1:{silent}/x.git", "no answer in 1 s", id="silent"),
        pytest.param(nothing, "http://127.0.0.1:{silent}/x.git", "no answer in 1 s", id="silent http"),
        pytest.param(hanging_ssh, "user@host:x.git", "no answer in 1 s", id="hanging ssh"),
    ],
)
def test_a_remote_that_does_not_answer_is_refused(
    prepare: Callable[[Checkout], None], url: str, words: str, mine: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the time that it is given, with git's own reason, and nothing changed; --offline goes on and says so."""
    monkeypatch.setattr(git, "REMOTE_TIMEOUT_S", 1)
    prepare(mine)
    with silent_port() if "silent" in url else nullcontext() as silent:
        address = url.format(folder=mine.root.parent, closed=closed_port(), silent=silent)
        mine.run("git", "remote", "set-url", "origin", address)
        before, start = mine.git_state(), time.monotonic()
        refusal = rf"^origin cannot be asked .*{words}.*; nothing was changed, and `--offline` goes on without it$"
        with pytest.raises(PromotionError, match=refusal):
            check_upstream(amend=False, offline=False)
        assert time.monotonic() - start < 10
    assert mine.git_state() == before
    check_upstream(amend=False, offline=True)
    assert how_to_publish(offline=True).endswith(
        "origin was not asked; if it has other commits or tags, it takes nothing."
    )


def test_nobody_is_asked_for_a_password(mine: Checkout) -> None:
    """Git and ssh are told so, and run in a session that has no terminal."""
    script = mine.root.parent / "ssh"
    told = "os.environ['GIT_TERMINAL_PROMPT'], os.environ['SSH_ASKPASS_REQUIRE'], os.getsid(0)"
    script.write_text(f"import os, sys\nsys.exit('told ' + repr(({told})))\n")
    mine.run("git", "config", "core.sshCommand", shlex.join([sys.executable, str(script)]))
    mine.run("git", "remote", "set-url", "origin", "user@host:x.git")
    with pytest.raises(PromotionError, match=r"told \('0', 'never', \d+\)") as refused:
        check_upstream(amend=False, offline=False)
    assert f", {os.getsid(0)})" not in str(refused.value)
