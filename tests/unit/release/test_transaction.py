"""A change of the production model is whole or not at all, and what is left behind is mended or told."""

import hashlib
import json
import os
from collections.abc import Callable

import pytest
import yaml
from filelock import FileLock

from src.base import paths
from src.base.errors import PromotionError
from src.doctor.repair import repair as repair_all
from src.release.tags import Tagged
from src.release.transaction import check_committed, exclusive, transaction
from src.repo.git import git
from tests.checkouts import Checkout
from tests.unit.release.conftest import BEFORE, hook

SECOND = Tagged("1.1.0", "production")
TAGS = ["production-ensemble#production#1", "production-ensemble@v1.1.0"]


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
    """An interrupted one takes the commit back, too; after a kill the next lets the commit stay."""
    files = [repository.root / name for name in ("model", "other")]
    with monkeypatch.context() as patched:
        if is_killed:
            patched.setattr("src.release.transaction._undo", lambda: None)
        with pytest.raises(KeyboardInterrupt), transaction(files, SECOND, with_outputs=False):
            change(repository, commit=commit)
    if is_killed:
        with pytest.raises(PromotionError, match="was stopped half-way; run it again"):
            check_committed()
        with pytest.raises(PromotionError, match="was stopped half-way; run it again"):
            repair_all()
    with exclusive():
        check_committed()
    stays = commit and is_killed
    assert (repository.root / "model").read_bytes() == (b"after" if stays else BEFORE)
    assert (repository.root / "other").exists() == stays
    assert git("rev-list", "--count", "HEAD") == ("2" if stays else "1")


