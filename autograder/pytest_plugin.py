"""`pytest lessons/`: one test per check. A lesson's test module only says `LESSON = "11_grad_cam"`.

Every pytest of an environment loads this, for any project: its names are ours, and without a lesson it does nothing.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from _pytest._io import TerminalWriter

    from autograder.core.judge import Graded
    from autograder.core.verdict import Row
    from autograder.isolated import Runner
    from autograder.reading.submission import Submission
    from autograder.text.words import Shown


class NotAttempted(Exception):
    """The student has not begun this exercise: not a pass, and nothing to explain."""

    def __init__(self, told: Shown) -> None:
        super().__init__(told)


class NotLoaded(Exception):
    """A failure whose reason, the code cannot be read or loaded, another test has said already."""


class Verdict:
    """The verdict of one check, as a test sees it."""

    def __init__(self, row: Row, ran: Sequence[str] = (), *, quiet: bool = False):
        self.row, self.ran, self.quiet = row, ran, quiet

    def confirm(self) -> None:
        """Passes where the check passed; fails with the diagnosis, without a traceback, where it did not."""
        from autograder.core.verdict import LATER, NOT_ATTEMPTED, PASSED
        from autograder.report.sentences import said
        from autograder.text.words import shown

        if self.row.verdict == LATER:
            pytest.skip(f"{self.row.exercise} ({self.row.check}): {LATER}")
        lines = [*said(self.row).splitlines(), *self.ran]
        told = "\n| ".join(lines)  # a line that begins with :: is a command to GitHub's runner
        if self.row.verdict == NOT_ATTEMPTED:
            raise NotAttempted(shown(f"{self.row.exercise}: not attempted yet{': ' if told else ''}{told}"))
        if self.row.verdict != PASSED and self.quiet:
            raise NotLoaded
        if self.row.verdict != PASSED:
            _fail(shown(f"{self.row.exercise} ({self.row.check}): {self.row.verdict}: {told}"))


class Course:
    """Grades each exercise once in a run, when its first check is asked for."""

    def __init__(self, submission: str | None, device: str):
        self.submission, self.device = submission, device
        self.graded: dict[tuple[Path, str], dict[str, Graded]] = {}
        self._runner: Runner | None = None
        self._read: dict[tuple[Path, str], Submission] = {}
        self._said: set[tuple[Path, str]] = set()

    def verdict(self, item_id: str, check: str, folder: Path) -> Verdict:
        """The verdict of one check of the submission that belongs to this test folder.

        With the first that failed stands how the code ran on visible inputs.
        """
        from autograder.core.verdict import FAILED
        from autograder.report.tables import load_problem, ran

        graded = self._of(item_id, folder)
        row = next(row for row in graded.rows if row.check == check)
        first = next((row for row in graded.rows if row.verdict == FAILED), None)
        problem = load_problem(graded.rows)
        quiet = bool(problem) and not self.first(folder, problem)
        return Verdict(row, ran(graded) if row is first else (), quiet=quiet)

    def first(self, folder: Path, problem: str) -> bool:
        """Whether the problem of this folder is said for the first time."""
        said, self._said = self._said, {*self._said, (folder, problem)}
        return (folder, problem) not in said

    def _of(self, item_id: str, folder: Path) -> Graded:
        """One exercise or question, after the exercises that it is built on."""
        from autograder.core import grade
        from autograder.core.oracle import Setting
        from autograder.course import registry
        from autograder.course.records import foundations

        lesson, item = registry.lesson_of(item_id), registry.item(item_id)
        where = Path(self.submission) if self.submission else folder
        done = self.graded.setdefault((where, lesson.id), {})
        if item_id not in done:
            parts = foundations(item, lesson.exercises) if item in lesson.exercises else ()
            earlier = [self._of(part, folder) for part in parts]
            submission = self._load(where, lesson)
            done[item_id] = grade.grade_item(
                submission, item, Setting(device=self.device), self.runner, earlier=earlier
            )
        return done[item_id]

    @property
    def runner(self):
        """The warm process that runs student code, started on first use."""
        from autograder.isolated import Runner

        if self._runner is None:
            self._runner = Runner().__enter__()
        return self._runner

    def close(self) -> None:
        """Ends the warm process."""
        if self._runner is not None:
            self._runner.__exit__(*sys.exc_info())

    def _load(self, where: Path, lesson):
        from autograder.batch.confined import read_folder

        if (where, lesson.id) not in self._read:
            self._read[where, lesson.id] = read_folder(where, lesson)
        return self._read[where, lesson.id]


_COURSE = pytest.StashKey[Course]()
_SUBMISSION, _DEVICE = "--cnnviz-submission", "--cnnviz-device"


def pytest_addoption(parser):
    """Adds the options of `pytest lessons/`."""
    group = parser.getgroup("cnnviz", "the course on CNN visualization")
    group.addoption(_SUBMISSION, metavar="DIR", help="check this folder instead of the one beside the tests")
    group.addoption(_DEVICE, metavar="NAME", default="cpu", help="cpu, cuda or mps: where the checks run")


def _concerns(config: pytest.Config) -> bool:
    """Whether a lesson is near what pytest looks at: elsewhere it is a guest, of whom nothing is seen."""
    here = config.invocation_params.dir
    places = [here, *(here / arg.split("::")[0] for arg in config.args)]
    return bool(config.getoption(_SUBMISSION)) or any(map(_holds_lesson, places))


def _holds_lesson(place: Path) -> bool:
    """Whether a path is in a lesson's folder, or holds one at most two folders below."""
    try:
        found = (path for pattern in ("*/test_*.py", "*/*/test_*.py") for path in place.glob(pattern))
        return any(map(_is_lesson, (place, *place.parents))) or any(_is_lesson(path.parent) for path in found)
    except (OSError, ValueError):  # no name of a file: pytest says so
        return False


