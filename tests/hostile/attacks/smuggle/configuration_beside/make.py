"""Settings of everything that might look for them here; each leaves a file where it is believed."""

from pathlib import Path
from runpy import run_path

right = run_path(str(Path(__file__).parents[2] / "corrupt" / "right.py"))

MARK = "import pathlib; pathlib.Path('/tmp/cnnviz-red-settings').touch()\n"
PYTHON = (
    "evil.py", "conftest.py", "nbgrader_config.py", "jupyter_config.py", "ipython_config.py", "sitecustomize.py",
    "usercustomize.py", "jupyter_nbconvert_config.py", "noxfile.py", "pickle.py", "_pytest.py", ".pythonrc.py",
    ".ipython/profile_default/startup/00.py", ".jupyter/jupyter_config.py",
)  # fmt: skip
PYTEST = "[{section}]\naddopts = -p evil\npython_files = *.py\npython_functions = *\n"


def make(folder: Path) -> None:
    """In the lesson's folder and in the student's."""
    (folder / "grad_cam.py").write_text(right["module"](), encoding="utf-8")
    for place in (folder, folder.parent):
        for name in PYTHON:
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_text(MARK, encoding="utf-8")
        for name, section in (("pytest.ini", "pytest"), ("tox.ini", "pytest"), ("setup.cfg", "tool:pytest")):
            (place / name).write_text(PYTEST.format(section=section), encoding="utf-8")
        (place / "pyproject.toml").write_text('[tool.pytest.ini_options]\naddopts = "-p evil"\n', encoding="utf-8")
        (place / "here.pth").write_text(MARK, encoding="utf-8")
        (place / "pyvenv.cfg").write_text("home = .\ninclude-system-site-packages = true\n", encoding="utf-8")
        (place / "matplotlibrc").write_text("backend: module://evil\n", encoding="utf-8")
        (place / "dask.yaml").write_text("distributed:\n  worker:\n    preload: evil\n", encoding="utf-8")
        (place / ".coveragerc").write_text("[run]\nplugins = evil\n", encoding="utf-8")
