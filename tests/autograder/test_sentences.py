"""Whatever core can say has its sentence in the catalogue, with exactly its values; what is kept holds no sentence."""

import ast
import json
import re
import string
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.batch.results import Store
from autograder.batch.stages import Handed, Result
from autograder.batch.work import Task, as_result, perform
from autograder.core import compare, diagnose, judge, mistakes, relations, unseen
from autograder.core.grade import grade_function
from autograder.core.message import Message, in_turn, message
from autograder.core.verdict import Row
from autograder.course import registry
from autograder.course.locations import PACKAGE
from autograder.kit.contents import packs
from autograder.report import sentences
from autograder.report.sentences import catalogue, said, sentence

LESSON = registry.lesson("11_grad_cam")
EXERCISES = [exercise for lesson in registry.lessons() for exercise in lesson.exercises]


def fields(name: str) -> set[str]:
    """Values that the catalogue's text has gaps for, and the number that it is chosen by."""
    entry = catalogue().get(name, "{a_sentence}")
    texts, number = ([entry], set()) if isinstance(entry, str) else (entry.values(), {"count"})
    return number.union(field for text in texts for _, field, _, _ in string.Formatter().parse(text) if field)


# Messages whose name stands in the code


def calls() -> Iterator[tuple[str, ast.AST, ast.Call]]:
    """Place, function and call of each `message(...)`."""
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        constants = ast.Module([node for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign)], [])
        for function in [constants, *(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))]:
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "message":
                    yield f"{path.name}:{node.lineno}", function, node


def assigned(function: ast.AST, name: str) -> list[ast.expr]:
    """What a variable of this name is set to."""
    found = [node for node in ast.walk(function) if isinstance(node, ast.Assign | ast.AnnAssign)]
    places = [(node, target) for node in found for target in getattr(node, "targets", [getattr(node, "target", None)])]
    return [node.value for node, target in places if getattr(target, "id", "") == name and node.value]


def names(node: ast.expr, function: ast.AST) -> set[str]:
    """The names that an expression can be; in place of what is worked out stands a star."""
    if isinstance(node, ast.Constant):
        return {node.value}
    if isinstance(node, ast.IfExp):
        return names(node.body, function) | names(node.orelse, function)
    if isinstance(node, ast.JoinedStr):
        return {"".join(part.value if isinstance(part, ast.Constant) else "*" for part in node.values)}
    return {each for value in assigned(function, node.id) for each in names(value, function)}


def keys(call: ast.Call, function: ast.AST) -> set[str]:
    """Names of the values of a call."""
    own = {each.arg for each in call.keywords if each.arg}
    spread = [value for each in call.keywords if each.arg is None for value in assigned(function, each.value.id)]
    return own.union(key.value for value in spread for key in value.keys)


WORKED_OUT = {
    "a.*", "uncompared.*", "advice.*", "returned.*", "shape.*", "mistake.*", "effect.*", "effect.*.unnamed", "flip.*",
    "limit.*", "reason.*", "reason.*.*", "relation.*", "relation.*.unseen", "unseen.*", "*/*", "*/law/*", "*/option_*",
}  # fmt: skip
"""Names of which the code works out a part; `worked_out` makes them all."""


def test_a_message_has_exactly_the_values_that_its_sentence_shows():
    made = [(place, name, keys(call, of)) for place, of, call in calls() for name in names(call.args[0], of)]
    assert {name for _, name, _ in made if "*" in name} == WORKED_OUT
    wrong = [each for each in made if each[1] not in WORKED_OUT and fields(each[1]) != each[2]]
    assert wrong == []


def returned(function) -> set[str]:
    """Texts that a function can return."""
    tree = ast.parse(Path(function.__code__.co_filename).read_text("utf-8"))
    own = next(node for node in ast.walk(tree) if getattr(node, "name", "") == function.__name__)
    values = [node.value for node in ast.walk(own) if isinstance(node, ast.Return)]
    leaves = [leaf for value in values for leaf in ast.walk(value) if isinstance(leaf, ast.Constant)]
    return {leaf.value for leaf in leaves if isinstance(leaf.value, str)} - {""}


