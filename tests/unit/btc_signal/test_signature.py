"""A model is served only if the owner of the key signed it, wherever a key is named."""

import shutil

import pytest

from btc_signal.signature import PUBLIC_KEY, signature_file
from src.base import paths
from src.base.errors import ModelError
from src.ml.ensemble import ProductionEnsemble
from src.release.deploy import deploy, served
from tests.signing import allow, make_keys, sign, version_of


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return make_keys(tmp_path_factory.mktemp("keys"), "owner")


@pytest.fixture
def promoted(promote, tmp_path):
    """A promoted model, not signed yet."""
    promote("1.0.0")
    return tmp_path / "promoted"


@pytest.fixture
def asked(keys, monkeypatch):
    """Ask for signatures in this process."""
    monkeypatch.setenv(PUBLIC_KEY, str(keys[1]))


def test_signed(promoted, keys, asked):
    """A signed model is served."""
    sign(promoted, keys[0])
    assert ProductionEnsemble.load_release(promoted).get_model_info()["version"] == "1.0.0"


def test_nobody_asks(promoted):
    """Without a key a signature, right or wrong, is no condition."""
    signature_file(promoted, "1.0.0").parent.mkdir()
    signature_file(promoted, "1.0.0").write_bytes(b"whatever")
    assert ProductionEnsemble.load(promoted)


def test_unsigned(promoted, asked):
    """Nothing is served, and the words name what is missing."""
    with pytest.raises(ModelError, match=r"model 1\.0\.0 cannot be verified with MODEL_PUBLIC_KEY .*1\.0\.0\.sig"):
        ProductionEnsemble.load(promoted)


def test_changed_after_signing(promoted, keys, asked):
    """One letter of the metadata, with which the digest of any file could be exchanged."""
    sign(promoted, keys[0])
    metadata = promoted / paths.METADATA.name
    metadata.write_bytes(metadata.read_bytes() + b"\n")
    with pytest.raises(ModelError, match=r"1\.0\.0\.sig does not sign this model by the key in"):
        ProductionEnsemble.load(promoted)


def test_signed_by_another(promoted, asked, tmp_path):
    """Anyone can make a key."""
    sign(promoted, make_keys(tmp_path, "another")[0])
    with pytest.raises(ModelError, match=r"1\.0\.0\.sig does not sign this model by the key in"):
        ProductionEnsemble.load(promoted)


def test_signature_of_another_version(promoted, keys, asked):
    """An old model under a new name is none that was signed."""
    file = sign(promoted, keys[0])
    metadata = promoted / paths.METADATA.name
    metadata.write_text(metadata.read_text().replace('"version": "1.0.0"', '"version": "1.0.9"', 1))
    shutil.copy(file, signature_file(promoted, "1.0.9"))
    with pytest.raises(ModelError, match=r"1\.0\.9\.sig does not sign this model"):
        ProductionEnsemble.load(promoted)


@pytest.mark.parametrize("cut", [0, 1, 63])
def test_signature_cut_off(cut, promoted, keys, asked):
    """A signature that is not whole is none."""
    file = sign(promoted, keys[0])
    file.write_bytes(file.read_bytes()[:cut])
    with pytest.raises(ModelError, match=r"1\.0\.0\.sig does not sign this model"):
        ProductionEnsemble.load(promoted)


@pytest.mark.parametrize("content", [b"", b"no key", b"\xff" * 100])
def test_a_key_that_is_none(content, promoted, keys, monkeypatch, tmp_path):
    """A key that cannot be read lets nothing through."""
    sign(promoted, keys[0])
    (tmp_path / "key.pem").write_bytes(content)
    monkeypatch.setenv(PUBLIC_KEY, str(tmp_path / "key.pem"))
    with pytest.raises(ModelError, match=r"cannot be verified with MODEL_PUBLIC_KEY .*key\.pem"):
        ProductionEnsemble.load(promoted)


@pytest.mark.parametrize("name", ["absent.pem", ""])
def test_no_key_there(name, promoted, keys, monkeypatch, tmp_path):
    """A wrong path, or an empty one, is no leave to serve unsigned models."""
    sign(promoted, keys[0])
    monkeypatch.setenv(PUBLIC_KEY, name and str(tmp_path / name))
    with pytest.raises(ModelError, match="cannot be verified with MODEL_PUBLIC_KEY"):
        ProductionEnsemble.load(promoted)


def test_a_key_of_another_kind(promoted, keys, monkeypatch, tmp_path):
    """Only one algorithm is spoken."""
    sign(promoted, keys[0])
    monkeypatch.setenv(PUBLIC_KEY, str(make_keys(tmp_path, "x", "x25519")[1]))
    with pytest.raises(ModelError, match=r"expected an Ed25519 key in .*, got X25519PublicKey"):
        ProductionEnsemble.load(promoted)


def test_deployed_with_its_signature(promoted, keys, asked, tmp_path):
    """A release is signed as what it is a copy of; an unsigned model does not replace it."""
    sign(promoted, keys[0])
    allow(tmp_path, keys[0], version_of(promoted))
    assert deploy(tmp_path / "served", "production", keep=3, promoted=promoted) == "1.0.0"
    assert ProductionEnsemble.load(tmp_path / "served" / "production")
    signature_file(promoted, "1.0.0").unlink()
    with pytest.raises(ModelError, match="cannot be verified with"):
        deploy(tmp_path / "served", "production", keep=3, promoted=promoted)
    assert served(tmp_path / "served", "production") == "1.0.0"
