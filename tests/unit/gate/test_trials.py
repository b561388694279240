"""The ledger of trials: a line for every configuration that could have been chosen, and none for the same one again."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from src.base import paths
from src.base.errors import DataError
from src.base.sections import Section
from src.evaluation.deflated_sharpe import NEEDED, deflated_sharpe, per_bar
from src.gate.trials import NOT_A_TRIAL, record_trial, trial_hash
from src.policy import Policy

NOW = datetime(2026, 1, 4, 12, 30, tzinfo=UTC)
# 3 a year, 900 bars a year: 3 / 30 = 0.1 a bar
TRADED = {
    "sharpe": 3.0,
    "bars_per_year": 900.0,
    "n_bars": 400,
    "skewness": 0.5,
    "kurtosis": 4.0,
    "net_return": 0.25,
    "trades": 7,
}
LINE = '{"params": "00ff", "first_judged": "2026-01-01T00:00:00Z", "sharpe_per_bar": 0.2, "n_bars": 9, "net_return": 1}'


@pytest.fixture(autouse=True)
def ledger(tmp_path, monkeypatch):
    """A ledger of this test's own, not there yet."""
    monkeypatch.setattr(paths, "TRIALS", tmp_path / "reports" / "trials.jsonl")
    return paths.TRIALS


