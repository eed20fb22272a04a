"""Whatever a stranger writes is shown and never obeyed: in terminals, logs, tables, JSON and pages, on every front."""

import ast
import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import unicodedata
from pathlib import Path

import pytest

from tests.hostile.range.live import live_in_page, live_in_table, live_in_terminal

ROOT = Path(__file__).parents[2]
LESSON = "11_grad_cam"
SECRET = "the secret of these tests"

STEERING = {
    "clears the screen": "\x1b[2J\x1b[H",
    "fills the clipboard": "\x1b]52;c;cm0gLXJmIH4K\x07",
    "links": "\x1b]8;;https://evil.example\x1b\\here\x1b]8;;\x1b\\",
    "sets the title": "\x1b]0;root\x07",
    "colours": "\x1b[32m31 of 31 points\x1b[0m",
    "hides": "\x1b[8m",
    "C1": "\x9b2J\x9d52;c;QQ==\x9c\x85",
    "turns round": "a\u202egpj.exe\u2066b\u2069\u200f\u061c",
    "has no width": "al\u200bic\ufeffe\u2060\u00ad\u180e",
    "tags": "a\U000e0041\U000e0042",
    "begins the line again": "failed\rpassed",
    "goes back": "failed" + "\b" * 6 + "passed",
    "rings": "\a\x0b\x0c\x7f",
    "NUL": "a\0b",
    "half a character": "a\ud800\udcffb",
    "ends a line": "a\u2028b\u2029c",
    "adds a line": "ann\n425 results, all signed by this course's secret.",
}
MARKUP = {
    "rich": "[red]x[/] [link=https://evil.example]y[/link] [/] :boom: [bold",
    "script": "<script>alert(1)</script></script></title></style><!--",
    "image": "<img src=x onerror=alert(1)><svg/onload=alert(1)>",
    "attribute": "\" onmouseover=\"alert(1)\" '><iframe srcdoc='<b>'",
    "link": '<a href="javascript:alert(1)">x</a><form action=//evil.example>',
    "style": "</style><style>*{display:none}</style><base href=//evil.example>",
    "markdown": "[x](javascript:alert(1)) ![x](//evil.example/y) | a | b |",
    "template": "{{ 7*7 }}{% raw %}${7*7}%s{0}",
    "JSON": '"}],"x":[{"</script>',
}
FORMULAS = {
    "equals": "=cmd|' /C calc'!A0",
    "plus": "+1+1",
    "minus": "-2+3",
    "at": "@SUM(A1)",
    "tab": "\t=1+1",
    "return": "\r=1+1",
    "space": "  \u3000=1+1",
    "wide": "＝１＋１",
    "small": "﹦1﹢1",
    "quote": "'=1+1",
    "joiner": "\u200d=1+1",
    "list": "a;=1+1;b",
    "row": 'a"\n"=1+1',
}
PAYLOADS = {**STEERING, **MARKUP, **FORMULAS}
HONEST = ["Zoë", "김민수", "山田　太郎", "علی\u200cرضا", "👩\u200d🔬 ✓", "O'Neil", "a=b", "x < y & z"]
every = pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS.keys())


def obeyed(text, *, lines=True):
    """Characters of a text that are no text."""
    shown = {c for c in text if c.isprintable() or c in "\u200c\u200d" or unicodedata.category(c) == "Zs"}
    return sorted(set(text) - shown - set("\n\t" if lines else "")) + live_in_terminal(text)


OWN = r'the element <(input|button)>|the attribute href="[\w~.%/-]+"|the attribute (aria-label|alt)='


def live(page):
    """What runs or loads something in a page, beside what all our pages have: a label of any words does neither."""
    drawn = re.sub(r'(?s)<script( type="application/json" id="data")?>.*?</script>|<svg .*?</svg>', "", page)
    return [found for found in live_in_page(drawn) if not re.match(OWN, found)]


def rendered(*parts, **options):
    from autograder.text.screen import Screen

    screen = Screen(file=io.StringIO(), width=200, color_system=None, **options)
    for part in parts:
        screen.print(part)
    return screen.file.getvalue()


# The functions, and the sinks alone


