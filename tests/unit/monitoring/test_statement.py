"""The statement which versions may be served is renewed in time, or people are told."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from btc_signal.channel import Statement
from src.base import storage
from src.base.errors import DataError
from src.monitoring.monitor import judge_statement

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("left", "verdict", "words"),
    [
        (timedelta(days=84), "passed", "holds for 84 days"),
        (timedelta(days=7, seconds=1), "passed", "holds for 7 days"),
        (timedelta(days=7), "failed", "expires in 7 days, 2026-03-08T00:00:00Z: no bot starts after that"),
        (timedelta(0), "failed", "has expired, 2026-03-01T00:00:00Z: no bot starts after that"),
    ],
    ids=["new", "a week and a second", "a week", "expired"],
)
def test_an_alert_a_week_before(left: timedelta, verdict: str, words: str, tmp_path: Path) -> None:
    """And for as long as it is not renewed; the value is in days."""
    statement = Statement("production", 3, {"1.0.0": f"sha256:{'a' * 64}"}, NOW - timedelta(days=99), NOW + left)
    storage.write_json(statement.to_plain(), tmp_path / "it")
    (finding,) = judge_statement(tmp_path / "it", NOW)
    assert (finding.value, finding.threshold, finding.verdict) == (round(left / timedelta(days=1), 4), 7, verdict)
    assert words in finding.words


def test_where_none_is_used(tmp_path: Path) -> None:
    """Nothing is said of it; what is damaged is an error."""
    assert [*judge_statement(None, NOW), *judge_statement(tmp_path / "none", NOW)] == []
    (tmp_path / "it").write_text("{}")
    with pytest.raises(DataError, match="expected a statement"):
        list(judge_statement(tmp_path / "it", NOW))
