"""The site, opened as readers open it. One lesson is built, without executing it, or CNNVIZ_SITE names a built one."""

from __future__ import annotations

import functools
import http.server
import os
import subprocess
import sys
import threading
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.browser.conftest import sideways, violations

ROOT = Path(__file__).parent.parent.parent
NEEDED = ("sphinx", "myst_nb", "pydata_sphinx_theme", "sphinx_design", "sphinx-mathjax-offline")
AXE = "Failed to load resource"
"""axe-core asks for the theme's style sheets once more, and for one of them in the wrong folder."""


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    """The folder of the built site."""
    if given := os.environ.get("CNNVIZ_SITE"):
        return Path(given)
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        pytest.skip(f"{', '.join(missing)} is not installed: the site is built with the extra [site]")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "site/make.py", "--no-execute", "--check", "--lessons", "11", "--to", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr  # no warning, no broken link, no answer
    return folder / "html"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def address(html):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(html)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def site(browser_page, address):
    """Opens a page of the site; everything that it asks for must be there, and on this machine."""
    asked = []

    def opened(page_name, **options):
        page = browser_page("about:blank", **options)
        page.on("response", lambda response: asked.append((response.status, response.url)))
        page.goto(f"{address}/{page_name}", wait_until="networkidle")
        assert [one for one in asked if one[0] >= 400 or not one[1].startswith((address, "data:", "about:"))] == []
        return page

    return opened


@pytest.mark.parametrize(
    ("name", "width", "theme"),
    [
        ("index.html", 1280, "light"),
        ("index.html", 390, "dark"),
        ("lessons/11_grad_cam.html", 390, "dark"),
        ("reference/grad_cam.html", 1280, "light"),
        ("docs/localisation.html", 390, "light"),
        ("docs/conventions.html", 1280, "dark"),
    ],
)
def test_a_page_is_accessible_and_fits_its_window(site, name, width, theme):
    page = site(name, width=width, theme=theme, allowed=[AXE])
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    assert sideways(page) == 0
    assert violations(page) == []


def test_search_finds_a_method_by_its_name_and_leads_there(site):
    page = site("search.html?q=Grad-CAM")
    found = page.locator("#search-results ul.search li a")
    found.first.wait_for()
    assert "Grad-CAM" in " ".join(found.all_inner_texts())
    page.get_by_role("link", name="Grad-CAM: where does the network see a class?").first.click()
    page.wait_for_url("**/lessons/11_grad_cam.html*")


def test_formulas_are_drawn(site):
    page = site("lessons/11_grad_cam.html")
    page.locator("mjx-container").first.wait_for()
    assert page.locator("mjx-container").count() > 30
    assert page.locator("mjx-merror, mjx-container .merror").count() == 0
    assert page.locator("text=/\\\\\\\\[([]/").count() == 0  # nothing is left as it was written


def test_the_front_page_can_be_asked_where_a_class_is(site):
    page = site("index.html", width=390)
    page.get_by_label("tripod").check()
    shown = [one for one in page.locator(".asked").all() if one.is_visible()]
    assert ["tripod" in one.inner_text() for one in shown] == [True]


def test_a_lesson_shows_the_stub_where_the_solution_was(site):
    page = site("lessons/11_grad_cam.html")
    cells = page.locator(".tag_cnnviz-exercise")
    assert cells.count() == 5
    assert all("raise NotImplementedError" in text for text in cells.all_inner_texts())
