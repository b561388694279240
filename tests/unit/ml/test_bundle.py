"""The ensemble as bytes and as files: round trips, and what is refused before it is unpickled."""

import bz2
import gzip
import io
import lzma
import pickle
from pathlib import Path

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src import paths, storage
from src.errors import ModelError, ProjectError
from src.ml.bundle import read_promoted, sha256
from src.ml.ensemble import ProductionEnsemble
from src.ml.members import MEMBERS, build_member
from src.ml.training import fit

ROWS = np.random.default_rng(7).uniform(1, 2, (30, 12))


class Constant:
    """A classifier that gives every row the same probability of a rise."""

    def __init__(self, rise):
        self.rise = rise

    def predict_proba(self, X):
        """Return the same probabilities for every row."""
        return np.tile([1 - self.rise, self.rise], (len(X), 1))


class Trap:
    """A pickle that makes a file when it is read."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return Path.touch, (self.file,)


def small_ensemble():
    weights = {"calm": 0.25, "keen": 0.75}
    return ProductionEnsemble({"calm": Constant(0.2), "keen": Constant(0.8)}, weights=weights, decision_threshold=0.55)


CONTENT = small_ensemble().to_bytes()


def write_bundle(directory, content=CONTENT, described=CONTENT):
    """Write `content` beside metadata that describe `described`."""
    (directory / paths.ENSEMBLE.name).write_bytes(content)
    metadata = {
        "version": "1.2.0",
        "phase": "production",
        "status": "production_ready",
        "version_control": {"model_hash": sha256(described)},
    }
    storage.write_json(metadata, directory / paths.METADATA.name)
    return metadata


@pytest.fixture(scope="module")
def fitted(params):
    """The three real members, five trees each, fitted on noise."""
    small = {key: getattr(params.train, key).model_copy(update={"n_estimators": 5}) for key in MEMBERS}
    train = params.train.model_copy(update=small)
    X = np.random.default_rng(3).uniform(1, 2, (600, 12))
    y = (X[:, 2] > 1.5).astype(int)
    members = {name: fit(build_member(key, train, seed=1, n_jobs=1), X, y) for key, name in MEMBERS.items()}
    return ProductionEnsemble(members)


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
    ],
)
def test_read_back(read, fitted, tmp_path):
    """An ensemble read back answers as before, whoever reads it."""
    again = read(fitted.to_bytes(), tmp_path)
    assert isinstance(again, ProductionEnsemble)
    np.testing.assert_array_equal(again.predict_proba(ROWS), fitted.predict_proba(ROWS))
    assert again.get_model_info() == fitted.get_model_info()


def test_weights_and_threshold():
    """Weights and threshold survive the round trip."""
    again = ProductionEnsemble.from_bytes(CONTENT)
    assert again.weights == {"calm": 0.25, "keen": 0.75}
    # 0.25 * 0.2 + 0.75 * 0.8 = 0.65
    assert again.predict_proba(ROWS)[0, 1] == pytest.approx(0.65)
    assert again.decision_threshold == 0.55


def test_same_bytes(fitted):
    """The same ensemble gives the same bytes twice."""
    assert fitted.to_bytes() == fitted.to_bytes()
    assert small_ensemble().to_bytes() == CONTENT


def test_round_trip():
    """Reading and writing gives the bytes back."""
    assert ProductionEnsemble.from_bytes(CONTENT).to_bytes() == CONTENT


def test_real_members(fitted):
    """Real members read twice from the same file make the same file."""
    content = fitted.to_bytes()
    assert ProductionEnsemble.from_bytes(content).to_bytes() == ProductionEnsemble.from_bytes(content).to_bytes()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"junk", id="text"),
        pytest.param(b"version https://git-lfs.github.com/spec/v1\n", id="pointer file"),
        pytest.param(bytes(1_000), id="zeros"),
        pytest.param(b"x\x9cjunk", id="broken zlib"),
        pytest.param(b"\x1f\x8bjunk", id="broken gzip"),
        pytest.param(b"BZjunk", id="broken bzip2"),
        pytest.param(b"]\x00\x00junk", id="broken lzma"),
        pytest.param(gzip.compress(b"junk"), id="compressed text"),
        pytest.param(bz2.compress(b""), id="compressed nothing"),
        pytest.param(lzma.compress(CONTENT)[:-20], id="cut off while compressed"),
        pytest.param(pickle.dumps([1, 2]), id="a list"),
        pytest.param(pickle.dumps(Constant(0.5)), id="a bare member"),
        pytest.param(b"\x80\x05cnowhere\nThing\n.", id="an unknown class"),
        pytest.param(CONTENT.replace(b"Constant", b"Vanished"), id="a class that is gone"),
    ],
)
def test_no_ensemble(content):
    """Bytes that are no ensemble are refused in words."""
    with pytest.raises(ModelError, match=r"not a readable ensemble|expected a pickled ProductionEnsemble"):
        ProductionEnsemble.from_bytes(content)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.integers(0, len(CONTENT) - 1))
def test_cut_off(n_bytes):
    """An ensemble cut off anywhere is refused in words."""
    with pytest.raises(ModelError, match="not a readable ensemble"):
        ProductionEnsemble.from_bytes(CONTENT[:n_bytes])


def test_other_features():
    """An ensemble that was made for other features is refused."""
    ensemble = small_ensemble()
    ensemble.feature_names.reverse()
    with pytest.raises(ModelError, match="features"):
        ProductionEnsemble.from_bytes(ensemble.to_bytes())


def test_digest():
    """A digest names its algorithm."""
    # the published digest of the three letters abc
    assert sha256(b"abc") == "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_promoted(tmp_path):
    """A promoted model is read with its metadata."""
    metadata = write_bundle(tmp_path)
    assert read_promoted(tmp_path) == (CONTENT, metadata)


def test_promoted_answers(tmp_path):
    """A promoted model answers and says its version."""
    write_bundle(tmp_path)
    model = ProductionEnsemble.load(tmp_path)
    assert model.predict_proba(ROWS)[0, 1] == pytest.approx(0.65)
    info = model.get_model_info()
    assert (info["version"], info["phase"], info["status"]) == ("1.2.0", "production", "production_ready")
    assert info["version_info"] == {"model_hash": sha256(CONTENT)}
    assert "version=1.2.0" in repr(model)


def test_constructor(tmp_path, monkeypatch):
    """The constructor without members gives the promoted model."""
    write_bundle(tmp_path)
    promoted = ProductionEnsemble.load(tmp_path)
    monkeypatch.setattr(ProductionEnsemble, "load", classmethod(lambda _: promoted))
    assert ProductionEnsemble().get_model_info() == promoted.get_model_info()


@pytest.mark.parametrize(
    "tampered",
    [
        pytest.param(bytes([CONTENT[0] ^ 1]) + CONTENT[1:], id="first bit"),
        pytest.param(CONTENT[:-1] + bytes([CONTENT[-1] ^ 128]), id="last bit"),
        pytest.param(CONTENT[:-1], id="last byte gone"),
        pytest.param(CONTENT[: len(CONTENT) // 2], id="half"),
        pytest.param(CONTENT + b"\0", id="a byte more"),
        pytest.param(b"", id="empty"),
    ],
)
def test_tampered(tampered, tmp_path):
    """An ensemble that differs from its metadata is refused with both digests."""
    write_bundle(tmp_path, content=tampered)
    words = f"not the promoted model 1.2.0: expected {sha256(CONTENT)}, got {sha256(tampered)}; .*dvc pull"
    with pytest.raises(ModelError, match=words):
        ProductionEnsemble.load(tmp_path)


def test_trap(tmp_path):
    """Nothing of a pickle that is not the promoted one is executed; unverified, it would be."""
    sprung = tmp_path / "sprung"
    trap = pickle.dumps(Trap(sprung))
    write_bundle(tmp_path, content=trap)
    with pytest.raises(ModelError, match="not the promoted model"):
        ProductionEnsemble.load(tmp_path)
    assert not sprung.exists()
    joblib.load(io.BytesIO(trap))
    assert sprung.exists()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (paths.ENSEMBLE.name, "production_ensemble.pkl is not there; fetch it with `dvc pull`"),
        (paths.METADATA.name, "no model was promoted.* promote it with `python -m src promote`"),
    ],
    ids=["ensemble", "metadata"],
)
def test_missing_file(name, words, tmp_path):
    """A missing file is named with the command that brings it."""
    write_bundle(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(ModelError, match=words):
        read_promoted(tmp_path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param(lambda m: {"version": m["version"]}, "lacks the key 'version_control'", id="no version control"),
        pytest.param(lambda m: m | {"version_control": {}}, "lacks the key 'model_hash'", id="no digest"),
        pytest.param(lambda m: {k: m[k] for k in m if k != "version"}, "lacks the key 'version'", id="no version"),
        pytest.param(lambda m: m | {"version_control": None}, "version_control|model_hash", id="version control null"),
        pytest.param(lambda m: m | {"version_control": {"model_hash": None}}, "expected None", id="digest null"),
        pytest.param(lambda m: m | {"version_control": {"model_hash": "дайджест"}}, "expected дайджест", id="letters"),
    ],
)
def test_no_digest(change, words, tmp_path):
    """Metadata without a digest to trust are refused in words."""
    metadata = write_bundle(tmp_path)
    storage.write_json(change(metadata), tmp_path / paths.METADATA.name)
    with pytest.raises(ModelError, match=words):
        read_promoted(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "null"], ids=["empty", "cut off", "a list", "null"])
def test_no_json_object(text, tmp_path):
    """Metadata that are no JSON object are refused in words."""
    write_bundle(tmp_path)
    (tmp_path / paths.METADATA.name).write_text(text, encoding="utf-8")
    with pytest.raises(ProjectError, match=r"production_model_metadata\.json: (not valid JSON|expected a JSON object)"):
        read_promoted(tmp_path)
