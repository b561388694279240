"""`pip install .` refuses in one line and leaves nothing behind, until there is a package."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.checkouts import Checkout, copy_work_tree

REFUSAL = "error: this repository is no package to install; for the pipeline clone it and run `make repro`"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A fresh clone."""
    return copy_work_tree(tmp_path_factory.mktemp("package") / "repository")


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """An environment without anything in it but what is told to install."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    return tmp_path / "venv" / "bin" / "python"


def _pip(python: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "pip", "--python", str(python), *words]


def _uv(python: Path, *words: str) -> list[str]:
    return [str(Path(sys.executable).parent / "uv"), "pip", *words, "--python", str(python), "--offline"]


WAYS = {
    "as it is": (_pip, ["install", "--no-index", "--no-deps", "."]),
    "editable": (_pip, ["install", "--no-index", "--no-deps", "--editable", "."]),
    "without isolation": (_pip, ["install", "--no-index", "--no-deps", "--no-build-isolation", "."]),
    "a wheel of it": (_pip, ["wheel", "--no-index", "--no-deps", "--wheel-dir", "{folder}", "."]),
    "from git": (_pip, ["install", "--no-index", "--no-deps", "git+file://{root}"]),
    "by uv": (_uv, ["install", "--no-deps", "."]),
    "editable by uv": (_uv, ["install", "--no-deps", "--editable", "."]),
}


@pytest.mark.parametrize(("client", "words"), WAYS.values(), ids=WAYS)
def test_it_refuses_and_leaves_nothing(
    client: Callable[..., list[str]], words: list[str], checkout: Checkout, python: Path, tmp_path: Path
) -> None:
    """No file in the tree, ignored ones among them, and none in the environment."""
    before = sorted((tmp_path / "venv" / "lib").rglob("*"))
    root = checkout.root
    command = [word.format(root=root, folder=tmp_path / "wheels") for word in client(python, *words)]
    done = subprocess.run(
        command, cwd=checkout.root, env=checkout.environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert len(re.findall(f"^ *{re.escape(REFUSAL)}", done.stdout + done.stderr, re.MULTILINE)) == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert checkout.run("git", "status", "--porcelain", "--ignored") == ""
    assert sorted((tmp_path / "venv" / "lib").rglob("*")) == before
    assert list((tmp_path / "wheels").glob("*")) == []
