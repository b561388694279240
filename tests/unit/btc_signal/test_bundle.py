"""The promoted model's files: what is read, and what is refused before it is used."""

import copy
import io
import json
import pickle
from contextlib import suppress
from pathlib import Path

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btc_signal.bundle import FILES, read_promoted, sha256
from btc_signal.catalog import FEATURE_MANAGER_VERSION, FEATURE_NAMES
from src.base import paths, storage
from src.base.errors import ModelError, ProjectError
from src.ml.ensemble import ProductionEnsemble

ROWS = np.random.default_rng(7).uniform(1, 2, (30, 12))


class Trap:
    """A pickle that makes a file when it is read."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return Path.touch, (self.file,)


@pytest.fixture
def bundle(candidate, tmp_path):
    """A promoted model in a folder: its metadata, to be changed and written anew."""
    files = {paths.GRAPH.name: candidate.voters.content, paths.ENSEMBLE.name: candidate.to_bytes()}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    metadata = {
        "version": "1.2.0",
        "phase": "production",
        "status": "production_ready",
        "feature_names": list(FEATURE_NAMES),
        "feature_manager_version": FEATURE_MANAGER_VERSION,
        "model_weights": dict(candidate.weights),
        "decision_threshold": candidate.decision_threshold,
        "version_control": {"git_commit": "abc", "model_hash": sha256(files[paths.ENSEMBLE.name])},
        "files": {name: {"sha256": sha256(content)} for name, content in files.items()},
        "smoke_test": {"rows": ROWS[:2].tolist(), "probabilities": candidate.predict_proba(ROWS[:2])[:, 1].tolist()},
    }
    write_metadata(metadata, tmp_path)
    return metadata


def write_metadata(metadata, directory):
    storage.write_json(metadata, directory / paths.METADATA.name)


def write_described(content, name, metadata, directory):
    """Write a file and the digest it has, as a promotion of just that file would."""
    (directory / name).write_bytes(content)
    metadata["files"][name]["sha256"] = sha256(content)
    write_metadata(metadata, directory)


def test_digest():
    """A digest names its algorithm."""
    # the published digest of the three letters abc
    assert sha256(b"abc") == "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_promoted(bundle, candidate, tmp_path):
    """Every file of a promoted model is read, with its metadata."""
    promoted = read_promoted(tmp_path)
    assert promoted.metadata == bundle
    assert promoted.files == {
        paths.GRAPH.name: candidate.voters.content,
        paths.ENSEMBLE.name: candidate.to_bytes(),
    }


def test_promoted_answers(bundle, candidate, tmp_path):
    """A promoted model answers as before and says its version."""
    model = ProductionEnsemble.load(tmp_path)
    np.testing.assert_array_equal(model.predict_proba(ROWS), candidate.predict_proba(ROWS))
    info = model.get_model_info()
    assert (info["version"], info["phase"], info["status"]) == ("1.2.0", "production", "production_ready")
    assert info["version_info"] == bundle["version_control"]
    assert "version=1.2.0" in repr(model)


def test_constructor(bundle, tmp_path, monkeypatch):
    """The constructor without members gives the promoted model."""
    promoted = ProductionEnsemble.load(tmp_path)
    monkeypatch.setattr(ProductionEnsemble, "load", classmethod(lambda _: promoted))
    assert ProductionEnsemble().get_model_info() == promoted.get_model_info()


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "tamper",
    [
        pytest.param(lambda content: bytes([content[0] ^ 1]) + content[1:], id="first bit"),
        pytest.param(lambda content: content[:-1] + bytes([content[-1] ^ 128]), id="last bit"),
        pytest.param(lambda content: content[:500] + b"\0" + content[500:], id="a byte inserted"),
        pytest.param(lambda content: content[:-1], id="last byte gone"),
        pytest.param(lambda content: content[: len(content) // 2], id="half"),
        pytest.param(lambda content: content + b"\0", id="a byte more"),
        pytest.param(lambda _: b"", id="empty"),
    ],
)
def test_tampered(tamper, name, bundle, tmp_path):
    """A file that differs from the metadata is refused with both digests, whichever of the two."""
    tampered = tamper((tmp_path / name).read_bytes())
    (tmp_path / name).write_bytes(tampered)
    expected = bundle["files"][name]["sha256"]
    words = f"{name} is not the promoted model 1.2.0: expected {expected}, got {sha256(tampered)}; .*dvc pull"
    with pytest.raises(ModelError, match=words):
        ProductionEnsemble.load(tmp_path)


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_read_once(name, bundle, candidate, tmp_path, monkeypatch):
    """What was verified is what is used: nobody can swap the file between the two."""
    read = storage.read_bytes

    def read_then_swap(path):
        content = read(path)
        if path.name == name:
            path.write_bytes(b"swapped")
        return content

    monkeypatch.setattr(storage, "read_bytes", read_then_swap)
    model = ProductionEnsemble.load(tmp_path)
    np.testing.assert_array_equal(model.predict_proba(ROWS), candidate.predict_proba(ROWS))


def test_swapped_graph(bundle, candidate, tmp_path):
    """A graph beside the pickle that is not the pickle's is refused, even if both are described."""
    other = candidate.voters.content.replace(b"btc-signal-pipeline", b"btc-signal-pipelina")
    write_described(other, paths.GRAPH.name, bundle, tmp_path)
    with pytest.raises(ModelError, match=r"not what its metadata say: production_ensemble\.onnx;"):
        ProductionEnsemble.load(tmp_path)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("model_weights", {"lightgbm": 0.2, "xgboost": 0.6, "random_forest": 0.2}, "say: model_weights;"),
        ("decision_threshold", 0.4, "say: decision_threshold;"),
        ("feature_names", list(FEATURE_NAMES[::-1]), r"feature_names \['volume_ratio', .* check out its commit"),
        ("feature_names", list(FEATURE_NAMES[:-1]), "feature_names"),
        ("feature_manager_version", "v2.0.9", "feature_manager_version v2.0.9, this code v"),
    ],
)
def test_other_metadata(key, value, words, bundle, tmp_path):
    """Metadata of another model, or for other features, are refused."""
    write_metadata(bundle | {key: value}, tmp_path)
    with pytest.raises(ModelError, match=words):
        ProductionEnsemble.load(tmp_path)


