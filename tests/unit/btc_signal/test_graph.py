"""The members as one graph: it answers as they do, for any of their trees, and says what it is."""

import os
import pickle
import subprocess
import sys

import lightgbm
import numpy as np
import onnx
import pytest
import xgboost
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from btc_signal.catalog import FEATURE_MANAGER_VERSION, FEATURE_NAMES
from btc_signal.graph import MemberGraph
from src.base import paths
from src.base.errors import ModelError
from src.ml.model_view import scale_free_view
from src.training.export import build_graph

RNG = np.random.default_rng(5)
ROWS = RNG.uniform(1, 2, (400, 12))
NOISE = (RNG.uniform(size=400) > 0.7).astype(int)
# Feature values from tiny to those of bars in yen.
VALUES = st.floats(-3e7, 3e7, allow_subnormal=False)


def fitted(classifier, y=NOISE, rows=ROWS):
    return make_pipeline(FunctionTransformer(scale_free_view), classifier).fit(rows, y)


def labelled(content, **changes):
    """The same graph with other labels."""
    model = onnx.load_from_string(content)
    for entry in model.metadata_props:
        entry.value = changes.get(entry.key, entry.value)
    return model.SerializeToString()


def largest_difference(member, rows):
    answers = MemberGraph(build_graph({"member": member})).probabilities(rows)[:, 0]
    return np.abs(answers - member.predict_proba(rows)[:, 1]).max()


@pytest.mark.parametrize(
    "classifier",
    [
        pytest.param(lightgbm.LGBMClassifier(n_estimators=20, min_child_samples=2, verbosity=-1), id="lightgbm"),
        pytest.param(lightgbm.LGBMClassifier(n_estimators=3, min_child_samples=300, verbosity=-1), id="leaves"),
        pytest.param(xgboost.XGBClassifier(n_estimators=20, max_depth=6), id="xgboost"),
        pytest.param(xgboost.XGBClassifier(n_estimators=3, min_child_weight=1e6), id="xgboost, leaves"),
        pytest.param(xgboost.XGBClassifier(n_estimators=5, base_score=0.9), id="xgboost, base score"),
        pytest.param(RandomForestClassifier(20, random_state=1), id="random forest, pure leaves"),
        pytest.param(RandomForestClassifier(5, max_depth=1, random_state=1), id="random forest, stumps"),
        pytest.param(RandomForestClassifier(3, min_samples_split=1_000, random_state=1), id="random forest, leaves"),
    ],
)
def test_parity(classifier):
    """Whatever the trees look like, a tree of one leaf among them, the graph answers as their library."""
    assert largest_difference(fitted(classifier), RNG.uniform(1, 2, (500, 12))) <= 1e-6


@pytest.mark.parametrize(
    "classifier",
    [
        pytest.param(lightgbm.LGBMClassifier(n_estimators=5, min_child_samples=2, verbosity=-1), id="lightgbm"),
        pytest.param(xgboost.XGBClassifier(n_estimators=5), id="xgboost"),
        pytest.param(RandomForestClassifier(5, random_state=1), id="random forest"),
    ],
)
def test_rows_on_a_threshold(classifier):
    """A row that lies on a split, or a rounding beside it, goes the same way as in its library."""
    # A coarse grid, prices in yen: the values of rsi_14 are where the trees split, and their neighbours.
    rows = np.tile(ROWS[:1] * 1.5e7, (400, 1))
    rows[:, 3] = RNG.integers(0, 40, 400) / 7
    member = fitted(classifier, y=(rows[:, 3] > 3).astype(int), rows=rows)
    splits = np.unique(rows[:, 3])
    middles = (splits[1:] + splits[:-1]) / 2
    near = np.concatenate([splits, middles, middles.astype("float32")])
    near = np.concatenate([near, np.nextafter(near, np.inf), np.nextafter(near, -np.inf), near + 1e-7, near - 1e-7])
    probes = np.tile(rows[:1], (len(near), 1))
    probes[:, 3] = near
    assert largest_difference(member, probes) <= 1e-6


@settings(derandomize=True, deadline=None, max_examples=60)
@given(rows=arrays(float, (20, 12), elements=VALUES), close=st.floats(1e-3, 2e7))
def test_any_rows(rows, close, candidate, members):
    """The served graph answers as its members for any finite rows."""
    rows[:, 0] = close
    native = np.column_stack([member.predict_proba(rows)[:, 1] for member in members.values()])
    np.testing.assert_allclose(candidate.predict_members(rows), native, rtol=0, atol=1e-6)