def worked_out() -> Iterator[Message]:
    for name in (*relations.RELATIONS, *diagnose.IN_PART):
        yield relations.relation_message(name, "L", "2.5")
        yield relations.relation_message(name, "L")
    for slug in diagnose.EFFECTS:
        yield diagnose.effect_message(slug)
        yield diagnose.effect_message(slug, ["torch.relu"])
    yield from (message(f"effect.{slug}.unnamed") for slug in diagnose.NAMED)
    yield from (message(f"flip.{name}") for name in relations._FLIPS.values())
    yield from (message(f"shape.{n}") for n in returned(relations._shape_relation) | returned(relations._grid))
    yield from (message(f"a.{n}") for n in ("tensor", "array", "str", "float", "int", "bool"))
    yield from (message(f"uncompared.{n}") for n in compare.UNCOMPARED)
    yield from (message(f"returned.{n}", returned="None", asked="L") for n in returned(compare._repair))
    known = {n: {"module": "seaborn"} if n == "module" else {} for n in (*compare.ADVICE.values(), "none", "stop")}
    yield from (message(f"advice.{n}", **values) for n, values in known.items())
    yield from (message(f"mistake.{n}") for each in mistakes.BESIDE for n in each)
    yield from (message(f"limit.{n.replace(' ', '_')}") for n in (*{*judge.LIMITS} - {"time", "crashed"}, "early"))
    yield from (unseen.fixed(*key).message for key in unseen.FIXED)


REASONS = {
    "limit": [name.replace(" ", "_") for name in judge.LIMITS],
    "relation": [*relations.RELATIONS, *diagnose.IN_PART],
    "side_effect": diagnose.EFFECTS,
    "question": ["another_number", "no_number", "unknown_option"],
}
"""Kind of a diagnosis -> names that it can have."""


def test_the_reasons_on_a_classs_page_are_of_names_that_a_diagnosis_can_have():
    details = [name.split(".")[1:] for name in catalogue() if re.fullmatch(r"reason\.\w+\.\w+", name)]
    assert [each for each in details if each[1] not in REASONS[each[0]]] == []
    assert {f"reason.relation.{name}" for name in REASONS["relation"]} <= catalogue().keys()


def test_a_message_whose_name_is_worked_out_has_exactly_the_values_that_its_sentence_shows():
    assert [made for made in worked_out() if fields(made.name) != {key for key, _ in made.values}] == []


def test_every_sentence_of_the_catalogue_is_used():
    used = {name for _, function, call in calls() for name in names(call.args[0], function)}
    rest = catalogue().keys() - used - {made.name for made in worked_out()}
    assert {name for name in rest if not name.startswith("reason.")} == {"list"}


def test_every_sentence_is_one():
    entries = [{"other": each} if isinstance(each, str) else each for each in catalogue().values()]
    assert {tuple(entry) for entry in entries} == {("other",), ("one", "other")}
    texts = [text for entry in entries for text in entry.values()]
    assert [text for text in texts if "  " in text or "(s)" in text or text != text.strip()] == []


# The course's own


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_a_known_mistake_and_a_law_are_said_in_the_lessons_own_text(exercise):
    for known in exercise.misconceptions:
        assert sentence(diagnose.mistake(exercise.id, known.name).message) == known.sentence
    for law in exercise.laws:
        assert sentence(unseen.breaks(exercise, law, finite=True).message) == f"{law.sentence} Yours departs from it."


def test_what_the_course_or_the_catalogue_has_no_more_is_said_by_its_name():
    assert sentence(message("grad_cam.gone/sum_for_mean")) == sentence(message("sum_for_mean")) == "sum for mean."


# What is kept


def summed(gradients):
    return gradients.sum(dim=(2, 3))


def raises(gradients):
    raise ValueError("LOOT")


