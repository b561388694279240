"""A bot with a public key serves what the owner of the key allows now, and nothing that was put back."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from btc_signal import channel
from btc_signal.channel import Statement, check_channel, read_statement, statement_file, statement_signature
from btc_signal.ensemble import ProductionEnsemble
from btc_signal.exceptions import DataError, ModelError
from btc_signal.signature import PUBLIC_KEY
from tests.signing import allow, make_keys, put_statement, sign, sign_statement, version_of

DIGEST, OTHER = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
SAID = Statement("production", 7, {"1.1.0": DIGEST, "1.0.0": OTHER}, NOW, NOW + timedelta(days=84))


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_keys(tmp_path_factory.mktemp("keys"), "owner")


@pytest.fixture(autouse=True)
def _asked(keys: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask for signatures, in a process that has seen no statement."""
    monkeypatch.setenv(PUBLIC_KEY, str(keys[1]))
    monkeypatch.setattr(channel, "_seen", {})


@pytest.fixture
def ask(keys: tuple[Path, Path], tmp_path: Path) -> Callable[..., Statement | None]:
    """A function that signs a statement, other than usual as told, and asks for version 1.1.0 a day later."""

    def asked(version: str = "1.1.0", digest: str = DIGEST, serial_min: int = 0, **changes: object) -> Statement | None:
        put_statement(tmp_path, keys[0], SAID._replace(**changes))
        return check_channel(tmp_path / "production", version, digest, serial_min, NOW + timedelta(days=1))

    return asked


def test_both_versions_are_allowed(ask: Callable[..., Statement]) -> None:
    """The version and the one before; what it says can be asked for."""
    assert ask() == SAID
    assert ask("1.0.0", OTHER, serial_min=7) == SAID


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"version": "0.9.0"}, "serial 7, allows 1.1.0 and 1.0.0, got 0.9.0"),
        ({"digest": OTHER}, "allows another model of version 1.1.0"),
        ({"serial_min": 8}, "expected serial 8 or more, which was seen before, got 7: an earlier statement"),
        ({"expires": NOW + timedelta(hours=24)}, "has expired, 2026-03-02T00:00:00Z; it is 2026-03-02T00:00:00Z now"),
        ({"issued": NOW + timedelta(days=3)}, "was issued 2026-03-04T00:00:00Z; it is .* now, set the clock"),
    ],
    ids=["an old version", "another model", "an old statement", "expired", "a wrong clock"],
)
def test_what_is_not_allowed_now(asked: dict, words: str, ask: Callable[..., Statement]) -> None:
    """It says what was expected, what came, and what to do."""
    with pytest.raises(
        ModelError, match=rf"production\.channel\.json: .*{words}.*; deploy the newest, docs/promote.md"
    ):
        ask(**asked)


def test_a_process_remembers(ask: Callable[..., Statement]) -> None:
    """Without a state an earlier statement is refused for as long as the process lives, and no refused one counts."""
    with pytest.raises(ModelError, match="allows"):
        ask("2.0.0", serial=9)
    assert ask(serial=8).serial == 8
    with pytest.raises(ModelError, match="expected serial 8 or more"):
        ask()


def test_another_stage_is_another_statement(keys: tuple[Path, Path], tmp_path: Path) -> None:
    """One that was signed for staging allows nothing in production, under whatever name."""
    file = put_statement(tmp_path, keys[0], SAID._replace(stage="staging"))
    shutil.copy(file, statement_file(tmp_path, "production"))
    with pytest.raises(ModelError, match="expected the statement of production, got that of staging"):
        check_channel(tmp_path / "production", "1.1.0", DIGEST)


def test_without_a_statement(tmp_path: Path) -> None:
    """The words name the file and where it says how to make one."""
    with pytest.raises(ModelError, match=r"production\.channel\.json: expected the statement .*No such file.*docs/"):
        check_channel(tmp_path / "production", "1.1.0", DIGEST)


@pytest.mark.parametrize("name", ["releases/1.1.0", "model", "."])
def test_a_release_by_itself_is_of_no_stage(name: str, tmp_path: Path) -> None:
    """It has no statement beside it, so the link is named."""
    with pytest.raises(ModelError, match="expected FOLDER/staging or FOLDER/production, beside which the statement"):
        check_channel(tmp_path / name, "1.1.0", DIGEST)


