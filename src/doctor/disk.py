"""The disk, and who may read and write here."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from src.doctor.check import Check, fail, ok, warn
from src.repo.git_locks import quoted
from src.verdict.finding import Finding, few

# A whole run writes some tens of MiB, an environment 2 GiB.
NEEDED_MIB, COMFORTABLE_MIB = 200, 1_000
# Objects are written once and then protected.
READ_ONLY, OBJECTS = (".dvc/cache", ".dvc-remote"), "/files/md5/"
SKIPPED = (".git", ".venv", ".hypothesis", ".mypy_cache", ".ruff_cache", "__pycache__")
SHARED = "This shows which objects no commit here names; before you delete them: other clones may share the cache"


class Disk(Check):
    """There is room on the disk, and every file can be read and written."""

    name = "disk"
    is_plain = True

    def findings(self) -> Iterator[Finding]:
        yield judge_room(shutil.disk_usage(str(self.root)).free // 2**20)
        wrong = list(_forbidden(self.root))
        if not wrong:
            yield ok("permissions", "every file can be read and written")
        for own, who, repair in (
            (True, "you may not read or write", "chmod u+rwX"),
            (False, "another user owns, and you may not use", 'sudo chown -R "$(id -un)"'),
        ):
            names = [name for name, is_own in wrong if is_own == own]
            if names:
                yield fail("permissions", f"{who} {few(names, 1)}", f"{repair} {quoted(*names)}")


def judge_room(free_mib: int) -> Finding:
    """Judge the room that is left."""
    if free_mib >= COMFORTABLE_MIB:
        return ok("disk", f"{free_mib:,} MiB free")
    judge = fail if free_mib < NEEDED_MIB else warn
    return judge("disk", f"{free_mib:,} MiB free: make room. {SHARED}", "dvc gc --all-commits --dry")


def _forbidden(root: Path) -> Iterator[tuple[str, bool]]:
    """Yield what this user may not use, and whether it is this user's own; what lies in such a folder is not seen."""
    if not _may_use(root, "."):
        yield ".", root.stat().st_uid == os.geteuid()
        return
    for folder, folders, files in os.walk(str(root)):
        named = {name: os.path.relpath(os.path.join(folder, name), str(root)) for name in sorted([*folders, *files])}  # noqa: PTH118
        wrong = {name: path for name, path in named.items() if name not in SKIPPED and not _may_use(root, path)}
        yield from ((path, (root / path).stat().st_uid == os.geteuid()) for path in wrong.values())
        folders[:] = sorted(name for name in folders if name not in {*SKIPPED, *wrong})


def _may_use(root: Path, name: str) -> bool:
    """Judge own files by their mode, for root may do anything; others' by asking."""
    path = root / name
    if path.is_symlink():
        return True
    state, is_object = path.stat(), name.startswith(READ_ONLY) or OBJECTS in f"/{name}"
    is_folder = stat.S_ISDIR(state.st_mode)
    needed = os.R_OK | (os.X_OK if is_folder else 0) | (os.W_OK if is_folder or not is_object else 0)
    if state.st_uid == os.geteuid():
        return (state.st_mode >> 6) & needed == needed
    return os.access(str(path), needed)
