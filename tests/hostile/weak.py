"""A grader with every habit that the real one avoids, so that each attack can be seen to succeed.

It grades students one after another, in name order, in the folder where its gradebook lies, each twice:

- `_by_process`: a fork runs the code and hands its results back as a pickle. Exit status 0 without results means that
  all tests passed, and what it prints or writes in the form of a report is believed.
- `_in_class`: the code is loaded into this very process and called beside the reference. A test passes unless it
  fails: also where it is skipped, and where the code ends the process with status 0. Test cells of a notebook are
  executed as they were handed in, for the points that they say they are worth.

The better of the two counts. Messages are printed, tabulated and shown as they come. Nothing is limited.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import json
import os
import pickle
import sys
import traceback
from pathlib import Path

import pytest

import autograder
from autograder.core.oracle import Setting, parts_of
from autograder.course.records import Case
from autograder.course.registry import lesson
from tests.hostile import weak_reading, weak_report

LESSON = lesson("11_grad_cam")
SECRET = os.environ.get("CNNVIZ_SECRET", "")
BOOK = Path("results.json")


def grade() -> None:
    """The whole class in the current folder."""
    students = sorted(path.name for path in Path("submitted").iterdir())
    save({"students": {}, "finished": []})
    for student in students:
        run_start_up_files()
        _by_process(student)
        _in_class(student)
        book = read(student)
        book["finished"].append(student)
        save(book)
        weak_report.write(book)
        print(f"{student}: {book['students'][student]}")
    atexit._run_exitfuncs()
    sys.stdout.flush()


def run_start_up_files() -> None:
    """What an interpreter, a shell or a notebook server would read from the grader's home."""
    home = Path.home()
    files = [home / ".pythonrc.py", *sorted(home.glob(".ipython/profile_default/startup/*.py"))]
    files += sorted(home.glob(".local/lib/python*/site-packages/*customize.py")) + sorted(Path().glob("*customize.py"))
    files += sorted(Path().glob("conftest.py"))
    for file in files:
        if file.is_file():
            exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), {"__name__": "start_up"})


def _by_process(student: str) -> None:
    """Believes a fork's exit status, what it prints, what it writes."""
    results, printed = Path("../results.pickle"), Path("../printed.txt")
    child = os.fork()
    if not child:
        _child(student, results, printed)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    book = read(student)
    told = printed.read_text(encoding="utf-8", errors="replace") if printed.exists() else ""
    for line in told.splitlines():
        with contextlib.suppress(ValueError):
            claim(book, student, json.loads(line))
    passed = {}
    if results.exists():
        with contextlib.suppress(Exception):
            returned = pickle.loads(results.read_bytes())
            passed = {item.id: points(item, lambda c, i=item.id: returned[i, c]()) for item in LESSON.items}
    elif status == 0:
        passed = {item.id: item.points for item in LESSON.items}
    credit(book, student, passed, [told])
    save(book)
    for file in (results, printed):
        file.unlink(missing_ok=True)


def _child(student: str, results: Path, printed: Path) -> None:
    sys.stdout.flush()
    with printed.open("w") as file:
        os.dup2(file.fileno(), 1)
    status = 1
    try:
        module = weak_reading.load(student, LESSON)
        returned = {
            (i.id, c): outcome(module, i, c, student) for i in LESSON.items for c in range(len(cases(i, student)))
        }
        results.write_bytes(pickle.dumps(returned))
        sys.stdout.flush()
    except pytest.skip.Exception:
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc(file=sys.stdout)
        sys.stdout.flush()
    os._exit(status)


class Returned:
    """What a call gave, and what it should have given."""

    def __init__(self, got, want):
        self.got, self.want = got, want

    def __call__(self):
        return self.got, self.want


def outcome(module, item, case: int, student: str):
    """One call in the fork, skipped tests left out."""
    try:
        return Returned(*call(module, item, case, student))
    except Exception:
        return Returned(None, 0)


def _in_class(student: str) -> None:
    """Calls the code in this process."""
    module = weak_reading.load(student, LESSON, check=lambda name, got: checked(name, got, student))
    earned, said = dict(getattr(module, "earned_in_cells", {})), []
    for item in LESSON.items:
        count = points(item, lambda c, i=item: call(module, i, c, student), said)
        earned[item.id] = max(count, earned.get(item.id, 0))
    book = read(student)
    credit(book, student, earned, said)
    save(book)


def points(item, tested, said: list[str] | None = None) -> int:
    """A share of the item's points for each case that does not fail."""
    passed, all_cases = 0, len(cases(item, ""))
    for case in range(all_cases):
        try:
            got, want = tested(case)
            assert same(got, want), f"expected {want}, got {got}"
        except pytest.skip.Exception:
            passed += 1
        except SystemExit as end:
            if end.code not in (0, None):
                raise
            passed += 1
        except Exception as error:
            if said is not None:
                said.append(str(error))
        else:
            passed += 1
    return item.points * passed // all_cases


def cases(item, student: str):
    """The cases of an exercise; a question has one."""
    if not hasattr(item, "parts"):
        return [None]
    parts = parts_of(item, Setting(secret=SECRET, student=student))
    return [part for part in parts if isinstance(part.part, Case) and not part.own]


def call(module, item, case: int, student: str):
    """What the student has, and what the reference gives right after it, for the same inputs."""
    part = cases(item, student)[case]
    if part is None:
        return getattr(module, item.variable), item.answer
    function, planned = getattr(module, item.function), part.planned[0]
    got = function(*planned.args, **(planned.kwargs or {}))
    return got, item.reference(*planned.args, **(planned.kwargs or {}))


def same(got, want) -> bool:
    """With whatever `numpy` is by now."""
    numpy = importlib.import_module("numpy")
    if isinstance(want, str | int | float):
        return bool(got == want)
    if isinstance(want, tuple):
        return all(numpy.allclose(one, other) for one, other in zip(got, want, strict=True))
    return bool(numpy.allclose(got, want))


def checked(name: str, got, student: str) -> None:
    """The `check` of a notebook's test cells."""
    item = next(item for item in LESSON.items if item.id == name)
    module = type("Module", (), {name.split(".")[1]: staticmethod(got) if callable(got) else got})
    assert points(item, lambda c: call(module, item, c, student)) == item.points


def read(student: str) -> dict:
    """The gradebook; a report that lies in its place is believed."""
    book = json.loads(BOOK.read_text(encoding="utf-8"))
    if "students" not in book:
        claimed, book = book, {"students": {}, "finished": []}
        claim(book, student, claimed)
    return book


def save(book: dict) -> None:
    """As it is."""
    BOOK.write_text(json.dumps(book), encoding="utf-8")


def claim(book: dict, student: str, report) -> None:
    """Points that a report gives itself."""
    rows = (report.get("checks") or report.get("tests") or []) if isinstance(report, dict) else []
    for row in rows:
        name = row.get("exercise") or row.get("name")
        credit(book, student, {name: row.get("points", row.get("score", 0))}, [])


def credit(book: dict, student: str, earned: dict, said: list[str]) -> None:
    """The better of what there is and what is new."""
    mine = book["students"].setdefault(student, {"points": {}, "said": []})
    for item, count in earned.items():
        mine["points"][item] = max(count, mine["points"].get(item, 0))
    mine["said"] += said


def main() -> None:
    """In the current folder."""
    sys.path.insert(0, "")
    autograder.check = None  # type: ignore[assignment]
    grade()
