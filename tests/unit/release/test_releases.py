"""A folder that others use, too: `deploy` removes and replaces only what it made."""

import json
import os
import re
import shutil
import subprocess
from contextlib import contextmanager

import pytest

from btc_signal.bundle import FEATURE_MANAGER_VERSION
from src.base import paths, storage
from src.base.errors import ModelError, PromotionError
from src.release.deploy import roll_back
from tests.faults.world import ImpossibleError, mounted
from tests.folders import held, names


@contextmanager
def busy(release):
    """A folder that cannot be moved, not even by root."""
    try:
        with mounted(release, "--bind", str(release)):
            yield
    except ImpossibleError as error:
        pytest.skip(str(error))


@contextmanager
def immutable(release):
    """A folder with a file that cannot be removed, not even by root, wherever the folder is moved to."""
    name = paths.GRAPH.name
    if subprocess.run(["chattr", "+i", str(release / name)], check=False).returncode:
        pytest.skip("chattr is not possible here")
    try:
        yield
    finally:
        for file in release.parent.rglob(name):
            subprocess.run(["chattr", "-i", str(file)], check=True)


def fill(releases, elsewhere):
    """Put into the folder of the releases what people and programs put into folders."""
    for name in (".git", ".cache", ".1.2.3.4711", ".1.0.0.old", "0.0.1", "0.0.2", "9.9.9", "notes"):
        storage.write_bytes(name.encode(), releases / name / "theirs")
    for name in (".DS_Store", "0.0.3", "README.md"):
        storage.write_bytes(name.encode(), releases / name)
    storage.write_bytes(b"precious", elsewhere / "theirs")
    for name in ("0.0.4", "latest", ".1.0.1.old", ".production"):
        (releases / name).symlink_to(elsewhere)
    (releases / "0.0.5").symlink_to("nowhere")
    shutil.copytree(releases / "1.0.0", releases / "0.0.6")
    shutil.copytree(releases / "1.0.0", releases / "1.0.0.bak")


def test_what_others_put_there_stays(put_version, srv, tmp_path):
    """Files, folders, links, versions of an application, copies of ours: each as it was, and no word about it."""
    put_version("1.0.0")
    fill(srv / "releases", tmp_path / "elsewhere")
    (srv / ".production.new").write_text("theirs")
    theirs = {name: content for name, content in held(srv).items() if not name.startswith(("releases/1.0.0", "prod"))}
    assert [put_version(f"1.0.{patch}") for patch in range(1, 6)] == [[]] * 5
    assert theirs.items() <= held(srv).items()
    assert held(tmp_path / "elsewhere") == {"theirs": b"precious"}
    assert [version for version in names(srv / "releases") if version.startswith("1.")] == [
        *("1.0.0.bak", "1.0.3", "1.0.4", "1.0.5")
    ]


@pytest.mark.parametrize(
    "what", ["a link", "a dead link", "a file", "a folder", "an empty folder", "a damaged release"]
)
def test_a_name_that_is_taken(what, put_version, srv, tmp_path):
    """Refused in words, and nothing changed."""
    put_version("1.0.0")
    taken = srv / "releases" / "1.0.1"
    if what == "a link":
        taken.symlink_to("1.0.0")
    elif what == "a dead link":
        taken.symlink_to("nowhere")
    elif what == "a file":
        taken.write_text("theirs")
    elif what == "a damaged release":
        shutil.copytree(srv / "releases" / "1.0.0", taken)
        (taken / paths.METADATA.name).unlink()
    else:
        taken.mkdir()
        if what == "a folder":
            (taken / "theirs").write_text("theirs")
    before = held(srv)
    with pytest.raises(PromotionError, match=r"1\.0\.1 is not a .*; move it away, or promote under a new version"):
        put_version("1.0.1")
    assert held(srv) == before
    assert (srv / "releases.json").exists()


def test_a_damaged_release_with_a_file_of_somebody(put_version, srv):
    """It is not replaced with that file in it."""
    put_version("1.0.0")
    (srv / "releases" / "1.0.0" / paths.GRAPH.name).write_bytes(b"damaged")
    (srv / "releases" / "1.0.0" / "notes.md").write_text("theirs")
    before = held(srv)
    with pytest.raises(PromotionError, match=r"is damaged, and holds notes\.md, which deploy did not make"):
        put_version("1.0.0")
    assert held(srv) == before


def of_other_code(release):
    """Let a release be of features that this code does not know, as an old one is."""
    file = release / paths.METADATA.name
    metadata = json.loads(file.read_text())
    assert metadata["feature_manager_version"] == FEATURE_MANAGER_VERSION
    storage.write_json(metadata | {"feature_manager_version": "0.1"}, file)


