"""What the gate asks for evidence, piece by piece, and what it does where a piece is not to be had."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from btc_signal.catalog import FEATURE_NAMES, TARGET
from src.base import paths, storage, tables
from src.base.errors import DataError, ModelError, ParamsError, PromotionError
from src.evaluation.deflated_sharpe import NEEDED
from src.gate import gate as module
from src.training.member_files import write_member
from src.verdict.finding import Finding
from tests.checkouts import Checkout

UP_TO_DATE = [Finding("pipeline", None, None, "passed", "nothing would run")]
NOW = datetime(2026, 1, 4, 12, 30, tzinfo=UTC)
TRADED = {
    "sharpe": 1.0,
    "bars_per_year": 8_766.0,
    "n_bars": 1_000,
    "skewness": 0.0,
    "kurtosis": 3.0,
    "net_return": 0.1,
}


@pytest.fixture(autouse=True)
def repository(tmp_path, monkeypatch):
    """A repository with one commit, in which no model was promoted; every path of the gate leads into it."""
    root = paths.ROOT
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    for name, path in vars(paths).copy().items():
        if name.isupper() and name not in {"ROOT", "PARAMS", "SAMPLE"}:
            monkeypatch.setattr(paths, name, tmp_path / path.relative_to(root))
    storage.write_json({"backtest": {"model": TRADED}}, paths.METRICS)
    checkout = Checkout(tmp_path)
    checkout.run("git", "init", "--quiet")
    checkout.commit("nothing was promoted")
    return checkout


@pytest.fixture
def promoted(repository):
    """The commit after it, which holds the metadata of a model."""
    storage.write_json({"version": "1.0.0"}, paths.METADATA)
    return repository.commit("promoted")


@pytest.fixture
def reproduced(monkeypatch):
    """The pipeline is up to date."""
    monkeypatch.setattr(module, "check_reproduced", lambda: None)


def fail_with(error):
    """A function that raises, whatever it is asked."""

    def fail(*_):
        raise error

    return fail


def test_both_reports_before_are_gone(monkeypatch):
    """Neither for a machine nor for a reader does a yes of yesterday stand where today nothing was judged."""
    for file in (paths.GATE, paths.GATE_REPORT):
        storage.write_bytes(b"yes\n", file)
    monkeypatch.setattr(module, "load_policy", fail_with(ParamsError("seed: missing")))
    with pytest.raises(ParamsError, match="seed: missing"):
        module.gate()
    assert not paths.GATE.exists()
    assert not paths.GATE_REPORT.exists()


def test_nothing_was_ever_promoted():
    """No commit holds metadata, and nor does the work tree."""
    assert module._is_first()


def test_something_was_promoted(promoted):
    """As the work tree says, committed or not."""
    assert not module._is_first()
    paths.METADATA.write_text("{}\n")
    assert not module._is_first()


@pytest.fixture(params=["in the work tree", "in a commit", "some commits ago"])
def deleted(request, promoted, repository):
    """The commit to restore them from, or that deleted them, after the metadata were deleted."""
    paths.METADATA.unlink()
    commit = promoted
    if request.param != "in the work tree":
        commit = repository.commit("deleted")
    if request.param == "some commits ago":
        storage.write_json({}, paths.METRICS)
        repository.commit("later")
    return commit


def test_deleted_metadata_are_no_first_model(deleted):
    """What history knows was lost, not never there; the words name the commit and both ways on."""
    with pytest.raises(DataError) as refused:
        module._is_first()
    name, commit = paths.relative(paths.METADATA), str(refused.value).split("was deleted, ")[1].split()[0]
    assert str(refused.value) == f"{name} was deleted, {commit} is its last commit; restore it, or --as-first"
    assert len(commit) >= 7
    assert deleted.startswith(commit)


def test_what_the_backtest_is_worth(reproduced, params):
    """One trial, recorded."""
    found = module._luck(params, NOW, UP_TO_DATE)
    assert (found["n_trials"], found["expected_best"]) == (1, 0)
    assert len(paths.TRIALS.read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("backtest", "first"),
    [
        pytest.param(None, "sharpe", id="no backtest"),
        pytest.param({"model": None}, "sharpe", id="no model"),
        *(pytest.param({"model": TRADED | {name: None}}, name, id=f"no {name}") for name in NEEDED),
        pytest.param({"model": TRADED | {"sharpe": "1.0"}}, "sharpe", id="text"),
        pytest.param({"model": {key: TRADED[key] for key in ("sharpe", "n_bars")}}, "bars_per_year", id="few"),
    ],
)
def test_a_backtest_without_its_numbers_is_no_yes(backtest, first, reproduced, params):
    """The first that is missing is named, and no trial is recorded."""
    storage.write_json({"backtest": backtest}, paths.METRICS)
    words = f"reports/metrics.json holds no number backtest.model.{first}; run `dvc repro`"
    assert module.ask("luck", lambda: module._luck(params, NOW, UP_TO_DATE)) == [
        Finding("luck", None, None, "unknown", words)
    ]
    assert not paths.TRIALS.exists()


def test_a_stale_backtest_is_no_trial(params):
    """Its numbers are those of another configuration."""
    stale = Finding("pipeline", None, None, "unknown", "train would run")
    with pytest.raises(PromotionError, match="train would run"):
        module._luck(params, NOW, [stale])
    assert not paths.TRIALS.exists()


def test_a_damaged_ledger_stays_as_it_is(reproduced, params):
    """Nothing is appended to what is to be restored."""
    storage.write_bytes(b'{"params": "00ff", "sharpe_per_bar": NaN}\n', paths.TRIALS)
    with pytest.raises(DataError, match=r"trials\.jsonl line 1: no trial \(sharpe_per_bar is no number\)"):
        module._luck(params, NOW, UP_TO_DATE)
    assert len(paths.TRIALS.read_text().splitlines()) == 1


@pytest.fixture
def trained(members, candidate):
    """The members and their graph, where the pipeline keeps them."""
    storage.write_bytes(candidate.to_bytes(), paths.ENSEMBLE)
    for name, member in members.items():
        write_member(member, paths.member_model(name))


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        pytest.param(["open", *FEATURE_NAMES[1:]], "got open, volume", id="another"),
        pytest.param(FEATURE_NAMES[:-1], "expected the columns close, volume", id="one less"),
        pytest.param([*FEATURE_NAMES, "skill"], "volume_ratio, skill$", id="one more"),
        pytest.param(FEATURE_NAMES[::-1], "got volume_ratio, zscore", id="another order"),
        pytest.param([TARGET], "got $", id="the label alone"),
    ],
)
def test_features_with_other_columns_are_no_evidence(columns, words, trained):
    """The columns that came are named."""
    tables.write_frame(pd.DataFrame(np.ones((5, len(columns))), columns=list(columns)), paths.FEATURES)
    with pytest.raises(ModelError, match=words):
        module._measured()
    (found,) = module.ask("bundle", lambda: [module._measured()])
    assert (found.value, found.verdict) == (None, "unknown")


@pytest.mark.parametrize("columns", [FEATURE_NAMES, [*FEATURE_NAMES, TARGET]], ids=["alone", "with the label"])
def test_the_twelve_features_are_measured(columns, trained, monkeypatch):
    """With or without the label beside them."""
    tables.write_frame(pd.DataFrame(np.ones((5, len(columns))), columns=list(columns)), paths.FEATURES)
    monkeypatch.setattr(module, "measure_serving", lambda _, __, rows: rows.shape)
    assert module._measured() == (5, 12)
