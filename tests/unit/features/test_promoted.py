"""What the promoted model was trained with, read from its metadata."""

import pytest

from src.base import paths, storage
from src.base.errors import DataError
from src.features.feature_manager import FeatureManager
from src.features.promoted import promoted


@pytest.fixture
def metadata(tmp_path, monkeypatch):
    file = tmp_path / "metadata.json"
    storage.write_json({"training_info": {"data": {"timeframe": "4h"}}, "version": "1.0.0"}, file)
    monkeypatch.setattr(paths, "METADATA", file)
    return file


def test_value(metadata):
    """A value is found under its keys, one inside the other."""
    assert promoted("training_info", "data", "timeframe") == "4h"
    assert promoted("version") == "1.0.0"


@pytest.mark.parametrize("keys", [("absent",), ("training_info", "label"), ("version", "major")])
def test_missing(keys, metadata):
    """A key that is not there, or not inside an object, is named with the file."""
    with pytest.raises(DataError, match=rf"metadata\.json: no valid {'.'.join(keys)}; restore it with `git checkout`"):
        promoted(*keys)


def test_nothing_promoted(metadata):
    """Without metadata nothing was promoted."""
    metadata.unlink()
    with pytest.raises(DataError, match="no model was promoted whose timeframe could be taken"):
        promoted("training_info", "data", "timeframe")


def test_settings_of_the_promoted_model(tmp_path, monkeypatch, params):
    """Without settings, those that the promoted model was trained with hold."""
    monkeypatch.setattr(paths, "METADATA", tmp_path / "metadata.json")
    training = {"training_info": {"data": {"timeframe": "4h"}}}
    storage.write_json({"feature_settings": params.features.model_dump()} | training, paths.METADATA)
    manager = FeatureManager()
    assert (manager.settings, manager.timeframe) == (params.features, "4h")


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        pytest.param(None, "promote", id="no model was promoted"),
        pytest.param({"version": "1.0.0"}, "feature_settings", id="metadata without settings"),
    ],
)
def test_no_settings(metadata, words, tmp_path, monkeypatch):
    """Without settings and without a promoted model's there is no manager."""
    monkeypatch.setattr(paths, "METADATA", tmp_path / "metadata.json")
    if metadata is not None:
        storage.write_json(metadata, paths.METADATA)
    with pytest.raises(DataError, match=words):
        FeatureManager()
