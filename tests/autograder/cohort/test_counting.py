"""A class counted by hand, and made classes counted a second time, slowly."""

import statistics

import numpy as np
import pytest

from autograder.cohort.findings import findings, largest_stops, steps, topics
from autograder.cohort.order import items_of
from autograder.cohort.tally import tally
from autograder.cohort.view import lines, points
from autograder.core.diagnose import Diagnosis
from autograder.core.message import message
from autograder.core.verdict import FAILED, NOT_ATTEMPTED, NOT_JUDGED, PASSED

from .classroom import a_term, course, known, raised, result

COURSE = course()
DEPENDS = Diagnosis("depends", "values_first", message("sentence", text="together with the values."))
BY_HAND = [
    result("ann", "m1.f1", PASSED), result("ann", "m1.f2", PASSED), result("ann", "m1.q1", PASSED),
    result("ann", "m2.f1", FAILED, raised()), result("ann", "m2.f2", NOT_ATTEMPTED),
    result("ann", "m2.q1", NOT_ATTEMPTED),
    result("bob", "m1.f1", FAILED, known(0)), result("bob", "m1.f2", FAILED, known(0), passed=(0,)),
    result("bob", "m1.q1", FAILED, Diagnosis("question", "option_b", message("sentence", text="Look again."))),
    result("cho", "m1.f1", FAILED, known(0)),
    result("cho", "m1.f2", NOT_JUDGED, Diagnosis("grader", "OSError", message("sentence", text="no"))),
    result("cho", "m1.q1", NOT_ATTEMPTED),
]  # fmt: skip


def counted(results, lessons=COURSE):
    return tally(results, items_of(lessons, results), sorted({r.student for r in results}))


@pytest.fixture(scope="module")
def term():
    results = a_term(course(3, 4, 1), 120, seed=3)
    return results, counted(results, course(3, 4, 1))


def test_a_class_of_three_counts_as_by_hand():
    found = {line.item.id: line for line in lines(counted(BY_HAND))}
    told = {
        name: (line.attempted, line.passed, line.failed, line.blank, line.nothing, line.unjudged)
        for name, line in found.items()
    }
    assert told == {
        "m1.f1": (3, 1, 2, 0, 0, 0),
        "m1.f2": (2, 1, 1, 0, 0, 1),
        "m1.q1": (2, 1, 1, 1, 0, 0),
        "m2.f1": (1, 0, 1, 0, 2, 0),
        "m2.f2": (0, 0, 0, 1, 2, 0),
        "m2.q1": (0, 0, 0, 1, 2, 0),
    }
    assert found["m1.f1"].mistakes == ((2, "2 of 3 were told: “You summed ∂y^c/∂A over i, j; α_k is their mean.”"),)
    assert found["m1.q1"].mistakes == ((1, "1 of 2 were told: “You answered “Nothing.” Look again.”"),)
    assert found["m2.f1"].reasons == ((1, "the function raised an exception"),)
    assert points(counted(BY_HAND)) == points(counted(BY_HAND[::-1]))
    assert (points(counted(BY_HAND)).highest, points(counted(BY_HAND)).possible) == (11, 22)


def test_what_others_are_built_on_is_retaught_first():
    (first, *_) = topics(counted(BY_HAND))
    assert first.item.id == "m1.f1"
    assert first.item.needed_by == ("m1.f2",)
    assert first.item.place == "01 Method 1, exercise 1"
    assert (first.sentence, first.weight) == ("2 of 3 were told: “You summed ∂y^c/∂A over i, j; α_k is their mean.”", 4)


def test_failures_without_a_name_are_a_topic_of_their_own():
    results = [result(f"s{n}", "m1.f1", FAILED, raised() if n < 3 else known(1)) for n in range(4)]
    assert [topic.sentence for topic in topics(counted(results))] == [
        "3 of 4 failed with no mistake that has a name; most often (3): the function raised an exception."
    ]


def test_a_student_stops_after_the_last_exercise_that_was_attempted():
    way = steps(counted(BY_HAND))
    assert [(step.item.id, step.attempted, step.passed, step.last) for step in way] == [
        ("m1.f1", 3, 1, 1), ("m1.f2", 2, 1, 1), ("m2.f1", 1, 0, 1), ("m2.f2", 0, 0, 0),
    ]  # fmt: skip
    assert [step.item.id for step in largest_stops(way)] == ["m1.f1", "m1.f2", "m2.f1"]


