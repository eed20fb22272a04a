"""GitHub Classroom, or GitHub alone: a workflow with a step per exercise, which reports points.

It runs in the student's own repository, where the student can change the workflow, the checks and what they print: its
points are for practice. What counts is what `cnnviz grade` says of the collected repositories.
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from autograder.course.records import Exercise, Lesson, Question

WORKFLOW = Path(".github") / "workflows" / "classroom.yml"
PYTHON = "3.12"
GRADER, REPORTER = (f"classroom-resources/autograding-{name}@v1" for name in ("command-grader", "grading-reporter"))
INSTALL = "python -m pip install --extra-index-url https://download.pytorch.org/whl/cpu ./*.whl"
"""The wheel lies beside `lessons/` in what `cnnviz release` writes."""
JOB = "run-autograding-tests"
"""The reporter looks for the job of this name, and a job that has a `name` is called something else."""
_HEAD = """\
# Made by `cnnviz export github-classroom`. A step per exercise; a step's points are earned by all its checks together.
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
  {job}:
    runs-on: ubuntu-latest
    timeout-minutes: 60
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


def workflow(lesson: Lesson, *, install: str = INSTALL, plain: bool = False) -> str:
    """The text of the workflow.

    Args:
        lesson: what is checked.
        install: the command that makes `pytest` and the course available in the repository.
        plain: True for a workflow that needs nothing of GitHub Classroom's: it shows the points in the run's summary.
    """
    head = _HEAD.replace("{job}", JOB).replace("{python}", _text(PYTHON)).replace("{install}", _text(install))
    step, end = (_plain_step, _summary) if plain else (_step, _report)
    return head + "".join(step(lesson, item) for item in lesson.items) + end(lesson)


def step_id(item: Exercise | Question) -> str:
    """Letters and underscores only: GitHub, the reporter and the shell make names of it."""
    return item.id.replace(".", "__")


def command(lesson: Lesson, item: Exercise | Question) -> str:
    """Runs all checks of one exercise; its exit status is 0 if every one passes."""
    name = item.id.split(".")[1]
    return f"python -m pytest -q -p no:cacheprovider lessons/{lesson.id} -k {shlex.quote(f'[{name}:')}"


def _step(lesson: Lesson, item: Exercise | Question) -> str:
    return _indented(
        f"- name: {_text(item.id)}",
        f"  id: {step_id(item)}",
        f"  uses: {GRADER}",
        "  with:",
        f"    test-name: {_text(item.id)}",
        f"    command: {_text(command(lesson, item))}",
        f"    timeout: {_minutes(item)}",
        f"    max-score: {item.points}",
    )


def _report(lesson: Lesson) -> str:
    """The reporter finds each step's result by the step's name in capitals."""
    ids = [step_id(item) for item in lesson.items]
    results = [f'    {name.upper()}_RESULTS: "${{{{steps.{name}.outputs.result}}}}"' for name in ids]
    head = ["- name: Autograding Reporter", f"  uses: {REPORTER}", "  env:"]
    return _indented(*head, *results, "  with:", f"    runners: {_text(','.join(ids))}")


def _plain_step(lesson: Lesson, item: Exercise | Question) -> str:
    return _indented(
        f"- name: {_text(item.id)}",
        f"  id: {step_id(item)}",
        "  continue-on-error: true",
        f"  timeout-minutes: {_minutes(item)}",
        f"  run: {_text(command(lesson, item))}",
    )


def _summary(lesson: Lesson) -> str:
    """A table in the summary of the run, which fails unless everything passed."""
    outcomes = [f'    {step_id(item)}: "${{{{ steps.{step_id(item)}.outcome }}}}"' for item in lesson.items]
    return _indented("- name: Points", "  env:", *outcomes, f"  run: {_text(points_script(lesson))}")


def points_script(lesson: Lesson) -> str:
    """Adds up the points of the steps whose outcome, in the variable of their name, is success; one that was skipped
    or cancelled was not judged."""
    lines = [
        'earned=0; open=0; summary="${GITHUB_STEP_SUMMARY:-/dev/stdout}"',
        'row() { case "$3" in success) got="$2 of $2"; earned=$((earned + $2));; failure) got="0 of $2";; '
        '*) got="– not judged"; open=$((open + $2));; esac; echo "| $1 | $3 | $got |" >> "$summary"; }',
        'echo "| exercise | outcome | points |" >> "$summary"; echo "|---|---|---|" >> "$summary"',
        *(f'row {item.id} {item.points} "${step_id(item)}"' for item in lesson.items),
        f'told="Points $earned/$(({lesson.points} - open))"; [ $open -eq 0 ] || told="$told, $open not judged"',
        'echo "$told (practice only)" | tee -a "$summary"',
        f"test $earned -eq {lesson.points}",
    ]
    return "\n".join(lines)


def _minutes(item: Exercise | Question) -> int:
    return 5 if isinstance(item, Question) else 10


def _indented(*lines: str) -> str:
    return "".join(f"      {line}\n" for line in lines)


def _text(value: str) -> str:
    """A YAML scalar that is never taken for anything but text."""
    return json.dumps(value, ensure_ascii=False)