@every
def test_no_escaping_function_lets_anything_through(payload):
    from autograder.text.words import cell, csv_text, json_text, printable, shown, visible

    assert not obeyed(visible(payload))
    assert not obeyed(shown(payload))
    assert not obeyed(printable(payload), lines=False)
    assert "\n" not in printable(payload)
    assert not obeyed(json_text({payload: [payload]}))
    assert not live_in_table(csv_text([[payload, cell(payload)]]))
    for separator in ",;\t|":
        cells = [c for row in csv.reader(io.StringIO(csv_text([[payload, payload]])), delimiter=separator) for c in row]
        assert not [
            c for c in cells if c.lstrip(" \u3000'\u200d").startswith(tuple("=+-@＝＋－＠﹦﹢")) and c[0] != "'"
        ]


@pytest.mark.parametrize("text", HONEST)
def test_honest_text_stays_as_it_is(text):
    from autograder.text.words import cell, json_text, printable, visible

    assert visible(text) == printable(text) == cell(text) == text
    assert json.loads(json_text(text)) == text
    assert text in rendered(*_drawn(text))


def test_lines_and_tabs_of_a_print_stay_and_its_colours_are_text():
    from autograder.text.screen import Text

    assert rendered(Text("a\n\tb \x1b[32m10%\x1b[0m")).split() == ["a", "b", "�[32m10%�[0m"]


def _drawn(payload):
    from rich.console import Group
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text as PlainText

    from autograder.text.screen import Text

    table = Table(payload, title=payload, caption=payload)
    table.add_row(payload)
    table.add_row(PlainText(payload, "red"))
    yield from (table, Text(payload, "bold"), Text.assemble(payload, (payload, "dim")), PlainText(payload))
    yield from (Padding(payload, 1), Padding(PlainText(payload), 1), Group(payload))


@every
def test_the_screen_obeys_nothing_wherever_it_stands(payload):
    for part in _drawn(payload):
        assert not obeyed(rendered(part)), part


@every
def test_the_screen_says_a_line_as_one_line(payload):
    from autograder.text.screen import Screen
    from autograder.text.words import printable

    screen = Screen(file=io.StringIO(), width=40, color_system=None)
    screen.say(printable(payload), "red")
    assert screen.file.getvalue().count("\n") == 1
    assert not obeyed(screen.file.getvalue())


def test_markup_and_emoji_codes_are_text():
    assert MARKUP["rich"] in rendered(*_drawn(MARKUP["rich"]))


@every
def test_logs_warnings_and_tracebacks_of_a_process_that_reports_safely(payload):
    code = """
    import logging, sys, warnings
    from autograder.text.words import report_safely
    report_safely()
    payload = sys.stdin.buffer.read().decode("utf-8", "surrogatepass")
    logging.basicConfig(format="%(message)s")
    logging.getLogger("other.package").warning("of %s", payload)
    try:
        raise ValueError(payload)
    except ValueError:
        logging.exception("failed")
    warnings.warn(payload)
    raise type(payload.replace("\\0", ""), (Exception,), {})(payload)
    """
    done = _python(textwrap.dedent(code), payload)
    told = done.stderr.decode("utf-8", "surrogatepass")
    assert done.returncode == 1
    assert not obeyed(told)
    assert told.count("of ") >= 1


def _python(code, payload):
    data = payload.encode("utf-8", "surrogatepass")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8:surrogatepass"}
    return subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, env=environment, timeout=60)


# What student code says, on every screen and page that is made without running it


def _row(payload, verdict="failed", kind="raised"):
    from autograder.core.diagnose import Diagnosis
    from autograder.core.message import message
    from autograder.core.verdict import Row

    told = message("raised.at_line", type=payload, text=payload, line=3, source=payload, advice=message("advice.none"))
    note = message("note.another_name", got=payload, asked=payload)
    diagnosis = Diagnosis(kind, "ValueError", told)
    return Row("grad_cam.neuron_importance", "values: seen", verdict, 4, diagnosis, note=note)


@every
def test_a_diagnosis_in_a_terminal_a_notebook_and_nbgraders_cells(payload):
    from autograder.core.judge import Graded
    from autograder.course import registry
    from autograder.practice import Panel
    from autograder.report.tables import as_text, diagnoses, lesson_table

    row = _row(payload)
    graded = Graded(registry.item(row.exercise), (row,))
    assert not obeyed(rendered(lesson_table(registry.lesson(LESSON), [graded]), diagnoses([graded])))
    assert not obeyed(as_text([row]))
    panel = Panel(graded, [])
    assert not obeyed(repr(panel))
    assert not obeyed(panel._repr_html_())
    assert not live(panel._repr_html_())


