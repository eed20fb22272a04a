"""The outlines say what the records say."""

import pytest

from autograder.course import outlines, registry
from autograder.study.resetting import handed_out

from .conftest import ROOT


def test_the_outlines_are_those_of_the_records():
    records = [(lesson.id, lesson.title, [(i.id, i.points) for i in lesson.items]) for lesson in registry.lessons()]
    assert [(o.id, o.title, [(i.id, i.points) for i in o.items]) for o in outlines.outlines()] == records


@pytest.mark.parametrize("outline", outlines.outlines(), ids=lambda outline: outline.id)
def test_what_a_reset_goes_back_to_is_what_is_handed_out(outline):
    for file in outline.files:
        given = (ROOT / "lessons" / outline.id / file).read_bytes()
        assert handed_out(outline, file).encode() == given.replace(b"\r\n", b"\n"), "run `cnnviz build`"
        assert outline.untouched(file, given.replace(b"\n", b"\r\n"))
        assert not outline.untouched(file, given + b"\n")


def test_an_exercise_is_found_by_its_function_where_only_one_lesson_has_it():
    assert outlines.item("neuron_importance").id == "grad_cam.neuron_importance"
    assert outlines.item("grad_cam.capture").id == "grad_cam.capture"
    with pytest.raises(ValueError, match=r'got "capture", which 2 lessons have; say which one: .*grad_cam\.capture'):
        outlines.item("capture")
    with pytest.raises(ValueError, match='got "neuron_importanc", which does not exist; did you mean'):
        outlines.item("neuron_importanc")


@pytest.mark.parametrize("name", ["11", "grad_cam", "11_grad_cam", "11_grad_cam/"])
def test_a_lesson_is_found_by_number_name_and_folder(name):
    assert outlines.lesson(name).id == "11_grad_cam"
