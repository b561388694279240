"""params.yaml: what is refused, with which words, and that all of it is refused at once."""

import copy
import re
from datetime import UTC, datetime, timedelta

import pytest
import yaml
from pydantic import ValidationError

from src.base import paths
from src.base.errors import ParamsError
from src.base.sections import Section
from src.policy import Policy

SHIPPED = paths.PARAMS.read_text(encoding="utf-8")
CONTENT = yaml.safe_load(SHIPPED)


def line_of(part):
    """The line of the shipped text that holds this part."""
    return SHIPPED[: SHIPPED.index(part)].count("\n") + 1


def sections(model=Policy):
    """Every section of params.yaml, with the path that leads to it."""
    yield (), model
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            for location, section in sections(field.annotation):
                yield (name, *location), section


KEYS = [(*location, name) for location, section in sections() for name in section.model_fields]
# What answers a question that a file leaves open: without an answer nothing is asked of other sources.
ANSWERS = {
    ("data", "columns"): None,
    ("data", "time_zone"): None,
    ("data", "thousands"): None,
    ("data", "exchange"): "",
    ("data", "drop_last"): False,
    ("data", "parts_min_share"): 0.9,
    ("data", "limits", "off_grid_share_max"): 0.0,
    ("data", "limits", "zero_volume_share_max"): None,
    ("data", "limits", "deep_low_share_max"): None,
    ("data", "limits", "stale_share_max"): None,
    ("data", "limits", "volume_jump_max"): None,
}
ASKED = [key for key in KEYS if key not in ANSWERS and key != ("data", "limits")]


def test_the_shipped_file_is_valid(params):
    """What the file says is what the code gets."""
    assert params.seed == CONTENT["seed"]
    assert params.train.model_dump() == CONTENT["train"]
    assert params.data.start == datetime(2017, 7, 1, 11, tzinfo=UTC)


def without(key):
    """The shipped content without one key."""
    content = copy.deepcopy(CONTENT)
    section = content
    for name in key[:-1]:
        section = section[name]
    del section[key[-1]]
    return yaml.safe_dump(content)


@pytest.mark.parametrize("location", ASKED, ids=".".join)
def test_no_other_key_has_a_default(location, load):
    """A file that lacks any one key is refused, and the key is named."""
    with pytest.raises(ParamsError) as error:
        load(text=without(location))
    words = rf": {re.escape('.'.join(location))}: missing, add it( with .*)?$"
    assert re.search(words, str(error.value), re.MULTILINE)


@pytest.mark.parametrize(
    ("location", "keys"),
    [
        (("backtest",), "fee_bps, slippage_bps"),
        (("train", "xgb"), "n_estimators, learning_rate, max_depth, min_child_weight, subsample"),
        (("ensemble",), "weights.lightgbm, weights.xgboost, weights.random_forest, decision_threshold"),
    ],
    ids=["a section", "one in a section", "one with a section in it"],
)
def test_a_section_that_is_missing_is_named_with_its_keys(location, keys, load):
    """Not the section first and its keys one run later; and where their values stand is told once."""
    with pytest.raises(ParamsError) as error:
        load(text=without(location))
    missing, after = (line.strip() for line in str(error.value).splitlines())
    assert missing.endswith(f": {'.'.join(location)}: missing, add it with {keys}")
    assert after == "after an upgrade: docs/upgrade.md has the keys that came, with their values"


@pytest.mark.parametrize("location", ANSWERS, ids=".".join)
def test_an_answer_that_is_not_given_is_none(location, load):
    """So that a params.yaml of before files had questions goes on as it was: strict, and nothing left out."""
    section = load(text=without(location))
    for name in location:
        section = getattr(section, name)
    assert section == ANSWERS[location]


def test_no_other_field_has_a_default():
    """Numbers live in params.yaml alone."""
    with_default = {
        (*location, name)
        for location, section in sections()
        for name, field in section.model_fields.items()
        if not field.is_required()
    }
    assert with_default == {*ANSWERS, ("data", "limits")}


