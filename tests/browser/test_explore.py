"""`cnnviz explore` as a reader uses it: a knob is turned with the keyboard, and another picture is there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser.conftest import sideways, violations

PICTURE = "#answer figure img"


@pytest.fixture(scope="module")
def address(chromium, tmp_path_factory):
    """Where the page is, on the digit network, whose maps take a moment."""
    command = [sys.executable, "-m", "autograder.cli", "explore", "--no-browser", "--photo", "digit"]
    command += ["--model", "digit_net", "--method", "occlusion"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path_factory.mktemp("explore"))
    yield process.stdout.readline().strip()
    process.terminate()
    process.communicate(timeout=30)


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_a_turned_knob_shows_another_picture(browser_page, address, width, theme):
    from playwright.sync_api import expect

    page = browser_page("about:blank", width=width, theme=theme)
    page.set_default_timeout(120_000)  # its first picture waits for torch and the network
    elsewhere = []
    page.on("request", lambda one: one.url.startswith(("http://127.0.0.1:", "data:")) or elsewhere.append(one.url))
    page.goto(address)
    assert "token" not in page.url
    before = page.locator(PICTURE).get_attribute("src")
    page.get_by_label("window", exact=True).focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(PICTURE)).not_to_have_attribute("src", before, timeout=120_000)
    assert page.get_by_label("window", exact=True).get_attribute("aria-valuetext") == "1/6 of the side"
    assert page.evaluate("document.activeElement.id") == "window"
    page.get_by_label("method", exact=True).select_option("grad_cam")
    page.get_by_label("layer", exact=True).wait_for()
    page.get_by_label("layer", exact=True).fill("features.blok")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    assert "did you mean 'features.block" in page.get_by_role("alert").inner_text()
    assert violations(page) == []
    assert sideways(page) == 0
    assert elsewhere == []
    if folder := os.environ.get("CNNVIZ_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"explore_{theme}.png", full_page=True)
