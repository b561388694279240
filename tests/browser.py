"""A headless Chromium, as the reader of a page."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page, Request, sync_playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_browser() -> str:
    """Return where the browser is; a machine without one fails the tests that need it, it does not skip them."""
    for program in PROGRAMS:
        if found := shutil.which(program):
            return found
    pytest.fail(f"expected a browser on the path, one of {', '.join(PROGRAMS)}; `make browser` installs one on Debian")


@contextmanager
def running() -> Iterator[Browser]:
    """Run a browser of its own, without a profile; its notes of crashes go with it."""
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), env=os.environ | {"HOME": home})
        yield browser
        browser.close()


class Opened(NamedTuple):
    """A page, what it wrote to the console or threw, and all that it asked for."""

    page: Page
    said: list[str]
    asked: list[str]


def opened(browser: Browser, file: Path, *, width: int = 1280, scheme: str = "light") -> Opened:
    """Open a file from disk and wait until its charts are drawn."""
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    found = Opened(page, [], [])
    page.on("console", lambda message: found.said.append(message.text))
    page.on("pageerror", lambda error: found.said.append(str(error)))
    page.on("request", lambda request: _note(request, found))
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-drawn]", state="attached")
    return found


def wait_until(page: Page, expression: str, timeout_s: float = 10.0) -> None:
    """Ask until it is true; Playwright's own way makes code from text, which the page's policy forbids."""
    end = time.monotonic() + timeout_s
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"{expression} did not become true"
        page.wait_for_timeout(50)


def _note(request: Request, found: Opened) -> None:
    found.asked.append(request.url)
