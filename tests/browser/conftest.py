"""Pages opened in a real Chromium: what it says on its console is collected, and axe-core is run on what it shows."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="package")
def chromium() -> Iterator[Any]:
    """One browser for all tests of this folder; it ends with the folder, for its event loop is in others' way."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is installed")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def browser_page(chromium: Any) -> Iterator[Callable[..., Any]]:
    """Opens pages; at the end, nothing may have been complained about on the console of any.

    `open(url, width=1280, theme="light", allowed=())` takes an address or a path; `allowed` are parts of messages that
    are none of ours. Gives Playwright's page.
    """
    contexts, said = [], []

    def opened(url: str | Path, *, width: int = 1280, theme: str = "light", allowed: Sequence[str] = ()) -> Any:
        contexts.append(chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=theme))
        page = contexts[-1].new_page()

        def collect(text: str) -> None:
            if not any(part in text for part in allowed):
                said.append(text)

        page.on("console", lambda m: collect(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: collect(str(error)))
        page.goto(url.resolve().as_uri() if isinstance(url, Path) else url)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert said == []


def violations(page: Any, *, within: str | None = None) -> list[str]:
    """What axe-core finds wrong with a page, or with a part of it, for people who see, hear or move otherwise."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    return [
        f"{found['id']}: {len(found['nodes'])} nodes, first {found['nodes'][0]['target']}"
        for found in axe.run(page, context=within).response["violations"]
    ]


def sideways(page: Any) -> int:
    """Pixels by which the page is wider than its window: 0 where nothing scrolls sideways."""
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
