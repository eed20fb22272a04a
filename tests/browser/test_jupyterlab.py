"""A lesson in a real JupyterLab: a student runs the cells, writes an exercise, reads what is wrong, puts it right.

JupyterLab runs on loopback with folders of its own; nothing of the machine's configuration is read or written.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.browser.conftest import violations

ROOT = Path(__file__).parents[2]
STUB = "grad_cam.neuron_importance is not written yet"
MEAN, SUM = (f"def neuron_importance(gradients):\n    return gradients.{what}(dim=(2, 3))" for what in ("mean", "sum"))
QUIET = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/apputils-extension/themes": {"adaptive-theme": True},
}
"""No question about news, no look for updates (there is no network), and the theme that the browser asks for."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def settings(folder):
    for name, values in QUIET.items():
        path = folder / "lab" / "user-settings" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), encoding="utf-8")


def wait_for(url, process, log):
    """Until the server answers; JupyterLab needs a few seconds."""
    for _ in range(240):
        assert process.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.25)
    raise AssertionError(f"JupyterLab did not answer in a minute:\n{log.read_text()}")


@pytest.fixture(scope="module")
def jupyterlab(chromium, tmp_path_factory):
    """Address of the lesson's notebook where `cnnviz open 11` has started JupyterLab, which ends with this module."""
    folder = tmp_path_factory.mktemp("jupyterlab")
    shutil.copytree(ROOT / "lessons", folder / "course" / "lessons")
    settings(folder / "config")
    port, token, log = free_port(), secrets.token_hex(16), folder / "log"
    server = {
        "ServerApp": {"ip": "127.0.0.1", "port": port, "port_retries": 0, "open_browser": False, "allow_root": True},
        "IdentityProvider": {"token": token},
        "LabApp": {"extension_manager": "readonly"},
    }
    (folder / "config" / "jupyter_server_config.json").write_text(json.dumps(server), encoding="utf-8")
    own = {name: str(folder / name.split("_")[1].lower()) for name in
           ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")}  # fmt: skip
    command = [sys.executable, "-m", "autograder.cli", "open", "11"]
    environment = {**os.environ, **own, "IPYTHONDIR": str(folder / "ipython"), "OMP_NUM_THREADS": "1"}
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=environment, cwd=folder / "course")
    try:
        wait_for(f"http://127.0.0.1:{port}/api?token={token}", process, log)
        assert "nbgrader" not in log.read_text()
        yield f"http://127.0.0.1:{port}/lab/tree/11_grad_cam/grad_cam.ipynb?reset&token={token}"
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.fixture
def notebook(jupyterlab, browser_page):
    """The notebook, opened and ready: its kernel waits for the first cell."""
    page = browser_page(jupyterlab)  # JupyterLab itself complains of nothing, so nothing is allowed
    page.set_default_timeout(30_000)
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').wait_for(state="attached")
    return page


def cell(page, text):
    """The code cell whose code has this text."""
    return page.locator(".jp-CodeCell").filter(has=page.locator(".cm-content", has_text=text)).first


def write(page, code):
    """As by hand: the exercise's cell is typed over, then it and the check below are run; gives the panel."""
    check = cell(page, 'check("grad_cam.neuron_importance"')
    prompt = check.locator(".jp-InputPrompt")
    before = prompt.inner_text()
    cell(page, "def neuron_importance(").locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(code)
    page.keyboard.press("Shift+Enter")
    page.keyboard.press("Shift+Enter")
    run = "([prompt, before]) => /\\d/.test(prompt.innerText) && prompt.innerText !== before"
    page.wait_for_function(run, arg=[prompt.element_handle(), before])
    panel = check.locator(".jp-OutputArea .cnnviz")
    panel.wait_for()
    return panel


def look(page, panel, name):
    """Keeps a picture where one is wanted: CNNVIZ_SCREENSHOTS names the folder."""
    if folder := os.environ.get("CNNVIZ_SCREENSHOTS"):
        if panel is not None:
            panel.scroll_into_view_if_needed()
        page.screenshot(path=Path(folder) / f"jupyterlab_{name}.png")


def test_the_course_lies_beside_a_notebook_that_nobody_has_changed_and_no_tool_of_instructors(notebook):
    notebook.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    notebook.wait_for_timeout(1000)  # the kernel has told its language
    look(notebook, None, "open")
    assert notebook.locator(".jp-mod-dirty").count() == 0
    shown = notebook.locator("body").inner_text()
    assert [name for name in ("Nbgrader", "Create Assignment", "Formgrader", "Validate") if name in shown] == []
    notebook.locator(".jp-BreadCrumbs-home").click()
    notebook.locator(".jp-DirListing-item", has_text="01_filters").wait_for()


def test_a_student_runs_the_lesson_writes_an_exercise_and_reads_the_verdict(notebook):
    look(notebook, None, "head")
    cell(notebook, "def neuron_importance(").locator(".cm-content").click()
    notebook.get_by_role("menuitem", name="Run", exact=True).click()
    notebook.get_by_role("menuitem", name="Run All Above Selected Cell").click()
    above = cell(notebook, 'check("grad_cam.capture"').locator(".jp-OutputArea .cnnviz")
    above.wait_for()
    assert "not attempted" in above.inner_text()
    assert notebook.locator('[data-mime-type="application/vnd.jupyter.stderr"]').count() == 0

    assert notebook.get_by_role("button", name="Validate").count() == 0, "nbgrader's calls every check a success"
    panel = write(notebook, SUM)
    assert "divide by Z" in panel.inner_text()
    assert "0 of 5 points" in panel.inner_text()
    for theme in ("light", "dark"):
        notebook.emulate_media(color_scheme=theme)
        notebook.locator(f'body[data-jp-theme-light="{str(theme == "light").lower()}"]').wait_for(state="attached")
        look(notebook, panel, f"mistake_{theme}")
        assert violations(notebook, within=".jp-OutputArea .cnnviz") == []

    panel = write(notebook, MEAN)
    assert "5 of 5 points" in panel.inner_text()
    assert "divide by Z" not in panel.inner_text()
    look(notebook, panel, "passed_dark")
