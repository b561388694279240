"""The next statement of a stage: which versions, which serial, until when; with real git."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from btc_signal.bundle import sha256
from btc_signal.channel import SERIAL_MAX, Statement, read_statement, statement_file
from src.base import paths, storage
from src.base.errors import PromotionError
from src.cli import app
from src.release.issue import issue
from src.release.statements import lacking
from tests.checkouts import Checkout
from tests.clones import clone_of, promote
from tests.signing import make_keys

NOW = datetime(2026, 3, 1, 12, 30, 15, 99, tzinfo=UTC)


@pytest.fixture
def owner(mine: Checkout, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    """A clone at version 1.0.0."""
    monkeypatch.setattr(paths, "PRODUCTION", paths.METADATA.parent)
    return mine


def next_one(**options: object) -> Statement:
    """Issue one, and return what the file says."""
    file, statement = issue(
        options.pop("stage", "production"), **({"days": None, "before": None, "now": NOW} | options)
    )
    assert read_statement(file.read_bytes(), "it") == statement
    return statement


def digest() -> str:
    return sha256(paths.METADATA.read_bytes())


def write(checkout: Checkout, statement: Statement) -> Path:
    """Put a statement into a clone."""
    file = statement_file(checkout.root / "models", statement.stage)
    storage.write_json(statement.to_plain(), file)
    return file


def test_the_version_and_the_one_before(owner: Checkout) -> None:
    """Each with the digest of its metadata; for twice the age that raises an alert, in whole seconds."""
    first = digest()
    assert next_one().versions == {"1.0.0": first}
    promote(owner, "1.1.0")
    second = digest()
    found = next_one()
    assert found.versions == {"1.1.0": second, "1.0.0": first}
    assert found.issued == NOW.replace(microsecond=0)
    assert found.expires - found.issued == timedelta(days=2 * 42)
    assert next_one(days=3).expires - found.issued == timedelta(days=3)


def test_the_one_before_is_the_one_that_was_in_production(owner: Checkout) -> None:
    """After a rollback to 1.0.0 that is 1.1.0, and 1.0.0 once another follows; a person may choose."""
    texts = {"1.0.0": paths.METADATA.read_text()}
    promote(owner, "1.1.0")
    paths.METADATA.write_text(texts["1.0.0"])
    owner.commit("Roll back to 1.0.0")
    assert [*next_one().versions] == ["1.0.0", "1.1.0"]
    promote(owner, "1.1.1")
    assert [*next_one().versions] == ["1.1.1", "1.0.0"]
    assert [*next_one(before="1.1.0").versions] == ["1.1.1", "1.1.0"]
    assert [*next_one(before="none").versions] == ["1.1.1"]
    for before in ("1.1.1", "9.9.9"):
        with pytest.raises(PromotionError, match=rf"expected none or another version .*1\.1\.0\), got {before}"):
            next_one(before=before)


def test_a_version_with_two_metadata(owner: Checkout) -> None:
    """Those count that were in production last."""
    paths.METADATA.write_text(paths.METADATA.read_text() + "\n")
    owner.commit("a line more")
    last = digest()
    promote(owner, "1.1.0")
    assert next_one().versions["1.0.0"] == last


def test_a_damaged_past_is_passed_over(owner: Checkout, capsys: pytest.CaptureFixture[str]) -> None:
    """Merge marks, a version by hand, a statement that is none: what else there is counts."""
    write(owner, next_one()._replace(serial=5))
    owner.commit("serial 5")
    for number, text in enumerate(("<<<<<<< HEAD", '{"version": "2.0.0-hotfix"}')):
        paths.METADATA.write_text(text)
        statement_file(owner.root / "models", "production").write_text(text)
        owner.commit(f"damaged {number}")
    promote(owner, "1.1.0")
    found = next_one()
    assert ([*found.versions], found.serial) == (["1.1.0", "1.0.0"], 6)
    assert "expected a statement as `python -m src channel` writes it" in capsys.readouterr().err


def test_serials_only_grow(owner: Checkout) -> None:
    """By the work tree, by history, by another branch, and by what was fetched; each stage by itself."""
    assert [next_one().serial for _ in range(3)] == [1, 2, 3]
    owner.commit("serial 3")
    statement_file(owner.root / "models", "production").unlink()
    assert next_one().serial == 4
    owner.run("git", "checkout", "--quiet", "-b", "other")
    write(owner, next_one()._replace(serial=10**9))
    owner.commit("a slip of the finger")
    owner.run("git", "checkout", "--quiet", "main")
    assert next_one().serial == 10**9 + 1
    assert next_one(stage="staging").serial == 1


def test_of_a_colleague(owner: Checkout, tmp_path: Path) -> None:
    """Who pushed one meanwhile, which was fetched and not merged."""
    theirs = clone_of(tmp_path, "theirs")
    write(theirs, next_one()._replace(serial=7))
    theirs.commit("serial 7")
    theirs.run("git", "push", "--quiet", "origin", "HEAD")
    owner.run("git", "fetch", "--quiet")
    assert next_one().serial == 8


def test_the_last_serial(owner: Checkout) -> None:
    """Nothing is written, and the words say what is left to do."""
    file = write(owner, next_one()._replace(serial=SERIAL_MAX))
    owner.commit("somebody may push it, and cannot sign it")
    before = file.read_bytes()
    with pytest.raises(PromotionError, match="no serial is left after 1000000000000000; `--after N` goes on from N"):
        next_one()
    assert file.read_bytes() == before
    assert next_one(after=7).serial == 8


def test_metadata_that_no_commit_holds(owner: Checkout) -> None:
    """Nobody could look what was allowed."""
    paths.METADATA.write_text(json.dumps({"version": "1.5.0"}))
    with pytest.raises(PromotionError, match=r"expected .*metadata\.json as it is committed, got"):
        next_one()
    assert not statement_file(owner.root / "models", "production").exists()
    paths.METADATA.write_text("{}")
    owner.commit("none")
    with pytest.raises(PromotionError, match="expected a promotion's metadata; `python -m src promote`"):
        next_one()


def test_as_it_is_typed(owner: Checkout, tmp_path: Path) -> None:
    """The commands that are printed sign it and commit it; JSON has the same for a machine."""
    shown = CliRunner().invoke(app, ["channel", "--days", "3"])
    first, signing, committing = shown.stdout.splitlines()
    assert re.search(r"^models/production\.channel\.json allows 1\.0\.0 until 20.*Z, serial 1\.", first)
    secret, _ = make_keys(tmp_path, "owner")
    owner.run("sh", "-c", signing.replace("release.pem", str(secret)))
    owner.run("sh", "-c", committing)
    assert owner.run("git", "show", "--format=%s", "--name-only").split("\n", 2)[2].split() == [
        "models/production.channel.1.sig",
        "models/production.channel.json",
    ]
    found = json.loads(CliRunner().invoke(app, ["channel", "--json"]).stdout)
    assert (found["signature"], found["statement"]["serial"]) == ("models/production.channel.2.sig", 2)


def test_what_a_statement_lacks(owner: Checkout) -> None:
    """It is said after a promotion, and when it ends soon; where none is used, nothing."""
    assert lacking() == ""
    issued = next_one()
    assert lacking(now=NOW) == ""
    assert "expires in 6 days" in lacking(now=issued.expires - timedelta(days=6, hours=1))
    promote(owner, "1.1.0")
    assert lacking(now=NOW).startswith("the statement of production, serial 1, allows 1.0.0, got 1.1.0; `python -m src")
    statement_file(owner.root / "models", "production").write_text("<<<<<<<")
    assert "expected a statement" in lacking()