def test_a_mistake_counts_once_a_student_and_exercise(term):
    results, made = term
    for i, item in enumerate(made.items):
        slow = {}
        for each in (r for r in results if r.item == item.id and r.verdict == FAILED):
            for name in {row.diagnosis.name for row in each.rows if row.diagnosis and row.verdict == FAILED}:
                slow.setdefault(name, []).append(each.student)
        fast = {name: sorted(made.students[s] for s in who) for name, who in made.mistakes[i].items()}
        names = [name for name in slow if name.startswith(("mistake", "option"))]
        assert fast == {name: sorted(slow[name]) for name in names}
        others = sum(len(who) for name, who in slow.items() if name not in names)
        assert sum(map(len, made.reasons[i].values())) == others


def test_a_second_count_gives_the_same_numbers(term):
    results, made = term
    for line in lines(made):
        mine = [r.verdict for r in results if r.item == line.item.id]
        assert line.attempted == sum(v in (PASSED, FAILED) for v in mine)
        assert (line.passed, line.blank, line.unjudged) == tuple(
            mine.count(v) for v in (PASSED, NOT_ATTEMPTED, NOT_JUDGED)
        )
        assert line.nothing == len(made.students) - len(mine)
    totals = [sum(r.points[0] for r in results if r.student == name) for name in made.students]
    spread = points(made)
    lost = {r.student for r in results if r.verdict == NOT_JUDGED}
    whole = [points for name, points in zip(made.students, totals, strict=True) if name not in lost]
    assert (spread.median, sum(spread.bins)) == (statistics.median(whole), len(whole))
    assert made.earned.sum(1).tolist() == totals


def test_every_student_stops_once_or_never_began(term):
    _, made = term
    began = made.attempted[:, [not item.question for item in made.items]].any(1).sum()
    assert sum(step.last for step in steps(made)) == began


def test_a_correlation_is_the_one_with_all_other_points(term):
    results, made = term
    made_up = [result(f"s{n:02d}", "m1.f1", PASSED if n < 6 else FAILED, raised()) for n in range(20)]
    made_up += [result(f"s{n:02d}", "m1.f2", PASSED if n > 3 else FAILED, raised()) for n in range(20)]
    made_up += [result(f"s{n:02d}", "m1.q1", PASSED if n % 2 else FAILED, raised()) for n in range(20)]
    first = next(each for each in findings(counted(made_up))[2] if each.item.id == "m1.f1")
    rest = [5 * (n > 3) + n % 2 for n in range(20)]
    by_hand = statistics.correlation([n < 6 for n in range(20)], rest)
    assert (first.passed, first.attempted) == (6, 20)
    assert first.correlation == pytest.approx(by_hand)
    assert first.clear
    assert first.checks == ("values: seen", "hidden values: unseen", "law: linear", "promises")
    lost = {r.student for r in results if r.verdict == NOT_JUDGED}
    for each in findings(made)[2]:
        i = made.items.index(each.item)
        outcome = made.checks[i][each.checks[0]]
        slow = [(int(o), sum(r.points[0] for r in results if r.student == made.students[s] and r.item != each.item.id))
                for s, o in enumerate(outcome) if o >= 0 and made.students[s] not in lost]  # fmt: skip
        assert each.correlation == pytest.approx(np.corrcoef(*zip(*slow, strict=True))[0, 1])


def test_checks_that_tell_nobody_apart_are_found():
    results = [result(f"s{n}", "m1.f1", FAILED, DEPENDS, passed=(0,)) for n in range(6)]
    results += [result(f"s{n}", "m1.f2", FAILED, DEPENDS, passed=(0,)) for n in range(4)]
    all_pass, none_pass, against = findings(counted(results))
    assert [(each.item.id, each.checks, each.passed) for each in all_pass] == [("m1.f1", ("values: seen",), 6)]
    assert [(each.item.id, each.checks) for each in none_pass] == [
        ("m1.f1", ("hidden values: unseen", "law: linear", "promises"))
    ]
    assert against == []


def test_an_exercise_that_the_course_has_no_more_comes_last():
    results = [*BY_HAND, result("ann", "m1.old", PASSED)]
    assert items_of(COURSE, results)[-1].title == "m1.old (the course has it no more)"
