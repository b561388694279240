"""The gate: every piece of evidence is asked, what cannot be had is no yes, and the report is always written."""

import json
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from btc_signal.bundle import sha256
from btc_signal.catalog import FEATURE_NAMES
from src.base import paths, storage, tables
from src.base.errors import DataError, ModelError, ParamsError, PromotionError
from src.evaluation.score_report import verdict
from src.gate import compare_report
from src.gate import gate as module
from src.gate.gate import gate
from src.gate.gate_report import headline, markdown
from src.policy import load_policy
from src.training.member_files import write_member
from src.verdict.finding import Finding
from tests.checkouts import Checkout

EVALUATED = storage.read_json(paths.METRICS)
METRICS = {
    "ensemble": {"f1_score": 0.9, "expected_calibration_error": 0.0},
    "decision_rate": 0.5,
    "intervals": {
        "scores": {"ensemble": {"brier_skill": [0.5, 0.6]}},
        "ensemble_less": {"volatility_only": {"brier_skill": [0.5, 0.4, 0.6]}},
    },
    "members": {name: {"brier_skill": 0.5} for name in ("lightgbm", "xgboost", "random_forest")},
    "backtest": {
        "model": {
            "sharpe": 1.0,
            "bars_per_year": 8_766.0,
            "n_bars": 1_000,
            "skewness": 0.0,
            "kurtosis": 3.0,
            "net_return": 0.1,
        }
    },
}
MEASURED = {"parity": 1e-8, "n_flipped": 0, "size_mb": 0.1, "latency_ratio": 1e6, "memory_mib": 1.0}
AHEAD = {"champion": 0.05, "challenger": 0.07, "difference": 0.02, "interval": [0.01, 0.03]}
COMPARISON = {
    "champion": {"revision": "HEAD", "commit": "0123456789abcdef"},
    "common": {"n_bars": 1_234, "first_open": "2020-01-01T00:00:00Z", "last_open": "2020-02-21T09:00:00Z"},
    "differences": {"brier_skill": AHEAD},
    "mcnemar": {"only_champion_right": 3, "only_challenger_right": 7, "p_value": 0.34375},
    "by_fold": [],
    "by_regime": [],
    "since_training": None,
}
CLEAN = Finding("a check", 0.0, 0.0, "passed", "words")
N_RULES = 21


@pytest.fixture(autouse=True)
def repository(tmp_path, monkeypatch):
    """A repository whose last commit holds the metadata of a champion; every path of the gate leads into it."""
    checkout = Checkout(tmp_path)
    root = paths.ROOT
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.chdir(tmp_path)
    for name, path in vars(paths).copy().items():
        if name.isupper() and name not in {"ROOT", "PARAMS", "SAMPLE"}:
            monkeypatch.setattr(paths, name, tmp_path / path.relative_to(root))
    storage.write_json({"version": "1.0.0"}, paths.METADATA)
    checkout.run("git", "init", "--quiet")
    checkout.commit("a champion")
    return checkout


@pytest.fixture(autouse=True)
def evidence(repository, candidate, members, make_bars, monkeypatch):
    """Everything that the gate looks at, so that no rule fails; what takes long is answered at once."""
    storage.write_json(METRICS, paths.METRICS)
    storage.write_json({"missing_share": 0.0, "last_open": "2020-01-05T03:00:00Z"}, paths.DATA_QUALITY)
    storage.write_bytes(candidate.to_bytes(), paths.ENSEMBLE)
    tables.write_frame(make_bars(100), paths.BARS)
    tables.write_frame(pd.DataFrame(np.ones((5, 12)), columns=list(FEATURE_NAMES)), paths.FEATURES)
    for name, member in members.items():
        write_member(member, paths.member_model(name))
    monkeypatch.setattr(module, "check_reproduced", lambda: None)
    monkeypatch.setattr(module, "compare", lambda: COMPARISON)
    monkeypatch.setattr(module, "check_pipeline", lambda *_: [CLEAN])
    monkeypatch.setattr(module, "measure_serving", lambda *_: MEASURED)
    monkeypatch.setattr(compare_report, "_dvc_diff", lambda *_: "nothing\n")


