"""What a bot does: load the promoted model, follow bars, predict; in a process that holds no training library."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from btc_signal.bar import PRICES
from btc_signal.catalog import FEATURE_NAMES
from src.base import tables
from src.features.feature_manager import FeatureManager
from src.ml.ensemble import ProductionEnsemble
from src.training.member_files import read_member
from src.training.members.member import MEMBERS
from tests.checkouts import Checkout

SERVE = """
import json, sys
from src.features.stream import FeatureStream
from src.ml.ensemble import ProductionEnsemble

model, stream = ProductionEnsemble(), FeatureStream()
for line in open(sys.argv[1]):
    row = stream.update(json.loads(line))
probability = model.predict_proba([row])[0, 1]
assert FeatureStream.from_state(stream.state()).last_time == stream.last_time
print(probability)
print(sorted({name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)))
"""
IN_DATAFRAME = """
import pandas, sys
from src.ml.ensemble import ProductionEnsemble
from btc_signal.catalog import FEATURE_NAMES
X = pandas.read_parquet("data/features.parquet")[list(FEATURE_NAMES)]
assert ProductionEnsemble().predict(X).shape == (len(X),)
assert not {"sklearn", "lightgbm", "xgboost", "talib", "pydantic"} & set(sys.modules)
"""


@pytest.fixture(scope="module")
def feed(bars: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The last 510 bundled bars as a feed would send them."""
    records = bars.tail(510).reset_index().to_dict("records")
    sent = [json.dumps(record | {"time": int(record["time"].timestamp()) * 1_000}) for record in records]
    file = tmp_path_factory.mktemp("feed") / "feed.jsonl"
    file.write_text("\n".join(sent) + "\n")
    return file


@pytest.fixture(scope="module")
def candidate_of_all_bars(reproduced: Checkout) -> ProductionEnsemble:
    """The model of the whole pipeline."""
    return ProductionEnsemble.load(reproduced.root / "models" / "production")


def test_no_training_library(reproduced: Checkout, feed: Path, bars: pd.DataFrame, candidate_of_all_bars) -> None:
    """Serving imports onnxruntime and numpy, and of their own needs nothing that trains or reads tables."""
    probability, modules = reproduced.run("python", "-c", SERVE, str(feed)).splitlines()
    features = FeatureManager().generate_features(bars.tail(510))
    assert float(probability) == pytest.approx(candidate_of_all_bars.predict_proba(features)[-1, 1], abs=1e-12)
    loaded = set(json.loads(modules.replace("'", '"')))
    assert {"numpy", "onnxruntime"} <= loaded
    assert not loaded & {"sklearn", "lightgbm", "xgboost", "pandas", "scipy", "joblib", "talib", "pydantic", "pyarrow"}


def test_a_frame_needs_pandas_alone(reproduced: Checkout) -> None:
    """Who hands in a DataFrame has pandas already; no training library comes with it."""
    reproduced.python(IN_DATAFRAME)


@pytest.mark.parametrize("highest", [4e6, 2e7], ids=["4 million", "20 million"])
def test_parity_in_yen(highest: float, reproduced: Checkout, bars: pd.DataFrame, candidate_of_all_bars) -> None:
    """Over all bundled bars, scaled to prices in yen: graph and libraries agree, and decide the same."""
    scaled = bars.copy()
    scaled[PRICES] *= highest / bars["high"].max()
    rows = FeatureManager().generate_features(scaled)[list(FEATURE_NAMES)].to_numpy()
    files = {name: reproduced.root / "models" / "training" / f"{name}.pkl" for name in MEMBERS.values()}
    native = ProductionEnsemble({name: read_member(file) for name, file in files.items()})
    difference = np.abs(candidate_of_all_bars.predict_members(rows) - native.predict_members(rows))
    assert difference.max() <= 1e-6
    assert (candidate_of_all_bars.predict(rows) == native.predict(rows)).all()


def test_predict_reads_a_table(reproduced: Checkout, bars: pd.DataFrame, candidate_of_all_bars) -> None:
    """All bars of a Parquet file, one JSON line each; on standard error how many the model was fitted on."""
    command = ("python", "-m", "src", "predict", "data/sample/btcusd_1h.parquet", "--json")
    *printed, note = reproduced.run(*command).splitlines()
    assert note.startswith(
        "in sample: 19,611 of 19,612 bars opened before 2019-10-17T09:00:00Z; the model was fitted on"
    )
    features = FeatureManager().generate_features(bars)
    expected = candidate_of_all_bars.predict_proba(features)[:, 1]
    found = [json.loads(line) for line in printed]
    np.testing.assert_allclose([line["probability"] for line in found], expected, rtol=0, atol=1e-12)
    assert found[-1]["time"] == "2019-10-17T09:00:00Z"