@every
def test_feedback_index_and_class_pages(payload, tmp_path):
    from autograder.cohort import cohort_page
    from autograder.core.verdict import Points
    from autograder.feedback import Sheet, page
    from autograder.feedback.class_pages import Made, make_index
    from autograder.feedback.student_page import Section

    row = _row(payload)
    section = Section(payload, 1.0, 4.0, [row.as_json()], code=payload, comment=payload, item=row.exercise)
    made = Made(payload, LESSON, tmp_path / "a.html", Points(), 1, 0, True)
    cohort = cohort_page(_results_list(payload), _lessons(), secret=SECRET, left_out=[payload])
    pages = [page(Sheet(payload, payload, 1.0, 4.0, [section])), make_index([made], tmp_path).read_text("utf-8")]
    for text in (*pages, cohort):
        assert not obeyed(text)
        assert not live(text)
    assert cohort.count("<script") == cohort.count("</script>") == 2


@every
def test_gradescopes_results(payload, tmp_path):
    from autograder.course import registry
    from autograder.exports.gradescope_results import results_json, unread_json
    from autograder.exports.gradescope_run import _write

    lesson, file, written = registry.lesson(LESSON), tmp_path / "results.json", []
    for value in (
        results_json(lesson, _results_list(payload), confined="confined."),
        unread_json(lesson, payload),
    ):
        _write(file, value)
        written.append(file.read_text("utf-8"))
        assert json.loads(written[-1])["output_format"] == "text"
    assert not obeyed("".join(written))


def _lessons():
    from autograder.course import registry

    return [registry.lesson(LESSON)]


def _results_list(*students):
    return list(_results(*students))


def _results(*students):
    from dataclasses import replace

    from autograder.batch.stages import Result

    for student in students:
        for item in _lessons()[0].items:
            verdict, kind = ("not judged", "grader") if item == _lessons()[0].items[-1] else ("failed", "raised")
            row = replace(_row(student, verdict, kind), exercise=item.id)
            yield Result(student, LESSON, item.id, "0" * 64, "checks", "", "landlock", (row,))


# Whole commands, on signed results of a class of such names


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    from autograder.batch.results import Store
    from autograder.batch.summaries import write_tables

    folder = tmp_path_factory.mktemp("class") / "R \x1b[2J\u202e"
    store = Store(folder, SECRET)
    names = {name.encode("utf-8", "backslashreplace").decode() for name in [*PAYLOADS.values(), *HONEST]}
    with store.at_work():
        for one in _results(*sorted(names)):
            store.put(one)
        write_tables(store)
    for number, payload in enumerate(STEERING.values()):
        stray = payload.encode("utf-8", "replace").decode().replace("\0", "").replace("/", "_")
        (folder / "results" / f"{number}{stray}.json").write_text("{")
    return folder


