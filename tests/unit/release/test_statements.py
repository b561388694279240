"""The statement which versions may be served, in a folder of releases: it only moves on, and stops no bot."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from btc_signal import channel
from btc_signal.channel import statement_file, statement_signature
from btc_signal.signature import PUBLIC_KEY, SIGNATURES
from src.base import storage
from src.base.errors import ModelError, PromotionError
from src.release.deploy import deploy, roll_back
from tests.folders import held, served
from tests.signing import allow, make_keys, sign, version_of

Deploy = Callable[..., list[str]]
Keys = tuple[Path, Path]
ANOTHER = f"sha256:{'a' * 64}"
PAST = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return make_keys(tmp_path_factory.mktemp("keys"), "owner")


@pytest.fixture
def versions(promote: Callable[[str], None], keys: Keys, tmp_path: Path) -> dict[str, str]:
    """Three signed models in the folders `1.0.0` to `1.2.0`, and how statements name them."""
    found: dict[str, str] = {}
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        promote(version)
        sign(tmp_path / "promoted", keys[0])
        (tmp_path / "promoted").rename(tmp_path / version)
        found |= version_of(tmp_path / version)
    return found


@pytest.fixture
def say(versions: dict[str, str], keys: Keys, tmp_path: Path) -> Callable[..., object]:
    """A function that writes and signs a statement in the repository, which allows these versions."""

    def said(*names: str, **changes: object) -> None:
        allow(tmp_path, keys[0], **({"versions": {name: versions[name] for name in names}} | changes))

    return said


@pytest.fixture
def put(versions: dict[str, str], srv: Path, tmp_path: Path) -> Deploy:
    """A function that deploys a version, and returns the warnings."""

    def deployed(version: str, stage: str = "production") -> list[str]:
        warnings: list[str] = []
        deploy(srv, stage, keep=3, promoted=tmp_path / version, warn=warnings.append)
        return warnings

    return deployed


@pytest.fixture
def two(say: Callable, put: Deploy) -> None:
    """Version 1.1.0 is served, and 1.0.0 was before it; the statement has the serial 2."""
    for serial, names in enumerate((["1.0.0"], ["1.0.0", "1.1.0"]), start=1):
        say(*names, serial=serial)
        assert put(names[-1]) == []


@pytest.fixture
def as_a_bot(keys: Keys, srv: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """A function that returns the version which a bot with the public key, just started, loads."""

    def load() -> str:
        with monkeypatch.context() as patched:
            patched.setenv(PUBLIC_KEY, str(keys[1]))
            patched.setattr(channel, "_seen", {})
            return served(srv)

    return load


def test_to_the_previous_version_without_a_key(two: None, put: Deploy, as_a_bot: Callable, srv: Path) -> None:
    """The statement came with the deployment and allows both; the signature of the one before is gone."""
    assert as_a_bot() == "1.1.0"
    assert roll_back(srv, "production") == "1.0.0"
    assert as_a_bot() == "1.0.0"
    assert {path.name for path in srv.glob("*.channel*")} == {"production.channel.2.sig", "production.channel.json"}
    assert put("1.1.0") == put("1.0.0") == []  # as after `rollback`, by the same statement
    assert as_a_bot() == "1.0.0"


def test_what_was_put_back_is_not_served(say: Callable, put: Deploy, two: None, as_a_bot: Callable, srv: Path) -> None:
    """A link to a signed release of two versions ago; with its statement it is up to the bot's state."""
    old = {file: file.read_bytes() for file in srv.glob("*.channel*")}
    say("1.1.0", "1.2.0", serial=3)
    put("1.2.0")
    (srv / "production").unlink()
    (srv / "production").symlink_to("releases/1.0.0")
    with pytest.raises(ModelError, match=r"allows 1\.1\.0 and 1\.2\.0, got 1\.0\.0"):
        as_a_bot()
    for file, content in old.items():
        file.write_bytes(content)
    assert as_a_bot() == "1.0.0"


@pytest.mark.parametrize(
    ("names", "changes", "words"),
    [
        (["1.0.0"], {"serial": 1}, r"expected a serial above 2, got 1; `git pull`, or `cp .*production\.channel\.json"),
        (["1.1.0", "1.0.0"], {"serial": 2}, "expected a serial above 2, got 2"),
        (["1.2.0"], {"versions": {"1.1.0": ANOTHER}}, r"allows 1\.1\.0, got 1\.2\.0; `python -m src channel"),
        (["1.2.0"], {"versions": {"1.2.0": ANOTHER}}, r"allows another model of version 1\.2\.0"),
        (["1.2.0"], {}, r"got 1\.1\.0, which is served until the link moves; `python .* channel .* --before 1\.1\.0"),
        (["1.1.0", "1.2.0"], {"issued": PAST, "expires": PAST + timedelta(days=9)}, "expired; `python -m src channel"),
    ],
    ids=["lower", "two of a serial", "another version", "another model", "not what is served", "expired"],
)
def test_what_deploy_refuses(
    names: list[str], changes: dict, words: str, say: Callable, put: Deploy, two: None, srv: Path
) -> None:
    """Before anything changes, and with the commands that help."""
    before = held(srv)
    say(*names, **({"serial": 3} | changes))
    with pytest.raises(PromotionError, match=words):
        put(names[-1])
    assert held(srv) == before


def test_a_version_is_taken_back(say: Callable, put: Deploy, two: None, as_a_bot: Callable, srv: Path) -> None:
    """First the next one is served, then a statement allows it alone, and there is no way back."""
    say("1.1.0", serial=3)
    put("1.1.0")
    assert as_a_bot() == "1.1.0"
    with pytest.raises(PromotionError, match=r"serial 3, allows 1\.1\.0, got 1\.0\.0; nothing was changed: .*--before"):
        roll_back(srv, "production")
    assert as_a_bot() == "1.1.0"


