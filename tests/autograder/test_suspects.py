"""What a hidden case is compared with was computed when it was drawn: once for a course, whoever is judged."""

import pytest

from autograder.core import oracle
from autograder.core.grade import grade_function
from autograder.core.oracle import Part, Setting, parts_of
from autograder.course import registry

EXERCISE = registry.exercise("grad_cam.neuron_importance")
MISTAKE = next(m for m in EXERCISE.misconceptions if m.name == "one_axis")


@pytest.fixture
def computed(monkeypatch):
    """Names of the functions that were run on hidden inputs."""
    ran, results = [], Part.results

    def noted(part, function, **options):
        if getattr(part.part, "hidden", False):
            ran.append(function)
        return results(part, function, **options)

    monkeypatch.setattr(Part, "results", noted)
    oracle._kept.cache_clear()
    return ran


def hidden_row(function, student, computed):
    setting = Setting("secret", student)
    assert all(part.calls for part in parts_of(EXERCISE, setting))  # drawn once for a course, whoever is judged
    computed.clear()
    rows = grade_function(EXERCISE, function, setting).rows
    return next(row for row in rows if row.check.startswith("hidden"))


def test_the_misconception_that_the_visible_inputs_showed_is_known_by_what_the_draw_computed(computed):
    row = hidden_row(MISTAKE.wrong, "ada", computed)
    assert (row.diagnosis.kind, row.diagnosis.name) == ("misconception", "one_axis")
    assert computed == []


def test_a_mistake_that_nobody_knows_computes_nothing_on_hidden_inputs(computed):
    row = hidden_row(lambda gradients: gradients.mean((2, 3)) * 3, "grace", computed)
    assert row.diagnosis.kind == "relation"
    assert computed == []


def test_right_on_the_visible_inputs_alone_is_compared_with_every_misconception_on_hidden_ones(computed):
    def by_size(gradients):
        return gradients.mean((2, 3)) if gradients.shape[1:] == (5, 4, 6) else MISTAKE.wrong(gradients)

    row = hidden_row(by_size, "mary", computed)
    assert (row.diagnosis.kind, row.diagnosis.name) == ("likeness", "one_axis")
    assert computed == []
