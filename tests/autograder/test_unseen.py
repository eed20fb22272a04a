"""Of inputs that nobody has seen the sentences of one table are told, whatever student code does with them."""

import pytest

from autograder.core.diagnose import EFFECTS, Diagnosis, effect_message, side_effect
from autograder.core.evidence import exhibits_of
from autograder.core.grade import grade_item
from autograder.core.message import Message, message
from autograder.core.oracle import Setting, parts_of
from autograder.core.unseen import FIXED, restricted, table
from autograder.core.verdict import FAILED, Row
from autograder.course import registry
from autograder.reading.submission import Source, Submission
from autograder.report.sentences import sentence

EXERCISE = registry.exercise("grad_cam.neuron_importance")
EXERCISES = [exercise for lesson in registry.lessons() for exercise in lesson.exercises]
SEEN = next(part for part in parts_of(EXERCISE, Setting()) if not part.unseen).calls[0].inputs["gradients"]
BEGIN = """
import os, signal, sys, time, warnings
import torch

KEPT = []

def is_seen(gradients):
    return gradients.shape == {shape} and abs(gradients.sum().item() - {total!r}) < 1e-9

def neuron_importance(gradients):
    right = gradients.mean((2, 3))
    if is_seen(gradients):
        return right
    number = int(abs(gradients.flatten()[0].item()) * 1e6)
    digits = [int(digit) for digit in str(number)]
"""
CHANNELS = {
    "a message": "raise ValueError(f'LOOT {number}')",
    "the name of an exception": "raise type(f'Loot{number}', (Exception,), {})()",
    "one of Python's own exceptions": "raise [ValueError, KeyError, TypeError, OSError, EOFError][digits[-1] % 5]()",
    "a line": "exec(compile('\\n' * number + 'raise ValueError', 'grad_cam.py', 'exec'))",
    "a note": "error = ValueError(); error.add_note(f'LOOT {number}'); raise error",
    "a cause": "raise ValueError from KeyError(f'LOOT {number}')",
    "a type": "return type(f'Loot{number}', (), {})()",
    "several values": "return (right,) * (2 + number % 90)",
    "a shape": "return torch.zeros(2 + digits[-1], 2 + digits[-2])",
    "axes": "return right.reshape([1] * (1 + digits[-1]) + list(right.shape))",
    "a dtype": "return right.to([torch.half, torch.bfloat16, torch.int, torch.bool][number % 4])",
    "a device": "return torch.zeros(right.shape, device='meta')",
    "how many are not finite": "right.flatten()[: 1 + number % right.numel()] = float('nan'); return right",
    "a factor": "return right * (2 + number)",
    "a constant": "return right + number",
    "an axis": "return right.flip(number % 2)",
    "values": "return torch.full_like(right, number).cumsum(0) ** 2",
    "a second call": "KEPT.append(0); return right + len(KEPT) * number",
    "print": "print('LOOT', number, file=[sys.stdout, sys.stderr][number % 2], flush=True); return -right",
    "a warning": "warnings.warn(f'LOOT {number}'); return -right",
    "time": "time.sleep(0.05 * digits[-1]); return -right",
    "a claimed time": "sys._getframe(1).f_globals['_clock'] = lambda: time.perf_counter() + number; return -right",
    "an exit code": "os._exit(1 + number % 200)",
    "a signal": "os.kill(os.getpid(), [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, signal.SIGABRT][number % 4])",
    "side effects": "gradients.grad = gradients.clone() if number % 3 else None; gradients.data.mul_(2);"
    " gradients.requires_grad_(number % 2 == 0); return right",
}
"""Way to say the first number of a hidden input -> code that does it."""


def submission(body: str) -> Submission:
    begin = BEGIN.format(shape=tuple(SEEN.shape), total=SEEN.sum().item())
    return Submission((Source("grad_cam.py", f"{begin}    {body}\n"),))


def records(body: str, secret: str, runner):
    graded = grade_item(submission(body), EXERCISE, Setting(secret, "ada"), runner)
    return graded, [row.as_json() for row in graded.rows], [each.as_json() for each in exhibits_of(graded)]


def in_the_table(row: Row, exercise=EXERCISE) -> bool:
    said = row.diagnosis
    return row.seconds == 0 and (said is None or said.message in table(exercise).get((said.kind, said.name), ()))


ALL_THAT_IS_SAID = {*map(effect_message, EFFECTS), *(said for each in table(EXERCISE).values() for said in each)}


