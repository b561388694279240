"""A look as gauges."""

from pathlib import Path

import pytest

from src.monitoring.prometheus import write_prometheus

LOOK = {"looked_at": "2020-01-01T00:00:00Z", "version": "1.0.0", "judgements": []}


@pytest.mark.parametrize(
    ("live", "n_scores"), [(None, 0), ({"f1_score": {"value": 0.5, "interval": [0.4, 0.6]}}, 3)], ids=["none", "live"]
)
def test_a_score_of_training_bars_is_no_gauge(live: dict | None, n_scores: int, tmp_path: Path) -> None:
    """Without live rows there is none; how many predictions were left out is one."""
    write_prometheus(LOOK | {"live": live, "predictions": 0, "in_training": 720}, tmp_path / "gauges.prom")
    lines = (tmp_path / "gauges.prom").read_text().splitlines()
    assert 'btc_signal_in_training{version="1.0.0"} 720.0' in lines
    assert sum(line.startswith("btc_signal_score{") for line in lines) == n_scores