def _is_lesson(folder: Path) -> bool:
    from autograder.course.locations import home_of

    if not (folder / f"test_{folder.name.partition('_')[2]}.py").is_file():
        return False
    return home_of(folder.name).outline(folder.name).is_file()


@pytest.hookimpl(wrapper=True)
def pytest_cmdline_main(config):
    """What pytest says of an argument before its terminal is there: a shell's `*` gives it names of strangers."""
    from autograder.text.words import shown

    try:
        return (yield)
    except pytest.UsageError as error:
        if not _concerns(config):
            raise
        raise pytest.UsageError(*(shown(str(told)) for told in error.args)) from error


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config):
    """Refuses settings that a student handed in: pytest looks for them where its first argument lies."""
    submission, settings = early_config.known_args_namespace.cnnviz_submission, early_config.inipath
    if submission and settings and settings.resolve().is_relative_to(Path(submission).resolve()):
        from autograder.text.words import shown

        raise pytest.UsageError(
            f"{_SUBMISSION}: pytest took its settings from {shown(str(settings))}, which was handed in; name the tests "
            f"too, as in `pytest lessons/ {_SUBMISSION}={shown(submission)}`."
        )


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    """Where lessons are checked, refuses a submission or a device that is not there before anything is run."""
    if _concerns(config):
        _begin(config)


def _begin(config: pytest.Config) -> Course:
    """The course of this session, made when it is first asked for."""
    if _COURSE in config.stash:
        return config.stash[_COURSE]
    submission, device = config.getoption(_SUBMISSION), config.getoption(_DEVICE)
    if submission and not Path(submission).is_dir():
        raise pytest.UsageError(
            f"{_SUBMISSION}: got {submission}, which is not a folder; name one that holds the lessons."
        )
    if device != "cpu":
        import cnnviz

        try:
            cnnviz.device(device)
        except ValueError as error:
            raise pytest.UsageError(f"--cnnviz-{error}") from error
    if (reporter := config.pluginmanager.get_plugin("terminalreporter")) is not None:  # a worker of xdist has none
        _hold(reporter._tw)
    config.stash[_COURSE] = Course(submission, device)
    return config.stash[_COURSE]


def _hold(writer: TerminalWriter) -> None:
    """Lets nothing but pytest's own colours, and its return to the start of a line, steer the terminal: names of
    folders, captured output, warnings and tracebacks are text."""
    from autograder.text.words import visible

    write = writer.write

    def held(msg: str, *, flush: bool = False, **markup: bool) -> None:
        parts = re.split(r"(^\r|\x1b\[[0-9;]*m)" if writer.hasmarkup else r"(^\r)", msg)
        shown = (part if number % 2 else visible(part) for number, part in enumerate(parts))
        write("".join(shown), flush=flush, **markup)

    writer.write = held  # type: ignore[method-assign]


def pytest_unconfigure(config):
    """Ends the warm process."""
    if (course := config.stash.get(_COURSE, None)) is not None:
        course.close()


