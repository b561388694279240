"""What is said of outputs and their objects in a small repository, wherever its cache is."""

from pathlib import Path

import pytest
import yaml
from dvc.repo import Repo

from src.base import paths
from src.base.errors import PromotionError
from src.doctor.pipeline_outputs import ModelFiles, Remote
from src.repo.dvc_cache import cache_folder, object_file
from src.repo.dvc_lock import md5
from src.verdict.finding import Finding
from tests.checkouts import Checkout

MODEL, GRAPH, MEMBER = paths.relative(paths.ENSEMBLE), paths.relative(paths.GRAPH), "models/training/a.pkl"


def write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def promote(checkout: Checkout, version: str) -> None:
    """Write files, lock and metadata of a version, and commit; files and objects are DVC's."""
    outs = []
    for name in (MODEL, GRAPH, MEMBER):
        content = f"{name} {version}".encode()
        write(checkout.root / name, content)
        write(object_file(cache_folder(checkout.root), md5(content)), content)
        outs.append({"path": name, "hash": "md5", "md5": md5(content), "size": len(content)})
    lock = {"schema": "2.0", "stages": {"ensemble": {"cmd": "true", "deps": outs[:1], "outs": outs}}}
    (checkout.root / "dvc.lock").write_text(yaml.safe_dump(lock))
    checkout.commit(version)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A repository with one version, whose objects lie in its own cache."""
    made = Checkout(tmp_path / "repository")
    write(made.root / ".dvc" / "config", b"[core]\n    analytics = false\n")
    write(made.root / ".dvc" / ".gitignore", b"/tmp\n/cache\n/config.local\n")
    write(made.root / ".gitignore", b"*.pkl\n*.onnx\n")
    (made.root / "dvc.yaml").write_text("stages: {}\n")
    made.run("git", "init", "--quiet", "--initial-branch", "main")
    promote(made, "1.0.0")
    return made


def seen(checkout: Checkout) -> list[Finding]:
    return list(ModelFiles(checkout.root).findings())


SETTINGS = {
    "repository": (".dvc/config", "[cache]\n    dir = {elsewhere}\n"),
    "relative": (".dvc/config", "[cache]\n    dir = ../../elsewhere\n"),
    "this clone": (".dvc/config.local", "[cache]\n    dir = {elsewhere}\n"),
    "this user": ("../global/config", "[cache]\n    dir = {elsewhere}\n"),
    "this machine": ("../system/config", "[cache]\n    dir = {elsewhere}\n"),
    "a remote's": (".dvc/config.local", "[cache]\n    local = own\n['remote \"own\"']\n    url = {elsewhere}\n"),
}


@pytest.mark.parametrize(("file", "text"), SETTINGS.values(), ids=SETTINGS)
def test_the_cache_is_where_dvc_says(
    file: str, text: str, checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever set it: all is well with the objects there, and what is damaged there is named."""
    monkeypatch.setenv("DVC_GLOBAL_CONFIG_DIR", str(tmp_path / "global"))
    monkeypatch.setenv("DVC_SYSTEM_CONFIG_DIR", str(tmp_path / "system"))
    elsewhere = tmp_path / "elsewhere"
    write(checkout.root / file, text.format(elsewhere=elsewhere).encode())
    (checkout.root / ".dvc" / "cache").rename(elsewhere)
    with Repo(str(checkout.root)) as repo:
        assert repo.cache.local.path == str(cache_folder(checkout.root) / "files" / "md5")
    assert [line.verdict for line in seen(checkout)] == ["passed"]
    stored = object_file(elsewhere, md5(f"{MEMBER} 1.0.0".encode()))
    stored.write_bytes(b"damaged")
    (line,) = seen(checkout)
    assert (line.verdict, str(stored) in line.command) == ("failed", True)
    stored.unlink()
    (line,) = seen(checkout)
    assert (line.verdict, f"1 of 3 objects are not in the cache, {elsewhere};" in line.words) == ("told", True)


