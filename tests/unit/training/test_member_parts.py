"""What a pickle may make of the parts of a member: none of its names is called, and no state is more than data."""

import copy
import pickle
from collections import OrderedDict, defaultdict
from pathlib import Path

import src.base.openmp

import joblib
import lightgbm
import numpy as np
import pytest
import xgboost
from numpy._core.multiarray import scalar
from numpy._core.numeric import _frombuffer
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import LabelEncoder
from sklearn.tree._tree import Tree

from src.base.errors import DataError
from src.ml.model_view import scale_free_view
from src.training.member_files import read_member
from src.training.member_parts import read_parts
from tests.unit.training.test_member_files import Calls, sealed

ROWS = np.random.default_rng(7).uniform(1, 2, (30, 12))
PRIVATE = "/etc/passwd"


def saying(function, *arguments, state=None):
    """An object whose pickle calls a function, and gives what it returned a state."""
    made = Calls(function, *arguments)
    if state is not None:
        made.call += (state,)
    return made


def stated(kind, *states):
    """The pickle of an object that is made without a call and given these states."""
    made = b"\x80\x05c" + f"{kind.__module__}\n{kind.__qualname__}\n".encode() + b")\x81"
    return made + b"".join(pickle.dumps(state, 3)[2:-1] + b"b" for state in states) + b"."


@pytest.fixture
def refused(tmp_path):
    """A function that reads what claims to be a member, and returns the words it is refused with."""

    def read(hostile):
        file = tmp_path / "member.pkl"
        file.write_bytes(sealed(hostile if isinstance(hostile, bytes) else pickle.dumps(hostile, 5)))
        with pytest.raises(DataError, match=r"^/.*member\.pkl: .*`dvc repro`") as error:
            read_member(file)
        assert "\n" not in str(error.value)
        return str(error.value)

    return read


@pytest.mark.parametrize("name", ["lightgbm", "xgboost", "random_forest"])
def test_a_member_is_built_as_pickle_builds_it(name, members):
    """To the last bit of its probabilities, with the same attributes."""
    content = pickle.dumps(members[name], 5)
    built = read_parts(content)
    assert built.predict_proba(ROWS).tobytes() == members[name].predict_proba(ROWS).tobytes()
    assert pickle.loads(content).predict_proba(ROWS).tobytes() == built.predict_proba(ROWS).tobytes()
    assert list(vars(built[-1])) == list(vars(members[name][-1]))


