"""GitHub Classroom: a workflow with a step an exercise, which reports points.

It runs in the student's own repository, where the student can change the workflow, the checks and what they print: its
points are for practice. What counts is what `cnnviz grade` says of the collected repositories.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable
from pathlib import Path

from autograder.records import Exercise, Lesson, Question

WORKFLOW = Path(".github") / "workflows" / "classroom.yml"
PYTHON = "3.12"
GRADER, REPORTER = "education/autograding-command-grader@v1", "education/autograding-grading-reporter@v1"
INSTALL = "python -m pip install --extra-index-url https://download.pytorch.org/whl/cpu ."
_HEAD = """\
# Made by `cnnviz export github-classroom`. A step an exercise; a step's points are earned by all its checks together.
# PRACTICE ONLY: whoever owns this repository can change this file, the checks and what they print.
# For grades, collect the repositories and run `cnnviz grade` on a machine of yours.
name: Autograding Tests
"on":
  - push
  - workflow_dispatch
  - repository_dispatch
permissions:
  checks: write
  actions: read
  contents: read
jobs:
  run-autograding-tests:
    name: Autograding
    runs-on: ubuntu-latest
    timeout-minutes: 30
    if: github.actor != 'github-classroom[bot]'
    steps:
      - name: Checkout code
        uses: actions/checkout@v4
      - name: Set up Python
        uses: actions/setup-python@v5
        with:
          python-version: {python}
      - name: Install the course
        run: {install}
"""


def workflow(lesson: Lesson, *, install: str = INSTALL) -> str:
    """The text of the workflow; `install` is the command that makes `pytest` and the course available."""
    steps = "".join(_step(lesson, item) for item in lesson.items)
    return _head(install) + steps + _report(lesson)


def _head(install: str) -> str:
    return _HEAD.replace("{python}", _text(PYTHON)).replace("{install}", _text(install))


def step_id(item: Exercise | Question) -> str:
    """Letters and underscores only: GitHub and the reporter both make names of it."""
    return item.id.replace(".", "__")


def command(lesson: Lesson, item: Exercise | Question) -> str:
    """Runs all checks of one exercise; its exit status is 0 if every one passes."""
    name = item.id.split(".")[1]
    return f"python -m pytest -q -p no:cacheprovider lessons/{lesson.id} -k {shlex.quote(f'[{name}: ')}"


def _step(lesson: Lesson, item: Exercise | Question) -> str:
    minutes = 5 if isinstance(item, Question) else 10
    lines = [
        f"- name: {_text(item.id)}",
        f"  id: {step_id(item)}",
        f"  uses: {GRADER}",
        "  with:",
        f"    test-name: {_text(item.id)}",
        f"    command: {_text(command(lesson, item))}",
        f"    timeout: {minutes}",
        f"    max-score: {item.points}",
    ]
    return _indented(lines)


def _report(lesson: Lesson) -> str:
    ids = [step_id(item) for item in lesson.items]
    results = [f'    {name.upper()}_RESULTS: "${{{{steps.{name}.outputs.result}}}}"' for name in ids]
    runners = _text(",".join(ids))
    return _indented(
        [
            "- name: Autograding Reporter",
            f"  uses: {REPORTER}",
            "  env:",
            *results,
            "  with:",
            f"    runners: {runners}",
        ]
    )


def _indented(lines: Iterable[str]) -> str:
    return "".join(f"      {line}\n" for line in lines)


def _text(value: str) -> str:
    """A YAML scalar that is never taken for anything but text."""
    return json.dumps(value, ensure_ascii=False)
