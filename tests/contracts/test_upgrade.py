"""What version 1.5.0 left is read by today's code, with the same result."""

import json
import re
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from btc_signal import ensemble as bot
from btc_signal.bundle import sha256, verified_version
from btc_signal.in_sample import honest_from
from btc_signal.signature import PUBLIC_KEY, SIGNATURES
from btc_signal.stream import FeatureStream
from src.base import paths, storage
from src.base.errors import ModelError
from src.base.line_log import append_lines
from src.base.sections import UPGRADE
from src.commands.following import resumed
from src.gate import gate_report, trials
from src.ml.ensemble import ProductionEnsemble
from src.monitoring.alert_memory import AlertMemory
from src.monitoring.prediction_log import read_log
from src.monitoring.recovery import recover
from src.page import rows
from src.policy import load_policy
from src.release import history
from src.release.deploy import deploy, roll_back
from src.release.transaction import exclusive
from src.repo.dvc_lock import parse_dvc_lock
from src.verdict.finding import findings_of
from tests import upgrade
from tests.checkouts import GIT_IDENTITY, Checkout
from tests.documents import DOCUMENTS
from tests.folders import names
from tests.signing import make_keys, sign
from tests.upgrade import file_of, json_of, text_of

NOW = datetime(2026, 11, 28, tzinfo=UTC)
METADATA = json_of(upgrade.METADATA)


def test_a_stream_goes_on_where_it_was(tmp_path: Path) -> None:
    """To the last bit, also in a shell; what it saves has the form of before, so that 1.5.0 could go on with it."""
    stream = FeatureStream.from_state(json_of("stream.json"), METADATA["feature_settings"], "1h")
    state = Path(shutil.copy(file_of("stream.json"), tmp_path))
    with resumed(FeatureStream.of_model(METADATA), state) as going_on:
        assert going_on.state() == stream.state()
    assert stream.state() == json_of("stream.json")
    expected = json_of("stream_rows.json")
    assert [stream.update(bar).tolist() for bar in expected["bars"]] == expected["rows"]


def test_a_stream_that_was_warming_up_has_its_bars() -> None:
    """Ten of 500."""
    stream = FeatureStream.from_state(json_of("stream_warming_up.json"), METADATA["feature_settings"], "1h")
    assert (stream.missing_bars, stream.state()) == (490, json_of("stream_warming_up.json"))


def test_a_log_of_predictions(tmp_path: Path) -> None:
    """Of two versions: no line is left out, and the next one is appended."""
    log = Path(shutil.copy(file_of("bot.jsonl"), tmp_path))
    lines = [json.loads(line) for line in text_of("bot.jsonl").splitlines()]
    said: list[str] = []
    found = read_log(log, 100, NOW, said.append)
    assert said == []
    assert sorted(zip(found["model_version"], found["probability"], strict=True)) == sorted(
        (line["model_version"], line["probability"]) for line in lines
    )
    assert append_lines(["{}"], log) == ""
    assert log.read_text() == text_of("bot.jsonl") + "{}\n"


def test_the_history_of_looks_is_appended_to(tmp_path: Path) -> None:
    """Its lines stay as they are."""
    history = Path(shutil.copy(file_of("monitor.jsonl"), tmp_path))
    assert append_lines(["{}"], history) == ""
    assert history.read_text() == text_of("monitor.jsonl") + "{}\n"


