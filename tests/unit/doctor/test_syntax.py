"""What people write, cut off or in conflict, in a repository of those files alone."""

import shutil
from pathlib import Path

import pytest

from src.base import paths
from src.doctor import syntax
from src.verdict.finding import Finding
from tests.checkouts import Checkout

FILES = ("params.yaml", "dvc.yaml", "dvc.lock")


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """Those files and the stages, committed."""
    made = Checkout(tmp_path)
    for name in FILES:
        shutil.copy(paths.ROOT / name, tmp_path / name)
    shutil.copytree(paths.ROOT / "src" / "stages", tmp_path / "src" / "stages")
    made.run("git", "init", "--quiet")
    made.commit("as they are")
    return made


def seen(root: Path) -> dict[str, Finding]:
    return {line.name: line for check in (syntax.ParamsFile, syntax.PipelineFiles) for line in check(root).findings()}


def test_as_they_are(checkout: Checkout) -> None:
    """Nothing to mend."""
    assert {name: line.verdict for name, line in seen(checkout.root).items()} == dict.fromkeys(FILES, "passed")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.62])
def test_cut_off(share: float, checkout: Checkout) -> None:
    """Even where what is left is YAML: stages, outputs and sections are missed. The command brings them back."""
    for name in FILES:
        content = (paths.ROOT / name).read_bytes()
        (checkout.root / name).write_bytes(content[: int(share * len(content))])
    for line in seen(checkout.root).values():
        assert line.verdict == "failed", line
        checkout.run("bash", "-c", line.command)
    assert {line.verdict for line in seen(checkout.root).values()} == {"passed"}


def test_code_that_is_none(checkout: Checkout) -> None:
    """Named with its line."""
    (checkout.root / "src" / "stages" / "train.py").write_text("def\n")
    (line,) = syntax.Code(checkout.root).findings()
    assert "src/stages/train.py: invalid syntax" in line.words
    checkout.run("bash", "-c", line.command)
    assert [line.verdict for line in syntax.Code(checkout.root).findings()] == ["passed"]
