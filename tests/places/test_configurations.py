"""Binder, the dev container and VS Code: their files say what the course needs, and nothing that it has not."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CONDA_NAMES = {"pytorch-cpu": "torch", "matplotlib-base": "matplotlib"}


def wanted():
    """Package -> the least version, as pyproject.toml has it for `.[course]`, which Binder installs."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    lists = [text.split(f"\n{name} = [")[1].split("\n]")[0] for name in ("dependencies", "course")]
    return dict(re.findall(r'"([\w-]+)>=([\d.]+)"', "\n".join(lists)))


def read(path):
    return json.loads((ROOT / path).read_text(encoding="utf-8"))


def test_binder_asks_for_the_versions_that_the_course_does_and_for_torch_without_cuda():
    listed = yaml.safe_load((ROOT / ".binder" / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    asked = dict(line.split(">=") for line in listed if ">=" in line)
    assert "pytorch-cpu" in asked
    assert {CONDA_NAMES.get(name, name): least for name, least in asked.items()}.items() <= wanted().items()
    assert "python=3.12" in listed


@pytest.mark.parametrize("script", [".binder/postBuild", ".devcontainer/post_create.sh", "deploy/jupyterhub/set_up.sh"])
@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_a_script_is_one_that_bash_can_read_and_names_only_files_that_are_there(script):
    assert subprocess.run(["bash", "-n", ROOT / script], capture_output=True, text=True).stderr == ""
    if os.name == "posix":
        assert os.access(ROOT / script, os.X_OK)


@pytest.mark.skipif(shutil.which("jupyter-repo2docker") is None, reason="repo2docker is not installed")
def test_repo2docker_makes_its_dockerfile_of_the_binder_folder(tmp_path):
    shutil.copytree(ROOT / ".binder", tmp_path / "course" / ".binder")
    command = ["jupyter-repo2docker", "--no-build", "--debug", str(tmp_path / "course")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    for step in ('--file ".binder/environment.yml"', "bubblewrap", "./.binder/postBuild"):
        assert step in done.stdout + done.stderr


def test_the_dev_container_builds_from_its_own_files_brings_the_sandbox_and_no_root():
    settings = read(".devcontainer/devcontainer.json")
    dockerfile = (ROOT / ".devcontainer" / settings["build"]["dockerfile"]).read_text(encoding="utf-8")
    assert re.search(r"^FROM \S+:[\w.-]*3\.12\S*$", dockerfile, re.MULTILINE), "a pinned image with a Python of ours"
    assert "bubblewrap" in dockerfile
    assert (ROOT / settings["postCreateCommand"].removeprefix("bash ")).is_file()
    assert settings["remoteUser"] != "root"


def test_vs_code_is_told_of_the_extensions_and_finds_the_lessons_checks():
    extensions = read(".vscode/extensions.json")["recommendations"]
    assert extensions == read(".devcontainer/devcontainer.json")["customizations"]["vscode"]["extensions"]
    settings = read(".vscode/settings.json")
    assert [path for path in settings["python.testing.pytestArgs"] if not (ROOT / path).is_dir()] == []
    assert settings["python.testing.pytestEnabled"]


def test_an_installation_takes_away_the_button_that_calls_every_check_a_success():
    """nbgrader's Validate runs a notebook and sees no exception: a check that says "failed" raises none."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    source, target = re.search(r'"(deploy/jupyterlab/[^"]+)" = "([^"]+)"', text).groups()
    assert read(source)["disabledExtensions"] == {"@jupyter/nbgrader:validate-assignment": True}
    assert target.startswith("etc/jupyter/labconfig/page_config.d/"), "JupyterLab reads every file of this folder"
