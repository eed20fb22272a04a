"""The workflow: valid by GitHub's own schema, a step per exercise, every command runs that exercise's checks alone."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from autograder.core.judge import checks_of
from autograder.course import registry
from autograder.exports import classroom

from .conftest import LESSON, run

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def job():
    return yaml.safe_load(classroom.workflow(registry.lesson(LESSON)))["jobs"]["run-autograding-tests"]


@pytest.fixture(scope="module")
def steps(job):
    return job["steps"]


@pytest.mark.parametrize("plain", [False, True])
def test_it_is_a_workflow_by_githubs_schema(plain):
    vendored = pytest.importorskip("check_jsonschema.builtin_schemas", reason="check-jsonschema is not installed")
    schema = vendored.get_builtin_schema("vendor.github-workflows")
    written = classroom.workflow(registry.lesson(LESSON), plain=plain)
    right, wrong = yaml.safe_load(written), yaml.safe_load(written.replace("runs-on:", "runs-at:"))
    jsonschema.validate(right, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema)


def test_points_of_the_steps_are_the_lessons(steps):
    lesson = registry.lesson(LESSON)
    graded = [step for step in steps if step.get("uses") == "classroom-resources/autograding-command-grader@v1"]
    assert [step["with"]["max-score"] for step in graded] == [item.points for item in lesson.items]
    assert [step["with"]["test-name"] for step in graded] == [item.id for item in lesson.items]


def test_the_job_has_the_name_that_the_reporter_looks_for(job):
    assert "name" not in job


def test_the_reporter_hears_every_step_by_the_name_it_looks_for(steps):
    ids = [step["id"] for step in steps if "id" in step]
    reporter = steps[-1]
    assert reporter["uses"] == "classroom-resources/autograding-grading-reporter@v1"
    assert reporter["with"]["runners"].split(",") == ids
    assert reporter["env"] == {f"{name.upper()}_RESULTS": f"${{{{steps.{name}.outputs.result}}}}" for name in ids}


def test_a_command_means_the_checks_of_its_exercise_alone():
    lesson = registry.lesson(LESSON)
    tests = [f"test_check[{item.id.split('.')[1]}: {check}]" for item in lesson.items for check in checks_of(item)]
    for item in lesson.items:
        wanted = shlex.split(classroom.command(lesson, item))[-1].casefold()  # pytest -k does not look at the case
        assert sum(wanted in test.casefold() for test in tests) == len(checks_of(item))


def test_a_command_runs_in_the_course_folder():
    command = classroom.command(registry.lesson(LESSON), registry.item("grad_cam.sum_or_mean"))
    words = [sys.executable, *shlex.split(command)[1:], "--cnnviz-submission", "solutions", "-rA"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout.count("PASSED")) == (0, 1), done.stdout
    assert "test_check[sum_or_mean: answer]" in done.stdout


@pytest.mark.parametrize(("failed", "points"), [(set(), 33), ({"grad_cam__capture", "grad_cam__sum_or_mean"}, 25)])
def test_without_classroom_the_summary_adds_up_the_points(tmp_path, failed, points):
    lesson = registry.lesson(LESSON)
    steps = yaml.safe_load(classroom.workflow(lesson, plain=True))["jobs"]["run-autograding-tests"]["steps"]
    ids = [step["id"] for step in steps if "id" in step]
    assert steps[-1]["env"] == {name: f"${{{{ steps.{name}.outcome }}}}" for name in ids}
    assert not [step["uses"] for step in steps if not step.get("uses", "actions/").startswith("actions/")]
    outcomes = {name: "failure" if name in failed else "success" for name in ids}
    summary = tmp_path / "summary.md"
    environment = {**os.environ, **outcomes, "GITHUB_STEP_SUMMARY": str(summary)}
    done = subprocess.run(["bash", "-e", "-c", steps[-1]["run"]], env=environment, check=False, capture_output=True)
    assert done.returncode == (1 if failed else 0)
    assert summary.read_text().splitlines()[-1] == f"Points {points}/33 (practice only)"
    assert ("| grad_cam.capture | failure | 0 of 7 |" in summary.read_text()) == bool(failed)


def test_the_command_writes_it_where_github_looks_and_says_what_its_points_are_worth(tmp_path):
    done = run("github-classroom", "11", "--out", tmp_path, "--install", 'pip install "./kit.whl"')
    text = (tmp_path / ".github" / "workflows" / "classroom.yml").read_text(encoding="utf-8")
    steps = yaml.safe_load(text)["jobs"]["run-autograding-tests"]["steps"]
    assert steps[2]["run"] == 'pip install "./kit.whl"'
    assert "PRACTICE ONLY: whoever owns this repository can change this file" in text
    assert "10 steps, 33 points." in done.stdout
    assert "For practice only: students can change what runs in their own repositories." in done.stdout
