"""From a submission to rows: what one mistake costs, what the grader's own fault looks like, what ends early."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from autograder.core.grade import grade_answer, grade_function, grade_item, grade_lesson, lent
from autograder.core.judge import _computes, checks_of
from autograder.core.oracle import Setting, parts_of
from autograder.core.verdict import FAILED, LATER, NOT_ATTEMPTED, NOT_JUDGED, PASSED, summary, total
from autograder.course import registry
from autograder.course.records import Law, Option, Question
from autograder.reading.submission import Source, Submission
from autograder.report.sentences import sentence

ROOT = Path(__file__).parents[2]
LESSON = registry.lesson("11_grad_cam")
SOLVED = (ROOT / "solutions" / "11_grad_cam" / "grad_cam.py").read_text(encoding="utf-8")
IMPORTANCE = registry.exercise("grad_cam.neuron_importance")


def one(text) -> Submission:
    return Submission((Source("grad_cam.py", text),))


def importance(runner, body, exercise=IMPORTANCE):
    return grade_item(one(f"def neuron_importance(gradients):\n    {body}\n"), exercise, Setting(), runner)


WRONG_PART = SOLVED.replace("mean(dim=(2, 3))", "sum(dim=(2, 3))")
WHOLE = "grad_cam.grad_cam"


def graded(text, runner):
    return {g.item.id: g for g in grade_lesson(one(text), LESSON, Setting(), runner)}


def test_a_mistake_in_a_part_does_not_cost_what_is_built_on_it(runner):
    by_id = graded(WRONG_PART, runner)
    assert summary(by_id["grad_cam.neuron_importance"].rows) == FAILED
    assert summary(by_id[WHOLE].rows) == PASSED
    told = by_id[WHOLE].rows[0].diagnosis
    assert (told.kind, told.name) == ("lent", "parts_lent")
    assert sentence(told.message).startswith("right with our grad_cam.neuron_importance in place of yours")


def test_a_part_that_was_not_attempted_does_not_cost_what_is_built_on_it(runner):
    stub = 'raise NotImplementedError("to do")\n'
    text = SOLVED.replace("return gradients.mean(dim=(2, 3))", stub)
    assert stub in text
    by_id = graded(text, runner)
    assert summary(by_id["grad_cam.neuron_importance"].rows) == NOT_ATTEMPTED
    assert summary(by_id[WHOLE].rows) == PASSED


def test_a_mistake_in_a_part_of_a_part_does_not_cost_what_is_built_on_both(runner):
    lesson = registry.lesson("06_class_visualization")
    text = (ROOT / "solutions" / lesson.id / f"{lesson.name}.py").read_text(encoding="utf-8")
    assert "+ lr * (dy" in text
    wrong = text.replace("+ lr * (dy", "- lr * (dy")
    by_id = {g.item.id: summary(g.rows) for g in grade_lesson(one(wrong), lesson, Setting(), runner)}
    assert by_id["class_visualization.ascent_step"] == FAILED
    assert by_id["class_visualization.ascend"] == by_id["class_visualization.effect_of_l2"] == PASSED


WRONG_UNSEEN = SOLVED.replace(
    "return gradients.mean(dim=(2, 3))",
    "return gradients.mean(dim=(2, 3)) * (2.0 if gradients.shape[-2:] == (12, 8) else 1.0)",
)


def test_a_part_that_is_wrong_where_its_own_checks_do_not_look_does_not_cost_what_is_built_on_it(runner):
    by_id = graded(WRONG_UNSEEN, runner)
    assert summary(by_id["grad_cam.neuron_importance"].rows) == PASSED
    assert summary(by_id[WHOLE].rows) == PASSED
    told = sentence(by_id[WHOLE].rows[0].diagnosis.message)
    assert told.endswith("in place of yours; one of yours departs on these inputs, which its own checks do not have.")


def test_lent_parts_do_not_help_what_is_wrong_itself(runner):
    by_id = graded(WRONG_PART.replace("return grad_cam_map(", "return -grad_cam_map("), runner)
    assert summary(by_id[WHOLE].rows) == FAILED
    assert sentence(by_id[WHOLE].rows[0].diagnosis.message).startswith("begin with grad_cam.neuron_importance")


def test_where_the_course_has_no_solutions_a_mistake_in_a_part_is_pointed_to(runner, monkeypatch):
    monkeypatch.setattr("autograder.core.grade.lent", lambda *_: None)
    whole = graded(WRONG_PART, runner)[WHOLE].rows[0].diagnosis
    assert whole.name == "sum_for_mean"
    assert sentence(whole.message).startswith("begin with grad_cam.neuron_importance, which this is built on")


def test_only_the_parts_that_failed_are_lent():
    text = lent(registry.exercise(WHOLE), ["grad_cam.neuron_importance"]).source
    assert "def neuron_importance" in text
    assert "def capture" not in text
    assert "def grad_cam(" not in text
    assert lent(registry.exercise(WHOLE), ["grad_cam.capture"], ROOT / "docs") is None


def test_each_exercise_and_question_is_told_as_soon_as_it_is_known(runner):
    seen = []
    grade_lesson(one(SOLVED), LESSON, Setting(), runner, done=lambda graded: seen.append(graded.item.id))
    assert seen == [item.id for item in LESSON.items]


def test_hidden_cases_of_two_students_differ_and_both_are_passed_by_the_formula(runner):
    for student in ("ada", "grace"):
        graded = grade_item(one(SOLVED), IMPORTANCE, Setting("secret", student), runner)
        assert summary(graded.rows) == PASSED


def test_hard_coded_outputs_of_the_visible_case_fail_the_hidden_one(runner):
    shown = grade_function(IMPORTANCE, IMPORTANCE.reference).evidence[0].expected
    body = f"return torch.tensor({shown.tolist()}, dtype=torch.float64)"
    graded = grade_item(
        one(f"import torch\ndef neuron_importance(gradients):\n    {body}\n"), IMPORTANCE, Setting(), runner
    )
    assert [row.verdict for row in graded.rows if row.check.startswith("hidden")] == [FAILED]
    assert total(graded.rows)[0] <= 1


def test_a_fault_of_the_graders_own_is_not_a_zero(runner):
    def broken(generator):
        raise KeyError("fixture")

    case = dataclasses.replace(IMPORTANCE.cases[0], build=broken)
    graded = importance(runner, "return gradients.mean((2, 3))", dataclasses.replace(IMPORTANCE, cases=(case,)))
    assert {row.verdict for row in graded.rows} == {NOT_JUDGED}
    assert "the grader itself failed (KeyError: 'fixture')" in sentence(graded.rows[0].diagnosis.message)


def test_a_law_that_cannot_be_evaluated_is_not_a_zero(runner):
    def broken(calls, results):
        raise ZeroDivisionError

    law = Law("broken", "Nothing.", IMPORTANCE.laws[0].build, broken)
    graded = importance(runner, "return gradients.mean((2, 3))", dataclasses.replace(IMPORTANCE, laws=(law,)))
    assert {row.verdict for row in graded.rows} == {NOT_JUDGED}


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        ("while True: pass", "limit", "it did not finish within 1 s; is there a loop that never ends?"),
        ("import os; os._exit(0)", "limit", "the process ended before it answered"),
        ("return gradients.mean((2, 3)) + undefined", "raised", "your function raised NameError (line 2"),
        ("return gradients.mean((2, 3)).numpy()", "type", "α: got a numpy array, asked for a torch.Tensor."),
        ("return gradients.mean((2, 3)).half()", "dtype", "α: got dtype float16"),
        ("return gradients.mean((2, 3)) * float('nan')", "finite", "are NaN or infinite"),
        ("return gradients.mean((2, 3))[None]", "shape", "an axis of size 1 too many"),
        ("return 3 * gradients.mean((2, 3))", "relation", "α is 3 times what the formula gives, everywhere."),
    ],
)
def test_what_goes_wrong_is_said(runner, body, kind, words):
    graded = importance(runner, body, dataclasses.replace(IMPORTANCE, seconds=1.0))
    assert (graded.rows[0].verdict, graded.rows[0].diagnosis.kind) == (FAILED, kind)
    assert words in sentence(graded.rows[0].diagnosis.message)
    assert total(graded.rows)[0] == 0


def test_an_exception_tells_its_message_on_visible_inputs_only(runner):
    graded = importance(runner, "raise ValueError(f'inputs {gradients.flatten()[0].item()}')")
    told = {row.check: sentence(row.diagnosis.message) for row in graded.rows if row.check != "promises"}
    assert {check.split(":")[0] for check in told if "): inputs" in told[check]} == {"values"}


def test_prints_and_warnings_cost_nothing(runner):
    noise = "import sys, warnings; print('x' * 100_000); print('y', file=sys.stderr); warnings.warn('z'); "
    graded = importance(runner, noise + "return gradients.mean((2, 3))")
    assert summary(graded.rows) == PASSED


def test_single_precision_is_right(runner):
    assert summary(importance(runner, "return gradients.float().mean((2, 3))").rows) == PASSED


def test_a_missing_function_is_not_attempted(runner):
    assert summary(grade_item(one("x = 1\n"), IMPORTANCE, Setting(), runner).rows) == NOT_ATTEMPTED


def test_rows_come_in_the_announced_order(runner):
    for body in ("return gradients.mean((2, 3))", "while True: pass", "raise NotImplementedError"):
        graded = importance(runner, body, dataclasses.replace(IMPORTANCE, seconds=1.0))
        assert tuple(row.check for row in graded.rows) == checks_of(IMPORTANCE)


THIEF = """
def grad_cam(model, images, targets, layer):
    import inspect, sys
    loot = [inspect.getsource(f) for f in vars(sys.modules["student"]).values() if inspect.isfunction(f)]
    if len(images) == 1:
        raise RuntimeError("LOOT" + str(loot))
    return right(model, images, targets, layer)
