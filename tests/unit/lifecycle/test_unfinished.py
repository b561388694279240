"""A change of the production model is whole or not at all, and what is left behind is mended or told."""

import hashlib
from pathlib import Path

import pytest
import yaml
from filelock import FileLock

from src import byte_code, paths
from src.errors import PromotionError
from src.lifecycle import mend
from src.lifecycle.mend import mend as mend_all
from src.lifecycle.pipeline import check_committed
from src.lifecycle.unfinished import all_or_nothing, alone
from tests.checkouts import Checkout

BEFORE = b"before\xff\n"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    """A repository with one file, committed, which the project takes for its own."""
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    for name in ("RWLOCK", "LOCK"):
        monkeypatch.setattr(mend, name, tmp_path / getattr(mend, name).relative_to(Path(mend.__file__).parents[2]))
    monkeypatch.setattr(byte_code, "remove_damaged", list)
    checkout = Checkout(tmp_path)
    checkout.run("git", "init", "--quiet")
    (tmp_path / "model").write_bytes(BEFORE)
    checkout.commit("before")
    return checkout


def change(checkout: Checkout, *, commit: bool) -> None:
    """Change both files, and end unexpectedly."""
    for name in ("model", "other"):
        (checkout.root / name).write_bytes(b"after")
    checkout.run("git", "add", "--all")
    if commit:
        checkout.commit("after")
    raise KeyboardInterrupt


@pytest.mark.parametrize("is_killed", [False, True], ids=["interrupted", "killed"])
@pytest.mark.parametrize("commit", [False, True])
def test_the_files_are_as_before_or_as_committed(
    *, commit: bool, is_killed: bool, repository: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interrupted one puts them back itself, a killed one leaves that to the next."""
    files = [repository.root / name for name in ("model", "other")]
    with monkeypatch.context() as patched:
        if is_killed:
            patched.setattr("src.lifecycle.unfinished._put_back", lambda: None)
        with pytest.raises(KeyboardInterrupt), all_or_nothing(files, with_outputs=False):
            change(repository, commit=commit)
    if is_killed:
        with pytest.raises(PromotionError, match="was stopped half-way; run it again"):
            check_committed()
        with pytest.raises(PromotionError, match="was stopped half-way; run it again"):
            mend_all()
    with alone():
        check_committed()
    assert (repository.root / "model").read_bytes() == (b"after" if commit else BEFORE)
    assert (repository.root / "other").exists() == commit


def test_one_at_a_time(repository: Checkout) -> None:
    """The second says so."""
    lock = FileLock(repository.root / ".git" / "production.lock")
    with lock, pytest.raises(PromotionError, match="another promotion or rollback is at work"), alone():
        pass


def test_an_index_that_is_locked_is_told_first(repository: Checkout) -> None:
    """Nothing was changed yet."""
    (repository.root / ".git" / "index.lock").touch()
    with pytest.raises(PromotionError, match=r"index\.lock is there: .* delete that file"), alone():
        pass


def write_lock(checkout: Checkout, **entry: str) -> None:
    """Write a dvc.lock of one output."""
    out = {"path": "model", "hash": "md5", "md5": hashlib.md5(BEFORE, usedforsecurity=False).hexdigest()} | entry
    (checkout.root / "dvc.lock").write_text(yaml.safe_dump({"stages": {"ensemble": {"deps": [], "outs": [out]}}}))


def test_there_is_nothing_to_mend(repository: Checkout) -> None:
    """And nothing is touched."""
    write_lock(repository)
    assert mend_all() == []


def test_what_can_be_mended(repository: Checkout) -> None:
    """DVC's books that were cut off, a damaged object, and an output that DVC takes for unchanged."""
    write_lock(repository)
    digest = hashlib.md5(BEFORE, usedforsecurity=False).hexdigest()
    kept = repository.root / ".dvc" / "cache" / "files" / "md5" / digest[:2] / digest[2:]
    rwlock, model = repository.root / ".dvc" / "tmp" / "rwlock", repository.root / "model"
    for file, content in ((kept, b"damaged"), (rwlock, b""), (model, b"damaged")):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    number = model.stat().st_ino
    said = mend_all()
    assert [line.split(" ")[0] for line in said] == [".dvc/tmp/rwlock", "model", "model"]
    assert not rwlock.exists()
    assert not kept.exists()
    assert (model.read_bytes(), model.stat().st_ino == number) == (b"damaged", False)


RWLOCKS = {
    "cut off": b'{"write": {"a"',
    "a list": b"[]",
    "a text for a process": b'{"write": {"a": {"pid": "1", "cmd": "dvc repro"}}}',
    "one reader, not a list": b'{"read": {"a": {"pid": 1, "cmd": "dvc repro"}}}',
    "another key": b'{"locked": {}}',
    "nested without end": b"[" * 100_000,
    "no UTF-8": b"\xff",
}


@pytest.mark.parametrize("content", RWLOCKS.values(), ids=RWLOCKS)
def test_a_rwlock_that_dvc_cannot_read_is_removed(content: bytes, repository: Checkout) -> None:
    """Whatever is wrong with it; one that DVC can read stays."""
    write_lock(repository)
    file = repository.root / ".dvc" / "tmp" / "rwlock"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    (said,) = mend_all()
    assert said.startswith(".dvc/tmp/rwlock was cut off, or of a shape that DVC does not read")
    file.write_text('{"write": {}, "read": {"a": [{"pid": 1, "cmd": "dvc repro"}]}}')
    assert mend_all() == []
    assert file.exists()


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda file: file.write_text(""), id="empty"),
        pytest.param(lambda file: file.write_text("a: [1"), id="no YAML"),
        pytest.param(lambda file: file.write_text(file.read_text().replace("hash: md5", "hash: md4")), id="other hash"),
        pytest.param(lambda file: file.write_text(file.read_text().replace("path", "qath")), id="other key"),
    ],
)
def test_a_damaged_lock_is_brought_back_by_git(damage, repository: Checkout) -> None:
    """DVC says too little of it."""
    write_lock(repository)
    damage(repository.root / "dvc.lock")
    with pytest.raises(PromotionError, match=r"dvc\.lock is damaged.*; bring it back with `git checkout dvc\.lock`"):
        mend_all()
