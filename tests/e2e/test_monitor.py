"""A bot's log is watched, people are told, and the release before comes back, with real commands."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from pytest_httpserver import HTTPServer

from src.base import tables
from tests.checkouts import Checkout
from tests.faults.world import ImpossibleError, mounted

TRAINING, BARS = "data/raw/bars.parquet", "logs/bars.parquet"
# A model of few trees on few bars promises little.
LIMITS = {
    ("monitor", "live_f1_min"): 0.1,
    ("monitor", "live_brier_skill_min"): -1.0,
    ("monitor", "calibration_gap_max"): 0.5,
    ("monitor", "drift_share_max"): 0.0,
}
RECOVER = {("monitor", "recover_f1_min"): 0.9}


@pytest.fixture(scope="module")
def watched(two_versions: Checkout, bars: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Versions 1.0.0 and 1.1.0 deployed one after the other; 1.1.0 predicted the five weeks after training, bot.jsonl.

    And the last bars of the training: the window ends with the year, so the label of 22:00 is the last one known.
    """
    repository = two_versions.copy(tmp_path_factory.mktemp("watched") / "repository")
    for version in ("1.0.0", "1.1.0"):
        src(repository, "rollback", version)
        src(repository, "deploy", "../served")
    tables.write_frame(bars[bars.index < "2018-02-05T00:00Z"].tail(2_000), repository.root / BARS)
    said = src(repository, "predict", BARS, "--log", "bot.jsonl")
    assert "in sample: 660 of 1,501 bars opened before 2017-12-31T23:00:00Z; the model was fitted on" in said
    repository.set_params(LIMITS)
    return repository


@pytest.fixture
def repository(watched: Checkout, tmp_path: Path) -> Checkout:
    """A copy of it, and of what it deployed, for one test: a monitor remembers what it said."""
    shutil.copytree(watched.root.parent / "served", tmp_path / "served", symlinks=True)
    return watched.copy(tmp_path / "repository")


def src(checkout: Checkout, *command: str, expect: int = 0) -> str:
    return checkout.run("python", "-m", "src", *command, expect=expect)