@pytest.fixture(autouse=True)
def thresholds(monkeypatch):
    """The shipped parameters, of a source that is not live."""
    params = load_policy()
    asked = params.gate.model_copy(update={"newest_bar_age_max_h": None})
    monkeypatch.setattr(module, "load_policy", lambda: params.model_copy(update={"gate": asked}))


def fail_with(error):
    """A function that raises, whatever it is asked."""

    def fail(*_):
        raise error

    return fail


def not_yes(report):
    """The rules that keep it from saying yes."""
    return {one["name"]: one["verdict"] for one in report["judgements"] if one["verdict"] in {"failed", "unknown"}}


def words_of(report, name):
    return next(one["words"] for one in report["judgements"] if one["name"] == name)


def assert_written(report):
    """Both files hold this report."""
    assert json.loads(paths.GATE.read_text()) == report
    assert paths.GATE_REPORT.read_text() == markdown(report)


def test_every_rule_says_yes():
    """The report names the candidate and the moment, and holds every rule and the comparison."""
    before = datetime.now(UTC).replace(microsecond=0)
    report = gate()
    assert (not_yes(report), report["verdict"]) == ({}, "yes")
    assert len(report["judgements"]) == N_RULES
    assert report["candidate"] == sha256(paths.ENSEMBLE.read_bytes())
    assert report["comparison"] == COMPARISON
    assert before <= datetime.fromisoformat(report["judged_at"]) <= datetime.now(UTC)
    assert_written(report)
    assert headline(report) == f"Promote: {N_RULES - 3} rules passed (2 told, 1 off)."


def test_what_the_scores_mean(params):
    """In the words of the evaluation; nothing where a score is missing, which the rules tell."""
    assert gate()["in_words"] == []
    storage.write_json(EVALUATED, paths.METRICS)
    report = gate()
    assert report["in_words"] == verdict(EVALUATED, params.gate.f1_score_min)
    assert all(f"\n- {sentence}\n" in paths.GATE_REPORT.read_text() for sentence in report["in_words"])


def test_one_no_is_a_no():
    """Whatever else is unknown."""
    storage.write_json(METRICS | {"ensemble": {"f1_score": 0.0, "expected_calibration_error": 0.0}}, paths.METRICS)
    paths.DATA_QUALITY.unlink()
    report = gate()
    assert not_yes(report) == {"weighted F1": "failed", "bars": "unknown"}
    assert report["verdict"] == "no"
    assert_written(report)


@pytest.mark.parametrize(
    ("source", "error", "rule"),
    [
        pytest.param("check_reproduced", PromotionError("train would run"), "pipeline luck", id="pipeline"),
        pytest.param("compare", ModelError("no champion"), "champion", id="comparison"),
        pytest.param("compare", DataError("labelled the same bars otherwise"), "champion", id="label"),
        pytest.param("check_pipeline", DataError("no bars"), "leaks", id="leaks"),
        pytest.param("measure_serving", ModelError("does not answer"), "bundle", id="serving"),
        pytest.param("record_trial", DataError("line 3: no trial"), "luck", id="trials"),
    ],
)
def test_evidence_that_cannot_be_had_is_no_yes(source, error, rule, monkeypatch):
    """The gate cannot tell, says why, asks the other rules, and writes its report."""
    monkeypatch.setattr(module, source, fail_with(error))
    report = gate()
    assert (not_yes(report), report["verdict"]) == (dict.fromkeys(rule.split(), "unknown"), "unknown")
    assert {words_of(report, one) for one in rule.split()} == {str(error)}
    assert (report["comparison"] is None) == (rule == "champion")
    assert_written(report)


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("METRICS", {"scores", "luck"}),
        ("DATA_QUALITY", {"bars"}),
        ("BARS", {"leaks"}),
        ("FEATURES", {"bundle"}),
    ],
)
@pytest.mark.parametrize("damage", ["absent", "damaged"])
def test_a_file_that_cannot_be_read_is_no_yes(name, rules, damage):
    """It is named in the words of every rule that needs it."""
    path = getattr(paths, name)
    path.unlink()
    if damage == "damaged":
        path.write_bytes(b"\xff{")
    report = gate()
    assert not_yes(report) == dict.fromkeys(rules, "unknown")
    assert all(words_of(report, rule).startswith(f"{paths.relative(path)}: ") for rule in rules)
    assert_written(report)


