"""The cohort page in a real browser: sorted, searched, walked through by keys, in both themes and on a phone."""

import pytest

from autograder.cohort import cohort_page
from autograder.core.verdict import FAILED, PASSED
from tests.autograder.cohort.classroom import NAMES, SECRET, a_term, course, known, raised, result

from .conftest import sideways, violations

FIRST = [("ann", PASSED), ("김민수", FAILED), ("محمد", PASSED)]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Three students, counted at a glance: ann 11, محمد 5, 김민수 2 points."""
    path = tmp_path_factory.mktemp("small") / "class.html"
    results = [
        result("ann", "m1.f1", PASSED), result("ann", "m1.f2", PASSED), result("ann", "m1.q1", PASSED),
        result("김민수", "m1.f1", FAILED, known(0)),
        result("김민수", "m1.f2", FAILED, raised("<b>no</b>"), passed=(1,)),
        result("محمد", "m1.f1", PASSED), result("محمد", "m1.f2", FAILED, known(2)),
    ]  # fmt: skip
    path.write_text(cohort_page(results, course(), secret=SECRET), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A course of 200 exercises and predictions, and a class of 60."""
    path, lessons = tmp_path_factory.mktemp("large") / "class.html", course(40, 4, 1)
    path.write_text(cohort_page(a_term(lessons, 60), lessons, secret=SECRET), encoding="utf-8")
    return path


def names(page) -> list[str]:
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return page.locator("#names bdi:visible").all_inner_texts()


def detail(page) -> str:
    return page.locator("#detail").inner_text()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_of_a_large_course_is_open_to_everybody(browser_page, large, theme, width):
    page = browser_page(large, theme=theme, width=width)
    page.locator("#as-text summary").click()
    page.locator("details.group summary").first.click()
    page.locator("#map").focus()
    assert violations(page) == []
    assert sideways(page) == 0


def test_students_are_put_in_order_and_found(browser_page, small):
    page = browser_page(small)
    assert names(page) == ["ann", "محمد", "김민수"]
    page.select_option("#order", "up")
    assert names(page) == ["김민수", "محمد", "ann"]
    page.select_option("#order", "name")
    assert names(page) == ["ann", "محمد", "김민수"]
    page.fill("#find", "김")
    assert names(page) == ["김민수"]
    assert page.locator("#found").inner_text() == "1 of 3 students"
    page.fill("#find", "nobody")
    assert names(page) == []


def test_keys_walk_through_the_map_and_what_is_there_is_said_in_words(browser_page, small):
    page = browser_page(small)
    page.locator("#map").focus()
    page.keyboard.press("Control+End")
    page.keyboard.press("ArrowLeft")
    assert "김민수, 2 of 11 points in all" in detail(page)
    assert "01 Method 1, exercise 2: Step 2 of method 1: failed, 2 of 5 points." in detail(page)
    assert "<b>no</b>" in detail(page)
    cell = page.locator(f"#{page.locator('#map').get_attribute('aria-activedescendant')}")
    assert cell.get_attribute("role") == "gridcell"
    assert "김민수, 01 Method 1, exercise 2" in cell.text_content()
    page.keyboard.press("Home")
    assert "You summed ∂y^c/∂A" in detail(page)
    page.keyboard.press("Control+Home")
    assert "ann, 11 of 11 points in all" in detail(page)


def test_pointing_at_a_cell_tells_and_a_click_keeps_it(browser_page, small):
    page = browser_page(small)
    box = page.locator("#map").bounding_box()
    wide = page.evaluate("wide")
    place = {"x": wide + 1 + 9 + 18, "y": 1 + 38 + 18 + 9}  # second student, second exercise
    page.locator("#map").hover(position=place)
    assert "محمد, 5 of 11" in detail(page)
    assert "You left out the ReLU." in detail(page)
    page.locator("#map").click(position=place)
    page.mouse.move(box["x"] + 5, box["y"] - 40)
    assert "You left out the ReLU." in detail(page)


def test_a_verdict_has_a_shape_of_its_own_beside_its_colour(browser_page, small):
    page = browser_page(small)
    shapes = page.evaluate(
        """() => {
        const pens = {}, kinds = ["passed", "failed", "partly", "unjudged", "blank"];
        const same = Object.fromEntries(kinds.map(kind => [kind, ["#fff", "#000"]]));
        for (const kind of [...Object.keys(same), "nothing"]) {
            const canvas = Object.assign(document.createElement("canvas"), { width: 18, height: 18 });
            shape(canvas.getContext("2d"), kind, same, 0, 0);
            pens[kind] = canvas.toDataURL();
        }
        return Object.values(pens);
    }"""
    )
    assert len(set(shapes)) == 6


def test_a_table_is_sorted_by_the_head_of_its_column(browser_page, small):
    page = browser_page(small)
    table = page.locator("#numbers + .scroll table")
    first = table.locator("tbody th").first
    table.get_by_role("button", name="Passed").click()
    assert first.inner_text().startswith("01 Method 1, exercise 1")
    assert table.locator("th[aria-sort]").get_attribute("aria-sort") == "descending"
    table.get_by_role("button", name="Passed").focus()
    page.keyboard.press("Enter")
    assert table.locator("th[aria-sort]").get_attribute("aria-sort") == "ascending"
    assert not first.inner_text().startswith("01 Method 1, exercise 1")
    page.locator("#as-text summary").click()
    assert page.locator("#students tbody tr").first.inner_text().split("\t") == ["ann", "11", "3", "0", "0", "PPP"]
    page.locator("#students").get_by_role("button", name="Failed").click()
    assert page.locator("#students tbody tr").first.inner_text().split("\t")[-1] == "Fh."


def test_every_name_is_shown_as_it_is_and_none_comes_alive(browser_page, large):
    page = browser_page(large)
    page.locator("#as-text summary").click()
    shown = page.locator("#students tbody bdi").all_inner_texts()
    assert set(shown) >= {name for name in NAMES if "\u2028" not in name}
    assert page.evaluate("document.scripts.length") == 2


def test_on_paper_the_map_is_a_table_of_text(browser_page, small):
    page = browser_page(small)
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert not page.locator("#map").is_visible()
    assert page.locator("#students tbody tr").count() == 3
    assert page.locator("#students").is_visible()
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("details[open]").count() == 1  # the only lesson's mistakes
