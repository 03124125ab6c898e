"""A real browser without a screen, that notes all that a page does and must not do."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

#: Names under which systems have Chromium.
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--no-first-run"),
)


@contextmanager
def chromium() -> Iterator[Any]:
    """Start the system's Chromium; skip the test where it or playwright is missing."""
    driver = pytest.importorskip("playwright.sync_api", reason="playwright drives the browser")
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        pytest.skip("needs Chromium on the PATH")
    with driver.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        yield browser
        browser.close()


class Opened:
    """A page in a file, opened in a browser.

    Attributes:
        page: The page, of playwright.
        faults: Errors and warnings of its console, and requests that leave its folders.
    """

    def __init__(self, browser: Any, file: Path, **options: Any) -> None:
        self.faults: list[str] = []
        self._results = file.resolve().parents[1].as_uri()
        self.page = browser.new_page(viewport={"width": 1280, "height": 800}, **options)
        self.page.on("console", lambda message: self.faults.append(message.text))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", self._take_request)
        self.page.on("requestfailed", lambda request: self.faults.append(f"failed: {request.url}"))
        self.page.goto(file.resolve().as_uri())

    def _take_request(self, request: Any) -> None:
        if not request.url.startswith((self._results, "blob:")):
            self.faults.append(f"asked for: {request.url}")

    def names(self) -> list[str]:
        """Return the names of the studies in view, in their order, once the page has drawn them."""
        for _ in range(5):
            self.page.evaluate("new Promise(requestAnimationFrame)")
        cards = self.page.locator(".card")
        placed = cards.evaluate_all(
            "cards => cards.map(c => [+c.id.split('-')[1], c.querySelector('.name').textContent])"
        )
        return [name for _, name in sorted(placed)]

    def choose(self, control: str, text: str) -> None:
        """Choose what begins with a text in a list of the page."""
        found = self.page.locator(f"select[name={control}] option").all_text_contents()
        label = next(option for option in found if option.startswith(text))
        self.page.select_option(f"select[name={control}]", label=label)

    def wait_for(self, selector: str, text: str) -> None:
        """Wait until an element shows a text; the page's policy lets playwright poll nothing."""
        self.page.locator(selector, has_text=text).first.wait_for()

    @property
    def counts(self) -> str:
        """What the page says about the number of studies."""
        return str(self.page.locator("#counts").text_content())
