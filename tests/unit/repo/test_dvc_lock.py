"""What a dvc.lock says, and what one that is damaged says instead."""

from collections.abc import Callable
from pathlib import Path

import pytest

from src.base.errors import DataError, PromotionError
from src.repo.dvc_lock import changed_outs, files_in, md5, parse_dvc_lock, read_dvc_lock
from src.repo.git import git, read_blobs

CONTENT = b"the bars"
# md5 of "the bars", by md5sum
NAME = "9ecae342a26bb20469107604ae7da85b"
TEXT = f"""schema: '2.0'
stages:
  fetch:
    cmd: python -m src.stages.fetch
    deps:
    - path: src/base
      hash: md5
      md5: 195953efbe344124718de102a0160a1c.dir
      size: 36119
      nfiles: 13
    params:
      params.yaml:
        data:
          end: '2019-10-17T10:00:00Z'
    outs:
    - path: data/raw/bars.parquet
      hash: md5
      md5: {NAME}
      size: 8
"""


def test_it_is_read_with_types() -> None:
    """A folder's md5 ends in .dir; what a stage made is found by its path."""
    lock = parse_dvc_lock(TEXT)
    fetch = lock.stages["fetch"]
    assert [(dep.path, dep.md5, dep.size) for dep in fetch.deps] == [
        ("src/base", "195953efbe344124718de102a0160a1c.dir", 36119)
    ]
    assert fetch.params["params.yaml"]["data"] == {"end": "2019-10-17T10:00:00Z"}
    assert {path: (out.md5, out.size) for path, out in lock.outs.items()} == {"data/raw/bars.parquet": (NAME, 8)}


def test_every_one_that_this_repository_ever_had_can_be_read() -> None:
    """Those that name files, and those that name folders."""
    commits = git("log", "--diff-filter=AM", "--format=%H", "--", "dvc.lock").split()
    texts = read_blobs(f"{commit}:dvc.lock" for commit in {commits[0], commits[len(commits) // 2], commits[-1]})
    assert all("ensemble" in parse_dvc_lock(text or "").stages for text in texts)


DAMAGES: dict[str, tuple[Callable[[str], str], str]] = {
    "empty": (lambda _: "", r"its top: "),
    "a list": (lambda _: "- 1", r"its top: "),
    "no YAML": (lambda _: "stages: [1", r"while parsing"),
    "no text": (lambda text: text + "\x00", r"special characters are not allowed"),
    "nested without end": (lambda _: "[" * 9000, r"recursion"),
    "no stages": (lambda _: "schema: '2.0'", r"stages: Field required"),
    "cut off after a stage's deps": (lambda text: text[: text.index("    params")], r"stages\.fetch\.outs: Field req"),
    "cut off in a stage's outs": (lambda text: text[: text.index("    - path: data")], r"stages\.fetch\.outs: "),
    "cut off in an md5": (lambda text: text[: text.rindex(NAME) + 30], r"stages\.fetch\.outs\.0\.md5: .*match pattern"),
    "a bit flipped in an md5": (lambda text: text.replace(NAME, f"s{NAME[1:]}"), r"outs\.0\.md5: .*match pattern"),
    "an md5 that YAML reads as a number": (lambda text: text.replace(NAME, "1" * 32), r"outs\.0\.md5: .*valid string"),
    "another hash": (lambda text: text.replace("hash: md5", "hash: md4"), r"deps\.0\.hash: "),
    "no path": (lambda text: text.replace("path: data", "qath: data"), r"outs\.0\.path: Field required"),
    "a size in words": (lambda text: text.replace("size: 8", "size: large"), r"outs\.0\.size: "),
    "marks of a merge": (lambda text: f"<<<<<<< HEAD\n{text}=======\n{text}>>>>>>> theirs\n", r"mapping values"),
}


@pytest.mark.parametrize(("damage", "words"), DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_one_says_where(damage: Callable[[str], str], words: str, tmp_path: Path) -> None:
    """In one line; of the work tree's with the command that brings it back."""
    with pytest.raises(DataError, match=rf"^dvc\.lock is damaged(:| at) .*{words}[^\n]*$"):
        parse_dvc_lock(damage(TEXT))
    (tmp_path / "dvc.lock").write_text(damage(TEXT))
    with pytest.raises(PromotionError, match=r"^dvc\.lock is damaged.*; bring it back with `git checkout dvc\.lock`$"):
        read_dvc_lock(tmp_path)


def test_bytes_that_are_no_text_are_damage(tmp_path: Path) -> None:
    """As a bad disk leaves them."""
    (tmp_path / "dvc.lock").write_bytes(TEXT.encode().replace(b"fetch", b"f\xff\xfe", 1))
    with pytest.raises(PromotionError, match=r"^dvc\.lock is damaged: .*; bring it back"):
        read_dvc_lock(tmp_path)


@pytest.mark.parametrize("content", [CONTENT, b"the cars", None], ids=["as made", "changed", "missing"])
def test_an_output_is_what_it_says_or_is_named(content: bytes | None, tmp_path: Path) -> None:
    """By its content: "the cars" has the size of "the bars"."""
    file = tmp_path / "data" / "raw" / "bars.parquet"
    file.parent.mkdir(parents=True)
    if content is not None:
        file.write_bytes(content)
    changed = [out.path for out in changed_outs(parse_dvc_lock(TEXT), tmp_path)]
    assert changed == ([] if content == CONTENT else ["data/raw/bars.parquet"])


def test_the_md5_is_that_of_md5sum() -> None:
    """Which is DVC's own name of a file."""
    assert md5(CONTENT) == NAME


@pytest.mark.parametrize("content", [b"", b"[", b"{}x", b"1", b"[1]", b'[{"relpath": "a"}]', b"[" * 9000])
def test_a_damaged_folder_is_named(content: bytes) -> None:
    """Its files are not known then, which is no reason to delete them."""
    with pytest.raises(PromotionError, match=r"the object 1\.dir names the files of a folder, and is damaged"):
        files_in(content, "1.dir")
