"""The page as text: nothing in it can act, fetch or mislead."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from src.page.evidence import Evidence
from src.page.page import render

HOSTILE = "\"'><img src=x onerror=alert(1)></script><script>alert(2)</script>{{ 7 * 7 }}"
SCRIPTS = re.compile(r"<script(?: [^>]*)?>.*?</script>", re.DOTALL)


class Elements(HTMLParser):
    """Every start tag with its attributes, and the text outside scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(SCRIPTS.sub("", page))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note it."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Add it."""
        self.text += data


def words_of(page: str) -> str:
    """The text of the page in one line."""
    return " ".join(Elements(page).text.split())


def hostile(content: Any) -> Any:
    """Replace every text but those that the page reads as words of its own."""
    if isinstance(content, dict):
        kept = ("verdict", "first_open", "last_open", "time")
        return {key: value if key in kept else hostile(value) for key, value in content.items()}
    if isinstance(content, list):
        return [hostile(value) for value in content]
    return HOSTILE if isinstance(content, str) else content


def test_every_text_is_escaped(evidence: Evidence) -> None:
    """Whoever wrote a file of the reports: what it says is shown, and does nothing."""
    harmless = Elements(render(evidence)).tags
    drift = {"name": f"drift of {HOSTILE}", "value": 1.0, "threshold": 0.25, "verdict": "failed", "words": HOSTILE}
    monitor = {"version": HOSTILE, "looked_at": HOSTILE, "predictions": 7, "in_training": 3, "judgements": [drift]}
    page = render(
        evidence._replace(
            quality=hostile(evidence.quality),
            plots={name: hostile(points) for name, points in evidence.plots.items()},
            gate=hostile(evidence.gate),
            metadata=hostile(evidence.metadata),
            libraries=hostile(evidence.libraries),
            commit=HOSTILE,
            monitor=monitor,
        )
    )
    assert {tag for tag, _ in Elements(page).tags} == {tag for tag, _ in harmless}
    assert len(SCRIPTS.findall(page)) == 9  # eight charts, and the one that draws them
    assert page.count("alert(2)") == page.count("\\u003cscript\\u003ealert(2)") + page.count("&lt;script&gt;alert(2)")
    assert HOSTILE in Elements(page).text


def test_equal_evidence_gives_equal_bytes(evidence: Evidence) -> None:
    """No clock, no chance."""
    assert render(evidence) == render(evidence)


def test_the_policy_forbids_all_but_the_one_script(evidence: Evidence) -> None:
    """By its hash; nothing may be fetched, sent or made code."""
    page = render(evidence)
    (policy,) = [attrs["content"] for tag, attrs in Elements(page).tags if attrs.get("http-equiv")]
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    rules = dict(rule.strip().split(" ", 1) for rule in str(policy).split(";"))
    assert rules == {
        "default-src": "'none'",
        "script-src": f"'sha256-{digest}'",
        "style-src": "'unsafe-inline'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_nothing_points_outside(evidence: Evidence) -> None:
    """Links lead to headings of this page, and each is there once."""
    tags = Elements(render(evidence)).tags
    ids = [attrs["id"] for _, attrs in tags if "id" in attrs]
    assert [name for _, attrs in tags for name in attrs if name in {"src", "action", "style", "onload"}] == []
    assert {f"#{name}" for name in ids} >= {str(attrs["href"]) for _, attrs in tags if "href" in attrs}
    assert len(ids) == len(set(ids))


def test_headings_are_in_order(evidence: Evidence) -> None:
    """One title, and a heading for each section."""
    levels = [tag for tag, _ in Elements(render(evidence)).tags if re.fullmatch(r"h\d", tag)]
    assert levels == ["h1"] + 12 * ["h2"]


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ({"gate": None}, "The gate was not asked yet. python -m src gate asks every rule"),
        ({"gate": None}, "No comparison was made yet. python -m src gate makes one"),
        ({"monitor": None}, "No look at the model at work was taken yet. python -m src monitor LOG takes one"),
        ({"metadata": None}, "No model was promoted yet."),
        ({"candidate": "sha256:other"}, "This is the verdict on another candidate than the one on this page."),
        ({"candidate": "sha256:other"}, "It is another model than this candidate."),
        ({"n_changed": 3}, f"{40 * 'c'}, and changes in 3 paths"),
    ],
    ids=["gate", "comparison", "monitor", "promotion", "gate of another", "another in production", "changes"],
)
def test_what_is_not_there_is_said(evidence: Evidence, missing: dict[str, Any], words: str) -> None:
    """With the command that makes it; and nothing of it where it is there."""
    assert words in words_of(render(evidence._replace(**missing)))


def test_a_gate_without_a_champion(evidence: Evidence) -> None:
    """A first model is held against the baselines alone."""
    assert evidence.gate is not None
    page = render(evidence._replace(gate=evidence.gate | {"comparison": None}))
    assert "The gate compared with no champion" in words_of(page)


def test_a_look_that_measured_no_drift(evidence: Evidence) -> None:
    """It is said, and nothing is drawn."""
    rule = {"name": "drift", "value": None, "verdict": "unknown", "words": "few"}
    look = {"version": "1.0.0", "looked_at": "2019-10-18T00:00:00Z", "predictions": 7, "in_training": 0}
    page = render(evidence._replace(monitor=look | {"judgements": [rule]}))
    assert "That look could not measure drift" in words_of(page)


def test_a_look_at_training_bars(evidence: Evidence) -> None:
    """It is said how many predictions are no live ones."""
    look = {"version": "1.0.0", "looked_at": "2019-10-18T00:00:00Z", "predictions": 0, "in_training": 720}
    page = words_of(render(evidence._replace(monitor=look | {"judgements": []})))
    assert "0 predictions with an outcome; 720 more are left out, the model was fitted on their bars" in page
