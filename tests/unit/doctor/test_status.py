"""What is said of the last decisions, by the numbers of params.yaml."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from btc_signal.bundle import sha256
from btc_signal.times import utc_text
from src.base import paths
from src.base.yaml_lines import replace_scalars
from src.doctor.status import TRY_RETRAIN, Status

LIVE = {("data", "source"): "ccxt", ("gate", "newest_bar_age_max_h"): "24", ("monitor", "late_bars_max"): "2"}


@pytest.mark.parametrize(
    ("every", "age_days", "verdict"),
    [
        ("7.0", 6.9, "passed"),
        ("7.0", 7.1, "told"),
        ("30", 8.5, "passed"),
        ("0.5", 0.6, "told"),
        ("nonsense", 99.0, "passed"),
    ],
)
def test_a_retraining_is_due_when_the_monitor_says_so(
    every: str, age_days: float, verdict: str, tmp_path: Path
) -> None:
    """By monitor.retrain_every_days; nothing that publishes is prescribed."""
    asked = {**LIVE, ("monitor", "retrain_every_days"): every}
    (tmp_path / "params.yaml").write_text(replace_scalars(paths.PARAMS.read_text(), "params.yaml", asked))
    trained = utc_text(datetime.now(UTC) - timedelta(days=age_days))
    file = tmp_path / paths.relative(paths.METADATA)
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"training_info": {"last_retrain": trained}}))
    _, line = Status(tmp_path).findings()
    assert (line.verdict, line.command) == (verdict, TRY_RETRAIN if verdict == "told" else "")
    assert line.words.startswith(f"{age_days} days since the model was trained")
    assert (f"every {float(every):g} days" in line.words) if verdict == "told" else "due" not in line.words


@pytest.mark.parametrize(
    ("judged", "verdict", "words"),
    [
        (b"the model", "passed", "2020-01-01T00:00:00Z it said yes"),
        (b"another", "told", "2020-01-01T00:00:00Z it judged another candidate than the one here"),
    ],
    ids=["this candidate", "another"],
)
def test_a_verdict_is_of_the_candidate_that_it_judged(judged: bytes, verdict: str, words: str, tmp_path: Path) -> None:
    """By the hash of the file; the verdict on another one says nothing of this one."""
    model, report = tmp_path / paths.relative(paths.ENSEMBLE), tmp_path / paths.relative(paths.GATE)
    for file in (model, report):
        file.parent.mkdir(parents=True)
    model.write_bytes(b"the model")
    asked = {"verdict": "yes", "judged_at": "2020-01-01T00:00:00Z", "judgements": []}
    report.write_text(json.dumps(asked | {"candidate": sha256(judged)}))
    line = next(finding for finding in Status(tmp_path).findings() if finding.name == "gate")
    assert (line.verdict, line.words) == (verdict, words)
