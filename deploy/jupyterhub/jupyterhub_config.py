"""A class on one machine: students in JupyterLab, graders in nbgrader's formgrader, an exchange folder in between.

Settings come from the environment, so that this file stays as it is; docs/jupyterhub.md goes through them.
"""

import os
from pathlib import Path

c = get_config()  # noqa: F821 (JupyterHub provides it)

HERE = Path(__file__).resolve().parent
COURSE = os.environ.get("CNNVIZ_COURSE", "look_inside")  # its name in the exchange, in menus and addresses
FOLDER = Path(os.environ.get("CNNVIZ_FOLDER", "/srv/cnnviz"))  # exchange/, course/, students.txt and graders.txt
GRADER = os.environ.get("CNNVIZ_GRADER", "cnnviz-grader")  # the account that owns course/, nobody's own
STUDENTS_ENV = os.environ.get("CNNVIZ_STUDENTS_ENV", "/opt/cnnviz/students")  # what `cnnviz release` made: no answers
GRADERS_ENV = os.environ.get("CNNVIZ_GRADERS_ENV", "/opt/cnnviz/graders")  # the whole course
PORT = os.environ.get("CNNVIZ_FORMGRADER_PORT", "9999")  # on loopback, for the formgrader only


def names(file):
    """One account a line; empty lines and lines after # say nothing."""
    lines = (FOLDER / file).read_text(encoding="utf-8").splitlines()
    return {line.strip() for line in lines if line.strip() and not line.startswith("#")}


def environment(*folders):
    """What nbgrader and JupyterLab read from this folder, for servers and for the terminals in them."""
    return {
        "JUPYTER_CONFIG_PATH": os.pathsep.join(str(HERE / folder) for folder in folders),
        "CNNVIZ_COURSE": COURSE,
        "CNNVIZ_EXCHANGE": str(FOLDER / "exchange"),
    }


students, graders = names("students.txt"), names("graders.txt")

# Accounts of the machine by default ("pam"). A university's own sign-on is another class, for example of oauthenticator
# or ltiauthenticator.
c.JupyterHub.authenticator_class = os.environ.get("CNNVIZ_AUTHENTICATOR", "pam")
c.Authenticator.allowed_users = students | graders

# Each student's server runs as that student: the exchange goes by the owner of a file.
c.JupyterHub.spawner_class = "jupyterhub.spawner.LocalProcessSpawner"
c.Spawner.cmd = [f"{STUDENTS_ENV}/bin/jupyterhub-singleuser"]
c.Spawner.default_url = "/lab"
c.Spawner.environment = environment("students", "everybody")
c.Spawner.start_timeout = 120

# One formgrader for all graders. It runs as an account of its own, in the course's folder, which nobody else can read.
c.JupyterHub.services = [
    {
        "name": COURSE,
        "url": f"http://127.0.0.1:{PORT}",
        "command": [f"{GRADERS_ENV}/bin/jupyterhub-singleuser"],
        "user": GRADER,
        "cwd": str(FOLDER / "course"),
        "environment": {**environment("graders", "everybody"), "JUPYTERHUB_DEFAULT_URL": "/formgrader"},
        "oauth_no_confirm": True,
    }
]
c.JupyterHub.load_groups = {f"formgrade-{COURSE}": {"users": sorted(graders)}}
c.JupyterHub.load_roles = [
    {
        "name": f"formgrade-{COURSE}",
        "groups": [f"formgrade-{COURSE}"],
        "scopes": [f"access:services!service={COURSE}", f"read:services!service={COURSE}"],
    }
]
