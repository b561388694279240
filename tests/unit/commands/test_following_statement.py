"""`predict --follow` with a public key: the state remembers which statement was seen, and its end is told in time."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from click.testing import Result
from typer.testing import CliRunner

from btc_signal.channel import SERIAL_MAX, Statement
from btc_signal.ensemble import ProductionEnsemble
from btc_signal.exceptions import ModelError
from btc_signal.signature import PUBLIC_KEY
from btc_signal.stream import FeatureStream
from src.cli import app
from src.commands.following import Follower, read_serial
from src.features.promoted import promoted as promoted_value

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SAID = Statement("production", 7, {"1.0.0": f"sha256:{'a' * 64}"}, NOW, datetime(2099, 1, 1, tzinfo=UTC))
Follow = Callable[..., Result]


@pytest.fixture
def allowed(candidate: ProductionEnsemble, promoted: None, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """A function that puts a statement of that serial there: the loader asks for it, as the real one does."""
    monkeypatch.setenv(PUBLIC_KEY, "owner.pub.pem")

    def allow(serial: int) -> None:
        def load(_: object, __: Path, *, serial_min: int = 0) -> ProductionEnsemble:
            if serial < serial_min:
                msg = f"expected serial {serial_min} or more"
                raise ModelError(msg)
            return candidate

        monkeypatch.setattr(candidate, "channel", SAID._replace(serial=serial))
        monkeypatch.setattr(ProductionEnsemble, "load", classmethod(load))

    return allow


@pytest.fixture
def follow(walk: pd.DataFrame, tmp_path: Path) -> Follow:
    """A function that feeds bars, eighty or so many, and returns the result."""
    fed = walk.reset_index().to_json(orient="records", lines=True, date_format="iso", double_precision=15).splitlines()

    def run(n_bars: int = 80) -> Result:
        options = ("--state", str(tmp_path / "state.json"), "--json")
        return CliRunner().invoke(app, ["predict", "--follow", *options], input="\n".join([*fed[:n_bars], ""]))

    return run


@pytest.fixture
def kept(tmp_path: Path) -> Callable[[], int]:
    """A function that returns the serial in the state."""
    return lambda: json.loads((tmp_path / "state.json").read_text())["serial"]


def test_the_state_remembers_the_serial(allowed: Callable, follow: Follow, kept: Callable) -> None:
    """Also before the first bar; an earlier statement is refused after a restart, and nothing is forgotten by that."""
    allowed(7)
    assert (follow(0).exit_code, kept()) == (0, 7)
    allowed(9)
    assert (follow().exit_code, kept()) == (0, 9)
    allowed(8)
    refused = follow()
    assert (refused.exit_code, refused.stdout, kept()) == (2, "", 9)
    assert "expected serial 9 or more" in refused.stderr


def test_a_state_of_before(allowed: Callable, follow: Follow, kept: Callable, tmp_path: Path) -> None:
    """One that has none goes on without a warm-up, and has one from then on."""
    allowed(7)
    follow(70)
    state = tmp_path / "state.json"
    state.write_text(
        json.dumps({name: part for name, part in json.loads(state.read_text()).items() if name != "serial"})
    )
    again = follow()
    assert (again.exit_code, len(again.stdout.splitlines()), kept()) == (0, 10, 7)
    assert "warm-up" not in again.stderr


def test_without_a_key_the_state_is_as_it_was(promoted: None, follow: Follow, tmp_path: Path) -> None:
    """It has no serial; one that it has is not lost."""
    state = tmp_path / "state.json"
    follow(70)
    assert json.loads(state.read_text()).keys() == {"feature_manager_version", "timeframe", "settings", "progress"}
    state.write_text(json.dumps({"serial": 5} | json.loads(state.read_text())))
    assert (follow().exit_code, read_serial(state)) == (0, 5)


@pytest.mark.parametrize("damage", ["cut off", "other settings"])
def test_a_damaged_state_keeps_its_serial(
    damage: str, allowed: Callable, follow: Follow, kept: Callable, tmp_path: Path
) -> None:
    """The warm-up starts anew, what was seen does not."""
    allowed(9)
    follow()
    state = tmp_path / "state.json"
    text = state.read_text()
    state.write_text(text[:200] if damage == "cut off" else text.replace('"1h"', '"4h"'))
    allowed(8)
    assert "expected serial 9 or more" in follow().stderr
    allowed(9)
    again = follow(70)
    assert (again.exit_code, kept()) == (0, 9)
    assert "the warm-up starts anew, and state.json.rejected has what it was" in again.stderr
    assert "serial" not in again.stderr


@pytest.mark.parametrize(
    ("content", "serial"),
    [
        ("", 0),
        ("{}", 0),
        ('{"serial": 12}', 12),
        ('{"serial": 12, "progress": {', 12),
        ('{\n  "serial": 12\n', 12),
        *[(f'{{"serial": {value}}}', None) for value in ('"12"', "-1", "1.0", "true", "null", SERIAL_MAX + 1, 10**400)],
        ('{"serial": 12', None),  # it may have been 123
        ('{"serial": 1000000000000001,', None),
        ("[]", None),
        ("\0\0", None),
    ],
)
def test_what_a_state_says_of_its_serial(
    content: str, serial: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    """What cannot be read starts as new, with a warning where a key is named."""
    (tmp_path / "state.json").write_text(content)
    assert read_serial(tmp_path / "state.json") == (serial or 0)
    assert capsys.readouterr().err == ""
    monkeypatch.setenv(PUBLIC_KEY, "owner.pub.pem")
    assert read_serial(tmp_path / "state.json") == (serial or 0)
    assert ("its serial cannot be read and starts as new" in capsys.readouterr().err) == (serial is None)


def test_without_a_state_nothing_is_remembered(tmp_path: Path) -> None:
    """By no file, or one that is not there yet."""
    assert (read_serial(None), read_serial(tmp_path / "state.json")) == (0, 0)


def test_the_end_is_told_once_a_day(candidate: ProductionEnsemble, walk: pd.DataFrame, monkeypatch, capsys) -> None:
    """From a week before, and it goes on afterwards."""
    monkeypatch.setattr(candidate, "channel", SAID._replace(expires=NOW + timedelta(days=8)))
    hours = iter(range(24 * 12))
    stream = FeatureStream(promoted_value("feature_settings"), "1h")
    now = {"now": lambda: NOW + timedelta(hours=next(hours))}
    follower = Follower(stream, candidate, lambda _: None, log=None, state=None, **now)
    for _ in range(24 * 12):
        follower.answer([])
    told = re.findall(r"^warning: .* serial 7, (expires in . days|has expired)", capsys.readouterr().err, re.MULTILINE)
    assert told == [*(f"expires in {days} days" for days in (7, 6, 5, 4, 3, 2, 1)), *["has expired"] * 4]