CALLS = {
    "lightgbm.Booster of a file": saying(lightgbm.Booster, None, None, PRIVATE),
    "xgboost.Booster of a file": saying(xgboost.Booster, None, (), PRIVATE),
    "lightgbm's classifier": saying(lightgbm.LGBMClassifier, PRIVATE),
    "xgboost's classifier": saying(xgboost.XGBClassifier, PRIVATE),
    "a Pipeline with a folder for its cache": saying(Pipeline, [], PRIVATE),
    "a forest": saying(RandomForestClassifier, 10**9),
    "the view": saying(scale_free_view, ROWS),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_no_class_of_a_member_is_called(call, refused):
    """Most would open a file, or what a URL names."""
    assert "damaged pickle (it " in refused(call)


def save_lightgbm(members, path):
    members["lightgbm"][-1].booster_.save_model(path)
    return saying(lightgbm.Booster, None, None, str(path))


def save_xgboost(members, path):
    members["xgboost"][-1].get_booster().save_model(path)
    return saying(xgboost.Booster, None, (), str(path))


@pytest.mark.parametrize("save", [save_lightgbm, save_xgboost])
def test_a_booster_opens_no_file(save, refused, members, tmp_path):
    """Not even one that holds a true model."""
    assert "Booster, which no member does" in refused(save(members, tmp_path / "model.json"))


OPENERS = {
    "numpy.memmap": saying(np.memmap, PRIVATE, "u1", "r"),
    "numpy.fromfile": saying(np.fromfile, PRIVATE),
    "numpy.load": saying(np.load, PRIVATE),
    "numpy.genfromtxt": saying(np.genfromtxt, PRIVATE),
    "numpy.lib.format": saying(np.lib.format.open_memmap, PRIVATE),
    "joblib.load": saying(joblib.load, PRIVATE),
    "joblib's memmap": saying(
        joblib._memmapping_reducer._strided_from_memmap, PRIVATE, "u1", "r", 0, "C", (1,), None, None, None
    ),
    "joblib's array": saying(joblib.numpy_pickle.NumpyArrayWrapper, np.ndarray, (1,), "C", np.dtype("O")),
    "joblib's cache": saying(joblib.Memory, PRIVATE),
    "pathlib": saying(Path, PRIVATE),
}


@pytest.mark.parametrize("opener", OPENERS.values(), ids=OPENERS)
def test_what_opens_a_path_is_not_even_looked_up(opener, refused):
    """Of numpy's and joblib's many."""
    assert "which no member is made of" in refused(opener)


def dtype(code, *state):
    """A description of numbers, with whatever state."""
    return saying(np.dtype, code, *(False, True), state=state)


ADDRESS = (3, "|", None, ("o",), {"o": (np.dtype("O"), 0)}, 8, 1, 0)
BEYOND = (3, "|", None, ("a",), {"a": (np.dtype("f8"), 1 << 20)}, 8, 1, 16)
NUMBERS = {
    "objects": np.dtype("O"),
    "addresses said to be bytes": saying(_frombuffer, bytearray(8), dtype("V8", *ADDRESS), (1,), "C"),
    "a field beyond the record": dtype("V8", *BEYOND),
    "a size that is a lie": dtype("i8", 3, "<", None, None, None, 1 << 40, 8, 0),
    "an object in an array": saying(_frombuffer, bytearray(8), "O", (1,), "C"),
    "text for an array": saying(_frombuffer, PRIVATE, np.dtype("u1"), (11,), "C"),
    "more than there is": saying(_frombuffer, bytearray(8), np.dtype("f8"), (1 << 40,), "C"),
    "an object for a number": saying(scalar, np.dtype("O"), PRIVATE),
    "too few bytes for a number": saying(scalar, np.dtype("f8"), b"\0"),
}


@pytest.mark.parametrize("numbers", NUMBERS.values(), ids=NUMBERS)
def test_numbers_are_numbers(numbers, refused):
    """Sizes and addresses are believed by numpy, which reads memory where they say."""
    assert "damaged pickle" in refused(numbers)


def changed(member, place, **attributes):
    """A copy of a member, one of whose parts has other attributes."""
    other = copy.deepcopy(member)
    vars(place(other)).update(attributes)
    return other


STATES = {
    "a class for the view": (
        lambda m: m[0],
        {"func": lightgbm.Booster, "kw_args": {"model_file": PRIVATE}},
        "holds Booster",
    ),
    "no view": (lambda m: m[0], {"func": None}, "one of other parts"),
    "a text for the view": (lambda m: m[0], {"func": PRIVATE}, "one of other parts"),
    "another function for the view": (lambda m: m[0], {"func": np.fromfile}, "names numpy.fromfile"),
    "a method replaced": (lambda m: m, {"predict_proba": scale_free_view}, "replaces 'predict_proba' of sklearn.pipe"),
    "a method of the booster": (lambda m: m[-1].booster_, {"predict": OrderedDict}, "replaces 'predict' of light"),
    "its class": (lambda m: m[-1], {"__class__": 1}, "replaces '__class__'"),
    "a folder to write in": (lambda m: m, {"memory": PRIVATE}, "one of other parts"),
    "a class that makes what is missing": (
        lambda m: m[-1],
        {"_best_score": defaultdict(lightgbm.Booster)},
        "holds Booster",
    ),
    "another classifier": (lambda m: m, {"steps": [*make_pipeline(LabelEncoder()).steps] * 2}, "one of other parts"),
    "one step": (lambda m: m, {"steps": []}, "one of other parts"),
}


@pytest.mark.parametrize(("place", "attributes", "words"), STATES.values(), ids=STATES)
def test_a_state_is_data(place, attributes, words, members, refused):
    """No method is another one after it, and no class waits in it to be called when the member is used."""
    assert words in refused(changed(members["lightgbm"], place, **attributes))


RAW = {
    "an address for a handle": stated(lightgbm.Booster, {"_handle": 4096}),
    "an address by another name": stated(lightgbm.Booster, {"handle": 4096}),
    "an address for xgboost's handle": stated(xgboost.Booster, {"handle": 4096}),
    "no model": stated(lightgbm.Booster, {"_handle": PRIVATE}),
    "no model of xgboost": stated(xgboost.Booster, {"handle": bytearray(b"none")}),
    "a list for a state": stated(lightgbm.Booster, ["_handle"]),
    "a state and attributes": stated(Pipeline, ({}, {"predict_proba": 1})),
    "a number for a name": stated(Pipeline, {1: 1}),
    "two states": stated(lightgbm.Booster, {"_handle": None}, {"_handle": None}),
    "no state": stated(lightgbm.Booster),
    "a class": b"\x80\x05clightgbm.basic\nBooster\n.",
    "a class with an item": b"\x80\x05ccollections\nOrderedDict\n)RU\x01aK\x01s.",
    "itself": b"\x80\x05]\x94h\x00a.",
    "lists in lists": b"\x80\x05" + b"]" * 50_000 + b"a" * 49_999 + b".",
    "a place far beyond": b"\x80\x05Nr\0\0\0\x08.",
    "tuples in tuples, as a key": b"\x80\x05})" + b"\x85" * 1_000_000 + b"Ns.",
    "tuples of one tuple, as a key": b"\x80\x05})\x94" + b"".join(b"h%c\x86\x94" % at for at in range(60)) + b"Ns.",
    "a mark taken away": b"\x80\x05(0N.",
    "a length that is a lie": b"\x80\x05\x8e" + b"\0" * 7 + b"\x01.",
    "keyword arguments": b"\x80\x05clightgbm.basic\nBooster\n)}U\nmodel_fileU\x0b/etc/passwds\x92.",
}


@pytest.mark.parametrize("content", RAW.values(), ids=RAW)
def test_what_no_library_would_write(content, refused):
    """Op codes by hand."""
    assert "damaged pickle (" in refused(content)


def test_few_bytes_that_stand_for_many(refused):
    """Lists of one list, each twice as long, are built once each."""
    doubled = b"\x80\x05]\x94" + b"".join(b"]\x94(h%c" % at + b"h%c" % at + b"e" for at in range(200)) + b"."
    assert "got list" in refused(doubled)


def tree_of(tree, **changes):
    """A tree's pickle with nodes or counts that were changed."""
    function, arguments, state = tree.__reduce__()
    state = {**state, "nodes": state["nodes"].copy()}
    for name, value in changes.items():
        if name in state["nodes"].dtype.names:
            state["nodes"][name][0] = value
        else:
            state[name] = value
    return saying(function, *changes.get("arguments", arguments), state=state)


TREES = {
    "a node beyond the last": {"left_child": 1 << 40},
    "a node before the first": {"right_child": -5},
    "a node that leads to itself": {"left_child": 0},
    "half a leaf": {"right_child": -1},
    "a column beyond the last": {"feature": 10},
    "a column before the first": {"feature": -1},
    "more nodes than there are": {"node_count": 1 << 40},
    "columns that the view has not": {"arguments": (1 << 30, np.array([2]), 1)},
    "more outputs than there are": {"arguments": (10, np.array([2]), 1 << 20)},
    "more classes than there are": {"arguments": (10, np.array([1 << 20]), 1)},
}


@pytest.mark.parametrize("changes", TREES.values(), ids=TREES)
def test_a_tree_leads_nowhere_else(changes, members, refused):
    """scikit-learn looks up no length: it would read what lies there."""
    tree = members["random_forest"][-1].estimators_[0].tree_
    assert isinstance(tree, Tree)
    assert "a tree whose nodes lead nowhere" in refused(tree_of(tree, **changes))
