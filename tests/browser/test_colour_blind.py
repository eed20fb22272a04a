"""Pages as eyes that tell fewer colours apart see them, simulated by Chromium: text can be read, signs are apart."""

import io
import itertools

import numpy as np
import pytest
from PIL import Image
from skimage.color import deltaE_ciede2000, rgb2lab

from autograder.cohort import cohort_page
from autograder.feedback.class_pages import make_pages
from autograder.feedback.colours import Scale
from tests.autograder.cohort.classroom import SECRET, a_term, course
from tests.autograder.feedback.wrong import results

EYES = ("protanopia", "deuteranopia", "tritanopia", "achromatopsia")

# Every text that is shown: its colour, the first background behind it that is not see-through, and whether it is large,
# or a number on its colour in a map: on some middle red neither ink has 4.5 for all eyes; for most eyes one has
# (`ink_on`).
TEXTS = """() => {
    const clear = colour => /, 0\\)$|^transparent$/.test(colour), found = new Map();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const text = walker.currentNode.textContent.trim(), on = walker.currentNode.parentElement;
        if (!text || !on.checkVisibility() || on.closest(".skip, script, style")) continue;
        const style = getComputedStyle(on), size = parseFloat(style.fontSize);
        let behind = on;
        while (behind && clear(getComputedStyle(behind).backgroundColor)) behind = behind.parentElement;
        const ground = behind ? getComputedStyle(behind).backgroundColor : "rgb(255, 255, 255)";
        const bold = size >= 18.66 && style.fontWeight >= 700, large = size >= 24 || bold || on.matches("td[style]");
        found.set([style.color, ground, large].join("|"), [style.color, ground, large, text.slice(0, 40)]);
    }
    return [...found.values()];
}"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("colours")
    (made,) = make_pages(results("ada"), folder)
    lessons = course(4, 4, 1)
    (folder / "class.html").write_text(cohort_page(a_term(lessons, 20), lessons, secret=SECRET), encoding="utf-8")
    return {"feedback": made.path, "class": folder / "class.html"}


@pytest.fixture
def seen(browser_page, tmp_path):
    """CSS colours as these eyes see them: RGB in 0 to 1."""

    def seen(colours, eyes):
        (tmp_path / "blank.html").write_text(
            "<!doctype html><title>.</title><body style='margin: 0'>", encoding="utf-8"
        )
        page = browser_page(tmp_path / "blank.html")
        page.evaluate(
            "colours => document.body.innerHTML = colours.map(colour =>"
            "`<div style='float: left; width: 8px; height: 8px; background: ${colour}'></div>`).join('')",
            list(colours),
        )
        session = page.context.new_cdp_session(page)
        session.send("Emulation.setEmulatedVisionDeficiency", {"type": eyes})
        picture = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB")) / 255
        across = picture.shape[1] // 8
        return np.array([picture[8 * (n // across) + 4, 8 * (n % across) + 4] for n in range(len(colours))])

    return seen


def contrast(one, other):
    """Of WCAG 2, for RGB in 0 to 1."""
    light = []
    for colour in (one, other):
        linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
        light.append(linear @ [0.2126, 0.7152, 0.0722] + 0.05)
    return max(light) / min(light)


def test_the_simulation_changes_what_is_seen(seen):
    red, green = seen(["rgb(200, 0, 0)", "rgb(0, 120, 0)"], "none")
    assert contrast(red, green) < 1.2
    assert red.tolist() != green.tolist()
    grey = seen(["rgb(200, 0, 0)"], "achromatopsia")[0]
    assert np.ptp(grey) < 0.02


@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ["feedback", "class"])
def test_every_text_can_be_read(browser_page, pages, seen, name, theme, eyes):
    texts = browser_page(pages[name], theme=theme).evaluate(TEXTS)
    assert len(texts) > 5
    colours = seen([colour for text in texts for colour in text[:2]], eyes)
    pale = [
        (text, round(contrast(ink, ground), 2))
        for text, ink, ground in zip(texts, colours[::2], colours[1::2], strict=True)
        if contrast(ink, ground) < (3 if text[2] else 4.5)
    ]
    assert pale == []


@pytest.mark.parametrize("eyes", EYES[:3])
def test_both_sides_of_zero_and_no_number_are_told_apart(seen, eyes):
    scale = Scale(-1.0, 1.0, signed=True)
    numbers = scale.palette[scale.numbers(np.array([-1.0, -0.5, 0.0, 0.5, 1.0, np.nan]))]
    lab = rgb2lab(seen([f"rgb({r}, {g}, {b})" for r, g, b in numbers], eyes))
    assert min(deltaE_ciede2000(one, other) for one, other in itertools.combinations(lab, 2)) > 8