def test_one_row_as_many(candidate):
    """A row asked alone gets the answer it gets among others, to the last bit but one of the sigmoid."""
    alone = np.concatenate([candidate.predict_members(ROWS[i : i + 1]) for i in range(len(ROWS))])
    np.testing.assert_allclose(alone, candidate.predict_members(ROWS), rtol=0, atol=1e-15)


def test_equal_bytes(members, candidate):
    """Equal members give equal bytes, in this process and in others with other hash seeds and threads."""
    assert build_graph(members) == candidate.voters.content
    code = (
        "import hashlib, pickle, sys; from src.training.export import build_graph; "
        "members = pickle.loads(sys.stdin.buffer.read()); print(hashlib.md5(build_graph(members)).hexdigest())"
    )
    content = pickle.dumps(members)
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            input=content,
            cwd=paths.ROOT,
            env={"PYTHONHASHSEED": seed, "OMP_NUM_THREADS": threads},
            capture_output=True,
            check=True,
        ).stdout
        for seed, threads in (("0", "1"), ("7", "2"))
    }
    assert len(digests) == 1


def test_double_precision(candidate):
    """Three nodes of trees, with thresholds and leaves in double, in the operator set that allows it."""
    model = onnx.load_from_string(candidate.voters.content)
    trees = [node for node in model.graph.node if node.op_type == "TreeEnsemble"]
    assert len(trees) == 3
    for node in trees:
        attributes = {attribute.name: attribute for attribute in node.attribute}
        assert attributes["nodes_splits"].t.data_type == onnx.TensorProto.DOUBLE
        assert attributes["leaf_weights"].t.data_type == onnx.TensorProto.DOUBLE
    assert {opset.domain: opset.version for opset in model.opset_import}["ai.onnx.ml"] == 5


def test_labels(candidate):
    """The graph itself says which members it has, in which order, and which features it takes."""
    model = onnx.load_from_string(candidate.voters.content)
    assert {entry.key: entry.value for entry in model.metadata_props} == {
        "format": "1",
        "members": "lightgbm,xgboost,random_forest",
        "features": ",".join(FEATURE_NAMES),
        "feature_manager_version": FEATURE_MANAGER_VERSION,
    }
    assert candidate.members == ("lightgbm", "xgboost", "random_forest")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": "2"}, "graph of other format: expected 1, got 2"),
        ({"features": ",".join(FEATURE_NAMES[::-1])}, "graph of other features: expected close,.* got volume_ratio,"),
        ({"feature_manager_version": "v1.9.0"}, r"other feature_manager_version: expected v.*, got v1\.9\.0"),
    ],
)
def test_other_labels(changes, words, candidate):
    """A graph of another format, of other features or another order is refused."""
    with pytest.raises(ModelError, match=words):
        MemberGraph(labelled(candidate.voters.content, **changes))


@pytest.mark.parametrize("content", [b"", b"junk", bytes(500), b"\x08\x0a"], ids=["empty", "text", "zeros", "header"])
def test_no_graph(content):
    """What is no ONNX graph is refused in words."""
    with pytest.raises(ModelError, match="not a readable ONNX graph"):
        MemberGraph(content)


def test_other_graph():
    """An ONNX graph that is not ours is refused for what it does not say."""
    identity = onnx.helper.make_node("Identity", ["features"], ["probabilities"])
    info = [onnx.helper.make_tensor_value_info(name, 11, ["n", 12]) for name in ("features", "probabilities")]
    graph = onnx.helper.make_graph([identity], "other", info[:1], info[1:])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 21)], ir_version=10)
    with pytest.raises(ModelError, match="graph of other format: expected 1, got None"):
        MemberGraph(model.SerializeToString())


@pytest.mark.parametrize("said", [None, "", "0"], ids=["nothing", "empty", "0"])
def test_loading_it_reports_to_nobody(said, tmp_path):
    """Whatever the environment says: onnxruntime would note an identity in the home first."""
    kept = {
        name: value for name, value in os.environ.items() if name not in {"ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME"}
    }
    own = {} if said is None else {"ORT_DISABLE_TELEMETRY": said}
    command = [sys.executable, "-c", "import btc_signal.graph"]
    subprocess.run(command, cwd=paths.ROOT, env=kept | own | {"HOME": str(tmp_path)}, check=True)
    assert list(tmp_path.iterdir()) == []
