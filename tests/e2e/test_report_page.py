"""The report page in a real browser, opened from disk as a reader would."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from src.evaluation.score_report import COLUMNS, verdict
from src.policy import Policy
from tests import browser as browsers
from tests.browser import Opened, opened, wait_until
from tests.checkouts import Checkout

# A layout depends on the width, a contrast on the scheme.
VIEWS = [(360, "light"), (768, "light"), (1280, "light"), (360, "dark")]
CHARTS = {"auc", "lead", "equity", "calibration", "folds", "thirds", "importance", "drift"}
HOSTILE = "<img src=x onerror=alert(1)>"
WIDER_THAN_THE_PAGE = "document.documentElement.scrollWidth - innerWidth"
# Of every chart: the marks that have a size, and the words that stick out of the drawing.
DRAWN = """() => Object.fromEntries([...document.querySelectorAll("[data-chart]")].map((place) => {
  const frame = place.querySelector("svg").getBoundingClientRect();
  const marks = [...place.querySelectorAll("g[class*=layer_] path, g[class*=marks] path, g[class*=marks] line")];
  const seen = marks.filter((mark) => { const box = mark.getBoundingClientRect(); return box.width + box.height > 0; });
  const words = [...place.querySelectorAll("text")].filter((word) => getComputedStyle(word).opacity !== "0");
  const out = words.filter((word) => {
    const box = word.getBoundingClientRect();
    const over = [frame.left - box.left, box.right - frame.right, frame.top - box.top, box.bottom - frame.bottom];
    return Math.max(...over) > 1;
  });
  return [place.dataset.chart, {marks: seen.length, out: out.map((word) => word.textContent), width: frame.width}];
}))"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for all tests."""
    with browsers.running() as running:
        yield running