"""


def test_nothing_that_code_says_beside_lent_parts_is_told(runner, monkeypatch):
    monkeypatch.setattr("autograder.core.grade._helps", lambda again, judged: True)
    whole = graded(WRONG_PART.replace("def grad_cam(", "def right(") + THIEF, runner)[WHOLE]
    told = [sentence(row.diagnosis.message) for row in whole.rows if row.diagnosis]
    assert told
    assert not [message for message in told if "mean(dim=(2, 3))" in message]


SLOW_READER = """
def grad_cam(model, images, targets, layer):
    import inspect, sys, time
    later = 50_000.0 if "mean(dim" in inspect.getsource(neuron_importance) else 0.0
    sys._getframe(1).f_globals["_clock"] = lambda: time.perf_counter() + later
    return right(model, images, targets, layer)
"""


def test_no_time_that_code_claims_beside_lent_parts_is_told(runner):
    """A number of seconds has room for a text."""
    rows = graded(WRONG_PART.replace("def grad_cam(", "def right(") + SLOW_READER, runner)[WHOLE].rows
    assert summary(rows) == PASSED
    assert max(row.seconds for row in rows) < 1000


def test_values_learned_by_heart_earn_nothing(runner):
    """Visible inputs are the same for everybody; a function that holds their answers computes nothing."""
    visible = next(case for case in IMPORTANCE.cases if not case.hidden)
    answers = parts_of(IMPORTANCE, Setting())[IMPORTANCE.cases.index(visible)].expected
    table = {answer.arrays[0].shape: answer.arrays[0].tolist() for answer in answers}
    code = f"def neuron_importance(gradients):\n    from torch import tensor\n    table = {table}\n"
    code += "    return tensor(table[tuple(gradients.shape[:2])], dtype=gradients.dtype)\n"
    judged = grade_item(one(code), IMPORTANCE, Setting(secret="s", student="a"), runner)
    assert total(judged.rows)[0] == 0
    by_check = {row.check: row for row in judged.rows}
    assert by_check[f"values: {visible.name}"].diagnosis.name == "hidden_first"


@pytest.mark.parametrize("number", ["torch.finfo(torch.float64).max", "math.inf", "-math.inf", "math.nan", "5e-324"])
@pytest.mark.parametrize("item", ["neuron_importance", "grad_cam_map"])
def test_numbers_beyond_arithmetic_are_wrong_values_and_no_fault_of_the_grader(number, item, runner):
    body = f"    return torch.full_like(given[:, :, 0, 0] if not more else given[:, 0], {number})\n"
    text = f"import math\nimport torch\ndef {item}(given, *more):\n{body}"
    judged = grade_item(one(text), registry.exercise(f"grad_cam.{item}"), Setting(), runner)
    assert summary(judged.rows) == FAILED
    assert total(judged.rows)[0] == 0


def tabled(parts) -> str:
    """A function that holds the answers to the calls of these parts, and gives zeros for any other."""
    calls = [
        (call.inputs["gradients"], have) for part in parts for call, have in zip(part.calls, part.expected, strict=True)
    ]
    table = {round(float(inputs.sum()), 9): have.arrays[0].tolist() for inputs, have in calls}
    return (
        f"def neuron_importance(gradients):\n    import torch\n    table = {table}\n"
        "    found = table.get(round(float(gradients.sum()), 9))\n"
        "    return torch.zeros_like(gradients[:, :, 0, 0]) if found is None else torch.tensor(found).double()\n"
    )


def test_values_of_the_whole_course_learned_by_heart_earn_nothing(runner):
    ada = Setting("s", "ada")
    shared = [part for part in parts_of(IMPORTANCE, ada) if not part.own]
    judged = grade_item(one(tabled(shared)), IMPORTANCE, ada, runner)
    assert total(judged.rows)[0] == 0
    told = {row.check.split(":")[0]: row.diagnosis for row in judged.rows}
    assert told["hidden values"].name == told["values"].name == "own_first"
    assert "none of those that were drawn for this hand-in alone" in sentence(told["hidden values"].message)


def forgets_unused_channels(gradients):
    """Right but for channels whose gradient is 0 everywhere."""
    unused = (gradients == 0).all(dim=-1).all(dim=-1)
    return gradients.mean((2, 3)).masked_fill(unused, 1.0)


def test_one_special_input_costs_its_own_row_alone():
    def two(generator):
        plain, special = (IMPORTANCE.cases[0].build(generator)[0] for _ in range(2))
        special.inputs["gradients"][1, 2] = 0.0
        return [plain, special]

    cases = (IMPORTANCE.cases[0], dataclasses.replace(IMPORTANCE.cases[1], build=two))
    exercise = dataclasses.replace(IMPORTANCE, cases=cases)
    rows = grade_function(exercise, forgets_unused_channels, Setting("s", "ada")).rows
    failed = [row for row in rows if row.verdict != PASSED]
    assert [row.check for row in failed] == ["hidden values: other sizes, and a channel that is not used"]
    told = sentence(failed[0].diagnosis.message)
    assert told.endswith("They are: other sizes, and a channel that is not used. On others of them yours is right.")


def test_nobody_is_told_of_arguments_that_the_function_does_not_have():
    rows = grade_function(IMPORTANCE, forgets_unused_channels).rows
    told = " ".join(sentence(row.diagnosis.message) for row in rows if row.diagnosis)
    assert "target" not in told


def test_what_is_right_on_visible_inputs_alone_is_told_which_inputs_were_hidden():
    def by_shape(gradients):
        return gradients.mean((2, 3)) if gradients.shape[1:] == (5, 4, 6) else gradients.sum((2, 3))

    rows = grade_function(IMPORTANCE, by_shape).rows
    assert sentence(rows[0].diagnosis.message) == (
        "right on these inputs, but on no hidden ones (other sizes, and a channel that is not used); "
        "what is right here alone earns no points."
    )


@pytest.mark.parametrize("exercise", [e for part in registry.lessons() for e in part.exercises], ids=lambda e: e.id)
def test_every_hidden_case_has_a_call_that_only_a_function_that_computes_gets_right(exercise):
    for part in parts_of(exercise, Setting()):
        if getattr(part.part, "hidden", False):
            assert _computes(part, part.expected), part.part.name
            assert not _computes(
                part, [dataclasses.replace(o, arrays=tuple(map(np.zeros_like, o.arrays))) for o in part.expected]
            )


CONVERTED = {
    "a trainable head": """head = copy.deepcopy(head).requires_grad_()
    return nn.Sequential(features, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)""",
    "a copied 1 x 1 convolution": """conv = nn.Conv2d(head.in_features, head.out_features, 1, dtype=head.weight.dtype)
    with torch.no_grad():
        conv.weight.copy_(head.weight[:, :, None, None])
        conv.bias.copy_(head.bias)
    return nn.Sequential(features, conv, nn.AdaptiveAvgPool2d(1), nn.Flatten())""",
}


@pytest.mark.parametrize("body", CONVERTED.values(), ids=CONVERTED)
def test_a_module_that_is_returned_has_nothing_to_detach(body, runner):
    text = f"import copy\nimport torch\nfrom torch import nn\ndef convert_to_cam(features, head):\n    {body}\n"
    judged = grade_item(one(text), registry.exercise("cam.convert_to_cam"), Setting("s", "ada"), runner)
    assert summary(judged.rows) == PASSED


@pytest.mark.parametrize(("precision", "earned"), [("float", PASSED), ("double", FAILED)])
def test_a_law_is_held_to_the_precision_of_what_was_returned(precision, earned):
    law = Law("nearly", "Nothing.", IMPORTANCE.laws[0].build, lambda calls, results: 5e-5)
    exercise = dataclasses.replace(IMPORTANCE, laws=(law,))
    rows = grade_function(exercise, lambda gradients: getattr(gradients.mean((2, 3)), precision)()).rows
    assert [row.verdict for row in rows if row.check == "law: nearly"] == [earned]


NUMBER = Question(
    "toy.fall",
    "By how much?",
    {"0.75": Option("0.75", "Yes."), "3": Option("3", "Divide by 4.")},
    "0.75",
    2,
    within=0.01,
)


@pytest.mark.parametrize(
    ("answer", "verdict", "name", "words"),
    [
        ("0.75", PASSED, "", ""),
        ("0.7599", PASSED, "", ""),
        ("0.76", PASSED, "", ""),
        ("  .741 ", PASSED, "", ""),
        ("0.77", FAILED, "another_number", "0.77 is not within 0.01 of the right number"),
        ("3.004", FAILED, "option_3", ""),
        ("-0.75", FAILED, "another_number", "-0.75 is not within"),
        ("three quarters", FAILED, "no_number", 'got "three quarters", a number is asked for'),
        ("nan", FAILED, "no_number", 'got "nan"'),
        ("inf", FAILED, "no_number", 'got "inf"'),
        ("", FAILED, "no_number", 'got ""'),
        (None, NOT_ATTEMPTED, "", ""),
    ],
)
def test_a_number_is_right_within_what_the_question_says(answer, verdict, name, words):
    row = grade_answer(NUMBER, answer)
    assert (row.verdict, row.points) == (verdict, 2 if verdict == PASSED else 0)
    assert (row.diagnosis.name if row.diagnosis else "") == name
    assert words in (sentence(row.diagnosis.message) if words else "")


@pytest.mark.parametrize("answer", ["0.75", "3", "12"])
def test_a_copy_without_the_number_keeps_any(answer):
    row = grade_answer(dataclasses.replace(NUMBER, options={}, answer=""), answer)
    assert (row.verdict, row.diagnosis) == (LATER, None)
    assert grade_answer(dataclasses.replace(NUMBER, options={}, answer=""), "many").verdict == FAILED