@pytest.mark.parametrize("commit", [False, True])
def test_a_note_of_version_1_5_is_understood(
    *, commit: bool, repository: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds neither the index nor the tags: files or commit are as they should be, and nothing is tagged."""
    files = [repository.root / name for name in ("model", "other")]
    with monkeypatch.context() as patched:
        patched.setattr("src.release.transaction._undo", lambda: None)
        with pytest.raises(KeyboardInterrupt), transaction(files, SECOND, with_outputs=False):
            change(repository, commit=commit)
    note = repository.root / ".git" / "unfinished.json"
    kept = {
        name: value for name, value in json.loads(note.read_text()).items() if name in {"head", "files", "with_outputs"}
    }
    note.write_text(json.dumps(kept))
    with exclusive():
        check_committed()
    assert (repository.root / "model").read_bytes() == (b"after" if commit else BEFORE)
    assert (git("tag"), note.exists()) == ("", False)


def promote(checkout: Checkout, tagged: Tagged, *, how: tuple[str, ...] = ()) -> None:
    """Commit metadata with that version, and tag them."""
    with transaction([paths.METADATA, checkout.root / "model"], tagged, with_outputs=False):
        paths.METADATA.parent.mkdir(parents=True, exist_ok=True)
        paths.METADATA.write_text(f'{{"version": "{tagged.version}"}}')
        (checkout.root / "model").write_bytes(tagged.version.encode())
        checkout.run("git", "add", "--all")
        checkout.run("git", "commit", "--quiet", "--message", "promote", *how)


def state(checkout: Checkout) -> list[str]:
    """What git knows, and the note of an unfinished change."""
    return [*checkout.git_state(), *(path.name for path in (checkout.root / ".git").glob("unfinished*"))]


def refused(checkout: Checkout, tag: str) -> None:
    """By a hook of the user."""
    hook(checkout, "reference-transaction", f'[ "$1" != prepared ] || ! grep -q "refs/tags/{tag}$"')


def refused_version(checkout: Checkout) -> None:
    refused(checkout, TAGS[1])


def refused_stage(checkout: Checkout) -> None:
    """The first of the two tags can be made."""
    refused(checkout, TAGS[0])


def lightweight(checkout: Checkout) -> None:
    """It is no version, and has the name of one."""
    checkout.run("git", "tag", TAGS[1], "HEAD")


@pytest.mark.parametrize("how", [(), ("--amend",)], ids=["commit", "amend"])
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        pytest.param(refused_version, r"^`git tag .*@v1\.1\.0 \w+` failed: .*by hook", id="refused version"),
        pytest.param(refused_stage, r"^`git tag .*#production#1 \w+` failed: .*by hook", id="refused stage"),
        pytest.param(lightweight, r"^the tag .*@v1\.1\.0 is there already", id="lightweight"),
    ],
)
def test_what_cannot_be_tagged_is_not_committed(
    spoil: Callable[[Checkout], None], words: str, how: tuple[str, ...], repository: Checkout
) -> None:
    """Commit, index, work tree and tags are as before, what was only staged included; the next begins at once."""
    (repository.root / "model").write_bytes(b"staged")
    repository.run("git", "add", "--all")
    (repository.root / "model").write_bytes(b"changed since")
    spoil(repository)
    before = state(repository)
    with pytest.raises(PromotionError, match=words), exclusive():
        promote(repository, SECOND, how=how)
    assert state(repository) == before
    assert (repository.root / "model").read_bytes() == b"changed since"
    for name in git("tag").splitlines():
        repository.run("git", "tag", "--delete", name)
    (repository.root / ".git" / "hooks" / "reference-transaction").unlink(missing_ok=True)
    with exclusive():
        promote(repository, SECOND, how=how)
    assert git("tag", "--points-at", "HEAD").split() == TAGS


@pytest.mark.parametrize("how", [(), ("--amend",)], ids=["commit", "amend"])
@pytest.mark.parametrize("since", [0, 1], ids=["at once", "after another commit"])
def test_killed_before_the_tags_the_next_makes_them(
    how: tuple[str, ...], since: int, repository: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the commit that was made, whatever was committed since."""
    with monkeypatch.context() as patched:
        for step in ("_undo", "tag"):
            patched.setattr(f"src.release.transaction.{step}", ends_here)
        with pytest.raises(KeyboardInterrupt):
            promote(repository, SECOND, how=how)
    made = git("rev-parse", "HEAD")
    for _ in range(since):
        repository.run("git", "commit", "--quiet", "--allow-empty", "--message", "another")
    assert git("tag") == ""
    with exclusive():
        check_committed()
    assert git("tag", "--points-at", made).split() == TAGS


def ends_here(*_: object) -> None:
    """As a kill does."""
    raise KeyboardInterrupt


def test_a_version_that_came_back_is_tagged_where_it_was_promoted(repository: Checkout) -> None:
    """Killed or not; what follows has a number of its own."""
    for version in ("1.0.0", "1.1.0"):
        promote(repository, Tagged(version, "production"))
    promote(repository, Tagged("1.0.0", "production", git("rev-parse", "HEAD~1")))
    assert git("tag", "--points-at", "HEAD") == ""
    tags = git("tag", "--points-at", "HEAD~2").split()
    assert tags == [
        "production-ensemble#production#1",
        "production-ensemble#production#3",
        "production-ensemble@v1.0.0",
    ]


def test_a_commit_that_cannot_be_read_made_no_version(repository: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person's, say, after a promotion that was killed before its own: nothing is tagged, and the next begins."""
    with monkeypatch.context() as patched:
        patched.setattr("src.release.transaction._undo", lambda: None)
        with pytest.raises(KeyboardInterrupt), transaction([paths.METADATA], SECOND, with_outputs=False):
            raise KeyboardInterrupt
    paths.METADATA.parent.mkdir(parents=True)
    for content in ("<<<<<<< HEAD", "{}", "[]", '{"version": 1.1}'):
        paths.METADATA.write_text(content)
        repository.commit("damaged")
    with exclusive():
        check_committed()
    assert git("tag") == ""


def test_one_at_a_time(repository: Checkout) -> None:
    """The second says so."""
    lock = FileLock(repository.root / ".git" / "production.lock")
    with lock, pytest.raises(PromotionError, match="promotion, rollback, publication or prune is at work"), exclusive():
        pass


def write_lock(checkout: Checkout, **entry: str) -> None:
    """Write a dvc.lock of one output."""
    out = {"path": "model", "hash": "md5", "md5": hashlib.md5(BEFORE, usedforsecurity=False).hexdigest()} | entry
    (checkout.root / "dvc.lock").write_text(yaml.safe_dump({"stages": {"ensemble": {"deps": [], "outs": [out]}}}))


def test_there_is_nothing_to_mend(repository: Checkout) -> None:
    """And nothing is touched."""
    write_lock(repository)
    assert repair_all() == []


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
    said = repair_all()
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
    "a pipe, for which DVC would wait": None,
}


@pytest.mark.parametrize("content", RWLOCKS.values(), ids=RWLOCKS)
def test_a_rwlock_that_dvc_cannot_read_is_removed(content: bytes | None, repository: Checkout) -> None:
    """Whatever is wrong with it; one that DVC can read stays."""
    write_lock(repository)
    file = repository.root / ".dvc" / "tmp" / "rwlock"
    file.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(file) if content is None else file.write_bytes(content)
    (said,) = repair_all()
    assert said.startswith(".dvc/tmp/rwlock was cut off, or of a shape that DVC does not read")
    file.write_text('{"write": {}, "read": {"a": [{"pid": 1, "cmd": "dvc repro"}]}}')
    assert repair_all() == []
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
        repair_all()


def test_code_that_git_ignores_is_a_change(repository: Checkout) -> None:
    """By the ignore file of this clone, or of the user: DVC hashes it, and the stages run it."""
    (repository.root / ".git" / "info" / "exclude").write_text("*.local.py\n__pycache__/\n")
    for name in ("src/__pycache__/module.pyc", "src/mine.local.py"):
        (repository.root / name).parent.mkdir(parents=True, exist_ok=True)
        (repository.root / name).touch()
    words = (
        r"git ignores 1 files of code, .*: src/mine.local.py; `git add --force -- src/mine.local.py`, or move it away"
    )
    with pytest.raises(PromotionError, match=words):
        check_committed()
    (repository.root / "src" / "mine.local.py").unlink()
    check_committed()