COMMANDS = {
    "verify": ["verify", "{}"],
    "regrade": ["regrade", "{}", "--dry-run", "--allow-unsandboxed", "--jobs", "1"],
    "similar": ["similar", "{}"],
    "feedback": ["feedback", "{}", "--out", "{out}/pages"],
    "cohort": ["cohort", "{}", "--out", "{out}/cohort.html"],
    "csv": ["export", "csv", "{}", "--out", "{out}/grades.csv"],
    "moodle": ["export", "moodle", "{}", "--out", "{out}/moodle.csv"],
    "canvas": ["export", "canvas", "{}", "--gradebook", "{out}/canvas.csv", "--column", "Lab", "--out", "{out}/c2.csv"],
    "no results": ["verify", "{out}/\x1b[2J\u202e\x9b"],
    "an argument too many": ["verify", "{}", "\x1b[2J\u202e\x9b"],
    "no such command": ["\x1b[2J\u202e\x9b"],
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
def test_a_command_on_a_class_of_such_names(command, results, tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from autograder.cli import app

    monkeypatch.setenv("CNNVIZ_SECRET", SECRET)
    names = "\n".join(f'"{name}",1,,u{n},,' for n, name in enumerate(["Zoë", "=1+1"]))
    (tmp_path / "canvas.csv").write_text(f"Student,ID,SIS User ID,SIS Login ID,Section,Lab (1)\n{names}\n", "utf-8")
    asked = [word.replace("{out}", str(tmp_path)).replace("{}", str(results)) for word in command]
    done = CliRunner().invoke(app, asked)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert not obeyed(done.output)
    assert "\nann\n425 results" not in done.output
    assert not [line for line in done.output.splitlines() if line.startswith("425 results, all signed")]
    for file in tmp_path.rglob("*.csv"):
        if file.name != "canvas.csv":
            text = file.read_text("utf-8-sig")
            assert file.name == "c2.csv" or not live_in_table(text)
            assert not obeyed(text.replace("\r\n", "\n"))
    for file in tmp_path.rglob("*.html"):
        assert not obeyed(file.read_text("utf-8"))
        assert not live(file.read_text("utf-8"))


def test_the_table_of_a_class(results):
    text = (results / "results.csv").read_text("utf-8")
    assert not live_in_table(text)
    assert not obeyed(text)
    for name in HONEST:
        assert f'"{name}"' in text


@every
def test_what_grade_tells_meanwhile_and_at_the_end(payload):
    from collections import Counter

    from autograder.batch.grade_class import Summary
    from autograder.batch.stages import Handed
    from autograder.commands.class_progress import Progress, told_of
    from autograder.text.screen import Screen

    found = _results_list(payload)
    for terminal in (False, True):
        screen = Screen(file=io.StringIO(), width=200, color_system=None, force_terminal=terminal)
        with Progress([Handed(payload, LESSON, None, "")], screen) as progress:
            for one in found:
                progress.told(one)
        for line, style in told_of(_summary(Summary, Counter, found), Path(payload.replace("\0", ""))):
            screen.say(line, style)
        text = screen.file.getvalue()
        if terminal:  # the bar itself hides the cursor, goes up and clears its line
            text = re.sub(r"\x1b\[(\?25[lh]|1A|2K)|\r", "", text)
        assert not obeyed(text)
        assert not [line for line in text.splitlines() if line.startswith("425 results")]


def _summary(kind, counter, found):
    import inspect

    values = {"submissions": 1, "graded": 1, "kept": 0, "older": 1, "unjudged": found, "verdicts": counter()}
    return kind(**{name: values[name] for name in inspect.signature(kind).parameters})


@every
def test_watch_and_the_map(payload, tmp_path):
    from autograder.course import outlines
    from autograder.study.folder import Work
    from autograder.study.progress import Standing, State
    from autograder.study.telling import verdict

    outline = outlines.lesson("11")
    state = State(outline.items[1], "failed", 0, ((payload, ("values",)), (payload, ())), "", payload)
    assert not obeyed(rendered(*verdict(state)))
    standing = Standing(Work(outline, tmp_path), (state,), payload, "")
    from autograder.study.screens import lesson_list
    from autograder.text.screen import Screen

    screen = Screen(file=io.StringIO(), width=100, color_system=None)
    for part in lesson_list(standing, screen):
        screen.print(part)
    assert not obeyed(screen.file.getvalue())


# nbgrader


def test_nbgraders_own_log_in_a_course_is_safe():
    code = """
    import logging, sys
    from traitlets.config import PyFileConfigLoader
    PyFileConfigLoader("nbgrader_config.py", path=sys.argv[1]).load_config()
    payload = sys.stdin.buffer.read().decode("utf-8", "surrogatepass")
    from nbgrader.apps import NbGrader
    app = NbGrader(logfile="")
    app.log.error("There was an error processing assignment: submitted/%s/11_grad_cam", payload)
    app.log.warning(payload)
    """
    code = textwrap.dedent(code).replace("sys.argv[1]", repr(str(ROOT)))
    done = _python(code, "".join(STEERING.values()))
    assert done.returncode == 0, done.stderr
    told = re.sub(r"\x1b\[[0-9;]*m", "", done.stderr.decode("utf-8", "surrogatepass"))  # traitlets' own colours
    assert "submitted/" in told
    assert not obeyed(told)


@every
def test_nbgraders_score_cells_and_export(payload, tmp_path):
    from types import SimpleNamespace

    from nbformat.v4 import new_code_cell

    from autograder.nbgrader.checks import write_score
    from autograder.nbgrader.export import CsvExport

    cell = new_code_cell("", metadata={"nbgrader": {"points": 4}})
    write_score(cell, [_row(payload)])
    for output in cell.outputs:
        assert set(output.data) == {"text/plain"}
        assert not obeyed(output.data["text/plain"])
    student = SimpleNamespace(id=payload, last_name=payload, first_name=payload, email=payload)
    handed = SimpleNamespace(
        score=3.0, written_score=0.0, late_submission_penalty=0.0, timestamp=payload, notebooks=[], max_score=4.0
    )
    assignment = SimpleNamespace(name=LESSON, duedate=None, max_score=4.0, max_written_score=0.0)
    book = SimpleNamespace(assignments=[assignment], students=[student], find_submission=lambda *_: handed)
    export = CsvExport(to=str(tmp_path / "grades.csv"))
    export.export(book)
    text = (tmp_path / "grades.csv").read_text("utf-8")
    assert not live_in_table(text)
    assert not obeyed(text)
    assert len(text.splitlines()) == 2
    assert len(text.splitlines()[1].split('","')) == 14


# pytest


TESTS = '''
import warnings, pytest

PAYLOAD = {payload!r}


@pytest.mark.parametrize("value", [1], ids=["id \\u202e\\x9b2J"])
def test_of_a_student(value):
    """{doc}"""
    print(PAYLOAD)
    warnings.warn(PAYLOAD)
    assert {{PAYLOAD: type("\\x1b[2J", (), {{}})()}} == {{}}, PAYLOAD


def test_that_raises():
    raise type("\\x1b[2J\\x9b", (Exception,), {{}})(PAYLOAD)


def test_that_skips():
    pytest.skip(PAYLOAD)
'''


def _pytest(folder, *arguments):
    """What pytest prints in a folder that holds a lesson too, whose checks are not run."""
    lesson = folder / "lessons" / LESSON
    if not lesson.is_dir():
        shutil.copytree(ROOT / "lessons" / LESSON, lesson)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--ignore=lessons", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100", "PYTHONUTF8": "1"}
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=400, env=environment)
    return done.stdout.decode("utf-8", "surrogateescape") + done.stderr.decode("utf-8", "surrogateescape")


