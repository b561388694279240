"""After a change, the stages that depend on it run, and no other."""

import json
import re

import pytest

from tests.checkouts import Checkout

AFTER_TRAINING = ["ensemble", "evaluate"]
TRAINING = ["train_lgbm", "train_xgb", "train_rf"]


@pytest.fixture(scope="module")
def changed(small: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """That checkout, to be changed."""
    return small.copy(tmp_path_factory.mktemp("changes") / "repository")


@pytest.fixture
def workspace(changed: Checkout) -> Checkout:
    """The same, back at its commit."""
    return changed.restore()


@pytest.mark.parametrize(
    ("change", "rerun"),
    [
        pytest.param({("train", "rf", "max_depth"): 4}, ["train_rf", *AFTER_TRAINING], id="one member"),
        pytest.param({("gate", "f1_score_min"): 0.7}, [], id="the gate"),
    ],
)
def test_only_what_depends_on_a_parameter_reruns(change: dict, rerun: list[str], workspace: Checkout) -> None:
    """Each stage names the sections it reads; tests/e2e/test_compare.py has it of a weight."""
    workspace.set_params(change)
    assert sorted(workspace.repro()) == sorted(rerun)


def test_a_comment_reruns_nothing(workspace: Checkout) -> None:
    """What counts is the value, not the text of params.yaml."""
    file = workspace.root / "params.yaml"
    file.write_text(f"# a remark\n{file.read_text()}")
    assert workspace.repro() == []


def _move_pin(workspace: Checkout, lock: str, package: str) -> None:
    """Pin another version of a package, by hand."""
    file = workspace.root / lock
    text, n_moved = re.subn(rf"^{package}==\S+", f"{package}==99.0", file.read_text(), flags=re.MULTILINE)
    assert n_moved == 1
    file.write_text(text)


def test_a_package_that_makes_no_number_reruns_nothing(workspace: Checkout) -> None:
    """Another DVC, typer or linter is no other model."""
    for package in ("dvc", "typer"):
        _move_pin(workspace, "requirements.lock", package)
    _move_pin(workspace, "requirements-dev.lock", "ruff")
    assert workspace.run("dvc", "status").strip() == "Data and pipelines are up to date."


def test_a_package_that_makes_the_numbers_reruns_every_stage(workspace: Checkout) -> None:
    """Another numpy is: every stage is asked again."""
    _move_pin(workspace, "requirements-model.lock", "numpy")
    stale = re.findall(r"^(\w+):$", workspace.run("dvc", "status"), re.MULTILINE)
    assert sorted(stale) == sorted(["fetch", "featurize", *TRAINING, *AFTER_TRAINING])


def test_a_lost_cache_object_is_made_again(workspace: Checkout) -> None:
    """Without the file and without its copy in the cache, the stage that makes it runs, and nothing changes."""
    (workspace.root / "data" / "features.parquet").unlink()
    workspace.object_file("data/features.parquet").unlink()
    workspace.run("dvc", "repro")
    workspace.run("git", "diff", "--exit-code", "dvc.lock")
    assert (workspace.root / "data" / "features.parquet").exists()


def test_a_wrong_parameter_stops_before_anything_is_written(workspace: Checkout) -> None:
    """The stage says what is wrong, in one line, and the outputs stay."""
    workspace.set_params({("label", "threshold"): float("nan")})
    output = workspace.run("python", "-m", "src.stages.featurize", expect=2)
    assert "label.threshold: input should be a finite number, got nan" in output
    assert "Traceback" not in output
    assert (workspace.root / "data" / "features.parquet").exists()


def test_own_bars_replace_the_sample(workspace: Checkout) -> None:
    """Those of a CSV with a gap; it is reported, and its rows are left out."""
    csv = workspace.root / "data" / "my_bars.csv"
    workspace.python(
        "import pandas as pd; bars = pd.read_parquet('data/sample/btcusd_1h.parquet').iloc[:4000];"
        "bars.drop(bars.index[1500:1510]).to_csv('data/my_bars.csv')"
    )
    workspace.set_params({("data", "source"): "file", ("data", "path"): "data/my_bars.csv", ("data", "end"): None})
    assert workspace.repro("featurize") == ["fetch", "featurize"]
    quality = json.loads((workspace.root / "reports" / "data_quality.json").read_text())
    assert (quality["rows"], quality["gaps"], quality["missing_bars"]) == (3990, 1, 10)
    # 1500 bars before the gap and 2490 after it: 499 of each warm up, and the last close of each has no next one.
    rows = workspace.python("import pandas as pd; print(len(pd.read_parquet('data/features.parquet')))")
    assert int(rows) == 3990 - 2 * 500
    csv.unlink()


def test_what_a_parameter_says_reaches_no_shell(workspace: Checkout) -> None:
    """Words that a shell would run are the name of a file, for DVC and for the stage that reads it."""
    name = "data/$(touch pwned) `touch pwned`; touch pwned | touch pwned &&.parquet"
    workspace.run("cp", "data/sample/btcusd_1h.parquet", name)
    workspace.set_params({("data", "source"): "file", ("data", "path"): name, ("data", "symbol"): "$(touch pwned)"})
    assert workspace.repro("fetch") == ["fetch"]
    quality = json.loads((workspace.root / "reports" / "data_quality.json").read_text())
    assert (quality["rows"], quality["symbol"]) == (4405, "$(touch pwned)")
    assert not list(workspace.root.rglob("pwned"))
    (workspace.root / name).unlink()