def test_what_was_told_is_not_told_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in the memory is refused."""
    monkeypatch.setattr(paths, "ALERTS", Path(shutil.copy(file_of("alerts.json"), tmp_path)))
    assert AlertMemory().read(NOW) == ({"recovery": datetime(2026, 11, 27, 9, 59, 31, tzinfo=UTC)}, "")


def test_a_recovery_that_was_done_is_not_done_again(tmp_path: Path) -> None:
    """The note does not say that it was, the link does; from now on the note does, too."""
    note = Path(shutil.copy(file_of("production.recovered.json"), tmp_path))
    for version in ("2.0.0", "2.1.0"):
        (tmp_path / "releases" / version).mkdir(parents=True)
    (tmp_path / "production").symlink_to("releases/2.0.0")
    (tmp_path / "production.previous").symlink_to("releases/2.1.0")
    limits = load_policy().monitor.model_copy(update={"recover_f1_min": 0.99, "recover_rows_min": 500})
    report = json_of("monitor.json")
    assert "was done before" in recover(report, tmp_path, "production", limits, dry_run=False)
    assert json.loads(note.read_text()) == json_of("production.recovered.json") | {"state": "done"}


@pytest.mark.parametrize("name", ["unfinished_promotion.json", "unfinished_rollback.json"])
def test_a_killed_promotion_or_rollback_is_taken_back(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every file is as the note says that it was, and the index as the commit."""
    for variable, value in GIT_IDENTITY.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    fetched: list[bool] = []
    monkeypatch.setattr("src.release.transaction.fetch_and_checkout", lambda: fetched.append(True))
    checkout, note = Checkout(tmp_path), json_of(name)
    checkout.run("git", "init", "--quiet")
    for file, content in note["files"].items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_bytes(content.encode("latin-1"))
    head = checkout.commit("before")
    for file in note["files"]:
        (tmp_path / file).write_text("half done")
    checkout.run("git", "add", "--all")
    (tmp_path / ".git" / "unfinished.json").write_text(json.dumps(note | {"head": head}))
    with exclusive():
        assert checkout.run("git", "status", "--porcelain") == ""
    assert fetched == [True] * note["with_outputs"]
    assert not (tmp_path / ".git" / "unfinished.json").exists()


def test_parameters_are_read_as_they_are() -> None:
    """And are the same configuration to the ledger, so that it is not counted as another trial."""
    params = load_policy(file_of("params.yaml"))
    assert f"sha256:{trials.params_hash(params)}" == METADATA["training_info"]["params_hash"]
    assert trials.trial_hash(params) == json.loads(text_of("trials.jsonl").splitlines()[-1])["params"]


def test_keys_that_came_are_listed_with_their_values() -> None:
    """As the words of the error promise: every key that 1.5.0 did not have, and those that came with it or before."""
    shipped, before = (leaves(yaml.safe_load(text)) for text in (paths.PARAMS.read_text(), text_of("params.yaml")))
    rows_of = re.findall(r"^\| [\d.]+ \| `([\w.]+)` \| (.*) \|$", DOCUMENTS[UPGRADE], re.MULTILINE)
    listed = {
        f"{section}.{key}": yaml.safe_load(value)
        for section, keys in rows_of
        for key, value in re.findall(r"`(\w+): ([^`]*)`", keys)
    }
    assert shipped.keys() - before.keys() <= listed.keys()
    assert {key: shipped.get(key) for key in listed} == listed
    assert "monitor.recover_rows_min" in listed


def leaves(content: Mapping[str, Any], section: str = "") -> dict[str, Any]:
    """Return the value of each key, by the sections that lead to it."""
    found = {}
    for name, value in content.items():
        found |= leaves(value, f"{section}{name}.") if isinstance(value, dict) else {f"{section}{name}": value}
    return found


def test_the_ledger_of_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    """The configuration of its last line is known, and its ratio of then makes room for that of now."""
    monkeypatch.setattr(paths, "TRIALS", file_of("trials.jsonl"))
    first, _ = (json.loads(line)["sharpe_per_bar"] for line in text_of("trials.jsonl").splitlines())
    traded = {"sharpe": -0.5, "bars_per_year": 10_000.0}  # of one bar: -0.5 / 100
    assert trials.record_trial(load_policy(file_of("params.yaml")), traded, NOW) == [first, -0.005]


def test_a_lock_of_the_pipeline_names_what_it_made() -> None:
    """By the stages and names of today, so that a rollback finds them."""
    lock = parse_dvc_lock(text_of("dvc.lock"))
    today = parse_dvc_lock(paths.LOCK.read_text())
    assert list(lock.stages) == list(today.stages)
    assert lock.outs.keys() == today.outs.keys()
    assert {name for stage in lock.stages.values() for name in stage.params} == {"params.yaml"}