@pytest.mark.parametrize("options", [(), ("-v",), ("-rA", "--tb=long", "-vv"), ("-q", "--tb=native")], ids=" ".join)
def test_pytest_shows_names_prints_warnings_and_tracebacks_as_text(options, tmp_path):
    folder = tmp_path / "alice \x1b[2J\u202e\x9b"
    folder.mkdir()
    payload = "".join(text for name, text in STEERING.items() if name not in ("half a character", "adds a line"))
    doc = STEERING["clears the screen"] + "\u202e"
    (folder / "test_\x1b[31m.py").write_text(TESTS.format(payload=payload, doc=doc), "utf-8")
    text = _pytest(tmp_path, "--rootdir", str(tmp_path), *options)
    assert "2 failed" in text
    assert not obeyed(text)
    coloured = _pytest(tmp_path, "--rootdir", str(tmp_path), "--color=yes", *options)
    assert "\x1b[31m" in coloured  # pytest's own
    assert not obeyed(re.sub(r"\x1b\[[0-9;]*m", "", coloured))


@pytest.mark.parametrize(
    "arguments", [["\x1b[2J\u202e"], ["gone \x9b\u202e"], ["--cnnviz-submission", "\x1b]0;\u202e"]]
)
def test_pytest_refuses_an_argument_without_obeying_it(arguments, tmp_path):
    text = _pytest(tmp_path, "--rootdir", str(tmp_path), *arguments)
    assert "ERROR: " in text
    assert not obeyed(text)


def test_pytest_on_a_lesson_tells_what_code_says_as_text(tmp_path):
    stub = (ROOT / "lessons" / LESSON / "grad_cam.py").read_text("utf-8")
    payload = "".join(text for name, text in STEERING.items() if name != "half a character")
    raising = f"\n\ndef neuron_importance(gradients):\n    print({payload!r})\n    raise ValueError({payload!r})\n"
    for student in ("one \x1b[2J\x9b", "two [red]\u202e[/]"):
        folder = tmp_path / student / LESSON
        folder.mkdir(parents=True)
        (folder / "grad_cam.py").write_text(stub + raising, "utf-8")
        (folder / "test_grad_cam.py").write_bytes((ROOT / "lessons" / LESSON / "test_grad_cam.py").read_bytes())
    xml = tmp_path / "out.xml"
    text = _pytest(
        tmp_path, "-rA", "-v", "--tb=long", f"--junitxml={xml}", "-k", "neuron_importance",
        "--import-mode=importlib", "--rootdir", str(tmp_path), str(tmp_path),
    )  # fmt: skip
    assert "it raised ValueError" in text or "raised" in text
    assert "two [red]" in text
    assert not obeyed(text)
    messages = re.findall(r'(?:message|value)="([^"]*)"', xml.read_text("utf-8"))
    assert messages
    assert not obeyed("\n".join(messages))


# Who may write where


