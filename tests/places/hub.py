"""A real JupyterHub with the configuration of deploy/jupyterhub, on loopback, with accounts that exist only inside it.

The hub runs in a mount namespace of its own: its /etc/passwd knows a teacher and a student, its /home and /srv are a
temporary folder. The machine keeps neither an account nor a file of it.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy" / "jupyterhub"
COURSE, STUDENT, TEACHER, GRADER = "look_inside", "hub-student", "hub-teacher", "cnnviz-grader"
ADMIN_TOKEN = "only-for-this-trial-0123456789abcdef"
PASSWORD = "only for this trial"

TRIAL = """
import os
load_subconfig({config!r})
c.DummyAuthenticator.password = {password!r}
c.JupyterHub.bind_url = "http://127.0.0.1:{ports[0]}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{ports[1]}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{ports[2]}"
c.JupyterHub.services.append({{"name": "trial", "api_token": {token!r}}})
c.JupyterHub.load_roles.append(
    {{"name": "trial", "services": ["trial"], "scopes": ["admin:users", "tokens", "servers", "read:services"]}}
)
c.Spawner.environment["OMP_NUM_THREADS"] = c.JupyterHub.services[0]["environment"]["OMP_NUM_THREADS"] = "1"
"""

INSIDE = """
set -euo pipefail
mount --bind {folder}/passwd /etc/passwd
mount --bind {folder}/group /etc/group
mount --bind {folder}/home /home
mount --bind {folder}/srv /srv
{open_python}
bash {deploy}/set_up.sh {root}
echo {student} > /srv/cnnviz/students.txt
echo {teacher} > /srv/cnnviz/graders.txt
cd {folder}/hub
exec {python} -m jupyterhub --config {folder}/hub/jupyterhub_config.py
"""


UNSHARE = ("unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc")
"""Name spaces of its own; all processes of the hub end with the first of them."""

OPEN_PYTHON = """
mkdir {folder}/python
mount --bind {python} {folder}/python
mount -t tmpfs -o mode=755 tmpfs {closed}
mkdir -p {python}
mount --bind {folder}/python {python}
"""


def missing() -> str:
    """Why there can be no hub here; empty where there can."""
    for program in ("configurable-http-proxy", "unshare", "git"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    if os.name != "posix" or os.geteuid() != 0:
        return "a hub that starts servers as other accounts is started by root"
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode:
        return "no mount namespace can be made here"
    return ""


class Hub:
    """What a browser would ask of it."""

    def __init__(self, address: str, folder: Path):
        self.address, self.folder = address, folder
        self._tokens: dict[str, str] = {}

    def ask(self, method: str, path: str, *, user: str | None = None, **data: Any) -> Any:
        """The answer of the hub, of a user's server or of the formgrader, which must be a good one."""
        token = ADMIN_TOKEN if user is None else self._token(user)
        answer = requests.request(
            method, self.address + path, headers={"Authorization": f"token {token}"}, timeout=300, **data
        )
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text[:600]}"
        return answer.json() if answer.text else None

    def allowed(self, path: str, *, user: str) -> bool:
        """Whether this user may see that page at all."""
        header = {"Authorization": f"token {self._token(user)}"}
        return requests.get(self.address + path, headers=header, timeout=60, allow_redirects=False).status_code == 200

    def start_server(self, user: str) -> None:
        """As a first sign-in does."""
        self.ask("POST", f"/hub/api/users/{user}/server")
        self.wait(lambda: self.ask("GET", f"/hub/api/users/{user}")["server"], f"the server of {user}")

    def wait(self, ready: Any, what: str) -> None:
        for _ in range(240):
            try:
                if ready():
                    return
            except (requests.ConnectionError, AssertionError):
                pass
            time.sleep(0.5)
        raise AssertionError(f"{what} did not start in two minutes:\n{(self.folder / 'log').read_text()[-4000:]}")

    def _token(self, user: str) -> str:
        if user not in self._tokens:
            self._tokens[user] = self.ask("POST", f"/hub/api/users/{user}/tokens", json={})["token"]
        return self._tokens[user]


@contextmanager
def running_hub() -> Iterator[Hub]:
    """The hub, until the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="cnnviz-hub-"))
    folder.chmod(0o755)  # the student's own server has to get to its home
    ports = [_free_port() for _ in range(4)]
    _prepare(folder, ports)
    process = _start(folder, ports[3])
    hub = Hub(f"http://127.0.0.1:{ports[0]}", folder)
    try:
        hub.wait(lambda: process.poll() is not None or hub.ask("GET", "/hub/api/"), "JupyterHub")
        assert process.poll() is None, (folder / "log").read_text()
        yield hub
    finally:
        process.kill()  # and with it the hub, its servers, its service and its proxy
        process.wait(timeout=60)
        shutil.rmtree(folder)


def _prepare(folder: Path, ports: list[int]) -> None:
    for name in ("home", "srv", "hub"):
        (folder / name).mkdir()
    accounts = {name: 61000 + number for number, name in enumerate((GRADER, TEACHER, STUDENT))}
    users = "".join(f"{name}:x:{n}:{n}::/home/{name}:/bin/bash\n" for name, n in accounts.items())
    groups = "".join(f"{name}:x:{n}:\n" for name, n in accounts.items())
    (folder / "passwd").write_text(Path("/etc/passwd").read_text() + users)
    (folder / "group").write_text(Path("/etc/group").read_text() + groups)
    for name, number in accounts.items():
        home = folder / "home" / name
        home.mkdir(mode=0o700)
        os.chown(home, number, number)
    told = TRIAL.format(
        config="/srv/cnnviz/hub/jupyterhub_config.py", password=PASSWORD, ports=ports, token=ADMIN_TOKEN
    )
    (folder / "hub" / "jupyterhub_config.py").write_text(told)


def _start(folder: Path, formgrader_port: int) -> subprocess.Popen[bytes]:
    script = INSIDE.format(
        folder=folder, deploy=DEPLOY, root=ROOT, student=STUDENT, teacher=TEACHER, python=sys.executable,
        open_python=_open_python(folder),
    )  # fmt: skip
    settings = {
        "CNNVIZ_COURSE": COURSE, "CNNVIZ_FOLDER": "/srv/cnnviz", "CNNVIZ_GRADER": GRADER,
        "CNNVIZ_STUDENTS_ENV": os.environ.get("CNNVIZ_STUDENTS_ENV", sys.prefix),  # or one made of a release
        "CNNVIZ_GRADERS_ENV": sys.prefix, "CNNVIZ_AUTHENTICATOR": "dummy",
        "CNNVIZ_FORMGRADER_PORT": str(formgrader_port),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }  # fmt: skip
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [*UNSHARE, "bash", "-c", script],
            stdout=log, stderr=log, env={**os.environ, **settings}, start_new_session=True,
        )  # fmt: skip


def _open_python(folder: Path) -> str:
    """Other accounts must get to Python; where it lies in root's own home, only it is shown there."""
    python = Path(sys.base_prefix).resolve()
    closed = next((p for p in reversed(python.parents) if not p.stat().st_mode & 0o001), None)
    return OPEN_PYTHON.format(folder=folder, python=python, closed=closed) if closed else ""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
