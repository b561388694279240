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


@pytest.mark.parametrize("verdict", ["passed", "told", "off", "failed", "unknown"])
def test_a_rule_is_a_gauge_of_its_number_and_of_its_verdict(verdict: str, tmp_path: Path) -> None:
    """1 is an alert, -1 is unknown, and all else is 0; an interval that is not there is no number."""
    rule = {"name": "psi", "value": 0.3, "threshold": 0.25, "verdict": verdict, "words": ""}
    live = {"f1_score": {"value": 0.5, "interval": None}, "brier_skill": {"value": 0.1, "interval": [-0.1, 0.3]}}
    look = LOOK | {"judgements": [rule], "live": live, "predictions": 0, "in_training": 0}
    write_prometheus(look, tmp_path / "gauges.prom")
    lines = (tmp_path / "gauges.prom").read_text().splitlines()
    expected = {"failed": "1.0", "unknown": "-1.0"}.get(verdict, "0.0")
    assert f'btc_signal_alert{{rule="psi"}} {expected}' in lines
    assert 'btc_signal_watched{rule="psi"} 0.3' in lines
    parts = {"f1_score": ("0.5", "NaN", "NaN"), "brier_skill": ("0.1", "-0.1", "0.3")}
    for score, values in parts.items():
        for part, value in zip(("value", "low", "high"), values, strict=True):
            assert f'btc_signal_score{{part="{part}",score="{score}"}} {value}' in lines
