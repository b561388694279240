"""DVC remotes on real servers: shared through them, damaged on them, cut off from them."""

import hashlib
import importlib.util
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from src.base import paths
from tests.checkouts import Checkout
from tests.remotes import BUCKET, Remote, closed_port, config, point, serve_s3, serve_ssh, silent_port

MODEL = paths.relative(paths.ENSEMBLE)
MEMBER = "models/training/random_forest.pkl"
VERIFY = "from src.ml.ensemble import ProductionEnsemble as P; print(P().get_model_info()['version'])"
PATIENT_S = 300  # on the busiest machine
IS_VERIFIED = "from dvc.repo import Repo; print(Repo().cloud.get_remote_odb().verify)"
LISTED_AND_DELETED = """
import json
from src.repo.dvc_store import opened_stores
with opened_stores() as stores:
    print(json.dumps(stores.listed("remote")))
    for _ in range(2):
        assert stores.delete("remote", ["{digest}"]) == []
"""
# The commands as from the shell, in one process for all that can be wrong; prints their exit statuses.
COMMANDS = (["history"], ["rollback", "1.0.0"])
ASK = """
from pathlib import Path
from src.cli import app
from src.repo import dvc_store as remote
for config, answer_s in {outages!r}:
    Path(".dvc/config.local").write_text(config)
    remote.REMOTE_TIMEOUT_S = answer_s
    for command in {commands!r}:
        try:
            app(command, prog_name="python -m src")
        except SystemExit as exited:
            print("exit status", exited.code, flush=True)
"""


