"""Releases and links, on a real folder with small real models."""

import json
import shutil
from pathlib import Path

import pytest
from filelock import FileLock

from btc_signal.bundle import FILES
from src.base import paths, storage
from src.base.errors import ModelError, PromotionError
from src.release.deploy import deploy, roll_back
from tests.folders import names, served


@pytest.fixture
def put(tmp_path):
    """A function that deploys that model below `folder`, by default for production."""

    def deployed(folder=tmp_path / "srv", stage="production", keep=2):
        return deploy(folder, stage, keep=keep, promoted=tmp_path / "promoted")

    return deployed


def test_a_release_is_served(promote, put, tmp_path):
    """The folder is made; the link leads to the verified files."""
    promote("1.0.0")
    assert put(tmp_path / "srv" / "models") == "1.0.0"
    folder = tmp_path / "srv" / "models"
    assert served(folder) == "1.0.0"
    assert (folder / "production").readlink() == Path("releases/1.0.0")
    assert names(folder / "releases" / "1.0.0") == sorted([*FILES, paths.METADATA.name])


def test_stages_are_apart(promote, put, tmp_path):
    """What is staged is not yet in production."""
    promote("1.0.0")
    put()
    promote("1.0.1")
    put(stage="staging")
    assert (served(tmp_path / "srv"), served(tmp_path / "srv", "staging")) == ("1.0.0", "1.0.1")


def test_back_and_forth(promote, put, tmp_path):
    """A rollback remembers where it came from."""
    for version in ("1.0.0", "1.0.1"):
        promote(version)
        put()
    assert [roll_back(tmp_path / "srv", "production") for _ in range(3)] == ["1.0.0", "1.0.1", "1.0.0"]
    assert served(tmp_path / "srv") == "1.0.0"


def test_the_same_version_twice(promote, put, tmp_path):
    """Deploying again changes nothing, and does not forget the release before."""
    for version in ("1.0.0", "1.0.1", "1.0.1"):
        promote(version)
        put()
    assert roll_back(tmp_path / "srv", "production") == "1.0.0"


def test_nothing_to_go_back_to(promote, put, tmp_path):
    """The first release has none before it."""
    promote("1.0.0")
    put()
    with pytest.raises(PromotionError, match=r"no release before 1\.0\.0"):
        roll_back(tmp_path / "srv", "production")


def test_old_releases_go_and_those_in_use_stay(promote, put, tmp_path):
    """As many as asked for, the newest by number and not by name; links keep theirs."""
    promote("1.0.1")
    put(stage="staging", keep=1)
    for patch in range(7, 12):
        promote(f"1.0.{patch}")
        put(keep=1)
    # staging serves 1.0.1, production 1.0.11 and before it 1.0.10; of the others one stays
    assert names(tmp_path / "srv" / "releases") == ["1.0.1", "1.0.10", "1.0.11", "1.0.9"]


def test_a_damaged_release_is_not_gone_back_to(promote, put, tmp_path):
    """The link stays where it is."""
    for version in ("1.0.0", "1.0.1"):
        promote(version)
        put()
    (tmp_path / "srv" / "releases" / "1.0.0" / paths.GRAPH.name).write_bytes(b"damaged")
    with pytest.raises(ModelError, match=r"is not the promoted model 1\.0\.0"):
        roll_back(tmp_path / "srv", "production")
    assert served(tmp_path / "srv") == "1.0.1"


@pytest.mark.parametrize("name", [paths.GRAPH.name, paths.ENSEMBLE.name, paths.METADATA.name])
@pytest.mark.parametrize("content", [None, b"", b"damaged"], ids=["gone", "empty", "damaged"])
def test_a_damaged_release_is_replaced(name, content, promote, put, tmp_path):
    """Nobody could load it; deploying the same version again mends it, and leaves nothing else."""
    promote("1.0.0")
    put()
    file = tmp_path / "srv" / "releases" / "1.0.0" / name
    file.unlink() if content is None else file.write_bytes(content)
    put()
    assert served(tmp_path / "srv") == "1.0.0"
    assert names(tmp_path / "srv" / "releases") == ["1.0.0"]


def test_half_of_a_removed_release_is_no_release(promote, put, tmp_path, monkeypatch):
    """Killed while it removes an old one, it leaves nothing that looks like that version."""
    for patch in range(3):
        promote(f"1.0.{patch}")
        put()
    promote("1.0.3")
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", killed_half_way)
        with pytest.raises(KeyboardInterrupt):
            put(keep=1)
    assert names(tmp_path / "srv" / "releases") == [".1.0.0.old", "1.0.1", "1.0.2", "1.0.3"]
    put(keep=1)
    assert names(tmp_path / "srv" / "releases") == ["1.0.1", "1.0.2", "1.0.3"]


def killed_half_way(folder, **_):
    """Remove one file and no more."""
    if folder.exists():
        next(folder.iterdir()).unlink()
        raise KeyboardInterrupt


def test_another_model_of_the_same_version_is_refused(promote, put, tmp_path):
    """A version names one model, for good."""
    promote("1.0.0")
    put()
    file = tmp_path / "srv" / "releases" / "1.0.0" / paths.METADATA.name
    storage.write_json(json.loads(file.read_text()) | {"notes": "another"}, file)
    with pytest.raises(ModelError, match="holds another model of this version"):
        put()


@pytest.mark.parametrize("version", ["../../etc", "latest", "1.0", "/1.0.0"])
def test_a_version_is_no_path(version, promote, put, tmp_path):
    """What becomes the name of a folder is checked."""
    promote(version)
    with pytest.raises(ModelError, match="expected a version such as"):
        put()
    assert not (tmp_path / "srv").exists()


def test_one_at_a_time(promote, put, tmp_path):
    """A second deployment says so, and waits for nobody."""
    promote("1.0.0")
    (tmp_path / "srv").mkdir()
    with FileLock(tmp_path / "srv" / ".lock"), pytest.raises(PromotionError, match="another deployment is at work"):
        put()


def test_a_folder_that_is_a_file(promote, put, tmp_path):
    """One line that names it."""
    promote("1.0.0")
    (tmp_path / "srv").write_text("a file")
    with pytest.raises(PromotionError, match="cannot be used for releases"):
        put()


def test_a_stage_that_is_a_folder(promote, put, tmp_path):
    """What somebody put there is not replaced."""
    promote("1.0.0")
    (tmp_path / "srv" / "production").mkdir(parents=True)
    with pytest.raises(PromotionError, match="is not a link"):
        put()