def inverted(repository: Checkout) -> str:
    """Write a log of a bot that always says the opposite, and return its name."""
    lines = [json.loads(line) for line in (repository.root / "bot.jsonl").read_text().splitlines()]
    opposite = [line | {"probability": 1 - line["probability"], "decision": 1 - line["decision"]} for line in lines]
    (repository.root / "bad.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in opposite))
    return "bad.jsonl"


def served(repository: Checkout) -> str:
    return (repository.root.parent / "served" / "production").resolve().name


def test_a_model_that_keeps_its_promise(repository: Checkout, tmp_path: Path) -> None:
    """Exit status 0, tables, a line of history, gauges; nobody is told anything."""
    said = src(repository, "monitor", "bot.jsonl", "--bars", BARS, "--prometheus", str(tmp_path / "gauges.prom"))
    assert "Version 1.1.0, 720 predictions with an outcome: no alert" in " ".join(said.split())
    assert "|---" not in said  # drawn for people
    assert "told: " not in said
    assert "nobody was told" not in said
    report = json.loads((repository.root / "reports" / "monitor.json").read_text())
    assert (report["verdict"], report["version"]) == ("yes", "1.1.0")
    lines = (repository.root / "reports" / "monitor.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["values"]["weighted F1, live"] == report["live"]["f1_score"]["value"]
    gauges = (tmp_path / "gauges.prom").read_text()
    assert f'btc_signal_score{{part="value",score="f1_score"}} {report["live"]["f1_score"]["value"]}' in gauges
    assert 'btc_signal_alert{rule="weighted F1, live"} 0.0' in gauges
    assert 'btc_signal_in_training{version="1.1.0"} 0.0' in gauges
    assert repository.run("git", "status", "--porcelain", "reports") == ""


def test_training_scores_are_shown_nowhere(repository: Checkout, tmp_path: Path) -> None:
    """Not in JSON, words, gauges or on the way to recovery, however bad they are; the rest is judged, exit status 0."""
    lines = [json.loads(line) for line in (repository.root / inverted(repository)).read_text().splitlines()]
    known = [line for line in lines if line["time"] < "2017-12-31T23:00:00Z"]
    (repository.root / "known.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in known))
    watch = ("monitor", "known.jsonl", "--bars", TRAINING, "--recover", "../served", "--dry-run")
    repository.set_params(RECOVER | {("monitor", "recover_rows_min"): 2})
    said = src(repository, *watch, "--json", "--prometheus", str(tmp_path / "gauges.prom"))
    repository.set_params({("monitor", "recover_f1_min"): None, ("monitor", "recover_rows_min"): 500})
    report = json.loads(said)
    assert (report["verdict"], report["in_training"], report["predictions"], report["live"]) == (
        "unknown",
        660,
        0,
        None,
    )
    verdicts = {rule["name"]: rule["verdict"] for rule in report["judgements"]}
    assert [name for name, verdict in verdicts.items() if verdict == "unknown"] == ["outcomes"]
    assert verdicts["drift of rsi_14"] == verdicts["bars missing"] == "passed"
    assert "btc_signal_score{" not in (tmp_path / "gauges.prom").read_text()
    words = (repository.root / "reports" / "monitor.md").read_text()
    assert "0 predictions with an outcome; 660 more are left out, the model was fitted on their bars: no alert" in words
    assert "| score | live |" not in words


def test_scores_begin_where_the_training_ended(repository: Checkout) -> None:
    """Of a log that begins before: the first bar whose label was unknown is the first that is scored."""
    repository.set_params({("monitor", "window_bars"): 1_000})
    report = json.loads(src(repository, "monitor", "bot.jsonl", "--bars", BARS, "--json", "--dry-run"))
    repository.set_params({("monitor", "window_bars"): 720})
    assert report["first_open"] == report["honest_from"] == "2017-12-31T23:00:00Z"
    # From then to the last bar but one, 22:00 on the fourth of February: 35 days of 24 hours.
    assert (report["predictions"], report["in_training"]) == (840, 160)


def test_a_version_is_scored_at_its_own_timeframe(repository: Checkout) -> None:
    """Whatever params.yaml says by now: the model was trained on hours, and its log is of hours."""
    watch = ("monitor", "bot.jsonl", "--bars", BARS, "--json", "--dry-run")
    before = json.loads(src(repository, *watch))
    repository.set_params({("data", "timeframe"): "4h"})
    after = json.loads(src(repository, *watch))
    repository.set_params({("data", "timeframe"): "1h"})
    assert after["live"] == before["live"]
    assert [rule["verdict"] for rule in after["judgements"]] == [rule["verdict"] for rule in before["judgements"]]


def test_predictions_that_meet_no_bar_are_an_alert(repository: Checkout) -> None:
    """A log of times one minute before the hour."""
    log = (repository.root / "bot.jsonl").read_text().replace(":00:00Z", ":59:00Z")
    (repository.root / "off.jsonl").write_text(log)
    said = " ".join(src(repository, "monitor", "off.jsonl", "--bars", BARS, "--dry-run", expect=1).split())
    assert "0 predictions with an outcome: alert: predictions that meet a bar" in said
    words = (repository.root / "reports" / "monitor.md").read_text()
    assert "2018-02-04T23:59:00Z was logged, the nearest bar opened 2018-02-04T23:00:00Z" in words


def test_people_are_told_once_and_a_dead_webhook_hides_nothing(
    repository: Checkout, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit status 1 whether or not anybody heard it."""
    bad = inverted(repository)
    httpserver.expect_request("/hook/s3cret").respond_with_data(status=200)
    monkeypatch.setenv("ALERT_URL", "json://127.0.0.1:1/hook/s3cret")
    assert "nobody was told" in src(repository, "monitor", bad, "--bars", BARS, expect=1)
    monkeypatch.setenv("ALERT_URL", f"json://127.0.0.1:{httpserver.port}/hook/s3cret")
    said = src(repository, "monitor", bad, "--bars", BARS, expect=1)
    assert "told: " in said
    assert "s3cret" not in said
    assert "told: " not in src(repository, "monitor", bad, "--bars", BARS, expect=1)
    ((request, _),) = httpserver.log
    assert "ALERT weighted F1 as promoted" in request.get_json()["message"]
    assert "over: weighted F1 as promoted" not in request.get_json()["message"]
    src(repository, "monitor", "bot.jsonl", "--bars", BARS)
    assert "over: weighted F1 as promoted" in httpserver.log[-1][0].get_json()["message"]


def test_a_recovery_that_failed_is_an_alert_and_tried_again(
    repository: Checkout, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that takes nothing: exit status 1 and why; nothing moved, and `--interval` goes on until it works."""
    httpserver.expect_request("/hook").respond_with_data(status=200)
    monkeypatch.setenv("ALERT_URL", f"json://127.0.0.1:{httpserver.port}/hook")
    bad = inverted(repository)
    repository.set_params(RECOVER)
    watch = ("monitor", bad, "--bars", BARS, "--recover", "../served")
    folder = repository.root.parent / "served"
    try:
        with mounted(folder, "--bind", str(folder)):
            subprocess.run(["mount", "-o", "remount,bind,ro", str(folder)], check=True)
            for said in (src(repository, *watch, expect=1), *looks(repository, *watch)):
                assert "recovery failed, the next look retries" in said
                assert "Read-only file system" in said
    except ImpossibleError as error:
        pytest.skip(str(error))
    assert served(repository) == "1.1.0"
    assert "ALERT recovery failed" in httpserver.log[0][0].get_json()["message"]
    src(repository, *watch, expect=1)
    assert served(repository) == "1.0.0"
    told = httpserver.log[-1][0].get_json()["message"]
    assert "ALERT recovery: " in told
    assert "over: recovery failed" in told


def test_a_monitor_that_stays_outlives_a_disk_that_takes_no_report(
    repository: Checkout, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """People are told, once, of that and of the model; said in one line, no traceback; then it is over."""
    httpserver.expect_request("/hook").respond_with_data(status=200)
    monkeypatch.setenv("ALERT_URL", f"json://127.0.0.1:{httpserver.port}/hook")
    reports, watch = repository.root / "reports", ("monitor", inverted(repository), "--bars", BARS)
    reports.joinpath("alerts.json").unlink(missing_ok=True)
    try:
        with mounted(reports, "--bind", str(reports)):
            subprocess.run(["mount", "-o", "remount,bind,ro", str(reports)], check=True)
            said = looks(repository, *watch, n_lines=3)
    except ImpossibleError as error:
        pytest.skip(str(error))
    (error,) = (line for line in said if line.startswith("error: "))
    assert "Read-only file system" in error
    told = [request.get_json()["message"] for request, _ in httpserver.log]
    assert "ALERT weighted F1 as promoted" in told[0]
    assert "ALERT cannot look: " in told[1]


def test_a_disk_that_takes_no_report_hides_none(repository: Checkout) -> None:
    """It is printed, and written for Prometheus, before the exit status says that something is wrong."""
    report = repository.root / "reports" / "monitor.json"
    report.unlink(missing_ok=True)
    report.mkdir()
    said = src(repository, "monitor", "bot.jsonl", "--bars", BARS, "--prometheus", "gauges.prom", expect=2)
    assert re.search(r"monitor\.json\S*: Is a directory; mend that", said)
    assert "Version 1.1.0" in said
    assert "looked_at_seconds" in (repository.root / "gauges.prom").read_text()


def test_damaged_lines_cost_no_look(repository: Checkout) -> None:
    """Named by the first look, and by it only; the log stays as it is, and the scores are those without them."""
    lines = (repository.root / "bot.jsonl").read_text().splitlines()
    bad = ['{"time": "20', "\0" * 99, lines[-1].replace("2018", "2099"), '{"format": 2}']
    damaged = repository.root / "damaged.jsonl"
    damaged.write_text("\n".join([*lines[:-2], *bad, *lines[-2:], lines[-1][:40]]))
    with (repository.root / "reports" / "monitor.jsonl").open("a") as history:
        history.write('{"looked_at": "20')
    (repository.root / "reports" / "alerts.json").write_text('{"cannot look": "2018-01-01T00:00:00"}')
    content, watch = damaged.read_bytes(), ("monitor", "damaged.jsonl", "--bars", BARS, "--json")
    first, second = src(repository, *watch), src(repository, *watch)
    assert "4 lines left out, see damaged.jsonl.rejected: " in first
    assert "monitor.jsonl: its last line was cut off" in first
    assert "1 alerts had no time in UTC up to now" in first
    assert "warning: " not in second
    assert damaged.read_bytes() == content
    report = json.loads(second[: second.rindex("}") + 1])
    assert report["live"] == json.loads(src(repository, "monitor", "bot.jsonl", "--bars", BARS, "--json"))["live"]


def looks(repository: Checkout, *command: str, n_lines: int = 2) -> list[str]:
    """Start a monitor that stays, end it after so many lines on standard error, and return them."""
    with subprocess.Popen(
        [sys.executable, "-m", "src", *command, "--interval", "1"],
        cwd=repository.root,
        env=repository.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            lines = (line for line in process.stderr if "nobody was told" not in line)
            return [next(lines) for _ in range(n_lines)]
        finally:
            process.kill()


def test_the_release_before_comes_back_once(repository: Checkout) -> None:
    """A dry run says so; then it is done, with a note; then a person is asked for."""
    bad = inverted(repository)
    repository.set_params(RECOVER)
    watch = ("monitor", bad, "--bars", BARS, "--recover", "../served")
    assert "would deploy the release before 1.1.0" in src(repository, *watch, "--dry-run", expect=1)
    assert served(repository) == "1.1.0"
    assert "serves 1.0.0 again instead of 1.1.0" in src(repository, *watch, expect=1)
    assert served(repository) == "1.0.0"
    assert "was done before" in src(repository, *watch, expect=1)
    assert served(repository) == "1.0.0"


def test_a_version_that_was_never_promoted(repository: Checkout) -> None:
    """An error of one line, exit status 2."""
    line = json.loads((repository.root / "bot.jsonl").read_text().splitlines()[-1]) | {"model_version": "9.9.9"}
    (repository.root / "other.jsonl").write_text(json.dumps(line) + "\n")
    said = src(repository, "monitor", "other.jsonl", "--bars", BARS, expect=2)
    assert said == "error: the log is of version 9.9.9, promoted were 1.1.0, 1.0.0; `git pull`, or mend the log\n"
