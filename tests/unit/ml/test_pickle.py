"""The ensemble as bytes: round trips, and what is refused."""

import bz2
import copy
import gzip
import io
import lzma
import pickle
import pickletools
from contextlib import suppress

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btc_signal.graph import MemberGraph
from src.base.errors import ModelError
from src.ml.ensemble import ProductionEnsemble

ROWS = np.random.default_rng(7).uniform(1, 2, (30, 12))


class Constant:
    """A classifier that gives every row the same probability of a rise."""

    def predict_proba(self, X):
        """Return the same probabilities for every row."""
        return np.tile([0.7, 0.3], (len(X), 1))


def state_of(candidate, **changes):
    return {
        "graph": candidate.voters.content,
        "weights": dict(candidate.weights),
        "decision_threshold": 0.5,
        **changes,
    }


def with_state(state):
    """Bytes that hold `state` as an ensemble's: the class, made without arguments, then given the state."""
    return b"\x80\x05csrc.ml.ensemble\nProductionEnsemble\n)\x81" + pickle.dumps(state, 3)[2:-1] + b"b."


def load_file(content, directory):
    file = directory / "ensemble.pkl"
    file.write_bytes(content)
    return joblib.load(file)


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(lambda content, _: ProductionEnsemble.from_bytes(content), id="from_bytes"),
        pytest.param(lambda content, _: joblib.load(io.BytesIO(content)), id="joblib"),
        pytest.param(load_file, id="joblib from a file"),
        pytest.param(lambda content, _: pickle.loads(content), id="pickle"),
        pytest.param(lambda content, _: copy.deepcopy(pickle.loads(content)), id="deepcopy"),
    ],
)
def test_read_back(read, candidate, tmp_path):
    """An ensemble read back answers as before, whoever reads it."""
    again = read(candidate.to_bytes(), tmp_path)
    assert isinstance(again, ProductionEnsemble)
    np.testing.assert_array_equal(again.predict_proba(ROWS), candidate.predict_proba(ROWS))
    assert again.get_model_info() == candidate.get_model_info()
    assert again.to_bytes() == candidate.to_bytes()


def test_weights_and_threshold(candidate):
    """Weights and threshold survive the round trip."""
    weights = {"lightgbm": 0.25, "xgboost": 0.75, "random_forest": 0.0}
    ensemble = ProductionEnsemble(candidate.voters, weights=weights, decision_threshold=0.55)
    again = ProductionEnsemble.from_bytes(ensemble.to_bytes())
    assert (again.weights, again.decision_threshold) == (weights, 0.55)


def test_no_estimator(candidate):
    """The pickle names the ensemble's own class and nothing else."""
    opcodes = list(pickletools.genops(candidate.to_bytes()))
    named = [opcodes[i - 2 : i] for i, (opcode, _, _) in enumerate(opcodes) if opcode.name == "STACK_GLOBAL"]
    assert len(named) == 1
    strings = [argument for opcode, argument, _ in opcodes if isinstance(argument, str)]
    assert strings[:2] == ["src.ml.ensemble", "ProductionEnsemble"]
    assert not {opcode.name for opcode, _, _ in opcodes} & {"GLOBAL", "REDUCE", "INST", "OBJ"}