def test_a_promotion_is_read_from_its_commit() -> None:
    """Its metadata did not say from which bar on scores are honest; it follows from the window of the evaluation."""
    promoted = history._read("0" * 40, text_of(upgrade.METADATA), text_of("dvc.lock"), None)
    assert promoted is not None
    assert promoted.identity == ("2.1.0", METADATA["created_at"])
    assert promoted.to_plain()["rows"] == METADATA["training_info"]["samples_count"]
    assert honest_from(promoted.metadata) == datetime(2017, 12, 31, 23, tzinfo=UTC)


def test_reports_of_gate_and_monitor() -> None:
    """Rules that said yes passed, and the page draws what stands in them."""
    gate, look = json_of("gate.json"), json_of("monitor.json")
    assert {finding.verdict for finding in findings_of(gate) + findings_of(look)} == {"passed"}
    assert gate_report.headline(gate) == f"Promote: {len(rows.rules(gate).rows)} rules passed."
    assert rows.champion(gate["comparison"]).rows
    assert rows.parts(gate["comparison"]).rows


def lay_out(folder: Path, candidate: ProductionEnsemble, version: str, secret: Path) -> Path:
    """Put a signed release where 1.5.0 put one: its metadata, of other model files; return it."""
    release = folder / "releases" / version
    files = {paths.GRAPH.name: candidate.voters.content, paths.ENSEMBLE.name: candidate.to_bytes()}
    for name, content in files.items():
        storage.write_bytes(content, release / name)
    smoke = METADATA["smoke_test"]["rows"]
    model = {
        "files": {name: {"sha256": sha256(content), "size_bytes": len(content)} for name, content in files.items()},
        "model_weights": candidate.weights,
        "decision_threshold": candidate.decision_threshold,
        "smoke_test": {"rows": smoke, "probabilities": candidate.predict_proba(smoke)[:, 1].round(9).tolist()},
    }
    storage.write_json(METADATA | model | {"version": version}, release / paths.METADATA.name)
    sign(release, secret)
    return release


@pytest.fixture
def served(candidate: ProductionEnsemble, tmp_path: Path) -> Path:
    """A folder as 1.5.0 left it after two deployments: no manifest, and what a killed one left."""
    secret, _ = make_keys(tmp_path, "key")
    folder = tmp_path / "srv"
    for version in ("2.0.0", "2.1.0"):
        lay_out(folder, candidate, version, secret)
    lay_out(tmp_path / "promoted", candidate, "2.1.1", secret)
    (folder / "releases" / ".2.1.0.4711").mkdir()
    (folder / ".lock").touch()
    (folder / "production").symlink_to("releases/2.1.0")
    (folder / "production.previous").symlink_to("releases/2.0.0")
    return folder


def test_signed_releases_are_read(served: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By both links, and their signatures hold; where a key is named, a statement is asked for, which 1.5.0 had not."""
    monkeypatch.setenv(PUBLIC_KEY, str(tmp_path / "key.pub.pem"))
    for link, version in (("production", "2.1.0"), ("production.previous", "2.0.0")):
        release = (served / link).resolve()
        assert bot.ProductionEnsemble.load_release(release).get_model_info()["version"] == version
        assert verified_version(release) == version
    with pytest.raises(ModelError, match=r"expected the statement .*; docs/promote.md says how"):
        bot.ProductionEnsemble.load(served / "production")
    monkeypatch.delenv(PUBLIC_KEY)
    assert bot.ProductionEnsemble.load(served / "production").get_model_info()["version"] == "2.1.0"


def test_the_next_deployment_adopts_releases(served: Path, tmp_path: Path) -> None:
    """The oldest goes where it may, what is not known as a release stays, and going back leads to one of before."""
    warnings: list[str] = []
    promoted = tmp_path / "promoted" / "releases" / "2.1.1"
    assert deploy(served, "production", keep=0, promoted=promoted, warn=warnings.append) == "2.1.1"
    assert warnings == []
    assert names(served / "releases") == [".2.1.0.4711", "2.1.0", "2.1.1"]
    assert list((served / "releases" / "2.1.0" / SIGNATURES).iterdir())
    assert roll_back(served, "production") == "2.1.0"