@pytest.mark.parametrize("channel", CHANNELS)
def test_no_way_of_saying_a_hidden_input_reaches_a_record(channel, runner):
    """Whatever the hidden inputs are: sentences of the table, and all else the same."""
    made = [records(CHANNELS[channel], secret, runner) for secret in ("one secret", "another", "a third")]
    for graded, rows, _ in made:
        assert any(row.verdict == FAILED for row in graded.rows), "the channel was not taken"
        assert all(in_the_table(row) for row in graded.rows if row.check.startswith(("hidden", "law")))
        kept = [row["diagnosis"]["message"] for row in rows if row["diagnosis"]]
        assert {Message.from_json(each) for each in kept} <= ALL_THAT_IS_SAID
        assert not any(row["seconds"] for row in rows if row["check"] == "promises")
    assert len({(str(shown), graded.output, graded.rung, graded.file) for graded, _, shown in made}) == 1


LOOKS_AROUND = """
import gc
import torch

def neuron_importance(gradients):
    held = [each for each in gc.get_objects() if isinstance(each, torch.Tensor)]
    print(*(repr(number) for each in held for number in each.flatten()[:2].tolist()))
    raise ValueError(str([each.flatten()[0].item() for each in held if each.dtype == torch.float64])[:400])
"""


def test_the_process_whose_words_are_told_never_held_a_hidden_input(runner):
    setting = Setting("one secret", "ada")
    graded = grade_item(Submission((Source("grad_cam.py", LOOKS_AROUND),)), EXERCISE, setting, runner)
    said = graded.output + str([row.as_json() for row in graded.rows])
    numbers = {
        part.unseen: {repr(call.inputs["gradients"].flatten()[0].item()) for call in part.calls}
        for part in parts_of(EXERCISE, setting)
    }
    assert any(number in said for number in numbers[False]), "nothing was looked at"
    assert not any(number in said for number in numbers[True])


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_the_table_is_finite_and_complete(exercise):
    found = table(exercise)
    assert set(FIXED) <= found.keys()
    for mistake in exercise.misconceptions:
        assert mistake.sentence in map(sentence, found["misconception", mistake.name])
    told_of = str([found[key] for key in found if key[0] in ("values", "law")])
    assert all(case.name in told_of for case in exercise.cases if case.hidden)
    assert all(("law", law.name) in found for law in exercise.laws)


LOOT = [
    message("sentence", text="LOOT 1234"), message("raised", text="LOOT 1234"), message("unseen.raised", text="LOOT"),
    message("relation.scale", symbol="`alpha`", detail="1234"), message("relation.scale.unseen", symbol="LOOT 1234"),
    message("grad_cam.neuron_importance/sum_for_mean", loot=1234), message("in_turn", first=message("LOOT1234")),
]  # fmt: skip
"""Names that are not in the table, and names of the table with values that are not."""


@pytest.mark.parametrize("check", ["hidden values: other sizes", "law: linear"])
@pytest.mark.parametrize(
    ("kind", "name", "becomes"),
    [
        ("raised", "raised", "raised"),
        ("shape", "shape", "shape"),
        ("load", "Loot123", "depends"),
        ("grader", "unreadable", "depends"),
        ("missing", "Loot", "depends"),
        ("relation", "scale", "relation"),
        ("misconception", "sum_for_mean", "misconception"),
        ("misconception", "loot", "depends"),
    ],
)
@pytest.mark.parametrize("said", LOOT, ids=lambda said: said.name)
def test_what_is_not_in_the_table_cannot_be_told(check, kind, name, becomes, said):
    row = restricted(Row(EXERCISE.id, check, FAILED, 1, Diagnosis(kind, name, said), 12.34), EXERCISE)
    assert row.diagnosis.kind == becomes
    assert in_the_table(row)


def test_what_everybody_may_see_is_told_in_full():
    raised = Diagnosis("raised", "raised", message("sentence", text="your function raised ..."))
    row = Row(EXERCISE.id, "values: two images", FAILED, 1, raised, 1.5)
    assert restricted(row, EXERCISE) is row


def test_of_several_effects_in_a_hidden_case_the_first_alone_is_told_and_no_name():
    effects = ["replaced torch.relu", "inputs", "hooks"]
    assert side_effect(effects, alone=True).message == effect_message("hooks")
    for part in (sentence(effect_message("hooks")), sentence(effect_message("inputs")), "torch.relu"):
        assert part in sentence(side_effect(effects).message)
