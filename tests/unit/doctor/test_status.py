"""What is said of the last decisions, by the numbers of params.yaml."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from btc_signal.times import utc_text
from src.base import paths
from src.doctor.status import TRY_RETRAIN, check_retrain


@pytest.mark.parametrize(
    ("every", "age_days", "verdict"),
    [("7.0", 6.9, "ok"), ("7.0", 7.1, "warn"), ("30", 8.5, "ok"), ("0.5", 0.6, "warn"), ("nonsense", 99.0, "ok")],
)
def test_a_retraining_is_due_when_the_monitor_says_so(
    every: str, age_days: float, verdict: str, tmp_path: Path
) -> None:
    """By monitor.retrain_every_days; nothing that publishes is prescribed."""
    (tmp_path / "params.yaml").write_text(f"data:\n  source: ccxt\nmonitor:\n  retrain_every_days: {every}\n")
    trained = utc_text(datetime.now(UTC) - timedelta(days=age_days))
    file = tmp_path / paths.relative(paths.METADATA)
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"training_info": {"last_retrain": trained}}))
    (line,) = check_retrain(tmp_path)
    assert (line.verdict, line.command) == (verdict, TRY_RETRAIN if verdict == "warn" else "")
    assert line.words.startswith(f"{age_days} days since the model was trained")
    assert (f"every {float(every):g} days" in line.words) if verdict == "warn" else "due" not in line.words
