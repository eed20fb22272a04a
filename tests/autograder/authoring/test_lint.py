from dataclasses import replace

import nbformat
import pytest

from autograder.authoring import lint_runs
from autograder.authoring.build import build_lessons
from autograder.authoring.lint import file_problems, lint, lint_lessons, record_problems, stray_problems, text_problems
from autograder.authoring.lint_records import (
    calls_faults,
    functions_of,
    guessing_faults,
    record_faults,
    solution_problems,
    special_faults,
)
from autograder.authoring.lint_runs import check_problems, notebook_problems
from autograder.course import registry
from autograder.course.mutants import Solved, misconceptions
from autograder.course.records import Lesson, Option, Question
from tests.autograder.authoring.conftest import REPOSITORY

FILE = "solutions/03_toy/toy.md"


@pytest.fixture
def built(course, toy):
    build_lessons(course, [toy])
    return course


def broken(lesson, item=0, **changes):
    """The lesson with another first exercise."""
    exercises = list(lesson.exercises)
    exercises[item] = replace(exercises[item], **changes)
    return replace(lesson, exercises=tuple(exercises))


def asked(lesson, **changes):
    """The lesson with another first question."""
    return replace(lesson, questions=(replace(lesson.questions[0], **changes), *lesson.questions[1:]))


def opened(lesson, **changes):
    """The lesson with another open question."""
    return replace(lesson, open_questions=(replace(lesson.open_questions[0], **changes),))


def wrong(lesson, **changes):
    """The lesson with another first misconception."""
    first, *others = lesson.exercises[0].misconceptions
    return broken(lesson, misconceptions=(replace(first, **changes), *others))


RECORDS = {
    "no minutes": (lambda t: broken(t, minutes=0), "toy.double has minutes = 0"),
    "no lines": (lambda t: broken(t, lines=0), "toy.double has lines = 0"),
    "difficulty 4": (lambda t: broken(t, difficulty=4), "difficulty 4; 1, 2 and 3 are allowed"),
    "two hints": (lambda t: broken(t, hints=("a", "b")), "has 2 different hints; three are needed"),
    "empty hint": (lambda t: broken(t, hints=("a", "b", " ")), "three are needed, none of them empty"),
    "one hint twice": (lambda t: broken(t, hints=("a", "b", "b")), "has 2 different hints"),
    "seven misconceptions": (
        lambda t: broken(t, misconceptions=t.exercises[0].misconceptions[:7]),
        "toy.double has 7 misconceptions; at least 8 are needed",
    ),
    "a name twice": (lambda t: wrong(t, name="wrong_1"), '"wrong_1" stands more than once'),
    "a sentence twice": (
        lambda t: wrong(t, sentence="You did 1; the formula says 2x."),
        '"You did 1; the formula says 2x."',
    ),
    "an empty sentence": (lambda t: wrong(t, sentence=""), "toy.double, wrong_0 has an empty sentence"),
    "LaTeX": (lambda t: wrong(t, sentence=r"You took \alpha."), "toy.double, wrong_0: the sentence has LaTeX"),
    "no slug": (lambda t: wrong(t, name="sum for mean"), 'the misconception "sum for mean"'),
    "nothing hidden": (lambda t: broken(t, cases=t.exercises[0].cases[:1]), "has 1 visible and 0 hidden cases"),
    "nothing visible": (lambda t: broken(t, cases=t.exercises[0].cases[1:]), "has 0 visible and 1 hidden cases"),
    "no promise points": (lambda t: broken(t, promise_points=0), "toy.double has a check without points"),
    "a case without points": (
        lambda t: broken(t, cases=tuple(replace(case, points=0) for case in t.exercises[0].cases)),
        "toy.double has a check without points",
    ),
    "no title": (lambda t: broken(t, title=""), "toy.double has an empty title"),
    "builds on a later one": (lambda t: broken(t, builds_on=("toy.shift",)), "toy.double builds on toy.shift"),
    "id of another module": (lambda t: broken(t, id="other.double"), 'got the id "other.double"'),
    "one id twice": (lambda t: broken(t, id="toy.shift"), '"toy.shift" stands more than once'),
    "two exercises": (lambda t: replace(t, exercises=t.exercises[:2]), "03_toy has 2 exercises; 3 to 5 are allowed"),
    "six exercises": (lambda t: replace(t, exercises=t.exercises * 2), "03_toy has 6 exercises"),
    "two questions": (lambda t: replace(t, questions=t.questions[:2]), "03_toy has 2 questions; at least 3"),
    "two options": (
        lambda t: asked(t, options={k: v for k, v in t.questions[0].options.items() if k != "c"}),
        "toy.sign has the options a, b; at least",
    ),
    "an option that is no word": (
        lambda t: asked(t, options={f"{k}, say": v for k, v in t.questions[0].options.items()}, answer="b, say"),
        'toy.sign has the option "a, say"; small letters',
    ),
    "numbers that are one": (
        lambda t: asked(t, options={k: Option(k, "why") for k in ("1", "1.1", "2")}, answer="2", within=0.1),
        "toy.sign has the numbers 1 and 1.1, which within = 0.1 does not tell apart",
    ),
    "answer that is no option": (
        lambda t: asked(t, answer="d"),
        'toy.sign has the answer "d"; its options are a, b, c',
    ),
    "no feedback": (
        lambda t: asked(t, options={k: replace(v, feedback="") for k, v in t.questions[0].options.items()}),
        "toy.sign, option a has an empty feedback",
    ),
    "no open question": (lambda t: replace(t, open_questions=()), "03_toy has 0 open questions; one is needed"),
    "no rubric": (lambda t: opened(t, rubric=()), "toy.in_words has an empty rubric"),
    "an open question without text": (lambda t: opened(t, text=""), "toy.in_words has an empty text"),
    "an open question of an exercise's name": (
        lambda t: opened(t, id="toy.shift"),
        '"toy.shift" stands more than once',
    ),
    "an id without number": (lambda t: replace(t, id="toy"), 'the lesson\'s id is "toy"'),
    "no summary": (lambda t: replace(t, summary=""), "03_toy has an empty summary"),
}