def test_releases_without_a_manifest_are_adopted_if_they_are_whole(put_version, srv):
    """As versions up to 1.5.0 left them; of whichever features, but not damaged ones."""
    for patch in range(5):
        put_version(f"1.0.{patch}", keep=9)
    (srv / "releases.json").unlink()
    of_other_code(srv / "releases" / "1.0.0")
    (srv / "releases" / "1.0.1" / paths.ENSEMBLE.name).write_bytes(b"damaged")
    assert put_version("1.0.5") == []
    # 1.0.5 and before it 1.0.4 are in use, one more stays, the damaged one is not known as ours
    assert names(srv / "releases") == ["1.0.1", "1.0.3", "1.0.4", "1.0.5"]
    assert put_version("1.0.6") == []
    assert names(srv / "releases") == ["1.0.1", "1.0.4", "1.0.5", "1.0.6"]


def note(release):
    (release / "notes.md").write_text("theirs")
    return r"holds notes\.md, which deploy did not make"


def sign_otherwise(release):
    storage.write_bytes(b"theirs", release / "signatures" / "notes.md")
    return r"holds signatures/notes\.md, which deploy did not make"


def rewrite(release):
    storage.write_bytes(b"theirs", release / paths.METADATA.name)
    return "has other metadata than deploy wrote"


def replace_by_a_file(release):
    shutil.rmtree(release)
    release.write_text("theirs")
    return "is not a folder any more"


def replace_by_a_link(release):
    release.rename(release.with_name("kept"))
    release.symlink_to("kept")
    return "is not a folder any more"


@pytest.mark.parametrize("change", [note, sign_otherwise, rewrite, replace_by_a_file, replace_by_a_link])
def test_an_old_release_that_somebody_changed_stays(change, put_version, srv):
    """Said once, after a deployment that worked; then it is theirs."""
    for patch in range(3):
        put_version(f"1.0.{patch}")
    words = change(srv / "releases" / "1.0.0")
    theirs = {name: content for name, content in held(srv / "releases").items() if name.startswith(("1.0.0", "kept"))}
    (warning,) = put_version("1.0.3")
    assert "1.0.0 " in warning
    assert re.search(f"{words}; it stays, remove it by hand", warning)
    assert put_version("1.0.4") == []
    assert theirs.items() <= held(srv / "releases").items()


@pytest.mark.parametrize("hindered", [busy, immutable])
def test_a_prune_that_fails_is_a_warning(hindered, put_version, srv):
    """The new version is served, and the next deployment removes what this one could not."""
    for patch in range(3):
        put_version(f"1.0.{patch}")
    with hindered(srv / "releases" / "1.0.0"):
        (warning,) = put_version("1.0.3")
        assert re.search(r"1\.0\.0.* cannot be removed \(.*\); the next deploy retries", warning)
        assert len(put_version("1.0.3")) == 1
    assert put_version("1.0.3") == []
    assert names(srv / "releases") == ["1.0.1", "1.0.2", "1.0.3"]
    assert json.loads((srv / "releases.json").read_text())["unfinished"] == []


def as_text(content):
    return lambda file: file.write_text(content)


DAMAGES = {
    "empty": as_text(""),
    "cut off": as_text('{"releases": {"1.0'),
    "a list": as_text("[]"),
    "of an application": as_text('{"releases": ["stable", "beta"]}'),
    "other versions": as_text('{"releases": {"../srv.old": "sha256:0"}, "unfinished": []}'),
    "other digests": as_text('{"releases": {"1.0.0": null}, "unfinished": []}'),
    "other paths": as_text('{"releases": {}, "unfinished": ["releases/../../elsewhere"]}'),
    "a path that is a number": as_text('{"releases": {}, "unfinished": [1]}'),
    "one key more": as_text('{"releases": {}, "unfinished": [], "more": 1}'),
    "a folder": lambda file: file.mkdir(),
    "a link": lambda file: file.symlink_to("elsewhere.json"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_manifest_that_cannot_be_read(damage, put_version, srv, tmp_path):
    """Nothing is known as ours: the model is served, nothing is removed, the file stays, and a warning says it."""
    storage.write_bytes(b"precious", tmp_path / "elsewhere" / "theirs")
    for patch in range(3):
        put_version(f"1.0.{patch}")
    (srv / "releases.json").unlink()
    damage(srv / "releases.json")
    before = held(tmp_path / "elsewhere"), os.lstat(srv / "releases.json").st_ino
    (warning,) = put_version("1.0.3")
    assert "releases.json: expected the record of what deploy made" in warning
    assert "nothing is removed; move that file away, and the next deploy begins another" in warning
    assert (held(tmp_path / "elsewhere"), os.lstat(srv / "releases.json").st_ino) == before
    assert names(srv / "releases") == ["1.0.0", "1.0.1", "1.0.2", "1.0.3"]
    assert roll_back(srv, "production", warn=[].append) == "1.0.2"
    (srv / "releases.json").rename(tmp_path / "away")
    assert put_version("1.0.4") == []
    # 1.0.4 and before it 1.0.2 are in use, one more stays
    assert names(srv / "releases") == ["1.0.2", "1.0.3", "1.0.4"]


def test_another_model_in_a_folder_of_somebody(put_version, srv):
    """A release of that name and of another repository is not replaced either."""
    put_version("1.0.0")
    shutil.copytree(srv / "releases" / "1.0.0", srv / "releases" / "1.0.1")
    with pytest.raises(ModelError, match="holds another model of this version"):
        put_version("1.0.1")
