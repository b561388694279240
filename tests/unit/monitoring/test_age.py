"""The age of a model, and when the next one is due."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from src.monitoring.monitor import _age
from src.policy import Monitor


@pytest.mark.parametrize(
    ("created_at", "due_in_days"),
    [
        ("2026-01-09T00:00:00Z", 6),
        ("2026-01-03T00:00:00Z", 0),
        ("2026-01-02T00:00:00Z", 6),
        ("2026-01-12T00:00:00Z", 9),
        ("9999-12-31T23:59:59Z", 2_912_440),
    ],
)
def test_the_next_is_due_every_seven_days(created_at: str, due_in_days: int, limits: Monitor) -> None:
    """Also after a promotion by a wrong clock, of a moment to come or of the last there is."""
    reference = SimpleNamespace(promoted=SimpleNamespace(metadata={"created_at": created_at}))
    weekly = limits.model_copy(update={"retrain_every_days": 7})
    words = _age(reference, weekly, datetime(2026, 1, 10, tzinfo=UTC)).words
    assert words.endswith(f"with a retraining every 7 days the next is due in {due_in_days} days")
