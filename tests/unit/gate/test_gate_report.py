"""The gate's report: one sentence, a line for every rule, what the scores mean, and what the metadata keep."""

import pytest

from src.gate import compare_report
from src.gate.gate_report import headline, markdown, summary
from src.verdict.finding import Finding, overall

F1 = Finding("weighted F1", 0.7, 0.6, "passed", "0.7, at least 0.6 is asked")
LEAKS = Finding("leaks", 1.0, 0.0, "failed", "not so: batch and stream agree (40 rows)")
SIZE = Finding("model file, MB", 6.0, 5.0, "failed", "6, at most 5 is asked")
LUCK = Finding("deflated Sharpe ratio", 0.4, None, "told", "a probability of 40%")
AGE = Finding("age", None, None, "off", "the source is not live")
BARS = Finding("bars", None, None, "unknown", "reports/data_quality.json: cannot be read")
WINDOW = {"n_bars": 1_234, "first_open": "2020-01-01T00:00:00Z", "last_open": "2020-02-21T09:00:00Z"}
IN_WORDS = ["Skill: Brier skill +0.060.", "It never traded."]
COMPARISON = {
    "champion": {"revision": "HEAD", "commit": "0123456789abcdef"},
    "common": WINDOW,
    "differences": {
        "brier_skill": {"champion": 0.05, "challenger": 0.07, "difference": 0.02, "interval": [-0.01, 0.05]}
    },
    "mcnemar": {"only_champion_right": 3, "only_challenger_right": 7, "p_value": 0.34375},
    "by_fold": [],
    "by_regime": [],
    "since_training": None,
}


def report(*judgements, comparison=None, in_words=IN_WORDS):
    """A report of these judgements."""
    return {
        "verdict": overall(judgements),
        "judged_at": "2026-01-04T12:30:00Z",
        "candidate": "sha256:00ff",
        "judgements": [judgement.kept() for judgement in judgements],
        "in_words": in_words,
        "comparison": comparison,
    }


def table(text):
    """The lines of the rules' table."""
    return text[text.index("| rule |") : text.index("\n\n## What the scores mean")].splitlines()


@pytest.mark.parametrize(
    ("judgements", "words"),
    [
        pytest.param([F1, F1], "Promote: 2 rules passed.", id="yes"),
        pytest.param([F1, LUCK, AGE, LUCK], "Promote: 1 rules passed (2 told, 1 off).", id="yes, of those that ask"),
        pytest.param([LUCK, AGE], "Not promoted: 0 of 0 rules unknown. No rule passed.", id="nothing asked"),
        pytest.param(
            [F1, SIZE, BARS],
            "Not promoted: 1 of 3 rules failed. model file, MB: 6, at most 5 is asked.",
            id="no, whatever is unknown",
        ),
        pytest.param(
            [LEAKS, F1, SIZE],
            "Not promoted: 2 of 3 rules failed. leaks: not so: batch and stream agree (40 rows); "
            "model file, MB: 6, at most 5 is asked.",
            id="no twice",
        ),
        pytest.param(
            [F1, BARS],
            "Not promoted: 1 of 2 rules unknown. bars: reports/data_quality.json: cannot be read.",
            id="unknown",
        ),
    ],
)
def test_the_headline_says_which_rules_decided(judgements, words):
    """Those of the verdict, with what they found; no other."""
    assert headline(report(*judgements)) == words


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param("train would run.", "train would run.", id="full stop"),
        pytest.param("a sentence. Another...", "a sentence. Another.", id="full stops"),
        pytest.param("one\ntwo", "one two.", id="lines"),
        pytest.param("one\n\n# Promote: 2 rules passed.\n", "one # Promote: 2 rules passed.", id="heading"),
    ],
)
def test_the_headline_is_one_sentence_on_one_line(words, said):
    """Whatever an error says, it makes no Markdown of its own, and one full stop ends it."""
    found = report(F1, BARS._replace(words=words))
    assert headline(found) == f"Not promoted: 1 of 2 rules unknown. bars: {said}"
    assert [line for line in markdown(found).splitlines() if line.startswith("#")] == [
        "# Gate",
        "## What the scores mean",
    ]