@pytest.mark.parametrize(
    "location", [location for location, _ in sections()], ids=lambda names: ".".join(names) or "root"
)
def test_an_unknown_key_is_refused_in_every_section(location, load):
    """A key with a typing error would otherwise change nothing, in silence."""
    content = copy.deepcopy(CONTENT)
    section = content
    for name in location:
        section = section[name]
    section["learning_rat"] = 0.1
    key = ".".join([*location, "learning_rat"])
    with pytest.raises(ParamsError, match=rf"^params\.yaml line \d+: {key}: unknown key, remove it or mend its name$"):
        load(text=yaml.safe_dump(content))


@pytest.mark.parametrize("location", KEYS, ids=".".join)
def test_parameters_cannot_be_changed(location, params):
    """What was read stays as it was read."""
    section = params
    for name in location[:-1]:
        section = getattr(section, name)
    with pytest.raises(ValidationError, match="frozen"):
        setattr(section, location[-1], 1)


def test_all_wrong_keys_are_reported_at_once_each_with_its_line(load):
    """One run of the command is enough to see everything that has to be mended."""
    with pytest.raises(ParamsError) as error:
        load(
            ("seed: 42", "sed: 42"),
            ("source: sample", "source: smaple"),
            ("threshold: 0.003", "threshold: .nan"),
            ("n_splits: 5", "n_splits: five"),
            ("macd_fast: 12", "macd_fast: 26"),
            ("warm_up_bars: 500", "warm_up_bars: 50"),
            ("horizon_bars: 1", "horizon_bars: 0"),
            ("lightgbm: 0.4", "lightgbm: 0.5"),
            ("f1_score_min: 0.6", "f1_score_min: 60"),
        )
    expected = [
        (r": seed: missing", None),
        (r": sed: unknown key", "seed: 42"),
        (r": data\.source: .*'sample', 'file' or 'ccxt', got 'smaple'", "source: sample"),
        (r": label\.threshold: .*finite number, got nan", "threshold: 0.003"),
        (r": split\.n_splits: .*integer, got 'five'", "n_splits: 5"),
        (r": features\.macd_slow: must be greater than macd_fast, 26, got 26", "macd_slow"),
        (r": features\.warm_up_bars: must be greater than 50, the longest window, got 50", "warm_up_bars"),
        (r": label\.horizon_bars: .*greater than or equal to 1, got 0", "horizon_bars: 1"),
        (r": ensemble\.weights: weights must sum to 1, these sum to 1\.1", "weights:  "),
        (r": gate\.f1_score_min: .*less than or equal to 1, got 60", "f1_score_min"),
    ]
    reported = [line.strip() for line in str(error.value).splitlines()]
    assert reported.pop().startswith("after an upgrade: docs/upgrade.md has the keys that came")
    assert len(reported) == len(expected)
    for words, part in expected:
        line = f" line {line_of(part)}" if part else ""
        assert [one for one in reported if re.match(rf"params\.yaml{line}{words}", one)], words


@pytest.mark.parametrize("value", [".nan", ".inf", "-.inf", "true", "'0.003'", "null", "many", "[0.003]", "2020-01-01"])
@pytest.mark.parametrize("key", ["threshold: 0.003", "bollinger_width: 2.0", "decision_threshold: 0.5"])
def test_what_is_no_number_is_refused(key, value, load):
    """NaN, infinity, a flag, a text and nothing at all are no numbers, and none is turned into one."""
    name = key.split(":")[0]
    with pytest.raises(ParamsError, match=rf"^params\.yaml line {line_of(key)}: [a-z]+\.{name}: .*number, got "):
        load((key, f"{name}: {value}"))


