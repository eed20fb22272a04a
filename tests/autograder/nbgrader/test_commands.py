"""The real commands, in processes of their own, on a course folder with one student for each way to hand in."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from autograder.batch.collect import collect
from autograder.core.verdict import VERDICTS
from autograder.course import registry
from autograder.text.formulas import in_sentence

REPOSITORY = Path(__file__).resolve().parents[3]
LESSON, NAME, BROKEN = "11_grad_cam", "grad_cam", "neuron_importance"
EXERCISES = [exercise.id for exercise in registry.lesson(LESSON).exercises]
SECRET = "a secret that no page may show"
(OPEN,) = registry.lesson(LESSON).open_questions
ANSWER = (
    "The cat's map lies on its left eye, largest value .36.\n\n<script>alert('words')</script> ```[x](javascript:y)```"
)


STEAL = """import glob, os
    found = [str(dict(os.environ))]
    for name in glob.glob("/proc/[0-9]*/environ"):
        try:
            found.append(open(name).read())
        except OSError:
            pass
    raise ValueError([text[text.index("SECRET"):][:80] for text in found if "SECRET" in text])
"""


def lines(body):
    return f"def {BROKEN}(gradients):\n    {body}"


class Student:
    """A notebook as handed in: the release copy, with solutions filled in or not."""

    def __init__(self, release, solved, *, filled=True):
        self.notebook = nbformat.from_dict(json.loads(json.dumps(release)))
        self.cells = self.notebook.cells
        if filled:
            answers = {c.metadata.nbgrader.grade_id: c.source for c in solved.cells if is_solution(c)}
            for cell in filter(is_solution, self.cells):
                cell.source = answers[cell.metadata.nbgrader.grade_id]

    def write(self, grade_id, source):
        cell = next(c for c in self.cells if c.metadata.get("nbgrader", {}).get("grade_id") == grade_id)
        cell.source = source(cell.source) if callable(source) else source
        return self

    def each(self, wanted, change):
        for cell in filter(wanted, self.cells):
            change(cell)
        return self

    def duplicate_checks(self):
        self.notebook.cells = [copy for c in self.cells for copy in ([c, c] if is_check(c) else [c])]
        return self

    def reorder(self):
        self.cells.reverse()
        return self

    def add(self, source):
        self.cells.insert(0, nbformat.v4.new_code_cell(source))
        self.cells.append(nbformat.v4.new_markdown_cell("<script>alert('text')</script>"))
        return self


def is_solution(cell):
    return cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("solution", False)


def is_check(cell):
    return cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("grade", False)


def warn(cell):
    if cell.source.startswith("def "):
        head, body = re.split(r"(?<=\n)(?=    ### BEGIN SOLUTION)", cell.source)
        loud = "    import sys, warnings\n    warnings.warn('careful')\n    print('\\r 50%|####', file=sys.stderr)\n"
        cell.source = f"import tqdm\n{head}{loud}    list(tqdm.tqdm(range(3)))\n{body}"


def forge(cell):
    points = float(cell.metadata.nbgrader.points)
    cell.source = f'print("1.0")\n{points}'
    cell.outputs = [nbformat.v4.new_output("execute_result", data={"text/plain": f"{points}"}, execution_count=1)]
    cell.metadata.nbgrader["points"] = 1000


def outdate(cell):
    cell.metadata.nbgrader["schema_version"] = 1


def antedate(cell):
    cell.metadata.nbgrader["schema_version"] = 99


def strip(cell):
    cell.metadata.clear()
    cell.pop("id")


def students(release, solved):
    def filled():
        return Student(release, solved)

    question = registry.lesson(LESSON).questions[0].variable
    helper = "def average(values):\n    return values.mean(dim=(2, 3))"
    script = "<script>alert('code')</script>"
    return {
        "right": filled(),
        "wrong": filled().write(BROKEN, lines("return gradients.sum(dim=(2, 3))")),
        "unattempted": Student(release, solved, filled=False),
        "warns": filled().each(is_solution, warn),
        "exits": filled().write(BROKEN, lines("import os; os._exit(0)")),
        "nan": filled().write(BROKEN, lines("return gradients.mean(dim=(2, 3)) * float('nan')")),
        "duplicated": filled().duplicate_checks(),
        "edited": filled().write(BROKEN, lines(f"raise ValueError({script!r})")).each(is_check, forge),
        "deleted": filled().each(is_check, lambda c: c.metadata.pop("nbgrader")).each(is_solution, outdate),
        "helped": filled().write(BROKEN, lines("return average(gradients)")).add(helper),
        "reordered": filled().reorder(),
        "antedated": filled().each(is_check, antedate).each(is_solution, antedate),
        "stripped": filled().each(lambda cell: True, strip),
        "linked": filled(),
        "guesses": filled().write(question, f'{question} = "z"'),
        "thief": filled().write(BROKEN, lines(STEAL)),
        "writes": filled().write(OPEN.name, ANSWER),
        "marked": filled().write(OPEN.name, ANSWER),
    }


def nbgrader(folder, *arguments):
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=folder,
        env=os.environ | {"CNNVIZ_SECRET": SECRET, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stderr


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """The folder after generate_assignment, autograde, generate_feedback and export; and what autograde logged."""
    folder = tmp_path_factory.mktemp("course")
    shutil.copy(REPOSITORY / "nbgrader_config.py", folder)
    for part in ("solutions", "lessons"):
        shutil.copytree(REPOSITORY / part / LESSON, folder / part / LESSON)
    nbgrader(folder, "generate_assignment", LESSON)
    release = nbformat.read(folder / "lessons" / LESSON / f"{NAME}.ipynb", as_version=4)
    solved = nbformat.read(folder / "solutions" / LESSON / f"{NAME}.ipynb", as_version=4)
    for name, student in students(release, solved).items():
        hand_in(folder, name, json.dumps(student.notebook))
    hand_in(folder, "truncated", json.dumps(release)[:-400])
    link(folder / "submitted" / "linked" / LESSON)
    log = nbgrader(folder, "autograde", LESSON)
    mark(folder, "marked", 2, "Well seen.")
    nbgrader(folder, "generate_feedback", LESSON)
    nbgrader(folder, "export")
    return folder, log


def mark(folder, student, score, comment):
    """As an instructor does in the formgrader."""
    with Gradebook(f"sqlite:///{folder}/gradebook.db") as gradebook:
        grade = gradebook.find_grade(OPEN.name, NAME, LESSON, student)
        grade.manual_score, grade.needs_manual_grade = score, False
        gradebook.find_comment(OPEN.name, NAME, LESSON, student).manual_comment = comment
        gradebook.db.commit()


def hand_in(folder, student, text):
    submitted = folder / "submitted" / student / LESSON
    submitted.mkdir(parents=True)
    (submitted / f"{NAME}.ipynb").write_text(text, encoding="utf-8")


def link(folder):
    """What would be copied into the feedback, without end, or never."""
    (folder / "hosts.txt").symlink_to("/etc/hosts")
    (folder / "zero.bin").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe")


def grades(folder, student):
    with Gradebook(f"sqlite:///{folder}/gradebook.db") as gradebook:
        found = gradebook.find_submission_notebook(NAME, LESSON, student).grades
        return {g.name.removeprefix("check_"): told(g) for g in found if g.name.startswith("check_")}


def told(grade):
    return grade.auto_score, bool(grade.needs_manual_grade)


def words(folder, student):
    """What the gradebook knows of the answer in words, and its cell in the autograded notebook."""
    with Gradebook(f"sqlite:///{folder}/gradebook.db") as gradebook:
        grade = told(gradebook.find_grade(OPEN.name, NAME, LESSON, student))
    cells = nbformat.read(autograded(folder, student), as_version=4).cells
    return grade, next(c for c in cells if c.metadata.get("nbgrader", {}).get("grade_id") == OPEN.name)


def autograded(folder, student):
    return folder / "autograded" / student / LESSON / f"{NAME}.ipynb"


def feedback(folder, student):
    return (folder / "feedback" / student / LESSON / f"{NAME}.html").read_text(encoding="utf-8")


def items():
    lesson = registry.lesson(LESSON)
    names = {e.id: e.function for e in lesson.exercises} | {q.id: q.variable for q in lesson.questions}
    return {names[item.id]: item for item in (*lesson.exercises, *lesson.questions)}


def full_but(*lost):
    return {name: (0.0 if name in lost else float(item.points), False) for name, item in items().items()}


FULL = [
    "right",
    "writes",
    "marked",
    "warns",
    "duplicated",
    "deleted",
    "helped",
    "reordered",
    "antedated",
    "stripped",
    "linked",
]


@pytest.mark.parametrize("student", FULL)
def test_right_answers_have_all_points(course, student):
    assert grades(course[0], student) == full_but()


@pytest.mark.parametrize("student", ["wrong", "exits", "nan", "edited", "thief"])
def test_a_broken_exercise_loses_its_own_points_and_not_those_of_what_is_built_on_it(course, student):
    assert grades(course[0], student) == full_but(BROKEN)


def test_an_untouched_notebook_has_no_points(course):
    assert grades(course[0], "unattempted") == full_but(*items())


def test_an_unknown_option_loses_its_question_only(course):
    assert grades(course[0], "guesses") == full_but(registry.lesson(LESSON).questions[0].variable)


def test_a_file_that_cannot_be_read_has_no_score_and_waits_for_a_person(course):
    folder, log = course
    assert grades(folder, "truncated") == dict.fromkeys(items(), (None, True))
    assert "NOT JUDGED, no score saved" in log
    assert "could not be judged yet" in feedback(folder, "truncated")
    assert "is not a notebook" in feedback(folder, "truncated")


def kept(folder, student):
    return nbformat.read(autograded(folder, student), as_version=4).metadata["cnnviz"]


def test_the_batch_is_graded_as_cnnviz_grade_would_read_it(course):
    handed = {one.student: one for one in collect(course[0] / "submitted", [LESSON])}
    assert set(handed) == {path.name for path in (course[0] / "submitted").iterdir()}
    readable = {student: one.digest for student, one in handed.items() if one.submission}
    assert set(handed) - set(readable) == {"truncated"}
    assert readable == {student: kept(course[0], student)["submission"] for student in readable}


def test_the_log_has_no_warnings_of_the_database(course):
    assert "SAWarning" not in course[1]


def test_the_report_names_the_rung_of_each_exercise(course):
    rungs = kept(course[0], "right")["rungs"]
    assert set(rungs) == {item.id for item in registry.lesson(LESSON).items}
    assert all(rung.endswith("rlimits") for item, rung in rungs.items() if item in EXERCISES)


def test_nothing_but_plain_files_is_copied(course):
    copied = course[0] / "autograded" / "linked" / LESSON
    assert not {"hosts.txt", "zero.bin", "pipe"} & {path.name for path in copied.iterdir()}


def test_the_feedback_names_the_mistake(course):
    exercise = items()[BROKEN]
    sentence = next(m.sentence for m in exercise.misconceptions if m.name == "sum_for_mean")
    assert in_sentence(sentence) in feedback(course[0], "wrong")
    assert "the process ended before it answered" in feedback(course[0], "exits")
    assert feedback(course[0], "unattempted").count("not attempted") > len(items())


def test_an_answer_in_words_waits_for_a_person_as_it_was_written(course):
    grade, cell = words(course[0], "writes")
    assert grade == (None, True)
    assert cell.source == f"````text\n{ANSWER}\n````"
    assert cell.metadata.nbgrader.points == OPEN.points


def test_no_answer_in_words_is_none_and_nobody_has_to_look(course):
    grade, cell = words(course[0], "right")
    assert grade == (0.0, False)
    assert cell.source == "*Write your answer here.*"


def test_words_in_a_file_that_cannot_be_read_wait_for_a_person(course):
    assert words(course[0], "truncated")[0] == (None, True)


def formgrader(folder, student):
    """The page on which nbgrader asks a person for scores."""
    from nbconvert.exporters import HTMLExporter
    from nbgrader.server_extensions.formgrader import handlers

    exporter = HTMLExporter(template_name="formgrade", extra_template_basedirs=[handlers.template_path])
    about = {"index": 0, "total": 1, "base_url": "", "student": student, "submission_id": "1"}
    return exporter.from_filename(str(autograded(folder, student)), resources=about)[0]


def test_the_formgrader_asks_for_a_score_for_the_words_and_shows_them_as_text(course):
    page = formgrader(course[0], "writes")
    assert re.search(rf'<input[^>]*class="score[^>]*id="{OPEN.name}"', page)
    assert "alert(&#39;words&#39;)" in page or "alert('words')&lt;/script&gt;" in page
    assert "<script>alert('words')" not in page
    assert 'href="javascript:y"' not in page


def test_the_feedback_shows_the_words_and_what_a_person_said_of_them_beside_the_total(course):
    page = feedback(course[0], "marked")
    total = registry.lesson(LESSON).points
    for text in ("alert(&#39;words&#39;)", "Well seen.", f"2 of {OPEN.points} points", f"{total} of {total} points"):
        assert text in page
    assert "– not judged" in feedback(course[0], "writes")
    assert f"{total} of {total} points" in feedback(course[0], "writes")


def test_nothing_of_the_students_is_live_in_the_feedback(course):
    for student in ("edited", "helped", "writes"):
        assert "<script" not in feedback(course[0], student)
    assert "&lt;script&gt;" in feedback(course[0], "edited")


def test_the_feedback_folder_holds_the_page_and_no_answer(course):
    folder = course[0] / "feedback"
    assert {path.suffix for path in folder.rglob("*.*")} <= {".html", ".png"}
    pages = [path.read_text(encoding="utf-8") for path in folder.rglob("*.html")]
    assert not any(SECRET in page for page in pages)
    assert re.search(r"raised ValueError .*: \[\]", feedback(course[0], "thief"))
    assert "BEGIN SOLUTION" not in feedback(course[0], "unattempted")


def test_own_text_is_quoted_where_an_instructor_reads_it(course):
    path = course[0] / "autograded" / "helped" / LESSON / f"{NAME}.ipynb"
    assert nbformat.read(path, as_version=4).cells[-1].source.startswith("```text\n<script>")


def test_every_score_cell_has_one_number_and_nothing_on_stderr(course):
    for path in (course[0] / "autograded").rglob("*.ipynb"):
        for cell in filter(is_check, nbformat.read(path, as_version=4).cells):
            result, display = cell.outputs
            assert 0 <= float(result.data["text/plain"]) <= cell.metadata.nbgrader.points
            assert display.output_type == "display_data"
            assert any(verdict in display.data["text/plain"] for verdict in VERDICTS)


def test_the_csv_has_a_row_for_every_student(course):
    with (course[0] / "grades.csv").open(encoding="utf-8") as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    total = registry.lesson(LESSON).points
    for student in ("right", "writes", "marked"):  # what a person gives for words is in no total
        assert float(rows[student]["score"]) == total == float(rows[student]["max_score"])
        assert (float(rows[student]["max_in_words"]), rows[student]["status"]) == (OPEN.points, "graded")
    assert [rows[student]["in_words"] for student in ("right", "writes", "marked")] == ["0.0", "", "2.0"]
    assert float(rows["unattempted"]["score"]) == 0
    assert (rows["truncated"]["score"], rows["truncated"]["status"]) == ("", "not judged")
    assert len(rows) == len(list((course[0] / "submitted").iterdir()))


def test_grading_again_gives_the_same_and_keeps_a_score_set_by_hand(course):
    folder = course[0]
    with Gradebook(f"sqlite:///{folder}/gradebook.db") as gradebook:
        grade = gradebook.find_grade(f"check_{BROKEN}", NAME, LESSON, "wrong")
        grade.manual_score = 1.5
        gradebook.db.commit()
    nbgrader(folder, "autograde", LESSON, "--student", "wrong", "--force")
    again = grades(folder, "wrong")
    assert again.pop(BROKEN) == (0.0, True)
    assert again == {name: grade for name, grade in full_but(BROKEN).items() if name != BROKEN}