def test_a_model_that_was_signed_after_it_was_deployed(
    say: Callable, put: Deploy, as_a_bot: Callable, tmp_path: Path
) -> None:
    """Its release gets the signature with the next deployment of that version."""
    signatures = tmp_path / "1.0.0" / SIGNATURES
    signatures.rename(tmp_path / "not yet")
    put("1.0.0")
    (tmp_path / "not yet").rename(signatures)
    say("1.0.0")
    put("1.0.0")
    assert as_a_bot() == "1.0.0"


def test_one_that_ends_soon_is_told(say: Callable, put: Deploy) -> None:
    """The deployment works all the same."""
    say("1.0.0", expires=datetime.now(UTC) + timedelta(days=5, hours=1))
    (warning,) = put("1.0.0")
    assert "the statement of production, serial 1, expires in 5 days" in warning


def test_a_statement_that_is_needed(
    say: Callable, put: Deploy, keys: Keys, srv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the folder has one, or a bot of this environment would ask; where nobody asks, nothing is different."""
    put("1.0.0")
    assert list(srv.glob("*channel*")) == []
    with monkeypatch.context() as patched:
        patched.setenv(PUBLIC_KEY, str(keys[1]))
        with pytest.raises(PromotionError, match="MODEL_PUBLIC_KEY is set, so a bot would ask for it"):
            put("1.0.0")
    say("1.0.0")
    put("1.0.0")
    statement_file(tmp_path, "production").unlink()
    with pytest.raises(PromotionError, match=r"srv has one of serial 1; `git pull`"):
        put("1.0.0")


def test_a_statement_that_is_not_signed(say: Callable, put: Deploy, keys: Keys, tmp_path: Path, monkeypatch) -> None:
    """Not yet, or by another, which this machine sees if it has the public key."""
    say("1.0.0")
    signature = statement_signature(tmp_path, "production", 1)
    signature.write_bytes(bytes(64))
    with monkeypatch.context() as patched:
        patched.setenv(PUBLIC_KEY, str(keys[1]))
        with pytest.raises(ModelError, match="does not sign this statement by the key"):
            put("1.0.0")
    signature.unlink()
    with pytest.raises(PromotionError, match=r"\.channel\.1\.sig: expected a signature of 64 bytes, got none; docs/"):
        put("1.0.0")


def test_stages_have_statements_of_their_own(say: Callable, put: Deploy, as_a_bot: Callable, tmp_path: Path) -> None:
    """One model, deployed to both; a statement that was renamed is found out."""
    for stage in ("staging", "production"):
        say("1.0.0", stage=stage)
        put("1.0.0", stage)
    assert as_a_bot() == "1.0.0"
    shutil.copy(statement_file(tmp_path, "staging"), statement_file(tmp_path, "production"))
    with pytest.raises(PromotionError, match="expected the statement of production, got that of staging"):
        put("1.0.0")


@pytest.mark.parametrize("what", ["link", "folder", "text", "signature"])
def test_what_is_somebody_elses_stays(what: str, say: Callable, put: Deploy, srv: Path, tmp_path: Path) -> None:
    """It is named before anything changes; where no statement is used, nobody looks at it."""
    srv.mkdir()
    file, elsewhere = statement_file(srv, "production"), tmp_path / "elsewhere"
    elsewhere.write_text("mine")
    if what == "link":
        file.symlink_to(elsewhere)
    elif what == "folder":
        file.mkdir()
    elif what == "text":
        file.write_text("mine")
    else:
        statement_signature(srv, "production", 1).write_text("mine")
    put("1.0.0")
    put("1.1.0")
    assert roll_back(srv, "production") == "1.0.0"
    before = held(srv)
    say("1.0.0", "1.1.0")
    with pytest.raises(PromotionError, match="move it away"):
        put("1.1.0")
    assert held(srv) == before
    assert elsewhere.read_text() == "mine"


def end_at(n_writes: int, patched: pytest.MonkeyPatch) -> None:
    """Let the write after so many, of a file or a link, end the process."""
    left = [None] * n_writes

    def counted(real: Callable) -> Callable:
        def write(*arguments: object, **options: object) -> object:
            if not left:
                raise KeyboardInterrupt
            left.pop()
            return real(*arguments, **options)

        return write

    patched.setattr(storage, "write_bytes", counted(storage.write_bytes))
    for name in ("replace", "unlink", "symlink_to", "rename"):
        patched.setattr(Path, name, counted(getattr(Path, name)))


def test_a_kill_at_any_write(say: Callable, put: Deploy, as_a_bot: Callable, srv: Path, monkeypatch) -> None:
    """A bot that starts then loads the version before or this one; the same command goes on from there."""
    say("1.0.0", serial=1)
    put("1.0.0")
    say("1.0.0", "1.1.0", serial=2)
    shutil.copytree(srv, srv.with_name("kept"), symlinks=True)
    seen, n_writes = [], 0
    while seen[-1:] != ["done"]:
        shutil.rmtree(srv)
        shutil.copytree(srv.with_name("kept"), srv, symlinks=True)
        with monkeypatch.context() as patched:
            end_at(n_writes, patched)
            try:
                put("1.1.0")
                seen.append("done")
            except KeyboardInterrupt:
                n_writes += 1
        if seen[-1:] != ["done"]:
            seen.append(as_a_bot())
        put("1.1.0")
        assert as_a_bot() == "1.1.0"
    assert n_writes > 10
    assert seen == sorted(seen)
    assert set(seen) == {"1.0.0", "1.1.0", "done"}
