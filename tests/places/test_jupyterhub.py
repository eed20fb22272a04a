"""A class on a real JupyterHub: a lesson goes out through nbgrader's exchange, comes back, is graded, and is explained.

Teacher and student have accounts of their own and servers that run as these; every step is a request that a click in
formgrader or in the assignment list makes.
"""

from __future__ import annotations

import json

import pytest

pytest.importorskip("jupyterhub", reason="jupyterhub is not installed")

from tests.places import hub as places
from tests.places.hub import COURSE, STUDENT, TEACHER

if reason := places.missing():
    pytest.skip(f"no JupyterHub: {reason}", allow_module_level=True)

LESSON = "11_grad_cam"
FORMGRADER = f"/services/{COURSE}/formgrader"
HOME = f"/user/{STUDENT}"
NOTEBOOK = f"{HOME}/api/contents/{COURSE}/{LESSON}/grad_cam.ipynb"
WORK = {
    "neuron_importance": "def neuron_importance(gradients):\n    return gradients.sum(dim=(2, 3))",
    "grad_cam_map": "def grad_cam_map(activations, alpha):\n"
    "    return (alpha[:, :, None, None] * activations).sum(dim=1).relu()",
}
"""A common mistake, and one function that is right: 4 points."""


@pytest.fixture(scope="module")
def hub():
    with places.running_hub() as running:
        running.start_server(STUDENT)
        running.wait(lambda: running.allowed(f"{FORMGRADER}/api/status", user=TEACHER), "the formgrader")
        yield running


def teach(hub, path, **data):
    answer = hub.ask("POST", f"{FORMGRADER}/api/{path}", user=TEACHER, **data)
    assert answer["success"], answer.get("log") or answer
    return answer


def study(hub, action):
    """A click in the student's assignment list; gives the list after it."""
    answer = hub.ask("POST", f"{HOME}/assignments/{action}", user=STUDENT,
                     json={"course_id": COURSE, "assignment_id": LESSON})  # fmt: skip
    assert answer["success"], answer["value"]
    return answer["value"]


def fill_in(hub):
    """As JupyterLab does it: reads the notebook, changes cells, saves."""
    content = hub.ask("GET", NOTEBOOK, user=STUDENT)["content"]
    for cell in content["cells"]:
        cell["source"] = WORK.get(cell["metadata"].get("nbgrader", {}).get("grade_id"), cell["source"])
    hub.ask("PUT", NOTEBOOK, user=STUDENT, json={"type": "notebook", "content": content})


def confined(hub):
    """How far the student's code was confined, as autograding wrote it into the notebook."""
    file = hub.folder / "srv" / "cnnviz" / "course" / "autograded" / STUDENT / LESSON / "grad_cam.ipynb"
    return set(json.loads(file.read_text(encoding="utf-8"))["metadata"]["cnnviz"]["rungs"].values()) - {""}


def test_only_graders_get_into_the_formgrader_and_only_the_grader_account_into_the_course(hub):
    assert hub.allowed(f"{FORMGRADER}/api/status", user=TEACHER)
    assert not hub.allowed(f"{FORMGRADER}/api/status", user=STUDENT)
    course = hub.folder / "srv" / "cnnviz" / "course"
    assert course.stat().st_mode & 0o077 == 0
    assert (course / ".cnnviz_secret").stat().st_mode & 0o077 == 0


def test_a_lesson_goes_out_comes_back_is_graded_and_is_explained(hub):
    teach(hub, f"assignment/{LESSON}/assign")
    teach(hub, f"assignment/{LESSON}/release")
    listed = hub.ask("GET", f"{HOME}/assignments", user=STUDENT, params={"course_id": COURSE})["value"]
    assert [(one["assignment_id"], one["status"]) for one in listed] == [(LESSON, "released")]
    study(hub, "fetch")
    folder = hub.ask("GET", f"{HOME}/api/contents/{COURSE}/{LESSON}", user=STUDENT)["content"]
    assert sorted(one["name"] for one in folder) == ["grad_cam.ipynb", "picture.png"]
    fill_in(hub)
    study(hub, "submit")

    teach(hub, f"assignment/{LESSON}/collect")
    teach(hub, f"submission/{LESSON}/{STUDENT}/autograde")
    graded = hub.ask("GET", f"{FORMGRADER}/api/submission/{LESSON}/{STUDENT}", user=TEACHER)
    assert (graded["autograded"], graded["score"], graded["needs_manual_grade"]) == (True, 4.0, False)
    assert confined(hub)
    assert "rlimits" not in confined(hub), "the formgrader has no privileges, and confines student code all the same"
    teach(hub, f"assignment/{LESSON}/generate_feedback")
    teach(hub, f"assignment/{LESSON}/release_feedback")

    (submitted,) = [one for one in study(hub, "fetch_feedback") if one.get("submissions")]
    where = submitted["submissions"][0]["local_feedback_path"]
    page = hub.ask("GET", f"{HOME}/api/contents/{where}/grad_cam.html", user=STUDENT)["content"]
    assert "divide by Z" in page
    assert STUDENT in page
