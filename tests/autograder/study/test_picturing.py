"""The page of one exercise that `cnnviz watch` shows."""

import re

import pytest

from autograder.study import picturing
from autograder.study.judging import Judging
from autograder.study.picturing import write_page

from .conftest import handed_out


@pytest.fixture
def judging(cache):
    with Judging(cache) as judging:
        yield judging


def solve(work, name, body):
    stub = f'raise NotImplementedError("grad_cam.{name} is not written yet")'
    assert stub in handed_out("grad_cam.py")
    work.module.write_text(handed_out("grad_cam.py").replace(stub, body), encoding="utf-8")


def test_the_page_has_the_values_the_formulas_the_difference_and_nothing_of_a_hidden_case(judging, work):
    solve(work, "grad_cam_map", "return (alpha[:, :, None, None] * activations).sum(dim=1)")
    judging.standing(work)  # kept from now on: the page runs it again all the same
    text = write_page(judging, work, "grad_cam.grad_cam_map").read_text("utf-8")
    assert "your map on a real photo" in text
    captions = re.findall(r'<figure class="evidence">\s*<figcaption>(.*?)</figcaption>', text, re.DOTALL)
    assert captions
    assert not any("hidden" in caption for caption in captions)
    for words in ("<title>The map", "yours", "the formula&#39;s", "difference", "You left out the ReLU"):
        assert words in text
    assert "<script" not in text


def test_there_is_no_page_of_what_is_not_written_or_not_complete(judging, work):
    assert write_page(judging, work, "grad_cam.capture") is None
    work.module.write_text("def capture(", encoding="utf-8")
    assert write_page(judging, work, "grad_cam.capture") is None


@pytest.mark.parametrize(("screen", "shown"), [("", False), (":0", True)])
def test_a_browser_is_asked_only_where_there_is_a_screen(monkeypatch, tmp_path, screen, shown):
    asked = []
    monkeypatch.setattr(picturing.sys, "platform", "linux")
    monkeypatch.setattr(picturing.webbrowser, "open", lambda url: asked.append(url) or True)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)
    if screen:
        monkeypatch.setenv("DISPLAY", screen)
    assert picturing.opened(tmp_path / "page.html") is shown
    assert bool(asked) is shown
