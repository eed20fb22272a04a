"""What GitHub and others read of the project: valid by their schemas, of one version, with commands that exist."""

import copy
import re
import shlex
from pathlib import Path

import jsonschema
import pytest
import yaml

from autograder.authoring import publishing

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = sorted(path for path in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")
SCHEMAS = {
    **dict.fromkeys(WORKFLOWS, "vendor.github-workflows"),
    **dict.fromkeys(FORMS, "vendor.github-issue-forms"),
    GITHUB / "ISSUE_TEMPLATE" / "config.yml": "vendor.github-issue-config",
    ROOT / "CITATION.cff": "vendor.citation-file-format",
}

each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)


def read(path):
    return yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)  # "on" and 3.10 stay words


def steps(path):
    return [step for job in read(path)["jobs"].values() for step in job["steps"]]


def pyproject(pattern):
    return re.search(pattern, (ROOT / "pyproject.toml").read_text(encoding="utf-8"))[1]


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_it_is_valid_by_its_schema_which_refuses_an_unknown_word(path):
    vendored = pytest.importorskip("check_jsonschema.builtin_schemas", reason="check-jsonschema is not installed")
    schema = vendored.get_builtin_schema(SCHEMAS[path])
    right = yaml.safe_load(path.read_text(encoding="utf-8"))
    right = {"on" if key is True else key: value for key, value in right.items()}
    jsonschema.validate(right, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**copy.deepcopy(right), "permisions": {}}, schema)


@each_workflow
def test_actions_are_pinned_to_a_major_and_jobs_may_read_only_and_not_run_for_ever(path):
    used = [step["uses"] for step in steps(path) if "uses" in step]
    assert [each for each in used if not re.search(r"@(release/)?v\d+$", each)] == []
    assert read(path)["permissions"] == {"contents": "read"}
    for job in read(path)["jobs"].values():
        assert "timeout-minutes" in job or not [step for step in job["steps"] if "run" in step]


@each_workflow
def test_a_step_calls_only_what_is_there(path):
    targets = re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"))
    for line in [step["run"] for step in steps(path) if "run" in step]:
        words = shlex.split(line, comments=True)
        if words[0] == "make":
            assert set(words[1:]) <= set(targets), line
        for word in words:
            assert not word.startswith((".ci/", "site/")) or (ROOT / word).is_file(), line


def test_the_tests_run_on_three_systems_and_every_python_that_is_promised():
    matrix = read(GITHUB / "workflows" / "tests.yml")["jobs"]["plain"]["strategy"]["matrix"]
    assert [system.partition("-")[0] for system in matrix["system"]] == ["ubuntu", "macos", "windows"]
    least, below = (int(pyproject(pattern)) for pattern in (r'">=3\.(\d+),', r'requires-python = ".*<3\.(\d+)"'))
    assert matrix["python"] == [f"3.{minor}" for minor in range(least, below)]


def test_only_a_tag_publishes_what_was_built_and_tried_before():
    workflow = read(GITHUB / "workflows" / "release.yml")
    assert workflow["on"] == {"push": {"tags": ["v*"]}}
    assert workflow["jobs"]["publish"]["needs"] == "build"
    assert workflow["jobs"]["publish"]["permissions"] == {"id-token": "write"}, "no token is kept anywhere"


def test_there_is_one_version():
    version = pyproject(r'(?m)^version = "(.+)"')
    assert read(ROOT / "CITATION.cff")["version"] == version == publishing.RELEASE.removeprefix("v")


@pytest.mark.parametrize("name", ["SECURITY.md", ".github/pull_request_template.md"])
def test_links_and_folders_that_are_named_are_there(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    for link in [*re.findall(r"\]\(([^)#]+)", text), *re.findall(r"`(tests/[\w/]+)", text)]:
        assert (ROOT / link).exists(), link


def test_an_anchor_of_the_security_page_is_a_heading():
    headings = re.findall(r"(?m)^#+ (.+)$", (ROOT / "docs" / "grading.md").read_text(encoding="utf-8"))
    (anchor,) = re.findall(r"grading\.md#([\w-]+)", (ROOT / "SECURITY.md").read_text(encoding="utf-8"))
    assert anchor in {heading.lower().replace(" ", "-") for heading in headings}
