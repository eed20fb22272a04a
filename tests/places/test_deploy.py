"""The class's configuration of JupyterHub and nbgrader, read as they read it; no hub is needed for that."""

import getpass
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from traitlets.config import Config

DEPLOY = Path(__file__).parents[2] / "deploy" / "jupyterhub"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "students.txt").write_text("ada\n# left the class\n\n 김민수 \n", encoding="utf-8")
    (tmp_path / "graders.txt").write_text("teacher\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def hub(folder, monkeypatch):
    monkeypatch.setenv("CNNVIZ_FOLDER", str(folder))
    return configured("jupyterhub_config.py")


def configured(file):
    config = Config()
    path = DEPLOY / file
    code = compile(path.read_text(encoding="utf-8"), str(path), "exec")
    exec(code, {"get_config": lambda: config, "__file__": str(path)})
    return config


def test_everybody_in_the_two_lists_may_sign_in_and_nobody_else(hub):
    assert hub.Authenticator.allowed_users == {"ada", "김민수", "teacher"}
    assert "allow_all" not in hub.Authenticator


def test_the_formgrader_is_for_graders_and_runs_where_the_answers_are_while_students_have_none(hub):
    (formgrader,) = hub.JupyterHub.services
    assert hub.JupyterHub.load_groups == {"formgrade-look_inside": {"users": ["teacher"]}}
    (role,) = hub.JupyterHub.load_roles
    assert role["groups"] == ["formgrade-look_inside"]
    assert formgrader["user"] == "cnnviz-grader"
    assert formgrader["command"][0] != hub.Spawner.cmd[0]


def test_students_and_graders_read_the_same_exchange(hub, monkeypatch):
    (formgrader,) = hub.JupyterHub.services
    for environment in (hub.Spawner.environment, formgrader["environment"]):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        everybody = configured("everybody/nbgrader_config.py")
        assert everybody.Exchange.root == hub.Spawner.environment["CNNVIZ_EXCHANGE"]
        folders = environment["JUPYTER_CONFIG_PATH"].split(os.pathsep)
        assert [one for one in folders if not Path(one).is_dir()] == []


def test_a_student_has_no_button_that_says_more_or_less_than_the_checks():
    page = json.loads((DEPLOY / "students" / "labconfig" / "page_config.json").read_text())["disabledExtensions"]
    server = json.loads((DEPLOY / "students" / "jupyter_server_config.json").read_text())["ServerApp"]
    assert {f"@jupyter/nbgrader:{name}" for name in ("formgrader", "create-assignment", "validate-assignment")} <= {
        *page
    }
    assert not any(server["jpserver_extensions"].values())


@pytest.mark.skipif(os.name != "posix" or not shutil.which("git"), reason="the class's machine is a Linux with git")
def test_the_folders_are_made_once_and_closed(tmp_path):
    repository, folder = tmp_path / "repository", tmp_path / "class"
    subprocess.run(["git", "init", "--quiet", repository], check=True)
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *identity, "commit", "--quiet", "--allow-empty", "-m", "x"], cwd=repository, check=True)
    settings = {**os.environ, "CNNVIZ_FOLDER": str(folder), "CNNVIZ_GRADER": getpass.getuser()}

    def run():
        subprocess.run(["bash", DEPLOY / "set_up.sh", repository], check=True, capture_output=True, env=settings)
        return (folder / "course" / ".cnnviz_secret").read_text()

    first = run()
    (folder / "students.txt").write_text("ada\n")
    assert run() == first
    assert (folder / "hub" / "students" / "jupyter_server_config.json").stat().st_mode & 0o004, "students read it"
    assert len(first) > 40
    assert (folder / "students.txt").read_text() == "ada\n"
    assert (folder / "course").stat().st_mode & 0o077 == 0
    inbound = folder / "exchange" / "look_inside" / "inbound"
    modes = [path.stat().st_mode & 0o7777 for path in (folder / "exchange", inbound.parent, inbound)]
    assert modes == [0o1777, 0o755, 0o3733], "nobody puts a folder of their own in the place of these"
    assert (folder / "course" / ".cnnviz_secret").stat().st_mode & 0o077 == 0
