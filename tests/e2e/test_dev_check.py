"""The founding document's command, as typed on a machine where something is wrong."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from src.base import paths
from tests.checkouts import Checkout, copy_work_tree

# A Python without the packages of the environment.
BARE = (str(Path(sys.base_prefix) / "bin" / "python3"), "-B")


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """The files git holds, no environment and no data; put back what you change."""
    return copy_work_tree(tmp_path_factory.mktemp("dev_check") / "repository")


def dev_check(checkout: Checkout, *arguments: str, expect: int = 1) -> subprocess.CompletedProcess[str]:
    """Run it from the system's root, by a Python that has no packages."""
    command = [*BARE, str(checkout.root / "scripts" / "management" / "dev_check.py"), *arguments]
    done = subprocess.run(
        command, cwd="/", env=checkout.environment(), capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == expect, done.stdout + done.stderr
    return done


def test_before_there_is_an_environment(bare: Checkout) -> None:
    """The first thing to do comes first; what needs no environment is looked at all the same."""
    said = dev_check(bare).stdout.splitlines()
    assert said[0].startswith("fail  environment")
    assert said[1].strip() == "$ make .venv/.requirements"
    assert [line.split()[1] for line in said if line.startswith("ok")] == ["disk", "permissions", "git", "dvc"]
    assert bare.run("git", "status", "--porcelain") == ""


@pytest.fixture
def with_environment(bare: Checkout) -> Checkout:
    (bare.root / ".git" / "info" / "exclude").write_text(".venv\n")
    (bare.root / ".venv").symlink_to(Path(sys.prefix))
    yield bare
    (bare.root / ".venv").unlink()


def test_a_fresh_clone(with_environment: Checkout) -> None:
    """The same lines as from within: nothing was run yet."""
    lines = json.loads(dev_check(with_environment, "data-check", "--json").stdout)["lines"]
    within = with_environment.run("python", "-m", "src", "doctor", "data-check", "--json", expect=1)
    assert lines == json.loads(within)["lines"]
    assert within == with_environment.run("python", "-m", "src", "check", "data-check", "--json", expect=1)
    assert {line["subject"] for line in lines if line["verdict"] == "fail"} == {"outputs", "data"}
    assert all("|| dvc repro" in line["command"] for line in lines if line["verdict"] == "fail")


def test_status(with_environment: Checkout) -> None:
    """What is in production, from git alone."""
    said = dev_check(with_environment, "status", expect=0).stdout
    metadata = json.loads(paths.METADATA.read_text())
    assert f"version {metadata['version']}, promoted {metadata['created_at']}" in said
    assert metadata["training_info"]["data"]["end"] in said


@pytest.mark.parametrize("arguments", [["everything"], ["--yaml"], ["status", "status"]], ids=" ".join)
def test_wrong_usage(arguments: list[str], bare: Checkout) -> None:
    """Exit status 2, as from within."""
    assert dev_check(bare, *arguments, expect=2).stdout == ""
    bare.run("python", "-m", "src", "doctor", *arguments, expect=2)


def test_its_own_code_is_broken(bare: Checkout) -> None:
    """It still says what brings it back, and that does."""
    shutil.rmtree(bare.root / "src" / "doctor")
    said = dev_check(bare).stdout
    assert said.startswith("fail  code  No module named 'src.doctor'")
    bare.run("bash", "-c", said.splitlines()[1].partition("$ ")[2])
    assert dev_check(bare).stdout.startswith("fail  environment")
    assert bare.run("git", "status", "--porcelain") == ""