@pytest.mark.parametrize(("moved", "is_refused"), [(2e-6, True), (9e-7, False), (-2e-6, True)])
def test_smoke_test(moved, is_refused, bundle, tmp_path):
    """A model that answers its smoke rows other than when it was promoted is refused."""
    changed = copy.deepcopy(bundle)
    changed["smoke_test"]["probabilities"][1] += moved
    write_metadata(changed, tmp_path)
    if not is_refused:
        assert ProductionEnsemble.load(tmp_path).is_fitted
        return
    with pytest.raises(ModelError, match=r"1\.2\.0 is not what its metadata say: smoke_test;"):
        ProductionEnsemble.load(tmp_path)


def test_trap(bundle, tmp_path):
    """Nothing of a pickle is executed, neither of one that is not promoted, nor even of one that is."""
    sprung = tmp_path / "sprung"
    trap = pickle.dumps(Trap(sprung))
    (tmp_path / paths.ENSEMBLE.name).write_bytes(trap)
    with pytest.raises(ModelError, match="not the promoted model"):
        ProductionEnsemble.load(tmp_path)
    write_described(trap, paths.ENSEMBLE.name, bundle, tmp_path)
    with pytest.raises(ModelError, match=r"names pathlib\.Path\.touch, expected src\.ml\.ensemble\.Production"):
        ProductionEnsemble.load(tmp_path)
    assert not sprung.exists()
    joblib.load(io.BytesIO(trap))
    assert sprung.exists()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (paths.ENSEMBLE.name, "production_ensemble.pkl is not there; fetch it with `dvc pull`"),
        (paths.GRAPH.name, "production_ensemble.onnx is not there; fetch it with `dvc pull`"),
        (paths.METADATA.name, "no model was promoted.* promote it with `python -m src promote`"),
    ],
    ids=["ensemble", "graph", "metadata"],
)
def test_missing_file(name, words, bundle, tmp_path):
    """A missing file is named with the command that brings it."""
    (tmp_path / name).unlink()
    with pytest.raises(ModelError, match=words):
        read_promoted(tmp_path)


@pytest.mark.parametrize("key", ["version", "files", "smoke_test", "feature_names", "version_control", "phase"])
def test_missing_key(key, bundle, tmp_path):
    """Metadata that lack what the verification needs are refused with the key."""
    write_metadata({name: value for name, value in bundle.items() if name != key}, tmp_path)
    with pytest.raises(ModelError, match=f"metadata.json lacks the key '{key}'; restore it with `git checkout`"):
        read_promoted(tmp_path)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (None, "is not what a promotion writes"),
        ({}, "lacks the key 'production_ensemble.onnx'"),
        ({name: {} for name in FILES}, "lacks the key 'sha256'"),
        ({name: {"sha256": None} for name in FILES}, "expected None"),
        ({name: {"sha256": "дайджест"} for name in FILES}, "expected дайджест"),
    ],
    ids=["null", "empty", "no digest", "digest null", "letters"],
)
def test_no_digest(files, words, bundle, tmp_path):
    """Metadata without a digest to trust are refused in words."""
    write_metadata(bundle | {"files": files}, tmp_path)
    with pytest.raises(ModelError, match=words):
        read_promoted(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "null"], ids=["empty", "cut off", "a list", "null"])
def test_no_json_object(text, bundle, tmp_path):
    """Metadata that are no JSON object are refused in words."""
    (tmp_path / paths.METADATA.name).write_text(text, encoding="utf-8")
    with pytest.raises(ProjectError, match=r"production_model_metadata\.json: (not valid JSON|expected a JSON object)"):
        read_promoted(tmp_path)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(key=st.sampled_from(["model_weights", "decision_threshold", "smoke_test", "files", "version"]), data=st.data())
def test_any_metadata(key, data, candidate, tmp_path_factory):
    """Whatever stands in the metadata, a model is loaded or refused with the project's own error."""
    directory = tmp_path_factory.mktemp("bundle")
    metadata = bundle.__wrapped__(candidate, directory)
    leaf = st.one_of(st.none(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=3))
    anything = st.one_of(leaf, st.lists(leaf, max_size=2), st.dictionaries(st.text(max_size=3), leaf, max_size=2))
    inner = metadata[key]
    if isinstance(inner, dict) and data.draw(st.booleans()):
        inner[data.draw(st.sampled_from(sorted(inner)))] = data.draw(anything)
    else:
        metadata[key] = data.draw(anything)
    (directory / paths.METADATA.name).write_text(json.dumps(metadata))
    with suppress(ModelError):
        assert ProductionEnsemble.load(directory).is_fitted
