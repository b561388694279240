"""A look at the model, as gauges for Prometheus."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from src.base.errors import DataError
from src.verdict.finding import findings_of

STATE = {"passed": 0, "told": 0, "off": 0, "failed": 1, "unknown": -1}
PREFIX = "btc_signal"


def write_prometheus(report: Mapping[str, Any], file: Path) -> None:
    """Write gauges in Prometheus' text format, in one step, for the textfile collector of its node exporter."""
    registry = CollectorRegistry()

    def gauge(name: str, words: str, *labels: str) -> Gauge:
        return Gauge(f"{PREFIX}_{name}", words, labels, registry=registry)

    looked_at = datetime.fromisoformat(report["looked_at"])
    gauge("looked_at_seconds", "When the monitor looked, Unix time").set(looked_at.timestamp())
    left_out = "Newest predictions left out: the model was fitted on their bars"
    for name, words in (("predictions", "Predictions with an outcome"), ("in_training", left_out)):
        gauge(name, words, "version").labels(report["version"]).set(report[name])
    score = gauge("score", "Live score and the ends of its interval", "score", "part")
    for name, found in (report["live"] or {}).items():
        parts = [found["value"], *(found["interval"] or (None, None))]
        for part, value in zip(("value", "low", "high"), parts, strict=True):
            score.labels(name, part).set(float("nan") if value is None else value)
    watched = gauge("watched", "The number each rule looked at", "rule")
    alert = gauge("alert", "1 if the rule raises an alert, 0 if not, -1 if it is unknown", "rule")
    for finding in findings_of(report):
        watched.labels(finding.name).set(float("nan") if finding.value is None else finding.value)
        alert.labels(finding.name).set(STATE[finding.verdict])
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_to_textfile(str(file), registry)
    except OSError as error:
        msg = f"{file}: cannot be written ({error.strerror}); name a file where you may"
        raise DataError(msg) from error