@pytest.fixture(scope="module")
def looked_at(reproduced: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A reproduced repository whose model was looked at, and its page."""
    checkout = reproduced.copy(tmp_path_factory.mktemp("page") / "repository")
    log = str(checkout.root / "logs" / "bot.jsonl")
    checkout.run("python", "-m", "src", "predict", "data/sample/btcusd_1h.parquet", "--log", log)
    checkout.run("python", "-m", "src", "monitor", log)
    assert json.loads(checkout.run("python", "-m", "src", "report", "--json")) == {"page": "reports/index.html"}
    return checkout


@pytest.fixture(scope="module")
def file(looked_at: Checkout) -> Path:
    """The page."""
    return looked_at.root / "reports" / "index.html"


@pytest.fixture
def wide(browser: Browser, file: Path) -> Iterator[Opened]:
    """The page on a screen."""
    found = opened(browser, file)
    yield found
    found.page.close()


@pytest.mark.parametrize(("width", "scheme"), VIEWS)
def test_it_is_drawn_and_anyone_can_use_it(browser: Browser, file: Path, width: int, scheme: str) -> None:
    """No word on the console, no request but the file, nothing sticks out, nothing shuts people out that axe knows."""
    page, said, asked = opened(browser, file, width=width, scheme=scheme)
    drawn = page.evaluate(DRAWN)
    assert (said, asked) == ([], [file.as_uri()])
    assert page.evaluate(WIDER_THAN_THE_PAGE) <= 0
    assert set(drawn) == CHARTS
    assert {name: chart["out"] for name, chart in drawn.items() if chart["out"]} == {}
    assert [name for name, chart in drawn.items() if chart["marks"] < 2 or chart["width"] < 200] == []
    page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
    assert page.evaluate(WIDER_THAN_THE_PAGE) <= 0
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.close()


def test_charts_are_drawn_in_the_colours_of_the_scheme(wide: Opened) -> None:
    """They follow the page without being drawn again; words in a chart can be read in both."""
    ink = "getComputedStyle(document.querySelector('.chart .role-axis-label text')).fill"
    light = wide.page.evaluate(ink)
    wide.page.emulate_media(color_scheme="dark")
    assert (light, wide.page.evaluate(ink)) == ("rgb(89, 97, 107)", "rgb(160, 168, 177)")


def test_a_chart_follows_its_window(wide: Opened) -> None:
    """From a screen to a phone, without being loaded again."""
    wide.page.set_viewport_size({"width": 360, "height": 800})
    wait_until(wide.page, "document.querySelector('.chart svg').getBoundingClientRect().width < 330")
    assert wide.page.evaluate(WIDER_THAN_THE_PAGE) <= 0
    assert {name: chart["out"] for name, chart in wide.page.evaluate(DRAWN).items() if chart["out"]} == {}


def test_its_numbers_are_those_of_the_metrics(wide: Opened, looked_at: Checkout, params: Policy) -> None:
    """Formatted as in the README: three digits, infinite as inf; the verdict word by word."""
    metrics = json.loads((looked_at.root / "reports" / "metrics.json").read_text())
    forecasts = {**metrics["baselines"], **metrics["members"], "ensemble": metrics["ensemble"]}
    shown = [row.all_inner_texts() for row in _rows(wide.page, "Scores out of fold")]
    cells = [[re.split(r"\s*\n\s*", cell) for cell in row] for row in shown]
    assert [row[0][0] for row in cells] == [name.replace("_", " ") for name in forecasts]
    for row, (name, scores) in zip(cells, forecasts.items(), strict=True):
        ends = metrics["intervals"]["scores"][name]
        expected = [
            ["inf"] if scores[key] is None else [f"{scores[key]:.3f}", f"{ends[key][0]:.3f} to {ends[key][1]:.3f}"]
            for key in COLUMNS
        ]
        assert row[1:] == expected
    assert wide.page.locator(".verdict li").all_inner_texts() == verdict(metrics, params.gate.f1_score_min)


def _rows(page: Page, caption: str) -> list:
    """The cells of every row of a table's body, by the beginning of its caption."""
    body = page.locator("table", has=page.locator("caption", has_text=caption)).locator("tbody tr")
    return [body.nth(number).locator("th, td") for number in range(body.count())]


def test_the_keyboard_reaches_all_of_it(browser: Browser, file: Path) -> None:
    """First the link that skips to the report, then whatever scrolls, which the arrow keys move."""
    page = opened(browser, file, width=360).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the report"
    assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    n_wide, reached = page.locator(".wide").count(), set()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('wide')"):
            reached.add(page.evaluate("document.activeElement.getAttribute('aria-label')"))
            if len(reached) == 1:
                page.keyboard.press("ArrowRight")
                wait_until(page, "document.activeElement.scrollLeft > 0")
    assert len(reached) == n_wide > 3
    page.close()


def test_what_is_missing_is_said(browser: Browser, reproduced: Checkout, tmp_path: Path) -> None:
    """Without gate, look and promotion the page names the commands; what a parameter says is only text."""
    checkout = reproduced.copy(tmp_path / "repository")
    for name in ("reports/gate.json", "models/production/production_model_metadata.json"):
        (checkout.root / name).unlink()
    checkout.set_params({("data", "symbol"): HOSTILE})
    assert checkout.repro() == ["fetch"]
    checkout.run("python", "-m", "src", "report")
    page, said, asked = opened(browser, checkout.root / "reports" / "index.html", width=360)
    words = page.locator("main").inner_text()
    for missing in ("The gate was not asked yet", "No comparison was made yet", "No look at the model at work"):
        assert missing in words
    assert "No model was promoted yet" in words
    assert page.locator("h1").inner_text() == f"{HOSTILE}, 1h: report on the candidate"
    assert (said, len(asked), page.locator("img").count()) == ([], 1, 0)
    assert page.evaluate(WIDER_THAN_THE_PAGE) <= 0
    assert Axe().run(page).violations_count == 0
    page.close()


def test_without_the_pipeline_there_is_no_page(reproduced: Checkout, tmp_path: Path) -> None:
    """Scores of another model than the one at hand would be worse than none."""
    checkout = reproduced.copy(tmp_path / "repository")
    checkout.set_params({("ensemble", "decision_threshold"): 0.4})
    said = checkout.run("python", "-m", "src", "report", expect=2)
    assert "expected an up-to-date pipeline" in said
    assert "`dvc repro`" in said
    assert not (checkout.root / "reports" / "index.html").exists()


def test_without_a_browser_the_words_say_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a failure; a test that is skipped proves nothing."""
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(pytest.fail.Exception, match="`make browser` installs one"):
        browsers.find_browser()
