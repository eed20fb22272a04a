"""Sliders over pictures: every combination is drawn once, called by its values, and shown where no script runs."""

import io
import re

import pytest
import torch
from PIL import Image

import cnnviz


def ramp(rows: int, sign: float):
    return sign * torch.arange(rows * 3.0).view(rows, 3), f"sum {sign * 3}"


@pytest.fixture
def made():
    return cnnviz.play(ramp, rows=[2, 4], sign={"plus": 1.0, "minus <b>": -1.0})


def test_every_combination_has_a_picture_called_by_its_values(made):
    assert [choice.at for choice in made.choices] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert made.choices[1].words == "rows 2, sign minus <b>: sum -3.0"
    assert made.choices[2].alt == "rows 4, sign plus: a map from 0 to 11"
    assert len({choice.webp for choice in made.choices}) == 4
    assert repr(made) == "4 pictures (rows: 2, 4; sign: plus, minus <b>)"


def test_pictures_are_small_and_can_be_read(made):
    for choice in made.choices:
        assert Image.open(io.BytesIO(choice.webp)).size[0] == 260
        assert len(choice.webp) < 10_000


def test_a_photo_is_shown_as_it_is_and_lies_under_a_map():
    photo = torch.rand(3, 40, 80, generator=torch.Generator().manual_seed(0))
    (alone,) = cnnviz.play(lambda n: photo, n=[1]).choices
    assert Image.open(io.BytesIO(alone.webp)).size == (80, 40)
    (over,) = cnnviz.play(lambda n: torch.eye(2, 4), photo=photo, n=[1]).choices
    (plain,) = cnnviz.play(lambda n: torch.eye(2, 4), n=[1]).choices
    assert over.webp != plain.webp


def test_without_a_script_the_page_has_all_pictures_and_nothing_from_elsewhere(made):
    page = made._repr_html_()
    assert len(re.findall(r'<img src="data:image/webp;base64,', page)) == 4
    assert "hidden" not in re.sub(r"<(style|script)>.*?</\1>", "", page)
    assert "<b>" not in page
    assert not re.search(r"https?:|url\(|@import", page)
    assert page.count('type="range"') == 2


def test_a_stub_says_that_it_is_not_written():
    def stub(n):
        raise NotImplementedError("toy.answer is not written yet")

    with pytest.raises(NotImplementedError, match=r"toy\.answer is not written yet"):
        cnnviz.play(stub, n=[1])


@pytest.mark.parametrize(
    ("knobs", "sentence"),
    [
        ({}, "knobs: got none; allowed is one or more; pass for example window=[8, 16, 32]."),
        ({"n": []}, "n: got no values; allowed is one or more; pass for example n=[1, 2, 3]."),
    ],
)
def test_wrong_knobs_are_one_sentence(knobs, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        cnnviz.play(lambda n: torch.eye(2), **knobs)
