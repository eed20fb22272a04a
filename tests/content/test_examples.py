"""The examples in the docstrings of the kit and of the answer key are true, and every public function has one."""

from __future__ import annotations

import doctest
import inspect
import pkgutil
import re
from importlib import import_module
from pathlib import Path
from types import ModuleType

import matplotlib.pyplot as plt
import pytest

import cnnviz
import cnnviz_ref

README = Path(__file__).resolve().parents[2] / "README.md"
PACKAGES = (cnnviz, cnnviz_ref)
MODULES = [
    f"{package.__name__}.{module.name}" for package in PACKAGES for module in pkgutil.iter_modules(package.__path__)
]
PUBLIC = [(package, name) for package in PACKAGES for name in package.__all__]


def examples(module: ModuleType) -> list[doctest.DocTest]:
    return [test for test in doctest.DocTestFinder(exclude_empty=True).find(module) if test.examples]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_are_true(name: str) -> None:
    said: list[str] = []
    runner = doctest.DocTestRunner()
    for test in examples(import_module(name)):
        runner.run(test, out=said.append)
    plt.close("all")
    assert not runner.failures, f"an example in {name} is not true; mend it in the docstring:\n{''.join(said)}"


def test_the_six_lines_of_the_readme_draw_one_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert len([line for line in code.split("\n") if line]) <= 6
    exec(code, {})
    assert (tmp_path / "picture.png").stat().st_size > 10_000
    (photo, colours) = plt.gcf().axes[0].images
    assert photo.get_array().shape[:2] == colours.get_array().shape[:2] == (224, 224)
    plt.close("all")


def test_the_page_for_those_who_want_maps_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    page = README.parent / "docs" / "maps.md"
    exec("\n".join(re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)), {})
    assert (tmp_path / "cat.png").stat().st_size > 10_000
    plt.close("all")


@pytest.mark.parametrize(("package", "name"), PUBLIC, ids=lambda value: getattr(value, "__name__", value))
def test_every_public_function_has_an_example(package: ModuleType, name: str) -> None:
    value = getattr(package, name)
    if inspect.isfunction(value):
        assert ">>>" in (value.__doc__ or ""), (
            f"{package.__name__}.{name} has no example; end its docstring in {inspect.getfile(value)} with "
            f"`>>> {name}(...)` on a small input, and what it prints."
        )
