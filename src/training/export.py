"""Build the one ONNX graph of an ensemble: the scale-free view, and each member's trees in double precision.

The trees are read with treelite and written as TreeEnsemble nodes (ai.onnx.ml, opset 5), which take doubles: the
thresholds keep every bit. Members that compare in single precision get their view rounded to it, as in their library.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import src.base.openmp

import numpy as np
import onnx
import treelite
from onnx import TensorProto, helper, numpy_helper
from sklearn.pipeline import Pipeline
from treelite.model import TreeAccessor

from btc_signal.catalog import FEATURE_NAMES
from btc_signal.graph import INPUT, OUTPUT, graph_labels
from src.ml.model_view import AS_THEY_ARE, CLOSE, OVER_CLOSE
from src.training.members.member import REGISTRY

OPSETS = [helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.ml", 5)]
IR_VERSION = 10
AVERAGE, SUM = 0, 1
# ONNX's codes of a comparison by treelite's: "<" and "<=".
MODES = {2: 1, 3: 0}


class Forest(NamedTuple):
    """The trees of one member as the attributes of a TreeEnsemble node, and what follows their sum."""

    attributes: dict[str, Any]
    base_score: float
    is_average: bool
    is_single_precision: bool


def build_graph(members: Mapping[str, Pipeline]) -> bytes:
    """Build the graph of fitted members, pipelines of the scale-free view and a classifier; equal members, equal bytes.

    It takes `features` (n_rows, 12) and gives `probabilities` (n_rows, n_members), both double.
    """
    constants = {
        "plain_columns": np.array(AS_THEY_ARE, dtype=np.int64),
        "price_columns": np.array(OVER_CLOSE, dtype=np.int64),
        "close_column": np.array([CLOSE], dtype=np.int64),
    }
    nodes = _view_nodes()
    for name, member in members.items():
        forest = _read_forest(member[-1])
        constants[f"{name}_base"] = np.array([forest.base_score])
        nodes += _member_nodes(name, forest)
    nodes.append(helper.make_node("Concat", list(members), [OUTPUT], axis=1))
    graph = helper.make_graph(
        nodes,
        "ensemble",
        [helper.make_tensor_value_info(INPUT, TensorProto.DOUBLE, ["n_rows", len(FEATURE_NAMES)])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.DOUBLE, ["n_rows", len(members)])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=OPSETS, ir_version=IR_VERSION, producer_name="btc-signal-pipeline")
    helper.set_model_props(model, graph_labels(tuple(members)))
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def _view_nodes() -> list[onnx.NodeProto]:
    """Compute `src.ml.model_view.scale_free_view`, in double and rounded to single precision."""
    return [
        helper.make_node("Gather", [INPUT, "plain_columns"], ["plain"], axis=1),
        helper.make_node("Gather", [INPUT, "price_columns"], ["prices"], axis=1),
        helper.make_node("Gather", [INPUT, "close_column"], ["close"], axis=1),
        helper.make_node("Div", ["prices", "close"], ["over_close"]),
        helper.make_node("Concat", ["plain", "over_close"], ["view"], axis=1),
        helper.make_node("Cast", ["view"], ["single"], to=TensorProto.FLOAT),
        helper.make_node("Cast", ["single"], ["rounded"], to=TensorProto.DOUBLE),
    ]


def _member_nodes(name: str, forest: Forest) -> Iterator[onnx.NodeProto]:
    """Turn the view into one member's probability, a column that bears its name."""
    view, trees = "rounded" if forest.is_single_precision else "view", f"{name}_trees"
    yield helper.make_node(
        "TreeEnsemble",
        [view],
        [name if forest.is_average else trees],
        domain="ai.onnx.ml",
        n_targets=1,
        aggregate_function=AVERAGE if forest.is_average else SUM,
        post_transform=0,
        **forest.attributes,
    )
    if not forest.is_average:
        yield helper.make_node("Add", [trees, f"{name}_base"], [f"{name}_margin"])
        yield helper.make_node("Sigmoid", [f"{name}_margin"], [name])


def _read_forest(classifier: Any) -> Forest:  # noqa: ANN401 - of any library
    """Read a fitted classifier's trees as the member whose class it is says."""
    kind = (type(classifier).__module__, type(classifier).__name__)
    member = {member.CLASSIFIER: member for member in REGISTRY.values()}[kind]
    model = member.read_trees(classifier)
    header = model.get_header_accessor()
    is_average = bool(header.get_field("average_tree_output")[0])
    base_score = 0.0 if is_average else float(header.get_field("base_scores")[0])
    return Forest(_attributes(model), base_score, is_average, member.IS_SINGLE_PRECISION)


def _attributes(model: treelite.Model) -> dict[str, Any]:
    """Lay all trees out one after the other: first their inner nodes, apart from these their leaves."""
    columns: dict[str, list[np.ndarray]] = {}
    roots, n_inner, n_leaves = [], 0, 0
    for number in range(model.num_tree):
        roots.append(n_inner)
        tree = _tree(model.get_tree_accessor(number), n_inner, n_leaves)
        n_inner, n_leaves = n_inner + len(tree["nodes_splits"]), n_leaves + len(tree["leaf_weights"])
        for name, column in tree.items():
            columns.setdefault(name, []).append(column)
    joined = {name: np.concatenate(parts) for name, parts in columns.items()}
    tensors = {"nodes_splits": TensorProto.DOUBLE, "nodes_modes": TensorProto.UINT8, "leaf_weights": TensorProto.DOUBLE}
    return {
        "tree_roots": roots,
        "leaf_targetids": [0] * n_leaves,
        **{name: column.tolist() for name, column in joined.items() if name not in tensors},
        **{name: helper.make_tensor(name, kind, joined[name].shape, joined[name]) for name, kind in tensors.items()},
    }


def _tree(tree: TreeAccessor, n_inner: int, n_leaves: int) -> dict[str, np.ndarray]:
    """Return one tree's columns; `n_inner` nodes and `n_leaves` leaves stand before it."""
    left, right, compare = (tree.get_field(name) for name in ("cleft", "cright", "cmp"))
    is_leaf = left < 0
    inner = np.flatnonzero(~is_leaf)
    if len(inner):
        on_true, on_false = left[inner], right[inner]
        features, splits = tree.get_field("split_index")[inner], tree.get_field("threshold")[inner].astype(float)
        modes = np.array([MODES[code] for code in compare[inner].tolist()])
    else:
        # A tree of one leaf: ONNX wants a node whose branches both lead there.
        on_true = on_false = features = modes = np.array([0])
        splits = np.array([0.0])
    position = np.where(is_leaf, n_leaves + np.cumsum(is_leaf) - 1, n_inner + np.cumsum(~is_leaf) - 1)
    return {
        "nodes_featureids": features,
        "nodes_modes": modes,
        "nodes_splits": splits,
        "nodes_truenodeids": position[on_true],
        "nodes_trueleafs": is_leaf[on_true].astype(int),
        "nodes_falsenodeids": position[on_false],
        "nodes_falseleafs": is_leaf[on_false].astype(int),
        "leaf_weights": _leaf_values(tree, is_leaf),
    }


def _leaf_values(tree: TreeAccessor, is_leaf: np.ndarray) -> np.ndarray:
    """Return each leaf's value: a margin, or the share of rises where a leaf holds both classes' shares."""
    shares = tree.get_field("leaf_vector")
    if not len(shares):
        return tree.get_field("leaf_value")[is_leaf].astype(float)
    return shares[tree.get_field("leaf_vector_begin")[is_leaf].astype(int) + 1]