def guessed(places, lengths):
    """A lesson of 20 questions with 4 options, the right one in these places, its text of these lengths."""
    made = [
        Question(f"toy.q{n}", "Which?", {w: Option("x" * (length if w == right else 10), "why") for w in "abcd"}, right)
        for n, (right, length) in enumerate(zip(places, lengths, strict=True))
    ]
    return [Lesson("03_toy", "Toy", "Numbers.", (), tuple(made))]


def test_answers_of_a_course_cannot_be_guessed_from_place_or_length():
    assert list(guessing_faults(guessed("abcd" * 5, [9, 11, 11, 9, 11] * 4))) == []
    (place,) = guessing_faults(guessed("abcbbdbabcbadcbdabdc", [11] * 20))
    assert place.startswith("of 20 questions the right option stands in place 2 in 8, which is more than 35%")
    (length,) = guessing_faults(guessed("abcd" * 5, [9] * 9 + [11] * 11))
    assert length.startswith("of 20 questions the right option is the shortest in 9, which is more than 40%")
    assert list(guessing_faults([])) == []


def test_whole_records_have_no_fault(toy):
    assert list(record_faults(toy)) == []


@pytest.mark.parametrize(("change", "sentence"), RECORDS.values(), ids=RECORDS)
def test_a_fault_of_the_records_is_named(toy, change, sentence):
    faults = list(record_faults(change(toy)))
    assert any(sentence in fault for fault in faults), faults