MISUSED = """
from pathlib import Path
from autograder.report import pages
from autograder.pytest_plugin import NotAttempted, _fail
from autograder.text.screen import Screen
from autograder.exports.csv_file import Sheet

def of_a_stranger() -> str:
    return input()

def wrong(screen: Screen, sheet: Sheet, name: str) -> None:
    screen.say(name)  # 1
    screen.say(f"{name}: 3 points")  # 2
    screen.print(f"{name}: 3 points")  # 3
    screen.print(name, style="red")  # 4
    pages.write(Path("a.html"), f"<p>{name}</p>")  # 5
    sheet.set(1, 1, name)  # 6
    if name:
        _fail(name)  # 7
    raise NotAttempted(of_a_stranger())  # 8
"""
RIGHT = """
from pathlib import Path
from autograder.report import pages
from autograder.pytest_plugin import NotAttempted, _fail
from autograder.text.screen import Screen, Text
from autograder.exports.csv_file import Sheet
from autograder.text.words import cell, printable, shown

def right(screen: Screen, sheet: Sheet, name: str) -> None:
    screen.say(printable(name))
    screen.say(printable(f"{name}: 3 points"), "red")
    screen.print(Text(name))
    pages.write(Path("a.html"), pages.page("demo.html.j2", lesson=name, shown=[]))
    sheet.set(1, 1, cell(name))
    if name:
        _fail(shown(name))
    raise NotAttempted(shown(name))
"""


def test_mypy_refuses_a_strangers_text_at_every_sink(tmp_path):
    (tmp_path / "misused.py").write_text(MISUSED, "utf-8")
    (tmp_path / "right.py").write_text(RIGHT, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), "--follow-imports=silent",
         "--no-error-summary", str(tmp_path / "misused.py"), str(tmp_path / "right.py")],
        cwd=ROOT, capture_output=True, text=True, timeout=500,
    )  # fmt: skip
    wrong = {n for n, line in enumerate(MISUSED.splitlines(), 1) if re.search(r"# \d$", line)}
    found = {int(n) for n in re.findall(r"misused\.py:(\d+): error: Argument 1? ?.*\[arg-type\]", done.stdout)}
    assert found == wrong, done.stdout + done.stderr
    assert "right.py" not in done.stdout


OF_THE_COURSE = ("authoring/templates/__init__.py", "kit/release.py")
"""They fill templates with the course's own text only."""
ALLOWED = {
    "Console": set(),
    "rich.text": {"autograder/text/screen.py"},
    "csv.writer": {"autograder/text/words.py"},
    "print": {"autograder/text/words.py"},
    "typer.echo": set(),
    "jinja2.Environment": {"autograder/report/pages.py", *(f"autograder/{made}" for made in OF_THE_COURSE)},
    "Line": {"autograder/text/words.py"},
    "Shown": {"autograder/text/words.py"},
    "Cell": {"autograder/text/words.py"},
}
"""What text could leave by, or be called safe by -> the files that may."""
IN_THE_CHILD = ("autograder/isolated/", "autograder/demo/")


def _ways_out(path):
    place, tree = path.relative_to(ROOT).as_posix(), ast.parse(path.read_text("utf-8"))
    ours = {a.name for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module == "autograder.text.words"
            for a in n.names}  # fmt: skip
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "rich.text":
            yield "rich.text", place
        name = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
        of_ours = name not in ("Line", "Shown", "Cell") or name in ours or place.endswith("/words.py")
        if name in ALLOWED and of_ours:
            yield name, place


def test_text_leaves_by_its_one_way_only():
    files = list((ROOT / "autograder").rglob("*.py"))
    ours = [path for path in files if not path.relative_to(ROOT).as_posix().startswith(IN_THE_CHILD)]
    found = {}
    for name, place in (way for path in ours for way in _ways_out(path)):
        found.setdefault(name, set()).add(place)
    assert found == {name: places for name, places in ALLOWED.items() if places}


def test_markup_is_made_of_our_own_text_only():
    """`Markup(...)` around anything but a literal is a way past the escaping: these places are known, and read."""
    known = {
        "autograder/report/pages.py",
        "autograder/cohort/page.py",
        "autograder/cohort/view.py",
        "autograder/text/formulas.py",
    }
    found = set()
    for path in (ROOT / "autograder").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            made = isinstance(node, ast.Call) and ast.unparse(node.func) == "Markup"
            if made and not all(isinstance(argument, ast.Constant) for argument in node.args):
                found.add(path.relative_to(ROOT).as_posix())
    assert found == known
    templates = "".join(path.read_text("utf-8") for path in (ROOT / "autograder" / "templates").iterdir())
    assert not re.search(r"\|\s*safe\b|autoescape", templates)