def test_without_words_on_the_scores_there_is_no_heading():
    """The table ends the report."""
    text = markdown(report(F1, in_words=[]))
    assert "What the scores mean" not in text
    assert text.endswith("| weighted F1 | passed | 0.7, at least 0.6 is asked |\n")


def test_the_report_has_a_line_for_every_rule():
    """A title, the headline, the table, and what the scores mean; without a champion nothing follows."""
    text = markdown(report(F1, LEAKS, BARS))
    assert text == (
        "# Gate\n\n"
        "Not promoted: 1 of 3 rules failed. leaks: not so: batch and stream agree (40 rows).\n\n"
        "| rule | result | because |\n"
        "|---|---|---|\n"
        "| weighted F1 | passed | 0.7, at least 0.6 is asked |\n"
        "| leaks | **failed** | not so: batch and stream agree (40 rows) |\n"
        "| bars | **unknown** | reports/data_quality.json: cannot be read |\n\n"
        "## What the scores mean\n\n"
        "- Skill: Brier skill +0.060.\n"
        "- It never traded.\n"
    )


@pytest.mark.parametrize(
    ("words", "cell"),
    [
        pytest.param("close | volume", r"close \| volume", id="bar"),
        pytest.param("||", r"\|\|", id="bars only"),
        pytest.param("one\ntwo", "one two", id="newline"),
        pytest.param(
            "params.yaml line 3: wrong\n       line 4: wrong", "params.yaml line 3: wrong line 4: wrong", id="lines"
        ),
        pytest.param("one\r\n\n| two |\n|---|", r"one \| two \| \|---\|", id="a table"),
        pytest.param("  tab\tand space  ", "tab and space", id="blanks"),
    ],
)
def test_words_do_not_break_the_table(words, cell):
    """Whatever an error says, it stays in its cell."""
    lines = table(markdown(report(F1, BARS._replace(words=words), F1)))
    assert lines[3] == f"| bars | **unknown** | {cell} |"
    assert [line.replace(r"\|", "").count("|") for line in lines] == [4] * 5


def test_the_comparison_stands_below_the_rules(monkeypatch):
    """With the champion's name and the scores of both."""
    monkeypatch.setattr(compare_report, "_dvc_diff", lambda kind, commit: f"{kind} since {commit}\n")
    text = markdown(report(F1, comparison=COMPARISON))
    alone = markdown(report(F1))
    assert text.startswith(f"{alone}\n## The work tree against HEAD (0123456)\n")
    compared = text.removeprefix(alone)
    assert "1,234 bars that both forecast out of fold, 2020-01-01 to 2020-02-21." in compared
    assert "| 0.0500 | 0.0700 | +0.0200 | -0.0100 to +0.0500 |" in compared
    assert "params since 0123456789" in compared


def test_the_metadata_keep_verdict_moment_and_numbers():
    """Every rule's number by its name; what had none has none."""
    assert summary(report(F1, BARS, SIZE)) == {
        "verdict": "no",
        "judged_at": "2026-01-04T12:30:00Z",
        "values": {"weighted F1": 0.7, "bars": None, "model file, MB": 6.0},
    }


@pytest.fixture
def dvc(tmp_path, monkeypatch):
    """A function that puts a shell script in the place of DVC."""

    def replace(script):
        program = tmp_path / "dvc"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setattr(compare_report, "DVC", (str(program),))

    return replace


@pytest.mark.parametrize(
    ("script", "words"),
    [
        pytest.param('echo "$@"', "params diff --md 0123456789\n", id="table"),
        pytest.param("true", "nothing\n", id="no difference"),
        pytest.param("echo", "nothing\n", id="empty line"),
        pytest.param(
            "echo half a table; echo ERROR: unknown revision >&2; echo; echo >&2 ask somebody; exit 255",
            "not to be had: ERROR: unknown revision ask somebody\n",
            id="failing",
        ),
    ],
)
def test_what_dvc_says_of_the_difference(script, words, dvc):
    """As it prints it; where it fails, its words on one line, and the report is written all the same."""
    dvc(script)
    text = markdown(report(F1, comparison=COMPARISON))
    section = text[text.index("`dvc params diff`") : text.index("`dvc metrics diff`")]
    assert section == f"`dvc params diff`\n\n{words}\n"