@pytest.mark.parametrize(("edit", "said"), [("`x` -> `y`", "stands 3 times"), ("`sum` -> `y`", "stands 0 times")])
def test_an_edit_that_does_not_stand_once_in_the_solved_function_is_a_fault_with_its_line(tmp_path, toy, edit, said):
    (tmp_path / "03_toy").mkdir()
    path = tmp_path / "03_toy" / "mistakes.md"
    (tmp_path / "mistakes.md").write_text("# None are shared yet\n")
    path.write_text(f"## double\n\n### once\n{edit}\n\nYou did not.\n")
    known = misconceptions(Solved("def double(x):\n    return x + x\n"), path)["double"]
    (fault,) = record_faults(broken(toy, misconceptions=(*toy.exercises[0].misconceptions, *known)))
    assert fault.startswith("03_toy/mistakes.md:3: once: `")
    assert f"{said} in the solved function and must stand there once; quote" in fault


def test_a_fault_says_where_and_what_to_run(toy):
    (problem,) = record_problems(broken(toy, minutes=0))
    assert str(problem) == (
        "solutions/03_toy: toy.double has minutes = 0; a number above 0 is needed. Run: cnnviz lint 03_toy"
    )


def test_a_fresh_build_has_no_problem(built, toy):
    assert lint_lessons(built, [toy], known=[toy]) == []


def test_the_lint_looks_at_records_texts_strays_and_verdicts_at_once(built, toy):
    (built / "lessons/03_toy/notes.txt").write_text("x")
    text = built / FILE
    text.write_text(text.read_text(encoding="utf-8").replace("Twice.", "TODO"), encoding="utf-8")
    module = built / "solutions/03_toy/toy.py"
    module.write_text(module.read_text().replace('size = "b"', 'size = "a"'))
    problems = lint_lessons(built, [broken(toy, seconds=0.0)], known=[toy])
    sentences = " ".join(problem.sentence for problem in problems)
    for told in ("seconds = 0.0", "it is not what", 'got "TODO"', "it belongs to no lesson", 'of toy.size is "failed"'):
        assert told in sentences


@pytest.mark.parametrize("path", ["lessons/03_toy/README.md", "solutions/03_toy/toy.py"])
def test_a_stale_file_is_a_problem(built, toy, path):
    (built / path).write_text("old")
    (problem,) = file_problems(built, [toy])
    assert (problem.file, problem.run) == (path, "cnnviz build 03_toy")


def test_a_text_that_breaks_a_rule_is_a_problem_with_its_line(built, toy, toy_text):
    (built / FILE).write_text(toy_text.replace("## By hand", "## On paper"), encoding="utf-8")
    (problem,) = file_problems(built, [toy])
    assert problem.file.startswith(f"{FILE}:")
    assert '"On paper" where "By hand" belongs' in problem.sentence


def test_a_missing_picture_is_a_problem(built, toy):
    (built / "solutions/03_toy/picture.png").unlink()
    (problem,) = file_problems(built, [toy])
    assert "picture.png does not exist" in problem.sentence


@pytest.mark.parametrize("word", ["TODO", "FIXME"])
def test_an_unfinished_text_is_a_problem(toy_text, word):
    (problem,) = text_problems(toy_text.replace("Twice.", f"{word}: say it."), file=FILE)
    line = toy_text[: toy_text.index("Twice.")].count("\n") + 1
    assert problem.file == f"{FILE}:{line}"
    assert f'got "{word}"' in problem.sentence


def test_a_paper_that_the_references_do_not_list_is_a_problem(toy_text):
    linked = toy_text.replace("Twice.", "See [it](https://arxiv.org/abs/1512.04150).")
    (problem,) = text_problems(linked, file=FILE)
    assert '"1512.04150"' in problem.sentence
    listed = linked + "\n[It](https://arxiv.org/pdf/1512.04150v2.pdf)\n"
    assert list(text_problems(listed, file=FILE)) == []


def test_a_lesson_that_does_not_begin_with_what_is_known_is_a_problem(toy_text):
    (problem,) = text_problems(toy_text.replace("**So far:** ", ""), file=FILE)
    assert 'the section "What you will make" does not begin with "**So far:** "' in problem.sentence


