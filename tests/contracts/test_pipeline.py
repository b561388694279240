"""What dvc.yaml says of a stage is what the stage does, seen while it runs."""

import json
import re
from pathlib import Path

import pytest
import yaml
from packaging.utils import canonicalize_name

from src.base import paths
from tests.checkouts import Checkout, copy_work_tree

PIPELINE = yaml.safe_load((paths.ROOT / "dvc.yaml").read_text())
STAGES = PIPELINE["stages"]
ALWAYS = {"requirements-model.lock"}
STAGE_FILES = "src/stages/"
# What a stage imports and computes nothing with: rich draws, sklearn and mypyc look whether the others are there.
NO_NUMBERS = {"charset-normalizer", "psutil", "rich", "setuptools"}


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, set[str]]]:
    """What every stage read and wrote in one run of the pipeline on few bars."""
    checkout = copy_work_tree(tmp_path_factory.mktemp("traced"))
    checkout.make_small()
    return {name: _trace(checkout, stage["cmd"]) for name, stage in STAGES.items()}


def _trace(checkout: Checkout, cmd: str) -> dict[str, set[str]]:
    *start, module = cmd.split(maxsplit=3)
    assert start == ["exec", "python", "-m"]  # no shell stays that would hide from a stage that DVC was killed
    output = checkout.run("python", str(paths.ROOT / "tests" / "contracts" / "trace_stage.py"), *module.split())
    return {name: set(found) for name, found in json.loads(output.splitlines()[-1]).items()}


def _names(entries: list) -> set[str]:
    return {entry if isinstance(entry, str) else next(iter(entry)) for entry in entries}


def _resolved(stage: dict) -> set[str]:
    """The stage's deps, with the one template in them filled in."""
    return {paths.relative(paths.SAMPLE) if dep == "${data.path}" else dep for dep in stage["deps"]}


def _room(module: str) -> str:
    """What a stage depends on where it imports this file: the folder; of the stages only its own."""
    return module if module.startswith(STAGE_FILES) else "/".join(Path(module).parent.parts[:2])


@pytest.mark.parametrize("name", STAGES)
def test_deps_are_what_the_stage_reads(name: str, traces: dict) -> None:
    """DVC follows no import: deps are the folders of the import closure and each file that is opened, none unused."""
    rooms = {_room(module) for module in traces[name]["code"]}
    assert _resolved(STAGES[name]) == rooms | traces[name]["files"] | ALWAYS


@pytest.mark.parametrize("name", STAGES)
def test_the_lock_of_the_model_holds_what_the_stage_computes_with(name: str, traces: dict) -> None:
    """Each package that it imports is pinned there, so that no other version makes other numbers unseen."""
    imported = {canonicalize_name(package) for package in traces[name]["packages"]} - NO_NUMBERS
    pinned = re.findall(r"^([a-z0-9-]+)==", (paths.ROOT / "requirements-model.lock").read_text(), re.MULTILINE)
    assert "numpy" in imported
    assert imported <= set(pinned)


def test_no_stage_depends_on_what_is_decided_around_the_pipeline() -> None:
    """Another threshold of the gate, another check of the doctor or another alert reruns nothing."""
    rooms = {dep for stage in STAGES.values() for dep in stage["deps"] if dep.startswith("src/")}
    around = {
        f"src/{room}" for room in ("gate", "release", "retrain", "monitoring", "doctor", "verdict", "page", "commands")
    }
    assert not rooms & (around | {"src", "src/policy.py", "src/cli.py"})


@pytest.mark.parametrize("name", STAGES)
def test_params_are_the_sections_the_stage_reads(name: str, traces: dict) -> None:
    """A section that is read and not listed would leave the stage silently stale."""
    assert set(STAGES[name]["params"]) == traces[name]["params"]


@pytest.mark.parametrize("name", STAGES)
def test_outs_are_what_the_stage_writes(name: str, traces: dict) -> None:
    """Nothing is written that DVC does not know."""
    listed = _names(STAGES[name].get("outs", [])) | _names(STAGES[name].get("metrics", []))
    assert listed == traces[name]["outs"]


def test_stages_stand_in_the_order_of_the_line() -> None:
    """The seven stages, top to bottom as they run."""
    assert list(STAGES) == ["fetch", "featurize", "train_lgbm", "train_xgb", "train_rf", "ensemble", "evaluate"]


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_depends_on_nothing_but_its_inputs(name: str) -> None:
    """No switch that makes outputs depend on history, one plain command, and a description."""
    stage = STAGES[name]
    assert set(stage) <= {"desc", "cmd", "params", "deps", "outs", "metrics"}
    assert "\n" not in stage["cmd"]
    assert "${" not in stage["cmd"]
    assert stage["desc"]


def test_every_plot_draws_a_file_of_the_pipeline() -> None:
    """The plots read what evaluate writes, and every table it writes is drawn."""
    drawn = {Path(file).stem for entry in PIPELINE["plots"] for plot in entry.values() for file in plot["y"]}
    assert drawn == {Path(out).stem for out in _names(STAGES["evaluate"]["outs"])}
