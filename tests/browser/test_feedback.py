"""The feedback page in a real Chromium: both themes, phone width, keyboard, colour-blind eyes, names of all kinds."""

import io

import numpy as np
import pytest
from PIL import Image

from autograder.core.verdict import FAILED, Row
from autograder.course import registry
from autograder.feedback.class_pages import make_index, make_pages
from autograder.feedback.student_page import Sheet, section_of
from autograder.feedback.student_page import page as page_of
from autograder.report import pages
from tests.autograder.feedback.wrong import results
from tests.browser.conftest import sideways, violations

NAMES = ("김민준, 서연", "محمد بن عبد الله", "O'Neil 👩‍👩‍👧")


@pytest.fixture(scope="module")
def class_pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    made = list(make_pages([r for name in NAMES for r in results(name)], folder))
    make_index(made, folder)
    return {each.student: each.path for each in made} | {"index": folder / "index.html"}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", [NAMES[0], "index"])
def test_the_page_is_for_everybody(browser_page, class_pages, name, width, theme):
    page = browser_page(class_pages[name], width=width, theme=theme)
    assert violations(page) == []
    assert sideways(page) == 0


@pytest.mark.parametrize("name", NAMES)
def test_names_of_all_kinds_stand_there_as_they_are(browser_page, class_pages, name):
    page = browser_page(class_pages[name])
    assert page.locator("header bdi").inner_text() == name


def test_the_keyboard_reaches_what_failed_and_shows_where_it_is(browser_page, class_pages):
    page = browser_page(class_pages[NAMES[0]])
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#grad_cam.capture"


def test_the_index_leads_to_the_pages(browser_page, class_pages):
    page = browser_page(class_pages["index"])
    page.get_by_role("link", name="11_grad_cam").first.click()
    assert page.title().startswith("Grad-CAM: ")


def test_on_paper_it_is_dark_on_white(browser_page, class_pages):
    page = browser_page(class_pages[NAMES[0]], theme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(29, 35, 48)"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_a_formula_wider_than_a_phone_shows_on_which_side_there_is_more(browser_page, tmp_path):
    exercise = registry.exercise("deeplift.revealcancel_multipliers")
    section = section_of(exercise, [Row(exercise.id, "values: any", FAILED, 1)])
    path = tmp_path / "page.html"
    pages.write(path, page_of(Sheet("Formulas", "ann", 0, 1, [section])))
    shown = browser_page(path, width=390).locator(".formula")

    def edges():
        grey = np.asarray(Image.open(io.BytesIO(shown.screenshot())).convert("L")).max(axis=0).astype(int)
        return grey[1] < grey[60:-60].max() - 20, grey[-2] < grey[60:-60].max() - 20

    assert edges() == (False, True)
    shown.evaluate("box => box.scrollLeft = (box.scrollWidth - box.clientWidth) / 2")
    assert edges() == (True, True)
    shown.evaluate("box => box.scrollLeft = box.scrollWidth")
    assert edges() == (True, False)