@pytest.mark.parametrize(("words", "told"), [(120, []), (121, ['the section "In short" has 121 words; at most 120'])])
def test_a_summary_is_short(toy_text, words, told):
    text = toy_text.replace("## In short\n\nWords.", "## In short\n\n" + "word " * words)
    assert [
        problem.sentence[: len(each)] for problem, each in zip(text_problems(text, file=FILE), told, strict=True)
    ] == told


def test_references_without_a_paper_are_a_problem(toy_text):
    (problem,) = text_problems(toy_text.replace("arxiv.org", "example.org"), file=FILE)
    assert "links to no paper" in problem.sentence


@pytest.mark.parametrize(
    "path", ["lessons/03_toy/notes.txt", "solutions/03_toy/old.md", "lessons/04_more/x.py", "solutions/x.py"]
)
def test_a_stray_file_is_a_problem(built, toy, path):
    (built / path).parent.mkdir(exist_ok=True)
    (built / path).write_text("x")
    (problem,) = stray_problems(built, [toy], [toy])
    assert path.startswith(problem.file)
    assert "it belongs to no lesson; in " in problem.sentence


def test_folders_that_tools_leave_are_no_strays(built, toy):
    (built / "lessons/03_toy/__pycache__").mkdir()
    (built / "solutions/03_toy/.ipynb_checkpoints").mkdir()
    assert list(stray_problems(built, [toy], [toy])) == []


@pytest.mark.parametrize("name", ["toy.py", "toy.ipynb"])
def test_a_stub_that_holds_an_answer_is_a_problem(built, toy, name):
    path = built / "lessons/03_toy" / name
    for old in ("raise NotImplementedError('toy.shift is not written yet')", '"toy.shift is not written yet"'):
        path.write_text(path.read_text().replace(old, "0").replace('\\"toy.shift is not written yet\\"', "0"))
    path.write_text(path.read_text().replace("raise NotImplementedError(0)", "return x + 1"))
    problems = list(check_problems(built, [toy]))
    assert {p.file for p in problems} == {f"lessons/03_toy/{name}"}
    assert all('toy.shift is "passed"' in p.sentence and '"not attempted"' in p.sentence for p in problems)
    assert len(problems) == 3


def test_a_solution_that_fails_a_check_is_a_problem(built, toy):
    path = built / "solutions/03_toy/toy.py"
    path.write_text(
        path.read_text().replace("return times * x", "return times + x").replace('sign = "b"', 'sign = "c"')
    )
    problems = list(check_problems(built, [toy]))
    assert {p.file for p in problems} == {"solutions/03_toy/toy.py"}
    assert any('of toy.double is "failed"' in p.sentence for p in problems)
    assert any('of toy.sign is "failed" (option c.)' in p.sentence for p in problems)
    assert all(p.run == "cnnviz check 03_toy --submission solutions" for p in problems)


def test_an_unreadable_notebook_is_a_problem_and_no_traceback(built, toy):
    (built / "lessons/03_toy/toy.ipynb").write_text("{")
    assert any("is not a notebook" in p.sentence for p in check_problems(built, [toy]))


def test_an_unknown_lesson_is_refused():
    with pytest.raises(ValueError, match='lesson: got "99_none"'):
        lint(["99_none"])


def test_a_notebook_that_raises_is_a_problem(built, toy):
    path = built / "solutions/03_toy/toy.ipynb"
    text = path.read_text()
    for item in ("double", "shift", "shift_again", "sign", "size", "shape"):  # the toy is in no registry
        text = text.replace(f'check(\\"toy.{item}\\", {item})', "1")
    path.write_text(text)
    assert list(notebook_problems(built, [toy])) == []
    path.write_text(text.replace("double(torch.ones(2))", "double(missing)"))
    (problem,) = notebook_problems(built, [toy])
    assert "a cell raises NameError: name 'missing' is not defined" in problem.sentence