@pytest.fixture(scope="module")
def results() -> list[Result]:
    """Of functions called in this process, which no busy machine can make late, and of work that nobody could read."""
    exercise, task = registry.exercise("grad_cam.neuron_importance"), Task(Handed("", LESSON.id, None, "0"), "", "")
    judged = {"ada": grade_function(exercise, summed), "cho": grade_function(exercise, raises)}
    made = [replace(as_result(task, graded), student=name) for name, graded in judged.items()]
    return made + perform(Task(Handed("bob", LESSON.id, None, "0", "submission: it is not there."), "secret", ""))


def texts() -> set[str]:
    """What no kept file may hold: the catalogue's words, and the course's."""
    entries = [[each] if isinstance(each, str) else list(each.values()) for each in catalogue().values()]
    parts = [part for entry in entries for text in entry for part, *_ in string.Formatter().parse(text)]
    course = [m.sentence for exercise in LESSON.exercises for m in exercise.misconceptions]
    return {part for part in parts if len(part.strip()) > 12} | set(course)


def test_a_signed_result_holds_names_and_values_and_no_sentence(results, tmp_path):
    store = Store(tmp_path / "results", "secret")
    kept = ""
    for result in results:
        store.put(result)
        path = store.place(result.student, result.lesson, result.item)
        kept += json.dumps(json.loads(path.read_bytes()), ensure_ascii=False)
        assert store.read(path).rows == tuple(replace(row, seconds=0.0) for row in result.rows)
    assert '"grad_cam.neuron_importance/sum_for_mean"' in kept
    assert "LOOT" in kept
    assert [text for text in texts() if text in kept] == []


def test_a_pack_holds_the_lessons_texts_once_and_no_other_sentence():
    made = packs(LESSON)
    course = made.pop("lesson.json").decode()
    kept = "".join(pack.decode("utf-8", "replace") for pack in made.values())
    assert [text for text in texts() if text in kept] == []
    for known in {m.sentence: m for exercise in LESSON.exercises for m in exercise.misconceptions}:
        assert json.dumps(known, ensure_ascii=False)[1:-1] in course


def test_the_same_result_is_said_in_other_words_by_another_catalogue(results, monkeypatch):
    row = next(row for result in results for row in result.rows if said(row).startswith("your function raised"))
    french = {**catalogue(), "raised.at_line": "ligne {line} : {type}, {text}{advice}"}
    monkeypatch.setattr(sentences, "catalogue", lambda: french)
    assert re.fullmatch(r"ligne \d+ : ValueError, LOOT", said(Row.from_json(row.as_json())))


def test_a_result_of_an_older_version_says_what_it_said(results):
    kept = next(row for row in results[0].rows if row.diagnosis).as_json()
    kept["diagnosis"]["message"], kept["note"] = "your function raised ValueError.", "grad_cam.ipynb counts."
    row = Row.from_json(kept)
    assert (said(row), sentence(row.note)) == ("your function raised ValueError.", "grad_cam.ipynb counts.")


@pytest.mark.parametrize("broken", [None, 3, [], {}, {"name": 3}, {"name": "raised", "text": None}])
def test_what_is_no_message_is_not_taken_for_one(broken):
    with pytest.raises(TypeError):
        Message.from_json(broken)


def test_a_message_comes_back_from_json_as_it_was():
    made = in_turn(message("extent.few", places=("L[0]", "L[1]"), count=2, size=9), message("points", count=1))
    assert Message.from_json(json.loads(json.dumps(made.as_json()))) == made


def test_lists_and_plurals_are_said():
    right = [message("outputs_right", outputs=tuple("ABC")[:n], count=n, rest=message("not_attempted")) for n in (1, 3)]
    assert list(map(sentence, right)) == ["A is right; not attempted yet.", "A, B and C are right; not attempted yet."]


def test_a_strangers_braces_are_no_gaps():
    assert sentence(message("limit.crashed", why="{why} {0} {} {why.__class__}")).count("{") == 4
