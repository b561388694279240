"""Byte code that a full disk cut off is removed, and nothing else."""

import py_compile
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from src.base import paths
from src.base.byte_code import remove_damaged


@pytest.mark.parametrize("n_bytes", [0, 10, 16, 40, -5])
def test_what_was_cut_off_is_removed(n_bytes: int, tmp_path: Path) -> None:
    """The one that is whole stays."""
    for name in ("whole", "half"):
        (tmp_path / f"{name}.py").write_text("def answer():\n    return [42, 'a', {'b': 1}]\n")
        py_compile.compile(str(tmp_path / f"{name}.py"))
    (half,) = tmp_path.glob("__pycache__/half.*")
    half.write_bytes(half.read_bytes()[:n_bytes])
    assert remove_damaged([tmp_path]) == [half]
    assert [path.stem.partition(".")[0] for path in tmp_path.glob("__pycache__/*")] == ["whole"]


def test_a_command_starts_all_the_same(tmp_path: Path) -> None:
    """Python itself would end with `marshal data too short`."""
    for room in ("btc_signal", "src"):
        shutil.copytree(paths.ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "src", "--help"]
    for _ in range(2):
        done = subprocess.run(command, cwd=tmp_path, env={}, capture_output=True, text=True, check=True)
        assert "Commands around the pipeline" in done.stdout
        for file in tmp_path.glob("src/__pycache__/cli.*.pyc"):
            file.write_bytes(file.read_bytes()[:-100])