USES = {
    "by itself": "def shift(x): ...\ndef shift_again(x): return shift(x)",
    "as a value": "def shift(x): ...\ndef shift_again(x): return list(map(shift, x))",
    "by a helper": "def shift(x): ...\ndef helper(x): return shift(x)\ndef shift_again(x): return helper(x)",
}


@pytest.mark.parametrize("module", USES.values(), ids=USES)
def test_what_a_solution_uses_and_the_record_does_not_name_is_a_fault(toy, module):
    assert list(calls_faults(toy, functions_of(module))) == []
    (told,) = calls_faults(broken(toy, 2, builds_on=()), functions_of(module))
    assert told == "toy.shift_again: the solution uses toy.shift, which `builds_on` does not name; name it there."


def test_what_is_used_by_a_part_alone_is_not_named_twice(toy):
    module = "def double(x): ...\ndef shift(x): return double(x)\ndef shift_again(x): return shift(x)"
    right = broken(toy, 1, builds_on=("toy.double",))
    assert list(calls_faults(right, functions_of(module))) == []
    (told,) = calls_faults(broken(right, 2, builds_on=("toy.double", "toy.shift")), functions_of(module))
    assert told.startswith("toy.shift_again: `builds_on` names toy.double, which the solution does not use itself")


def test_the_lint_compares_the_records_with_the_solved_module(built, toy):
    told = [problem.sentence for problem in lint_lessons(built, [broken(toy, 2, builds_on=())], known=[toy])]
    assert any("the solution uses toy.shift" in sentence for sentence in told)


STATED = {
    "a value where": "0 where x is 0.",
    "an empty input": "Of an empty list, 1.",
    "ties": "Ties come first to last; ties by the lowest index.",
    "an end": "bottom is exclusive.",
    "a sign": "sign(0) is +1.",
    "a condition": "Four zeros if nothing is positive.",
    "an exception": "Everything unless x is 0, else y.",
    "a size": "a share of the maximum of the enlarged map.",
}


@pytest.mark.parametrize("words", STATED.values(), ids=STATED)
def test_a_special_case_of_a_stub_that_no_known_mistake_misses_is_a_fault(toy, words):
    functions = functions_of(f'def double(x):\n    """Twice as much. {words}"""')
    (told,) = special_faults(toy, functions)
    assert "and `special` names no misconception that misses it" in told
    clause = told.split('"')[1]
    assert list(special_faults(broken(toy, special={clause: "wrong_3"}), functions)) == []


def test_words_that_a_stub_does_not_say_and_mistakes_that_do_not_exist_are_faults(toy):
    functions = functions_of('def double(x):\n    """Twice as much."""')
    stale, unknown = special_faults(broken(toy, special={"0 where x is 0": "wrong_9"}), functions)
    assert stale.endswith('`special` quotes "0 where x is 0", which the stub does not say; quote it as it stands.')
    assert unknown.endswith('`special` names the misconception "wrong_9", which there is not.')


@pytest.mark.parametrize("lesson", registry.lessons(), ids=lambda lesson: lesson.id)
def test_records_say_what_the_solutions_of_the_course_use_and_state(lesson):
    assert list(solution_problems(REPOSITORY, [lesson])) == []


@pytest.mark.parametrize(("lost", "told"), [(1, ""), (2, "it does not run to its end (CellTimeoutError)")])
def test_a_notebook_whose_kernel_does_not_answer_is_run_once_more(monkeypatch, tmp_path, lost, told):
    import nbclient
    from nbclient.exceptions import CellTimeoutError

    runs = []

    class Client:
        def __init__(self, *_, **__):
            runs.append(self)

        def execute(self, **_):
            if len(runs) <= lost:
                raise CellTimeoutError("no answer")

    monkeypatch.setattr(nbclient, "NotebookClient", Client)
    nbformat.write(nbformat.v4.new_notebook(), tmp_path / "empty.ipynb")
    assert lint_runs._run_notebook(tmp_path / "empty.ipynb").partition(";")[0] == told
    assert len(runs) == 2
