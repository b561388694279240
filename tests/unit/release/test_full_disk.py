"""Git on a disk that is full from some page on: old or new as a whole, and with room the same command ends well."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from src.base import paths
from src.base.errors import PromotionError
from src.release.tags import Tagged
from src.release.transaction import check_committed, commit, exclusive, transaction
from src.repo.git import git
from tests.checkouts import Checkout
from tests.faults.world import ImpossibleError, mounted

PAGE_BYTES = 4096


@pytest.fixture
def disk(
    repository: Checkout, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A small disk with the repository, which the project takes for its own."""
    try:
        with mounted(tmp_path_factory.mktemp("disk"), "-t", "tmpfs", "-o", "size=4m", "tmpfs") as folder:
            root = repository.copy(folder / "repository").root
            monkeypatch.setattr(paths, "METADATA", root / paths.relative(paths.METADATA))
            monkeypatch.setattr(paths, "ROOT", root)
            yield folder
            monkeypatch.undo()
    except ImpossibleError as error:
        pytest.skip(f"no disk can be mounted here: {error}")


def promote_again() -> None:
    """Promote a version, from its note to its tags."""
    with exclusive(), transaction([paths.METADATA], Tagged("1.1.0", "production"), with_outputs=False):
        paths.METADATA.parent.mkdir(parents=True, exist_ok=True)
        paths.METADATA.write_text('{"version": "1.1.0"}')
        commit([paths.relative(paths.METADATA)], "Promote 1.1.0")


@pytest.mark.parametrize("n_pages", [*range(12), 16, 24])
def test_a_full_disk_leaves_nothing_half_done(n_pages: int, disk: Path) -> None:
    """Wherever the room ends: at the note, an object, the index, a ref, a tag, or while it is taken back."""
    before, filler, said = git("rev-parse", "HEAD"), disk / "filler", ""
    filler.write_bytes(bytes(shutil.disk_usage(disk).free - n_pages * PAGE_BYTES))
    try:
        promote_again()
    except (PromotionError, OSError) as error:
        said = str(error)
    if said and not (disk / "repository" / ".git" / "unfinished.json").exists():
        assert (git("rev-parse", "HEAD"), git("tag"), git("status", "--porcelain")) == (before, "", "")
    assert said or n_pages > 8
    assert not said or "No space left on device" in said or "the disk is full: make room, then run it again" in said
    filler.unlink()
    with exclusive():
        check_committed()
    if not git("tag"):
        promote_again()
    assert git("tag", "--points-at", "HEAD").split() == [
        "production-ensemble#production#1",
        "production-ensemble@v1.1.0",
    ]
    assert (git("rev-list", "--count", f"{before}..HEAD"), git("status", "--porcelain")) == ("1", "")