def test_members_are_not_written():
    """An ensemble of other classifiers has no bytes that could be served; it can be pickled as anything can."""
    ensemble = ProductionEnsemble({"only": Constant()})
    with pytest.raises(ModelError, match="only an ensemble of a MemberGraph is written"):
        ensemble.to_bytes()
    assert pickle.loads(pickle.dumps(ensemble)).predict_proba(ROWS)[0, 1] == pytest.approx(0.3)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda _: b"", id="nothing"),
        pytest.param(lambda _: b"junk", id="text"),
        pytest.param(lambda _: b"version https://git-lfs.github.com/spec/v1\n", id="pointer file"),
        pytest.param(lambda _: bytes(1_000), id="zeros"),
        pytest.param(lambda _: b"x\x9cjunk", id="broken zlib"),
        pytest.param(gzip.compress, id="gzip"),
        pytest.param(bz2.compress, id="bzip2"),
        pytest.param(lzma.compress, id="lzma"),
        pytest.param(lambda _: pickle.dumps([1, 2]), id="a list"),
        pytest.param(lambda _: pickle.dumps(Constant()), id="another class"),
        pytest.param(lambda _: pickle.dumps(np.arange(3)), id="an array"),
        pytest.param(lambda _: pickle.dumps(ProductionEnsemble({"only": Constant()})), id="other classifiers"),
        pytest.param(lambda _: pickle.dumps(ProductionEnsemble), id="the class itself"),
        pytest.param(lambda _: b"\x80\x05cnowhere\nThing\n.", id="an unknown class"),
        pytest.param(lambda _: b"csrc.ml.ensemble\nProductionEnsemble\n(tR.", id="a call of the class"),
        pytest.param(lambda _: b"cos\nsystem\n(S'true'\ntR.", id="a call of the shell"),
        pytest.param(lambda content: content.replace(b"ProductionEnsemble", b"ProductionEnsemblf"), id="another name"),
    ],
)
def test_no_ensemble(make, candidate):
    """Bytes that are no ensemble of a graph are refused in words."""
    with pytest.raises(ModelError, match=r"not a readable ensemble|expected a pickled ProductionEnsemble"):
        ProductionEnsemble.from_bytes(make(candidate.to_bytes()))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"graph": b"junk"}, "not a readable ONNX graph", id="no graph"),
        pytest.param({"graph": "text"}, "an ensemble of other parts", id="text for a graph"),
        pytest.param({"weights": [0.4, 0.4, 0.2]}, "an ensemble of other parts", id="a list of weights"),
        pytest.param({"weights": {"lightgbm": 1.0}}, "expected a weight for each of", id="weights of others"),
        pytest.param({"weights": {"lightgbm": 2.0, "xgboost": -1.0, "random_forest": 0.0}}, "negative", id="negative"),
        pytest.param({"decision_threshold": float("nan")}, "decision_threshold must be", id="threshold NaN"),
        pytest.param({"decision_threshold": True}, "an ensemble of other parts", id="threshold True"),
        pytest.param({"more": 1}, "an ensemble of other parts.*more", id="more"),
    ],
)
def test_other_state(changes, words, candidate):
    """An ensemble of parts that cannot be is refused with the part."""
    with pytest.raises(ModelError, match=words):
        ProductionEnsemble.from_bytes(with_state(state_of(candidate, **changes)))


def test_written_by_hand(candidate):
    """The bytes made by hand for the test above are read where nothing is wrong with them."""
    again = ProductionEnsemble.from_bytes(with_state(state_of(candidate)))
    np.testing.assert_array_equal(again.predict_proba(ROWS), candidate.predict_proba(ROWS))


@settings(derandomize=True, deadline=None, max_examples=100)
@given(share=st.floats(0, 1, exclude_max=True))
def test_cut_off(share, candidate):
    """An ensemble cut off anywhere is refused in words."""
    content = candidate.to_bytes()
    with pytest.raises(ModelError, match="not a readable ensemble"):
        ProductionEnsemble.from_bytes(content[: int(share * len(content))])


@settings(derandomize=True, deadline=None, max_examples=200)
@given(data=st.data())
def test_changed_bytes(data, candidate):
    """An ensemble with changed bytes is read or refused in words; what is read asks a graph of these features."""
    content = bytearray(candidate.to_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        head_or_tail = st.one_of(st.integers(0, 120), st.integers(len(content) - 120, len(content) - 1))
        content[data.draw(head_or_tail)] = data.draw(st.integers(0, 255))
    with suppress(ModelError):
        assert isinstance(ProductionEnsemble.from_bytes(bytes(content)).voters, MemberGraph)