def test_settings_that_dvc_cannot_read_are_a_line(checkout: Checkout) -> None:
    """Not a check that failed; what was written there goes to the stash."""
    (checkout.root / ".dvc" / "config").write_text("[core\n")
    (line,) = seen(checkout)
    assert (line.verdict, "DVC cannot read its settings" in line.words) == ("failed", True)
    with pytest.raises(PromotionError, match="DVC cannot read its settings"):
        cache_folder(checkout.root)
    checkout.run("bash", "-c", line.command)
    assert [line.verdict for line in seen(checkout)] == ["passed"]


def test_a_file_that_somebody_put_there_is_kept(checkout: Checkout) -> None:
    """It makes way for what the cache has, and lies in .dvc/tmp."""
    (checkout.root / MEMBER).write_bytes(b"mine")
    (line,) = seen(checkout)
    checkout.run("bash", "-c", line.command.partition(" && dvc ")[0])
    (kept,) = (checkout.root / ".dvc" / "tmp").glob("aside.*/a.pkl")
    assert kept.read_bytes() == b"mine"
    assert checkout.run("git", "status", "--porcelain") == ""


def rolled_back(checkout: Checkout) -> None:
    """Promote another version and bring the first one back, of which a file that does not serve is nowhere."""
    first = checkout.run("git", "rev-parse", "HEAD").strip()
    promote(checkout, "1.1.0")
    checkout.run("git", "checkout", "--quiet", first, "--", "dvc.lock")
    checkout.commit("Roll back to 1.0.0")
    for name in (MODEL, GRAPH):
        (checkout.root / name).write_bytes(f"{name} 1.0.0".encode())
    lose(checkout, MEMBER, "1.0.0")


def lose(checkout: Checkout, name: str, version: str) -> None:
    """Remove file and object."""
    (checkout.root / name).unlink()
    object_file(cache_folder(checkout.root), md5(f"{name} {version}".encode())).unlink()


def test_what_a_rollback_could_not_bring_back_is_told(checkout: Checkout) -> None:
    """What serves is right, what is absent is named, and nothing fails."""
    rolled_back(checkout)
    told, right = seen(checkout)
    assert (told.verdict, told.command) == ("told", "")
    assert told.words.startswith(f"{MEMBER}: not here and not in the cache since that version was brought back")
    assert (right.verdict, right.words[:7]) == ("passed", "2 files")


def test_what_serves_is_never_merely_absent(checkout: Checkout) -> None:
    """Without it the version that was brought back cannot be used, as in a fresh clone: all is to be had again."""
    rolled_back(checkout)
    lose(checkout, GRAPH, "1.0.0")
    (line,) = seen(checkout)
    assert (line.verdict, GRAPH in line.command, MEMBER in line.command) == ("failed", True, True)


@pytest.mark.parametrize("where", ["never rolled back", "on from there", "dvc.lock changed"])
def test_what_is_lost_without_a_rollback_fails(where: str, checkout: Checkout) -> None:
    """A file and its object that were there until somebody deleted them."""
    if where == "never rolled back":
        lose(checkout, MEMBER, "1.0.0")
    elif where == "on from there":
        rolled_back(checkout)
        promote(checkout, "1.2.0")
        lose(checkout, MEMBER, "1.2.0")
    else:
        rolled_back(checkout)
        (checkout.root / "dvc.lock").write_text((checkout.root / "dvc.lock").read_text() + "\n")
    assert "failed" in {line.verdict for line in seen(checkout)}


def test_settings_that_are_no_text_are_told(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    """As those of any remote that cannot be asked."""
    monkeypatch.setattr(paths, "ROOT", checkout.root)
    write(checkout.root / ".dvc" / "config.local", b'[core]\n    remote = "\xff"\n')
    (told,) = Remote(checkout.root).findings()
    assert (told.verdict, "can't decode byte 0xff" in told.words) == ("failed", True)