def test_predict_follows_a_feed_and_keeps_a_log(reproduced: Checkout, feed: Path, tmp_path: Path) -> None:
    """From the five hundredth bar on an answer for each line, in columns, and the same in the log.

    Once, on standard error, that the model was fitted on the first of them; nothing of it where it was not.
    """
    kept, follow = tmp_path / "log" / "live.jsonl", f"python -m src predict --follow --log {tmp_path}/log"
    *shown, note = reproduced.run("bash", "-c", f"{follow}/live.jsonl <{feed}").splitlines()
    assert note.startswith("in sample: bar 2019-10-16T23:00:00Z opened before 2019-10-17T09:00:00Z; ")
    assert len(reproduced.run("bash", "-c", f"tail -n 500 {feed} | {follow}/last.jsonl").splitlines()) == 1 + 1
    assert shown[0].split() == [
        "bar",
        "opened",
        "probability",
        "decision",
        "lightgbm",
        "xgboost",
        "random_forest",
        "disagreement",
    ]
    assert len(shown) == 1 + 11
    log = [json.loads(line) for line in kept.read_text().splitlines()]
    assert [entry["time"] for entry in log] == [line.split()[0] for line in shown[1:]]
    assert [f"{entry['probability']:.3f}" for entry in log] == [line.split()[1] for line in shown[1:]]


def test_a_bot_in_a_shell_outlives_kills_and_duplicates(reproduced: Checkout, feed: Path, tmp_path: Path) -> None:
    """Killed while it waits, with half a line in its log; the next goes on from the state, as if nothing had been."""
    lines, log = feed.read_text().splitlines(keepends=True), tmp_path / "bot.jsonl"
    options = ["--follow", "--json", "--log", str(log), "--state", str(tmp_path / "stream.json")]
    command = [sys.executable, "-m", "src", "predict", *options]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=reproduced.root, env=reproduced.environment(), text=True, **pipes) as process:
        process.stdin.write("".join(lines[:502]))
        process.stdin.flush()
        first = [process.stdout.readline() for _ in range(3)]
        process.kill()
    with log.open("a") as torn:
        torn.write('{"time": "2019-10-1')
    (tmp_path / "again.jsonl").write_text("".join([*lines[490:505], "{\n", *lines[504:]]))
    words = reproduced.run("python", "-m", "src", "predict", str(tmp_path / "again.jsonl"), *options, expect=2)
    answers = [line for line in words.splitlines(keepends=True) if line.startswith("{")]
    assert "duplicate bar, skipped" in words
    assert "its last line was cut off; it is in bot.jsonl.rejected now" in words
    assert "line 16: not valid JSON" in words
    logged = dict.fromkeys(log.read_text().splitlines(keepends=True))
    assert [*logged] == [*dict.fromkeys([*first, *answers])]
    assert len(logged) == 11


def test_ctrl_c_ends_in_silence(reproduced: Checkout, feed: Path) -> None:
    """While the next bar is awaited: the status of an interrupt, no traceback, only what was said before."""
    command = [sys.executable, "-m", "src", "predict", "--follow"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=reproduced.root, env=reproduced.environment(), text=True, **pipes) as process:
        process.stdin.write(feed.read_text())
        process.stdin.flush()
        assert "probability" in process.stdout.readline()  # it is at work
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=30)[1]
    assert (process.returncode, len(said.splitlines()), said[:10]) == (130, 1, "in sample:")


def test_the_model_is_that_of_its_members(reproduced: Checkout, candidate_of_all_bars) -> None:
    """Every bundled row, as it is."""
    rows = tables.read_frame(reproduced.root / "data" / "features.parquet")[list(FEATURE_NAMES)].to_numpy()
    files = {name: reproduced.root / "models" / "training" / f"{name}.pkl" for name in MEMBERS.values()}
    native = ProductionEnsemble({name: read_member(file) for name, file in files.items()})
    assert np.abs(candidate_of_all_bars.predict_members(rows) - native.predict_members(rows)).max() <= 1e-6
    assert (candidate_of_all_bars.predict(rows) == native.predict(rows)).all()
