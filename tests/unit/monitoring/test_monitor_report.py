"""A look as Markdown and as gauges, whatever the log and the errors quote."""

import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from src.monitoring.monitor_report import markdown
from src.monitoring.prometheus import write_prometheus

HOSTILE = 'v"1 | @everyone <img src=x onerror=alert(1)> [a](https://evil.example) \\| ``` \x1b[2J\n\n# Title\r|---|'


@pytest.fixture
def report() -> dict:
    """A look whose every text is hostile."""
    judgement = {"name": HOSTILE, "value": 1.0, "threshold": None, "verdict": "unknown", "words": HOSTILE}
    return {
        "verdict": "unknown",
        "looked_at": "2020-01-01T00:00:00Z",
        "version": HOSTILE,
        "predictions": 7,
        "in_training": 0,
        "live": None,
        "promoted": {},
        "judgements": [judgement, judgement],
    }


def test_no_text_leaves_its_place_in_the_markdown(report: dict) -> None:
    """Title, one sentence, and a table of three columns; no tag, link or mention in it."""
    text = markdown(report)
    lines = text.splitlines()
    assert [line[:2] for line in lines] == ["# ", "", "Ve", "", "| ", "|-", "| ", "| "]
    assert [len(re.findall(r"(?<!\\)\|", line)) for line in lines[4:]] == [4] * 4
    assert re.findall(r"@e|<i|://|\]\(|\x1b|\r|```", text) == []


def test_a_label_of_prometheus_holds_any_text(report: dict, tmp_path) -> None:
    """Its own reader reads back what it was."""
    write_prometheus(report, tmp_path / "gauges.prom")
    families = {
        family.name: family
        for family in text_string_to_metric_families((tmp_path / "gauges.prom").read_bytes().decode())
    }
    assert families["btc_signal_predictions"].samples[0].labels == {"version": HOSTILE}
