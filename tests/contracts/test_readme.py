"""README is short, what it says was measured, was, and its translation says the same."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from src.base import paths
from src.evaluation.score_report import COLUMNS, verdict
from src.policy import Policy
from tests.bench.table import table_lines
from tests.checkouts import Checkout
from tests.documents import DOCUMENTS, FEED, blocks, bot
from tests.proof.table import table_lines as proof_lines
from tests.warm.programs import environment

README = DOCUMENTS["README.md"]


@pytest.fixture(scope="module")
def workspace(promoted: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A repository with few bars and a promoted model, its environment in place, nothing reproduced yet."""
    checkout = promoted.copy(tmp_path_factory.mktemp("readme") / "repository")
    environment(checkout.root)
    checkout.run("git", "clean", "-dfX", "--quiet", "--exclude", "!.venv", "data", "models", "reports", ".dvc/cache")
    return checkout


def test_make_repro_shows_the_scores(workspace: Checkout) -> None:
    """One command runs the stages, a line each, and ends with the table, a verdict and where to look next."""
    output = workspace.run("make", "repro")
    for stage in ("fetch", "featurize", "train_lgbm", "train_xgb", "train_rf", "ensemble", "evaluate"):
        assert f"\n{stage}: " in output
    assert re.search(r"ensemble +0\.\d{3}", output)
    assert "Weighted F1" in output
    assert "dvc plots show" in output


def test_the_bot_runs_and_goes_on_after_a_restart(reproduced: Checkout, bars: pd.DataFrame, tmp_path: Path) -> None:
    """Killed after 505 bars and started again, it sends the signals of a bot that was never stopped."""
    feed = bars.tail(510).reset_index().to_json(orient="records", date_format="iso")
    stopped, never = (reproduced.copy(tmp_path / name) for name in ("stopped", "never"))
    signals = []
    for n_bars in (505, 510):
        signals += stopped.python(FEED.format(feed=feed, n_bars=n_bars) + bot()).splitlines()
    never_stopped = never.python(FEED.format(feed=feed, n_bars=510) + bot()).splitlines()
    assert signals == never_stopped
    assert len(signals) == 11


def test_the_bot_has_twelve_lines() -> None:
    """Short enough to be read."""
    assert len([line for line in bot().splitlines() if line]) <= 12


def test_the_bench_table_is_that_of_the_last_run() -> None:
    """The figures are those that `make bench` wrote down."""
    lines = table_lines(json.loads((paths.REPORTS / "bench.json").read_text())["results"])
    assert "\n".join(lines) in DOCUMENTS["docs/serve.md"]


def test_the_proof_table_is_that_of_the_last_run() -> None:
    """The counts are those that `make proof` wrote down."""
    lines = proof_lines(json.loads((paths.REPORTS / "proof.json").read_text())["results"])
    assert "\n".join(lines) in DOCUMENTS["docs/gate.md"]


def test_the_table_is_that_of_the_metrics() -> None:
    """The figures are those of reports/metrics.json, the baselines first."""
    metrics = json.loads(paths.METRICS.read_text())
    forecasts = {**metrics["baselines"], **metrics["members"], "ensemble": metrics["ensemble"]}
    rows = [
        [cell.strip(" *") for cell in line.split("|")[1:-1]] for line in README.splitlines() if line.startswith("| ")
    ]
    table = {cells[0]: cells[1:] for cells in rows if len(cells) == 1 + len(COLUMNS)}
    del table["forecast"]
    assert list(table) == [name.replace("_", " ") for name in forecasts]
    for name, scores in forecasts.items():
        expected = ["inf" if scores[key] is None else f"{scores[key]:.3f}" for key in COLUMNS]
        assert table[name.replace("_", " ")] == expected


def test_the_verdict_is_that_of_the_metrics(params: Policy) -> None:
    """What the terminal says of the scores stands here in the same words."""
    text = " ".join(README.replace("**", "").split())
    for sentence in verdict(json.loads(paths.METRICS.read_text()), params.gate.f1_score_min):
        assert sentence in text


def test_the_window_and_the_counts_are_those_of_the_metrics() -> None:
    """The sentence above the table states the rows, the dates and the base rate."""
    metrics = json.loads(paths.METRICS.read_text())
    text = " ".join(README.split())
    assert f"{metrics['n_samples']:,} of them scored, " in text
    assert f"{metrics['window']['first_open'][:10]} to {metrics['window']['last_open'][:10]}" in text
    assert f"{metrics['base_rate']:.1%} of them are a rise".replace("%", " %") in text


def test_readme_is_short() -> None:
    """A screen or two; the rest stands in the guides."""
    assert len(README.splitlines()) <= 100


def _commands(document: str) -> list[tuple[str, str, list[str]]]:
    """What the blocks of a document do; a comment may be in another language."""
    return [
        (block.note, block.language, [re.sub(r"\s+# .*", "", line) for line in block.text.splitlines()])
        for block in blocks(document)
    ]


def test_the_translation_has_the_same_blocks() -> None:
    """Command by command, so that running those of one runs both."""
    assert _commands("README.ja.md") == _commands("README.md")


@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        ("figures", r"[-+]?\d+\.\d+|\d{4}-\d\d-\d\d|\d{1,3}(?:,\d{3})+"),
        ("links", r"\]\(([^)]*\.md|LICENSE|https?:[^)]*)\)"),
        ("sections", r"^##(?= )"),
        ("code in the text", r"`[^`\n]+`"),
        ("table rows", r"^\|.*\|$"),
    ],
)
def test_the_translation_has_the_same(what: str, pattern: str) -> None:
    """Figures, links, sections: what can be compared without knowing both languages."""
    ours, theirs = (
        sorted(re.findall(pattern, DOCUMENTS[name], re.MULTILINE)) for name in ("README.md", "README.ja.md")
    )
    assert ["README.md" if found == "README.ja.md" else found for found in ours] == theirs, what
    assert len(ours) > 3
