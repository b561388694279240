"""What stands in git's way, seen without git: locks and empty objects that kills and power cuts leave, and a full disk.

Standard library only, and any Python from 3.8 on: the doctor has to start where the environment does not.
"""

from __future__ import annotations

import os
import shlex
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Of one work tree, with the indexes that commits of single files are made of; and of all that share a repository.
OWN, SHARED = ("index.lock", "next-index-*.lock", "HEAD.lock", "ORIG_HEAD.lock"), ("config.lock", "packed-refs.lock")

# A commit and its tags take less, by far.
ROOM_BYTES = 100_000


def git_folders(root: Path) -> tuple[Path, Path]:
    """Return the folder of git of a work tree, and the one that it shares with other work trees; mostly the same."""
    own = root / ".git"
    with suppress(OSError):
        if own.is_file():
            own = root / own.read_text(encoding="utf-8").partition(":")[2].strip()
        return own, own / (own / "commondir").read_text(encoding="utf-8").strip()
    return own, own


def locks(root: Path) -> list[Path]:
    """Return the lock files of git that lie in a repository, whoever holds them."""
    own, shared = git_folders(root)
    found = {path for pattern in OWN for path in own.glob(pattern)}
    found |= {path for pattern in SHARED for path in shared.glob(pattern)}
    return sorted(found | {path for folder in {own, shared} for path in (folder / "refs").rglob("*.lock")})


def about_locks(root: Path) -> str:
    """Say which lock files lie in a repository, and what to do; empty if there are none."""
    return words_on(locks(root))


def words_on(found: list[Path]) -> str:
    """Say what these lock files are, and the command that removes them; empty if there are none."""
    if not found:
        return ""
    names = [os.path.normpath(str(path)) for path in found]
    are, those = ("is", "that file") if len(names) == 1 else ("are", "those files")
    words = f"{', '.join(names)} {are} there: another git is at work, or was killed"
    return f"{words}; if none is, delete {those}: `rm -f {quoted(*names)}`"


def empty_objects(root: Path) -> list[Path]:
    """Return the objects that have no bytes: git writes none such."""
    objects = git_folders(root)[1] / "objects"
    return sorted(path for path in objects.glob("[0-9a-f][0-9a-f]/*") if _is_empty(path))


def is_full(root: Path) -> bool:
    """Tell whether the disk of a repository has no room for a change: of some failures git does not say why."""
    with suppress(OSError):
        room = os.statvfs(str(git_folders(root)[1]))
        return room.f_bavail * room.f_frsize < ROOM_BYTES or (room.f_files > 0 and room.f_favail == 0)
    return False


def git_at_work(root: Path) -> bool:
    """Tell whether a git works in this repository, or a work tree that shares it, that this process did not start.

    Neither counts one that was started beside it or around it, such as a hook's. Where the system does not tell, none
    works.
    """
    folders = tuple(f"{folder}/" for folder in map(os.path.realpath, _work_folders(root)))
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            is_git = (process / "comm").read_text().strip() == "git"
            if is_git and f"{os.readlink(str(process / 'cwd'))}/".startswith(folders):  # noqa: PTH115 - of 3.9
                parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
                if os.getpgid(0) not in (os.getpgid(int(process.name)), os.getpgid(parent)):
                    return True
    return False


def _work_folders(root: Path) -> Iterator[Path]:
    """Yield the folders in which the gits of a repository work: its own folder, and each work tree's."""
    shared = git_folders(root)[1].resolve()
    yield from (root, shared, shared.parent if shared.name == ".git" else shared)
    for linked in (shared / "worktrees").glob("*/gitdir"):
        with suppress(OSError):
            yield Path(linked.read_text(encoding="utf-8").strip()).parent


def quoted(*names: str) -> str:
    """Write names as words of a shell; one that holds what acts on a terminal, or is no text, by its bytes' numbers."""
    numbers = {name: "".join(f"\\x{byte:02x}" for byte in os.fsencode(name)) for name in names}
    return " ".join(shlex.quote(name) if name.isprintable() else f"$'{numbers[name]}'" for name in names)


def _is_empty(path: Path) -> bool:
    with suppress(OSError):
        return path.stat().st_size == 0
    return False