def pytest_generate_tests(metafunc):
    """One test per check of the module's lesson."""
    if "cnnviz_verdict" not in metafunc.fixturenames:
        return
    _begin(metafunc.config)
    from autograder.core.judge import checks_of
    from autograder.course import registry

    lesson = registry.lesson(metafunc.module.LESSON)
    checks = [(item.id, check) for item in lesson.items for check in checks_of(item)]
    metafunc.parametrize("cnnviz_verdict", checks, indirect=True, ids=[f"{i.split('.')[1]}: {c}" for i, c in checks])


@pytest.fixture
def cnnviz_verdict(request) -> Verdict:
    """The verdict of one check."""
    course, folder = request.config.stash[_COURSE], Path(request.path).parent
    try:
        return course.verdict(*request.param, folder=folder)
    except (ValueError, FileNotFoundError) as error:
        from autograder.text.words import shown

        if not course.first(folder, str(error)):
            raise NotLoaded from None
        _fail(shown(str(error)))


def _fail(told: Shown) -> NoReturn:
    """The one way of a failure to pytest's terminal and files: pytest shows the text as it is."""
    pytest.fail(told, pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Marks the report of an exercise that was not begun, and takes its traceback away."""
    report = yield
    shown = getattr(item, "funcargs", {}).get("cnnviz_verdict")
    if call.when == "call" and isinstance(shown, Verdict):
        from autograder.report.sentences import in_sentences
        from autograder.text.words import changed_in, visible

        row = changed_in(in_sentences(shown.row), visible)
        report.user_properties.append(("cnnviz", row))  # survives the way from a worker of xdist
    if call.excinfo is not None and call.excinfo.errisinstance(NotAttempted):
        report.not_attempted, report.longrepr = True, str(call.excinfo.value)
    if call.excinfo is not None and call.excinfo.errisinstance(NotLoaded):
        report.not_loaded, report.longrepr = True, "not loaded: the first failure of this folder says why"
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report):
    """Categories of their own, which are not in the list of failures, yet no passes."""
    if getattr(report, "not_attempted", False):
        return "not attempted", "·", "NOT ATTEMPTED"
    if getattr(report, "not_loaded", False):
        return "not loaded", "F", "NOT LOADED"
    return None


def pytest_terminal_summary(terminalreporter):
    """One table a lesson and folder at the end of the run; of several, one that is not begun is a line."""
    folders: dict[str, list[dict]] = {}
    for report in (report for reports in terminalreporter.stats.values() for report in reports):
        for name, row in getattr(report, "user_properties", ()):
            if name == "cnnviz":
                folders.setdefault(report.nodeid.split("::")[0].rpartition("/")[0], []).append(row)
    if not folders:
        return
    from autograder.text.screen import Screen
    from autograder.text.words import printable

    writer = terminalreporter._tw
    console = Screen(file=writer._file, width=writer.fullwidth, color_system="auto" if writer.hasmarkup else None)
    console.line()
    for table in _tables(folders):
        console.print(table)
    rows = [row for rows in folders.values() for row in rows]
    missing = {row["diagnosis"]["message"] for row in rows if row["verdict"] == "not attempted" and row["diagnosis"]}
    for sentence in sorted({row["note"] for row in rows if row.get("note")} | missing):
        console.say(printable(sentence))


def _tables(folders: dict[str, list[dict]]):
    """In the order of the course; the folder is named where a lesson was checked in more than one."""
    from autograder.course import registry
    from autograder.report import tables

    for lesson in registry.lessons():
        own = {item.id: item for item in lesson.items}
        found = {where: rows for where, rows in folders.items() if any(row["exercise"] in own for row in rows)}
        for where, rows in found.items():
            seen = {row["exercise"] for row in rows}
            graded = [_shown(item, rows) for item in lesson.items if item.id in seen]
            if len(folders) > 1 and not tables.is_begun(graded):
                yield tables.not_begun(lesson, graded)
                continue
            table = tables.lesson_table(lesson, graded)
            if len(found) > 1:
                table.title = f"{where}: {table.title}"
            yield table


def _shown(item, rows):
    from autograder.core.judge import Graded
    from autograder.core.verdict import Row

    own = [row for row in rows if row["exercise"] == item.id]
    return Graded(item, tuple(Row(item.id, r["check"], r["verdict"], r["max_points"]) for r in own))
