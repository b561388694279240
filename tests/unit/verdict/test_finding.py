"""One finding for all who judge, and a report of any version read back."""

import ast
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.base import paths
from src.evaluation.leakcheck import check_callable
from src.gate.rules import judge_data
from src.monitoring.anomalies import judge_bars
from src.verdict.finding import Finding, against, findings_of, least, most, overall

FLOATS = st.none() | st.floats(allow_nan=False, allow_infinity=False)
RESULTS = st.sampled_from(["passed", "failed", "unknown", "told", "off"])
FINDINGS = st.lists(
    st.builds(Finding, name=st.text(), value=FLOATS, threshold=FLOATS, verdict=RESULTS, words=st.text())
)
JUDGES = ("gate", "monitoring", "evaluation", "doctor")


def rule(name: str, verdict: str) -> dict:
    """A rule of a report in git."""
    return {"name": name, "value": 1.0, "threshold": None, "verdict": verdict, "words": "because"}


@given(FINDINGS)
def test_a_report_is_read_as_it_was_written(findings: list[Finding]) -> None:
    """Through JSON and back, nothing is lost."""
    kept = json.loads(json.dumps({"judgements": [finding.kept() for finding in findings]}))
    assert findings_of(kept) == findings


def test_a_report_keeps_five_keys() -> None:
    """Readers of reports/gate.json know these; what mends a finding and where it was found is for the terminal."""
    finding = Finding("leaks", 1.0, 0.0, "failed", "a leak", command="dvc repro", details=["close"])
    assert list(finding.kept()) == ["name", "value", "threshold", "verdict", "words"]


def test_a_report_of_version_1_5_is_read_in_the_words_of_today() -> None:
    """Its rules said yes and no; nothing in it reads as another result."""
    verdicts = ["yes", "no", "unknown", "told", "off", "passed", "failed"]
    report = {"verdict": "no", "judgements": [rule(str(at), verdict) for at, verdict in enumerate(verdicts)]}
    found = [finding.verdict for finding in findings_of(report)]
    assert found == ["passed", "failed", "unknown", "told", "off", "passed", "failed"]
    assert [finding.name for finding in against(report)] == ["1", "6"]


def test_what_an_early_rule_lacks_is_not_invented() -> None:
    """A rule without a number has none."""
    (finding,) = findings_of({"judgements": [{"name": "leaks", "verdict": "yes"}]})
    assert finding == Finding("leaks", None, None, "passed", "")


@given(FINDINGS)
def test_a_verdict_other_than_yes_names_its_findings(findings: list[Finding]) -> None:
    """Those that failed for a no, else those that are unknown; none for a yes."""
    verdict = overall(findings)
    found = against({"verdict": verdict, "judgements": [finding.kept() for finding in findings]})
    deciding = {"no": "failed", "unknown": "unknown"}.get(verdict)
    assert found == [finding for finding in findings if finding.verdict == deciding]


@pytest.mark.parametrize(
    ("found", "verdict", "words"),
    [
        (most("a", 3, 2, "x.json"), "failed", "3, at most 2 is asked"),
        (most("a", 2, 2, about="of 48"), "passed", "2 of 48; at most 2 is asked"),
        (most("a", 0, 2, about=""), "passed", "0; at most 2 is asked"),
        (most("a", None, 2, "x.json"), "unknown", "x.json holds no such number; run `dvc repro`"),
        (least("a", 2, 2, "x.json"), "passed", "2, at least 2 is asked"),
        (least("a", 2, 2, "x.json", strictly=True), "failed", "2, more than 2 is asked"),
    ],
)
def test_a_limit_is_within_unless_it_is_strict(found: Finding, verdict: str, words: str) -> None:
    """The number, what is asked, the result."""
    assert (found.verdict, found.words) == (verdict, words)


@pytest.mark.parametrize("room", JUDGES)
def test_gate_monitor_and_leak_checks_share_the_type(room: str) -> None:
    """Each imports `Finding`, and none defines a type of its own that holds a result and words."""
    nodes = [
        node
        for file in (paths.ROOT / "src" / room).glob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ImportFrom | ast.ClassDef)
    ]
    imports = {
        alias.name for node in nodes if getattr(node, "module", "") == "src.verdict.finding" for alias in node.names
    }
    fields = [
        ast.unparse(part.target) for node in nodes for part in getattr(node, "body", []) if hasattr(part, "target")
    ]
    assert "Finding" in imports
    assert not {"words", "verdict"} & set(fields)


def test_what_they_judge_is_a_finding(make_bars, params) -> None:
    """As they return it."""
    bars, now = make_bars(300), datetime.now(UTC)
    judged = [
        *check_callable(lambda bars: bars["close"].shift(-1).rename("later"), bars, params),
        *judge_data({}, params.data.step, params.gate, now),
        *judge_bars(bars, params.data.step, params.monitor, now),
    ]
    assert {type(finding) for finding in judged} == {Finding}