@pytest.mark.parametrize("value", ["1.0", "1.5", "true", "'1'", ".nan", "null", "0", "-1"])
@pytest.mark.parametrize("key", ["horizon_bars: 1", "n_jobs: 2", "num_leaves: 15", "zscore_window: 50"])
def test_what_is_no_count_is_refused(key, value, load):
    """A count is a whole number, written as one, and at least one."""
    name = key.split(":")[0]
    with pytest.raises(ParamsError, match=rf"^params\.yaml line {line_of(key)}: ([a-z.]+\.)?{name}: .*, got "):
        load((key, f"{name}: {value}"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param([("lightgbm: 0.4", "lightgbm: -0.4")], "weights.lightgbm: .*equal to 0, got -0.4", id="negative"),
        pytest.param([("xgboost: 0.4", "xgboost: 0.41")], "weights must sum to 1, these sum to 1.01", id="too much"),
        pytest.param([("xgboost: 0.4", "xgboost: 0")], "weights must sum to 1, these sum to 0.6", id="too little"),
        pytest.param([("xgboost: 0.4", "xgboost: .nan")], "weights.xgboost: .*finite number, got nan", id="NaN"),
        pytest.param(
            [("zscore_window: 50", "zscore_window: 20"), ("warm_up_bars: 500", "warm_up_bars: 50")],
            "warm_up_bars: must be greater than 50, the longest window, got 50",
            id="ema_50",
        ),
        # 100 bars of the slow average, and 9 - 1 more of the signal
        pytest.param(
            [("macd_slow: 26", "macd_slow: 100"), ("warm_up_bars: 500", "warm_up_bars: 108")],
            "warm_up_bars: must be greater than 108, the longest window, got 108",
            id="macd",
        ),
        pytest.param([("zscore_window: 50", "zscore_window: 500")], "greater than 500, .*got 500", id="z-score"),
        pytest.param([("bollinger_window: 20", "bollinger_window: 600")], "greater than 600, .*got", id="Bollinger"),
        pytest.param([("volume_ratio_window: 20", "volume_ratio_window: 900")], "greater than 900", id="volume ratio"),
        pytest.param([("macd_slow: 26", "macd_slow: 12")], "must be greater than macd_fast, 12, got 12", id="equal"),
        pytest.param([("horizon_bars: 1", "horizon_bars: 2")], "split.gap must be .* got 1 and 2", id="gap"),
        pytest.param([("seed: 42", "seed: -1")], "seed: .*equal to 0, got -1", id="negative seed"),
        pytest.param([("seed: 42", "seed: 2147483648")], "seed: .*less than 2147483648", id="seed of 32 bits"),
    ],
)
def test_values_that_contradict_each_other_are_refused(changes, words, load):
    """The rule is named with the numbers that break it, and the line to look at."""
    with pytest.raises(ParamsError, match=rf"^params\.yaml line \d+: .*{words}"):
        load(*changes)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param([("warm_up_bars: 500", "warm_up_bars: 51")], id="shortest warm-up"),
        pytest.param([("horizon_bars: 1", "horizon_bars: 3"), ("gap: 1", "gap: 3")], id="gap as long as the horizon"),
        pytest.param([("bollinger_width: 2.0", "bollinger_width: 2")], id="whole number for a number"),
        # 0.1 + 0.69 + 0.21 is 0.9999999999999999 in binary
        pytest.param(
            [
                ("lightgbm: 0.4", "lightgbm: 0.1"),
                ("xgboost: 0.4", "xgboost: 0.69"),
                ("random_forest: 0.2", "random_forest: 0.21"),
            ],
            id="weights that sum to one in decimals",
        ),
        pytest.param([("lightgbm: 0.4", "lightgbm: 0"), ("xgboost: 0.4", "xgboost: 0.8")], id="weight of zero"),
        pytest.param([('"2017-07-01T11:00:00Z"', "null"), ('"2019-10-17T10:00:00Z"', "null")], id="no window"),
    ],
)
def test_values_at_the_edge_are_accepted(changes, load):
    """What is allowed is allowed to the last digit."""
    assert isinstance(load(*changes), Policy)


@pytest.mark.parametrize(("timeframe", "step"), [("5m", {"minutes": 5}), ("4h", {"hours": 4}), ("1d", {"days": 1})])
def test_a_timeframe_is_a_length_of_time(timeframe, step, load):
    """Minutes, hours and days."""
    assert load(("timeframe: 1h", f"timeframe: {timeframe}")).data.step == timedelta(**step)