@pytest.mark.parametrize("how", ["changed", "by another", "unsigned", "of another serial", "cut off"])
def test_a_signature_that_does_not_fit(how: str, keys: tuple[Path, Path], ask: Callable, tmp_path: Path) -> None:
    """Whoever may write there changes, exchanges or removes it."""
    ask()
    file, signature = statement_file(tmp_path, "production"), statement_signature(tmp_path, "production", 7)
    if how == "changed":
        file.write_text(file.read_text().replace('"1.0.0"', '"0.9.0"'))
    elif how == "by another":
        sign_statement(file, make_keys(tmp_path, "another")[0])
    elif how == "of another serial":
        file.write_text(file.read_text().replace('"serial": 7', '"serial": 1000000000'))
        shutil.copy(signature, statement_signature(tmp_path, "production", 10**9))
    elif how == "cut off":
        signature.write_bytes(signature.read_bytes()[:40])
    else:
        signature.unlink()
    with pytest.raises(
        ModelError, match=r"does not sign this statement by the key|cannot be verified with MODEL_PUBLIC"
    ):
        check_channel(tmp_path / "production", "1.1.0", DIGEST, now=NOW)


def test_one_that_is_replaced_meanwhile(
    keys: tuple[Path, Path], ask: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read just before the next one came: the next one counts, whose signature is there."""
    ask()
    real, contents = channel._read, [statement_file(tmp_path, "production").read_bytes()]
    put_statement(tmp_path, keys[0], SAID._replace(serial=8))
    statement_signature(tmp_path, "production", 7).unlink()
    monkeypatch.setattr(channel, "_read", lambda file: contents.pop() if contents else real(file))
    assert check_channel(tmp_path / "production", "1.1.0", DIGEST, now=NOW).serial == 8


def test_nobody_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a key nothing is read, whatever lies there, and any folder will do."""
    monkeypatch.delenv(PUBLIC_KEY)
    statement_file(tmp_path, "production").mkdir()
    assert check_channel(tmp_path / "production", "1.1.0", DIGEST) is None
    assert check_channel(tmp_path / "releases" / "1.1.0", "1.1.0", DIGEST) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("stage", value) for value in ("canary", "../production", None, ["production"])],
        *[("serial", value) for value in (0, -1, 1.0, True, "7", None, 10**15 + 1)],
        *[("versions", value) for value in ({}, [], {"1.0.0": "md5"}, {"1.0.0": None}, None, "1.0.0")],
        *[("issued", value) for value in ("2026-03-01T00:00:00", "yesterday", None, 0, "2027-01-01T00:00:00Z")],
        *[("expires", value) for value in ("2026-03-01T00:00:00Z", "2026-03-01T00:00:00+09:00", None)],
        ("forever", True),
    ],
)
def test_what_no_statement_says(name: str, value: object) -> None:
    """Whoever signs by hand finds out at once."""
    with pytest.raises(DataError, match="expected a statement as `python -m src channel` writes it"):
        read_statement(json.dumps(SAID.to_plain() | {name: value}).encode(), "it")


@pytest.mark.parametrize("key", Statement._fields)
def test_what_a_statement_lacks(key: str) -> None:
    """Each of its parts."""
    content = {name: value for name, value in SAID.to_plain().items() if name != key}
    with pytest.raises(DataError, match=f"'{key}'|{key}"):
        read_statement(json.dumps(content).encode(), "it")


def test_it_ends_in_words() -> None:
    """From seven days before; afterwards, too."""
    assert SAID.ending(SAID.expires - timedelta(days=7, seconds=1)) == ""
    assert "expires in 6 days, 2026-05-24T00:00:00Z: no bot" in SAID.ending(SAID.expires - timedelta(days=6, hours=3))
    assert "has expired, 2026-05-24T00:00:00Z" in SAID.ending(SAID.expires)


def test_a_model_is_loaded_by_its_statement(keys: tuple[Path, Path], promote: Callable, tmp_path: Path) -> None:
    """The model knows it; an older model, signed as well, is not served in its place, and both can be copied."""
    promote("1.1.0")
    sign(tmp_path / "promoted", keys[0])
    (tmp_path / "promoted").rename(tmp_path / "production")
    allow(tmp_path, keys[0], version_of(tmp_path / "production"), serial=3)
    model = ProductionEnsemble.load(tmp_path / "production", serial_min=3)
    assert (model.metadata["version"], model.channel.serial) == ("1.1.0", 3)
    promote("1.0.0")
    sign(tmp_path / "promoted", keys[0])
    shutil.rmtree(tmp_path / "production")
    (tmp_path / "promoted").rename(tmp_path / "production")
    with pytest.raises(ModelError, match=r"allows 1\.1\.0, got 1\.0\.0"):
        ProductionEnsemble.load(tmp_path / "production")
    assert ProductionEnsemble.load_release(tmp_path / "production").channel is None