def test_a_member_that_is_not_there_is_no_yes():
    """Without it nobody knows whether the graph is right."""
    paths.member_model("xgboost").unlink()
    report = gate()
    assert not_yes(report) == {"bundle": "unknown"}
    assert words_of(report, "bundle").startswith("models/training/xgboost.pkl: cannot be read")


def test_a_candidate_that_is_not_there_has_no_digest():
    """The report is written all the same."""
    paths.ENSEMBLE.unlink()
    assert gate()["candidate"] is None


def test_metrics_without_a_backtest_are_no_yes():
    """What is missing is named."""
    storage.write_json({name: found for name, found in METRICS.items() if name != "backtest"}, paths.METRICS)
    report = gate()
    assert not_yes(report) == {"luck": "unknown"}
    assert words_of(report, "luck") == "reports/metrics.json holds no number backtest.model.sharpe; run `dvc repro`"


def test_a_damaged_ledger_is_no_yes():
    """Who tries often must not lose count."""
    storage.write_bytes(b"{\n", paths.TRIALS)
    report = gate()
    assert not_yes(report) == {"luck": "unknown"}
    assert words_of(report, "luck").startswith("reports/trials.jsonl line 1: no trial")


def test_the_trial_is_recorded_once():
    """However often the gate is asked."""
    gate()
    gate()
    assert len(paths.TRIALS.read_text().splitlines()) == 1


def test_what_the_evidence_is_asked_for(members, monkeypatch):
    """The candidate's file, its members, and the twelve features of the rows."""
    asked = []
    monkeypatch.setattr(module, "measure_serving", lambda *arguments: asked.append(arguments) or MEASURED)
    gate()
    ((file, found, rows),) = asked
    assert (file, list(found), rows.shape) == (paths.ENSEMBLE, list(members), (5, 12))


def test_the_first_model_has_the_baselines_to_beat(repository, monkeypatch):
    """Nothing was promoted, so there is nothing to compare with."""
    repository.run("git", "rm", "--quiet", paths.relative(paths.METADATA))
    storage.write_json({"nothing": "promoted"}, paths.PLOTS / "points.json")
    repository.run("git", "add", "--all")
    repository.run("git", "commit", "--quiet", "--amend", "--message", "nothing was promoted")
    monkeypatch.setattr(module, "compare", lambda: pytest.fail("nobody is there to compare with"))
    report = gate()
    assert (report["verdict"], report["comparison"]) == ("yes", None)
    assert words_of(report, "champion").startswith("nothing was promoted yet; ")
    # one rule in the place of three
    assert len(report["judgements"]) == N_RULES - 2
    assert_written(report)


@pytest.mark.parametrize("is_committed", [False, True], ids=["lost", "deletion committed"])
def test_metadata_that_were_deleted_are_no_first_model(is_committed, repository):
    """What a commit holds was lost, not never there."""
    paths.METADATA.unlink()
    if is_committed:
        repository.commit("deleted")
    report = gate()
    assert (not_yes(report), report["verdict"]) == ({"champion": "unknown"}, "unknown")
    name = "models/production/production_model_metadata.json"
    assert words_of(report, "champion").startswith(f"{name} was deleted, ")


def test_as_the_first_model(monkeypatch):
    """The champion is there and not asked, even where it could not be."""
    monkeypatch.setattr(module, "compare", fail_with(DataError("another label")))
    report = gate(as_first=True)
    assert (report["verdict"], report["comparison"]) == ("yes", None)
    assert gate()["verdict"] == "unknown"


def test_the_report_before_is_gone_even_if_the_parameters_are_wrong(tmp_path, monkeypatch):
    """A yes of yesterday must not stand where today nothing was judged."""
    gate()
    broken = tmp_path / "params.yaml"
    broken.write_text("seed: many\n")
    monkeypatch.setattr(module, "load_policy", lambda: load_policy(broken))
    with pytest.raises(ParamsError, match="seed"):
        gate()
    assert not paths.GATE.exists()


def test_the_report_before_is_gone_if_the_gate_is_stopped(monkeypatch):
    """Whatever stops it."""
    gate()
    monkeypatch.setattr(module, "check_pipeline", fail_with(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        gate()
    assert not paths.GATE.exists()
