"""The fitted members as one ONNX graph, asked through onnxruntime: no library that trained them is needed."""

import os

import numpy as np

# Read once, when the library loads: without it onnxruntime keeps an identity in the home and reports to its maker.
# Whatever else it says is overwritten: an empty value and "0" let it report.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

from onnxruntime import InferenceSession, SessionOptions
from onnxruntime.capi import onnxruntime_pybind11_state as ort

from btc_signal.catalog import FEATURE_MANAGER_VERSION, FEATURE_NAMES
from btc_signal.exceptions import ModelError

GRAPH_FORMAT = "1"
INPUT, OUTPUT = "features", "probabilities"
UNREADABLE_GRAPH = (
    *(ort.Fail, ort.InvalidArgument, ort.InvalidGraph, ort.InvalidProtobuf, ort.NotImplemented, ort.RuntimeException),
    *(RuntimeError, UnicodeDecodeError),
)


def graph_labels(members: tuple[str, ...]) -> dict[str, str]:
    """Return what a graph says of itself: its format, its members in order, and the features it takes."""
    return {
        "format": GRAPH_FORMAT,
        "members": ",".join(members),
        "features": ",".join(FEATURE_NAMES),
        "feature_manager_version": FEATURE_MANAGER_VERSION,
    }


class MemberGraph:
    """The members of an ensemble as one graph: the twelve features in, a probability of a rise per member out.

    `ModelError` if `content` is no graph that the pipeline exported, or one of other features or another format.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        options = SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors only
        # An arena keeps what the largest batch took.
        options.enable_cpu_mem_arena = False
        try:
            providers = ["CPUExecutionProvider"]
            self._session = InferenceSession(content, options, providers=providers, enable_fallback=0)
            labels = self._session.get_modelmeta().custom_metadata_map
        except UNREADABLE_GRAPH as error:
            msg = f"not a readable ONNX graph ({' '.join(str(error).split())}); make it anew with `dvc repro`"
            raise ModelError(msg) from error
        self.members = tuple(labels.get("members", "").split(","))
        for name, expected in graph_labels(self.members).items():
            came = labels.get(name)
            if came != expected:
                msg = f"graph of other {name}: expected {expected}, got {came}; use the code it was made with"
                raise ModelError(msg)

    def probabilities(self, rows: np.ndarray) -> np.ndarray:
        """Return each member's probability of a rise, shape (n_rows, n_members), for checked float64 rows."""
        return self._session.run([OUTPUT], {INPUT: rows})[0]