def keys(model=Policy, location=()):
    """Every key of params.yaml, as the path that leads to it."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from keys(field.annotation, (*location, name))
        else:
            yield (*location, name)


def is_exempt(location):
    """Whether the key is one of those that make no other trial."""
    exempt = NOT_A_TRIAL.get(location[0], set())
    return exempt is True or location[-1] in exempt


def other(value):
    """Another value of the same kind."""
    if value is None:
        return 1.0
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return "file" if value == "sample" else f"{value}2"
    return value + (timedelta(days=7) if isinstance(value, datetime) else 1)


# Of keys whose kind a null does not tell.
OTHERS = {"columns": {"volume": "vol"}, "time_zone": "UTC", "thousands": ","}


def moved(section, location):
    """The parameters with another value of one key."""
    name, *inner = location
    value = getattr(section, name)
    return section.model_copy(update={name: moved(value, inner) if inner else OTHERS.get(name, other(value))})


KEYS = list(keys())
EXEMPT = [location for location in KEYS if is_exempt(location)]


def test_the_first_trial(params, ledger):
    """One line: what was judged, when, and what its backtest was worth."""
    assert record_trial(params, TRADED, NOW) == [pytest.approx(0.1)]
    (line,) = ledger.read_text().splitlines()
    assert json.loads(line) == {
        "params": trial_hash(params),
        "first_judged": "2026-01-04T12:30:00Z",
        "sharpe_per_bar": pytest.approx(0.1),
        "n_bars": 400,
        "net_return": 0.25,
    }


def test_the_same_configuration_again(params, ledger):
    """The line stays as it was first written, and counts once."""
    first = record_trial(params, TRADED, NOW)
    content = ledger.read_bytes()
    assert record_trial(params, TRADED | {"net_return": 0.5}, NOW + timedelta(days=1)) == first
    assert ledger.read_bytes() == content


def test_the_present_ratio_counts(params, ledger):
    """The same configuration on later bars: what its backtest is worth now is returned, the line stays."""
    other_one = params.model_copy(update={"seed": 1})
    for one in (params, other_one):
        record_trial(one, TRADED, NOW)
    content = ledger.read_bytes()
    # 6 / 30 = 0.2 in the first one's place
    assert record_trial(params, TRADED | {"sharpe": 6.0}, NOW) == pytest.approx([0.2, 0.1])
    assert record_trial(other_one, TRADED, NOW) == pytest.approx([0.1, 0.1])
    assert ledger.read_bytes() == content


def test_three_configurations(params, ledger):
    """Each has its own ratio, in the order in which they came; to come back to the first adds none."""
    tried = [params, *(params.model_copy(update={"seed": seed}) for seed in (1, 2))]
    for number, one in enumerate(tried, start=1):
        trials = record_trial(one, TRADED | {"sharpe": 3.0 * number}, NOW)
    assert trials == pytest.approx([0.1, 0.2, 0.3])
    assert record_trial(params, TRADED, NOW) == trials
    assert len(ledger.read_text().splitlines()) == 3


@pytest.mark.parametrize("location", EXEMPT, ids=".".join)
def test_what_is_no_other_trial(location, params, ledger):
    """Thresholds, threads and a window that moves on change no idea."""
    record_trial(params, TRADED, NOW)
    assert len(record_trial(moved(params, location), TRADED, NOW)) == 1
    assert len(ledger.read_text().splitlines()) == 1


@pytest.mark.parametrize("location", [one for one in KEYS if one not in EXEMPT], ids=".".join)
def test_what_is_another_trial(location, params, ledger):
    """Any other key is an idea of its own."""
    record_trial(params, TRADED, NOW)
    assert len(record_trial(moved(params, location), TRADED, NOW)) == 2
    assert len(ledger.read_text().splitlines()) == 2


def test_the_exempt_keys_are_known_by_name(params):
    """Both ends of the window and how they move, the threads and every threshold of gate and monitor, and none else."""
    gate = {(key, name) for key in ("gate", "monitor") for name in type(getattr(params, key)).model_fields}
    moves = {("data", "start"), ("data", "end"), ("data", "exchange"), ("retrain", "window_days")}
    assert set(EXEMPT) == moves | {("n_jobs",)} | gate


def test_a_window_without_ends(params):
    """Open ends are the same trial as well."""
    data = params.data.model_copy(update={"start": None, "end": None})
    assert trial_hash(params.model_copy(update={"data": data})) == trial_hash(params)


@pytest.mark.parametrize(
    ("damaged", "number"),
    [
        pytest.param("{", 2, id="not JSON"),
        pytest.param("", 2, id="empty line"),
        pytest.param("<<<<<<< HEAD", 2, id="merge conflict"),
        pytest.param("[1]", 2, id="list"),
        pytest.param("0.2", 2, id="number"),
        pytest.param("null", 2, id="nothing"),
        pytest.param(LINE.replace("params", "parameters"), 2, id="no digest"),
        pytest.param(LINE.replace("sharpe_per_bar", "sharpe"), 2, id="no ratio"),
        pytest.param(LINE.replace("0.2", "null"), 2, id="ratio of null"),
        pytest.param(LINE.replace("0.2", '"high"'), 2, id="ratio of a word"),
        pytest.param(LINE.replace("0.2", "[0.2]"), 2, id="ratio of a list"),
        pytest.param(LINE.replace("0.2", "NaN"), 2, id="ratio of NaN"),
        pytest.param(LINE.replace("0.2", "-Infinity"), 2, id="infinite ratio"),
        pytest.param(LINE.replace("0.2", "1e999"), 2, id="ratio that becomes infinite"),
    ],
)
def test_a_damaged_line_is_named(damaged, number, params, ledger):
    """Nothing is guessed and nothing is written: who tries often must not lose count."""
    ledger.parent.mkdir()
    ledger.write_text(f"{LINE}\n{damaged}\n{LINE}\n")
    words = rf"trials\.jsonl line {number}: no trial \(.*\); restore it with `git checkout`$"
    with pytest.raises(DataError, match=words):
        record_trial(params, TRADED, NOW)
    assert ledger.read_text() == f"{LINE}\n{damaged}\n{LINE}\n"


def test_bytes_that_are_no_text(params, ledger):
    """They are a damaged line like any other."""
    ledger.parent.mkdir()
    ledger.write_bytes(b"\xff\xfe\x00\n")
    with pytest.raises(DataError, match=r"trials\.jsonl line 1: no trial"):
        record_trial(params, TRADED, NOW)


def test_a_last_line_that_is_cut_off(params, ledger):
    """It is a damaged line like any other, and no line is appended to it."""
    ledger.parent.mkdir()
    content = f"{LINE}\n{LINE[: len(LINE) // 2]}"
    ledger.write_text(content)
    with pytest.raises(DataError, match=r"trials\.jsonl line 2: no trial"):
        record_trial(params, TRADED, NOW)
    assert ledger.read_text() == content


def test_a_last_line_that_lacks_its_end_only(params, ledger):
    """It counts, and the next line is one of its own."""
    ledger.parent.mkdir()
    ledger.write_text(LINE)
    assert len(record_trial(params, TRADED, NOW)) == 2
    assert len(record_trial(params, TRADED, NOW)) == 2
    assert ledger.read_text().splitlines()[0] == LINE


def test_the_ledger_has_what_the_deflated_ratio_needs(params):
    """What is recorded goes straight in: one trial alone was not selected, a second one raises what luck gives."""
    assert set(NEEDED) < set(TRADED)
    alone = deflated_sharpe(TRADED, record_trial(params, TRADED, NOW))
    assert (alone["n_trials"], alone["expected_best"]) == (1, 0)
    worse = TRADED | {"sharpe": -3.0}
    both = deflated_sharpe(TRADED, record_trial(params.model_copy(update={"seed": 7}), worse, NOW))
    assert both["n_trials"] == 2
    assert both["expected_best"] > 0
    assert both["probability"] < alone["probability"]


def test_a_ratio_survives_the_file(params):
    """What is read back is what was computed, to the last bit."""
    traded = TRADED | {"sharpe": float(np.pi)}
    assert record_trial(params, traded, NOW) == record_trial(params, traded, NOW) == [per_bar(traded)]
