"""Commands as a user with other settings starts them, or a hook of another repository."""

from pathlib import Path

from tests.checkouts import Checkout
from tests.faults.world import ask, changes, promoted_version


def test_a_rollback_within_a_hook_of_another_repository(two_versions: Checkout, tmp_path: Path) -> None:
    """Git and DVC work on the repository that the command is started in; an untracked source is seen before."""
    checkout, other = two_versions.copy(tmp_path / "repository"), Checkout(tmp_path / "other")
    other.root.mkdir()
    other.run("git", "init", "--quiet", "--initial-branch", "main")
    other.run("git", "commit", "--quiet", "--allow-empty", "--message", "theirs")
    theirs, folder = other.git_state(), other.root / ".git"
    (tmp_path / "gitconfig").write_text("[status]\nshowUntrackedFiles = no\n[core]\nautocrlf = true\n")
    around = {
        "GIT_DIR": str(folder),
        "GIT_WORK_TREE": str(other.root),
        "GIT_INDEX_FILE": str(folder / "index"),
        "GIT_CONFIG_GLOBAL": str(tmp_path / "gitconfig"),
    }
    command = ("python", "-m", "src", "rollback", "1.0.0")
    (checkout.root / "src" / "mine.py").touch()
    refused = ask(checkout, *command, **around)
    assert refused.status == 2
    assert "1 paths differ from the last commit: ?? src/mine.py" in refused.said
    (checkout.root / "src" / "mine.py").unlink()
    done = ask(checkout, *command, **around)
    assert done.status == 0, done.said
    assert (promoted_version(checkout), changes(checkout), other.git_state()) == ("1.0.0", "", theirs)
