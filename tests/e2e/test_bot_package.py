"""`btc_signal` alone is all that a bot needs: without the repository, on numpy and onnxruntime, the same digits."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from src.base import paths
from tests.checkouts import Checkout

# Python imports this first where it lies on the path.
GUARD = """
import sys
from importlib.metadata import packages_distributions
INSTALLED = packages_distributions()
class Refuse:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top == "src" or (top in INSTALLED and not {"numpy", "onnxruntime"} & set(INSTALLED[top])):
            raise ModuleNotFoundError(f"No module named {name!r} in a bot", name=name)
sys.meta_path.insert(0, Refuse())
"""
BOT = """
import json, sys
from pathlib import Path
from btc_signal.ensemble import ProductionEnsemble
from btc_signal.predict import predict_live
from btc_signal.stream import FeatureStream

model = ProductionEnsemble.load(Path("model"))
stream = FeatureStream.of_model(model.metadata)
for prediction in predict_live(map(json.loads, open("feed.jsonl")), stream, model):
    print(json.dumps(prediction.to_plain()))
"""


@pytest.fixture
def bot(reproduced: Checkout, bars: pd.DataFrame, tmp_path: Path) -> Path:
    """A folder with the package, the promoted model and a feed, and nothing else of the repository."""
    shutil.copytree(paths.ROOT / "btc_signal", tmp_path / "btc_signal", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(reproduced.root / "models" / "production", tmp_path / "model")
    feed = bars.tail(505).reset_index()
    feed.to_json(tmp_path / "feed.jsonl", orient="records", lines=True, date_format="iso", double_precision=15)
    (tmp_path / "sitecustomize.py").write_text(GUARD)
    return tmp_path


def run(bot: Path, code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a bot's code in that folder, which is all there is on its path."""
    environment = {"PYTHONPATH": str(bot), "PATH": "/usr/bin:/bin", "HOME": str(bot)} | variables
    return subprocess.run(
        [sys.executable, "-c", code], cwd=bot, env=environment, capture_output=True, text=True, check=False
    )


def test_a_bot_needs_the_package_numpy_and_onnxruntime(bot: Path, reproduced: Checkout) -> None:
    """The pickle names the repository's class, which is not there; the model says what it says in the repository."""
    done = run(bot, BOT)
    assert (done.returncode, done.stderr) == (0, "")
    shutil.copy(bot / "feed.jsonl", reproduced.root / "feed.jsonl")
    expected = reproduced.run("python", "-m", "src", "predict", "feed.jsonl", "--follow", "--json").splitlines()
    (reproduced.root / "feed.jsonl").unlink()
    assert done.stdout.splitlines() == [line for line in expected if line.startswith("{")]
    assert len(done.stdout.splitlines()) == 6


def test_a_signature_that_cannot_be_checked_is_an_error(bot: Path) -> None:
    """Never a model that was not verified as asked."""
    done = run(bot, BOT, MODEL_PUBLIC_KEY="owner.pem")
    assert done.returncode == 1
    assert "MODEL_PUBLIC_KEY asks for a signature, and the package cryptography is not installed" in done.stderr


@pytest.mark.parametrize("name", ["pandas", "sklearn", "src.ml.ensemble", "pydantic"])
def test_the_guard_refuses(name: str, bot: Path) -> None:
    """What a bot does not have cannot be imported here, so the tests above can fail."""
    assert f"No module named '{name.partition('.')[0]}" in run(bot, f"import {name}").stderr


def test_the_version_that_shipped_first_loads_and_comes_back(reproduced: Checkout, tmp_path: Path) -> None:
    """1.0.2 was promoted before there was a package; its files are those that the pipeline makes, byte for byte."""
    checkout = reproduced.copy(tmp_path / "repository")
    shipped = json.loads(paths.METADATA.read_text())["version"]
    ask = "from src.ml.ensemble import ProductionEnsemble; print(ProductionEnsemble().get_model_info()['version'])"
    assert checkout.python(ask).strip() == shipped
    checkout.set_params({("ensemble", "decision_threshold"): 0.4})
    checkout.run("dvc", "repro", "ensemble")
    checkout.commit("another candidate")
    assert "is not the promoted model" in checkout.python(ask, expect=1)
    said = checkout.run("python", "-m", "src", "rollback", "HEAD~1", "--offline")
    assert f"Version {shipped} is in production" in said
    assert checkout.python(ask).strip() == shipped
