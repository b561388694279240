"""What is said of the source and of the quality of the bars, by params.yaml and dvc.lock."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from src.base import paths
from src.base.yaml_lines import replace_scalars
from src.doctor.data import QUALITY, Data
from src.policy import load_policy
from src.verdict.finding import Finding
from tests.checkouts import Checkout
from tests.files_of_bars import lines

SAMPLE, MINE = paths.relative(paths.SAMPLE), "data/mine.csv"
FILE = {("data", "source"): "file", ("data", "path"): MINE}
LIVE = {("data", "source"): "ccxt", ("gate", "newest_bar_age_max_h"): "24", ("monitor", "late_bars_max"): "2"}


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """The bundled sample, parameters and dvc.lock, committed."""
    made = Checkout(tmp_path)
    for name in (SAMPLE, "params.yaml", "dvc.lock"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(paths.ROOT / name, tmp_path / name)
    made.run("git", "init", "--quiet")
    made.commit("as they are")
    return made


def set_params(checkout: Checkout, values: dict[tuple[str, ...], str]) -> None:
    file = checkout.root / "params.yaml"
    file.write_text(replace_scalars(file.read_text(), "params.yaml", values))


def source(checkout: Checkout) -> Finding:
    return Data(checkout.root)._source(load_policy(checkout.root / "params.yaml"))


@pytest.mark.parametrize("text", [None, "other"], ids=["gone", "changed"])
def test_the_bundled_sample_comes_back(text: str | None, checkout: Checkout) -> None:
    """From git, and what lay there is in the stash."""
    assert source(checkout).verdict == "passed"
    (checkout.root / SAMPLE).unlink()
    if text is not None:
        (checkout.root / SAMPLE).write_text(text)
    line = source(checkout)
    assert (line.verdict, "which the repository bundles" in line.words) == ("failed", True)
    checkout.run("bash", "-c", line.command)
    assert source(checkout).verdict == "passed"


def test_a_file_of_ones_own(checkout: Checkout) -> None:
    """Only its owner can bring it back; one that changed since bars were made from it is a warning."""
    set_params(checkout, FILE)
    line = source(checkout)
    assert (line.verdict, line.command) == ("failed", "")
    assert line.words == f"{MINE} is not there: put your bars there, or set data.path in params.yaml"
    (checkout.root / MINE).write_text("bars")
    assert source(checkout).verdict == "passed"
    lock = checkout.root / "dvc.lock"
    lock.write_text(lock.read_text().replace(SAMPLE, MINE))
    line = source(checkout)
    assert (line.verdict, line.command) == ("told", "dvc repro")
    assert line.words == f"{MINE} changed since bars were made from it"


def test_an_exchange_is_not_asked(checkout: Checkout) -> None:
    """It may be slow, or away."""
    set_params(checkout, LIVE)
    assert source(checkout).words == "bitbank, asked when bars are fetched"


NOW = datetime.now(UTC)
QUALITIES = {
    "as asked": ({"missing_share": 0.0, "last_open": f"{NOW - timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}"}, "passed"),
    "gaps": ({"missing_share": 0.9, "last_open": f"{NOW:%Y-%m-%dT%H:%M:%SZ}"}, "told"),
    "old": ({"missing_share": 0, "last_open": "2020-01-01T00:00:00Z"}, "told"),
    "no moment": ({"missing_share": 0.0, "last_open": "yesterday"}, "failed"),
    "no zone": ({"missing_share": 0.0, "last_open": "2020-01-01T00:00:00"}, "failed"),
    "no share": ({"missing_share": "0", "last_open": "2020-01-01T00:00:00Z"}, "failed"),
    "empty": ({}, "failed"),
    "no object": ([], "failed"),
    "gone": (None, "failed"),
}


@pytest.mark.parametrize(("content", "verdict"), QUALITIES.values(), ids=QUALITIES)
def test_the_quality_of_the_bars(content: object, verdict: str, checkout: Checkout) -> None:
    """By the thresholds of the gate; nothing that publishes is prescribed."""
    set_params(checkout, LIVE)
    if content is not None:
        (checkout.root / "reports").mkdir()
        (checkout.root / QUALITY).write_text(json.dumps(content))
    line = Data(checkout.root)._quality(load_policy(checkout.root / "params.yaml"))
    assert line.verdict == verdict
    assert line.command in {
        "",
        "dvc repro",
        "DRY_RUN=true make retrain",
        "git checkout HEAD -- reports/data_quality.json",
    }


def findings_of(root: Path, content: str, data: dict[str, object]) -> list[tuple[str, str, str]]:
    """What is found in a user's file with these settings: verdict, words, command."""
    (root / "data").mkdir()
    (root / MINE).write_text(content)
    params = yaml.safe_load(paths.PARAMS.read_text())
    params["data"] |= {"source": "file", "path": MINE} | data
    (root / "params.yaml").write_text(yaml.safe_dump(params))
    found = Data(root)._file(load_policy(root / "params.yaml"))
    return [(finding.verdict, finding.words, finding.command) for finding in found]


HEADER = "time,open,high,low,close,volume"
NAIVE = [f"2020-01-01 0{hour}:00:00,{100 + hour},104,97,{101 + hour},2" for hour in range(3)]


def test_all_that_is_wrong_or_doubtful_in_ones_own_file_is_told_at_once(tmp_path: Path) -> None:
    """Before a `dvc repro`: each with its row, and where to read what lets it in."""
    rows = [*NAIVE, "2020-01-01 03:00:00,103,104,1,104,0"]
    found = findings_of(tmp_path, lines(HEADER, *rows), {"limits": {"zero_volume_share_max": 0.1}})
    inspect = f"python -m src inspect {MINE}"
    failed = [words for verdict, words, command in found if (verdict, command) == ("failed", inspect)]
    told = [words for verdict, words, _ in found if verdict == "told"]
    assert len(found) == len(failed) + len(told)
    assert [words.partition("(")[0] for words in failed] == [
        f"{MINE}: time has no time zone ",
        f"{MINE}: 1 of 4 bars ",
    ]
    assert "data.limits.zero_volume_share_max allows 10.00%" in failed[1]
    guess = f"{MINE}: the time zone UTC is a guess: set data.time_zone to the one that the file is in"
    assert told == [guess, f"{MINE}: 1 of 4 bars (25.00%) with a low under 0.5 of open and close, row 4 is the first"]


def test_a_file_of_ones_own_that_is_understood(tmp_path: Path) -> None:
    """With the answers that params.yaml has."""
    found = findings_of(tmp_path, lines(HEADER, *NAIVE), {"time_zone": "UTC"})
    assert found == [("passed", f"{MINE}: every row is understood", "")]