@pytest.fixture(scope="module", params=["s3", "ssh"])
def remote(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    """A server that nothing was pushed to."""
    server = (serve_s3 if request.param == "s3" else serve_ssh)(tmp_path_factory.mktemp(request.param))
    with server as remote, pytest.MonkeyPatch.context() as patch:
        for name, value in remote.environment.items():
            patch.setenv(name, value)
        yield remote


@pytest.fixture(scope="module")
def origin(remote: Remote, promoted: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A repository that pushed its promoted model to the server."""
    origin = promoted.copy(tmp_path_factory.mktemp("origin") / "origin")
    point(origin, remote.options)
    assert remote.names() == []
    origin.run("dvc", "push")
    assert remote.names() == cached(origin)
    return origin


@pytest.fixture(scope="module")
def pulled(remote: Remote, origin: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Another user's clone that pulled from the server; copy before changing."""
    pulled = origin.clone(tmp_path_factory.mktemp("user") / "clone")
    point(pulled, remote.options)
    pulled.run("dvc", "pull")
    return pulled


@pytest.fixture
def user(pulled: Checkout, tmp_path: Path) -> Checkout:
    """That clone with its cache lost: whatever it needs, the server must have."""
    user = pulled.copy(tmp_path / "user")
    shutil.rmtree(user.root / ".dvc" / "cache")
    return user


@pytest.fixture
def model(remote: Remote, origin: Checkout) -> Iterator[str]:
    """The name of the promoted model on the server; what a test does to it is undone."""
    name = origin.object_name(MODEL)
    content = remote.read(name)
    yield name
    remote.write(name, content)


def cached(checkout: Checkout) -> list[str]:
    """List the objects in the cache, but not the caches of runs."""
    cache = checkout.root / ".dvc" / "cache"
    return sorted(str(path.relative_to(cache)) for path in (cache / "files").rglob("*") if path.is_file())


def state(checkout: Checkout) -> dict[str, str]:
    """Hash every file of the work tree, and what git says of it."""
    files = [path for path in checkout.root.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    kept = [path for path in files if path.relative_to(checkout.root).parts[0] not in {".git", ".dvc"}]
    hashes = {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in kept}
    return hashes | {"git": checkout.run("git", "status", "--porcelain", "--branch") + checkout.run("git", "log", "-1")}


def listed(checkout: Checkout) -> list[str]:
    """Ask history where the files of the versions are."""
    versions = json.loads(checkout.run("python", "-m", "src", "history", "--json"))["versions"]
    return [version["files"] for version in versions]


def test_another_clone_pulls_and_verifies(pulled: Checkout, user: Checkout) -> None:
    """Pulled from the server, the model is the promoted one; without a cache it is known to be on the remote."""
    assert pulled.python(VERIFY).strip() == "1.0.0"
    assert listed(user) == ["remote"]


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        pytest.param("tamper", f"{MODEL} of ", id="tampered"),
        pytest.param("truncate", "is damaged in the cache or on the remote", id="truncated"),
        pytest.param("delete", "is neither in the cache nor on the remote", id="deleted"),
    ],
)
def test_rollback_refuses_damage_and_changes_nothing(
    damage: str, words: str, remote: Remote, user: Checkout, model: str
) -> None:
    """Read and verified before the work tree is touched."""
    getattr(remote, damage)(model)
    before = state(user)
    refused = user.run("python", "-m", "src", "rollback", "1.0.0", expect=2)
    assert words in refused
    assert len(refused.splitlines()) == 1
    assert state(user) == before
    if damage == "delete":
        assert listed(user) == ["gone"]


@pytest.mark.parametrize("damage", ["tamper", "truncate"])
def test_pull_takes_no_damage_unless_verify_is_off(damage: str, remote: Remote, user: Checkout, model: str) -> None:
    """As configured, the bytes are refused; with verify off they come without a word, and the model is refused."""
    getattr(remote, damage)(model)
    (user.root / MODEL).unlink()
    assert "failed" in user.run("dvc", "pull", MODEL, expect=1)
    assert not (user.root / MODEL).exists()
    assert model not in cached(user)
    point(user, remote.options | {"verify": "false"})
    assert "1 file added" in user.run("dvc", "pull", MODEL)
    assert (user.root / MODEL).read_bytes() == remote.read(model)
    assert "is not the promoted model 1.0.0: expected sha256:" in user.python(VERIFY, expect=1)


def test_push_alone_repairs_nothing(remote: Remote, origin: Checkout, model: str) -> None:
    """DVC pushes what is not there: first delete the damaged object, then push."""
    whole = remote.read(model)
    remote.tamper(model)
    assert "Everything is up to date" in origin.run("dvc", "push", MODEL)
    assert remote.read(model) != whole
    remote.delete(model)
    assert "1 file pushed" in origin.run("dvc", "push", MODEL)
    assert remote.read(model) == whole


def test_publish_sends_every_object(remote: Remote, origin: Checkout, tmp_path: Path) -> None:
    """And then git's commits and tags; what cannot be pulled again is not published."""
    mine = origin.copy(tmp_path / "mine")
    mine.run("git", "init", "--quiet", "--bare", str(tmp_path / "origin.git"))
    mine.run("git", "remote", "add", "origin", str(tmp_path / "origin.git"))
    name, names = mine.object_name(MODEL), remote.names()
    whole = remote.read(name)
    remote.tamper(name)
    assert "delete the damaged one on the remote, and run it again" in mine.run(
        "python", "-m", "src", "publish", expect=2
    )
    assert mine.run("git", "ls-remote", "origin") == ""
    for each in names:
        remote.delete(each)
    assert f"sent were {len(names)} objects, then" in mine.run("python", "-m", "src", "publish")
    assert (remote.names(), remote.read(name)) == (names, whole)
    assert "refs/tags/production-ensemble@v1.0.0" in mine.run("git", "ls-remote", "origin")


def test_objects_are_listed_and_deleted(remote: Remote, origin: Checkout, model: str) -> None:
    """With bytes and the server's time; one that is gone already is no error, and what is no object stays."""
    remote.write(f"{model}.tmp", b"being written")
    before = json.loads(origin.python(LISTED_AND_DELETED.format(digest="".join(model.split("/")[-2:]))))
    assert [f"files/md5/{digest[:2]}/{digest[2:]}" for digest in sorted(before)] == cached(origin)
    for digest, (n_bytes, written_s) in before.items():
        assert n_bytes == len((origin.root / ".dvc/cache/files/md5" / digest[:2] / digest[2:]).read_bytes())
        assert time.time() - 3600 < written_s < time.time() + 60
    assert set(cached(origin)) - set(remote.names()) == {model}
    remote.delete(f"{model}.tmp")


def outages(remote: Remote, silent: int) -> Iterator[tuple[dict[str, str], int, str]]:
    """Yield options of a remote that cannot be asked, the seconds it has to answer, and what is said of it."""
    yield remote.options | remote.wrong_credentials, PATIENT_S, "Forbidden" if remote.kind == "s3" else "denied"
    yield remote.at(closed_port()), PATIENT_S, "onnect"
    yield remote.at(silent), 1, "(no answer in 1 s)"
    if remote.kind == "s3":
        yield remote.options | {"url": f"s3://{BUCKET}-elsewhere/dvc"}, PATIENT_S, f"no s3://{BUCKET}-elsewhere)"


def test_a_remote_that_cannot_be_asked_is_an_error(remote: Remote, user: Checkout) -> None:
    """One line of words and exit status 2, never "gone", in bounded time; the work tree stays as it is."""
    before = state(user)
    with silent_port() as silent:
        all_options, answer_s, words = zip(*outages(remote, silent), strict=True)
        configs = [config(options) for options in all_options]
        said = user.python(ASK.format(commands=COMMANDS, outages=[*zip(configs, answer_s, strict=True)]))
    assert said.count("exit status 2\n") == len(COMMANDS) * len(words)
    errors = [line for line in said.splitlines() if not line.startswith("exit status")]
    for line, expected in zip(errors, [word for word in words for _ in COMMANDS], strict=True):
        assert line.startswith("error: DVC cannot be asked for the files (")
        assert expected in line
    assert state(user) == before


def test_what_the_cache_has_comes_back_without_the_remote(remote: Remote, pulled: Checkout, tmp_path: Path) -> None:
    """A server that is down keeps nobody from rolling back; what only it has is named."""
    user = pulled.copy(tmp_path / "user")
    user.object_file(MEMBER).unlink()
    (user.root / MEMBER).unlink()
    point(user, remote.at(closed_port()))
    said = user.run("python", "-m", "src", "rollback", "1.0.0")
    assert said.startswith("Version 1.0.0 is in production")
    assert said.splitlines()[1:] == [f"Neither in the cache nor on the remote, not needed to serve: {MEMBER}"]


def test_the_command_of_the_readme_keeps_verify(remote: Remote, user: Checkout) -> None:
    """`dvc remote modify --local` of every option, the url first, leaves `verify = true` as .dvc/config has it."""
    file = user.root / ".dvc" / "config.local"
    pointed = file.read_text()
    file.unlink()
    for name, value in remote.options.items():
        user.run("dvc", "remote", "modify", "--local", "local", name, value)
    assert file.read_text() == pointed
    assert user.python(IS_VERIFIED).strip() == "True"
    assert user.run("git", "status", "--porcelain") == ""


@pytest.mark.skipif(importlib.util.find_spec("dvc_gs") is not None, reason="dvc-gs is installed")
def test_what_a_remote_needs_is_named(promoted: Checkout, tmp_path: Path) -> None:
    """Without the package of its kind of remote, DVC's words say which."""
    user = promoted.clone(tmp_path / "user")
    point(user, {"url": "gs://bucket/models"})
    said = user.run("python", "-m", "src", "history", expect=2)
    assert "dvc-gs" in said
    assert len(said.splitlines()) == 1
