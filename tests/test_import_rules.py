"""Who may import whom: the arrows of the design, read from the source of every file.

A file that is not there yet passes.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = {"cnnviz", "cnnviz_ref", "autograder", "lessons", "solutions", "tests", "benchmarks"}
STANDARD = set(sys.stdlib_module_names)


@dataclass(frozen=True)
class Rule:
    claim: str
    files: tuple[str, ...]
    """Globs from the root; none of them is empty."""
    ours: tuple[str, ...]
    """Modules of this project, with all inside them, that these files may import."""
    others: tuple[str, ...] | None = None
    """Packages beside the standard library; None is any."""
    excluded: tuple[str, ...] = ()
    """Globs taken out of `files`."""


ADAPTERS = (
    "autograder.cli",
    "autograder.commands",
    "autograder.demo",
    "autograder.exports",
    "autograder.nbgrader",
    "autograder.practice",
    "autograder.pytest_plugin",
)
ADAPTER_FILES = tuple(
    pattern for name in ADAPTERS for pattern in (f"{name.replace('.', '/')}.py", f"{name.replace('.', '/')}/**/*.py")
)
COMPARISON = tuple(
    f"autograder.core.{name}"
    for name in ("message", "compare", "mistakes", "places", "relations", "diagnose", "verdict")
)

RULES = (
    Rule("the kit imports nothing of ours", ("cnnviz/**/*.py",), ("cnnviz",)),
    Rule("the answer key imports the kit", ("cnnviz_ref/**/*.py",), ("cnnviz", "cnnviz_ref")),
    Rule(
        "what a student sees imports the kit and check",
        ("lessons/**/*.py", "solutions/**/*.py"),
        ("cnnviz", "autograder.check"),
        excluded=("solutions/*/make_picture.py", "solutions/*/cases.py", "solutions/*/variants.py"),
    ),
    Rule(
        "a lesson's picture is made by the kit and the answer key",
        ("solutions/*/make_picture.py",),
        ("cnnviz", "cnnviz_ref"),
    ),
    Rule(
        "a lesson's inputs are made by the kit, the answer key and the engine's records",
        ("solutions/*/cases.py",),
        (
            "cnnviz",
            "cnnviz_ref",
            "autograder.course.authored",
            "autograder.course.fixtures",
            "autograder.course.records",
        ),
    ),
    Rule(
        "the grader never imports a lesson or a submission",
        ("autograder/**/*.py",),
        ("cnnviz", "cnnviz_ref", "autograder"),
    ),
    Rule(
        "the isolated run knows torch, numpy and the kit",
        ("autograder/isolated/**/*.py",),
        ("cnnviz", "autograder.isolated"),
        ("torch", "numpy"),
    ),
    Rule(
        "comparing, diagnosing and judging know numpy and each other",
        tuple(f"{name.replace('.', '/')}.py" for name in COMPARISON),
        COMPARISON,
        ("numpy",),
    ),
)


def imported(source: str, module: str, *, is_package: bool = False) -> Iterator[str]:
    """Dotted names that a module imports, at any depth, also by `import_module` and `__import__` with a literal."""
    package = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call):
            yield from _dynamic(node)


def _dynamic(call: ast.Call) -> Iterator[str]:
    function = getattr(call.func, "attr", getattr(call.func, "id", ""))
    if function not in ("import_module", "__import__") or not call.args:
        return
    name = getattr(call.args[0], "value", None)
    if isinstance(name, str):
        yield f"dynamic:{name}"


def forbidden(names: Iterator[str], rule: Rule) -> list[str]:
    """Those that the rule does not allow; a dynamic import is held to the rule only where it is of ours."""
    return [name for name in names if not _allowed(name.removeprefix("dynamic:"), rule, name.startswith("dynamic:"))]


def _allowed(name: str, rule: Rule, dynamic: bool) -> bool:
    top = name.split(".")[0]
    if top in OURS:
        return within(name, rule.ours)
    return dynamic or top in STANDARD or rule.others is None or top in rule.others


def within(name: str, modules: tuple[str, ...]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def files_of(rule: Rule) -> list[Path]:
    out = {path for pattern in rule.excluded for path in ROOT.glob(pattern)}
    return sorted({path for pattern in rule.files for path in ROOT.glob(pattern)} - out)


def imports_of(path: Path) -> Iterator[str]:
    parts = path.relative_to(ROOT).with_suffix("").parts
    is_package = parts[-1] == "__init__"
    return imported(
        path.read_text(encoding="utf-8"), ".".join(parts[:-1] if is_package else parts), is_package=is_package
    )


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.claim)
def test_only_allowed_imports(rule: Rule) -> None:
    found = {str(path.relative_to(ROOT)): forbidden(imports_of(path), rule) for path in files_of(rule)}
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.claim)
def test_a_rule_speaks_of_files_and_modules_that_are_there(rule: Rule) -> None:
    assert not [pattern for pattern in rule.files if not list(ROOT.glob(pattern))]
    modules = [name.replace(".", "/") for name in (*rule.ours, *ADAPTERS) if name != "autograder.check"]
    assert not [name for name in modules if not ((ROOT / name).is_dir() or (ROOT / f"{name}.py").is_file())]


def test_adapters_import_stages_and_never_the_reverse() -> None:
    adapters = {path for pattern in ADAPTER_FILES for path in ROOT.glob(pattern)}
    stages = set(ROOT.glob("autograder/**/*.py")) - adapters - {ROOT / "autograder" / "__init__.py"}
    found = {
        str(path.relative_to(ROOT)): [
            name for name in imports_of(path) if within(name.removeprefix("dynamic:"), ADAPTERS)
        ]
        for path in sorted(stages)
    }
    assert {path: names for path, names in found.items() if names} == {}


def _modules() -> dict[str, Path]:
    """Dotted name -> file, of the product; what is shown in a demonstration are submissions."""
    paths = [p for pack in ("cnnviz", "cnnviz_ref", "autograder") for p in (ROOT / pack).rglob("*.py")]
    names = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}
    return {name: path for name, path in names.items() if not name.startswith("autograder.demo.")}


def _graph() -> dict[str, set[str]]:
    """Module -> the modules that it imports, at any depth of its code."""
    known = _modules()
    graph = {}
    for name, path in known.items():
        found = [each.removeprefix("dynamic:") for each in imports_of(path)]
        graph[name] = {each if each in known else each.rpartition(".")[0] for each in found} & known.keys() - {name}
    return graph


def _circle(graph: dict[str, set[str]]) -> list[str]:
    """Some nodes that lead back to themselves; empty where there are none."""
    left = dict(graph)
    while ends := [node for node, next_ones in left.items() if not next_ones & left.keys()]:
        for node in ends:
            del left[node]
    return sorted(left)


def _package(module: str) -> str:
    """The folder below `autograder` that a module lies in, or its own name."""
    return ".".join(module.split(".")[:2]) if module.startswith("autograder.") else module.split(".")[0]


def test_no_modules_import_each_other() -> None:
    assert _circle(_graph()) == []


def test_no_packages_import_each_other() -> None:
    packages: dict[str, set[str]] = {}
    for module, imports in _graph().items():
        if module != "autograder":  # hands `check` on from `practice`
            packages.setdefault(_package(module), set()).update(map(_package, imports - {"autograder"}))
    assert _circle({name: imports - {name} for name, imports in packages.items()}) == []


def _ranks() -> dict[str, int]:
    """Package -> its row in the table of CONTRIBUTING.md."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    return {f"autograder.{name}": n for n, row in enumerate(rows) for name in re.findall(r"`(\w+)(?:\.py)?`", row)}


def test_packages_import_in_the_order_of_the_table() -> None:
    ranks = _ranks() | {"autograder.cli": 99}
    assert {_package(module) for module in _modules()} - {"cnnviz", "cnnviz_ref", "autograder"} <= ranks.keys()
    wrong = [
        f"{module} imports {other}"
        for module, imports in _graph().items()
        for other in imports
        if ranks.get(_package(other), -1) > ranks.get(_package(module), 99)
    ]
    assert wrong == []


def _declared(*extras: str) -> set[str]:
    """Names under which one imports what this package asks pip for, with the extras."""
    asked = [line.partition("; extra == ") for line in distribution("cnnviz").requires or ()]
    names = {re.split(r"[^\w-]", name)[0] for name, _, extra in asked if extra[1:-1] in ("", *extras)}
    brought = packages_distributions()
    return {module for module, by in brought.items() if names & {each.lower().replace("_", "-") for each in by}}


LENT = {"distributed", "jaxtyping", "markupsafe", "nbclient", "nbconvert", "scipy", "tomli", "traitlets"}
"""Not asked for by name: dask, jinja2, jupyterlab, nbgrader and scikit-learn bring theirs; jaxtyping is for tests, and
tomli for Python 3.10."""


@pytest.mark.parametrize(
    ("package", "extras"), [("cnnviz", ()), ("cnnviz_ref", ()), ("autograder", ("course", "grade"))]
)
def test_what_is_imported_is_asked_for(package: str, extras: tuple[str, ...]) -> None:
    names = {name.removeprefix("dynamic:") for path in ROOT.glob(f"{package}/**/*.py") for name in imports_of(path)}
    imports = {name.split(".")[0] for name in names}
    assert imports - STANDARD - OURS - LENT - {""} <= _declared(*extras)


def test_a_circle_is_seen() -> None:
    assert _circle({"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()}) == ["a", "b", "c"]


def test_no_file_name_has_two_meanings() -> None:
    names = [path.name for path in _modules().values() if path.name != "__init__.py"]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_there_are_files_to_judge() -> None:
    for folder in ("cnnviz", "cnnviz_ref", "autograder"):
        assert list((ROOT / folder).glob("**/*.py"))


@pytest.mark.parametrize(
    ("claim", "source", "names"),
    [
        ("the kit imports", "import cnnviz_ref.cam", ["cnnviz_ref.cam"]),
        ("the kit imports", "from autograder import check", ["autograder.check"]),
        ("the kit imports", "import torch\nfrom cnnviz.models import digit_net\nfrom . import shapes", []),
        (
            "the kit imports",
            "def f():\n    from importlib import import_module\n    import_module('cnnviz_ref')",
            ["dynamic:cnnviz_ref"],
        ),
        ("the answer key", "from autograder.course.records import Call", ["autograder.course.records.Call"]),
        ("what a student sees", "from autograder import check\nimport cnnviz, torch", []),
        ("what a student sees", "from cnnviz_ref import cam", ["cnnviz_ref.cam"]),
        ("what a student sees", "from autograder.course import registry", ["autograder.course.registry"]),
        ("what a student sees", "from autograder.core.oracle import Setting", ["autograder.core.oracle.Setting"]),
        ("what a student sees", "import autograder", ["autograder"]),
        ("the grader never", "import solutions.grad_cam", ["solutions.grad_cam"]),
        ("the isolated run", "from .. import oracle", ["autograder.oracle"]),
        ("the isolated run", "from ..records import Case", ["autograder.records.Case"]),
        ("the isolated run", "from . import wire\nfrom .wire import frame\nimport os, torch, numpy.lib", []),
        ("the isolated run", "import rich", ["rich"]),
        ("the isolated run", "if True:\n    __import__('cnnviz_ref')", ["dynamic:cnnviz_ref"]),
        (
            "comparing",
            "import torch\nfrom autograder.course.records import Case",
            ["torch", "autograder.course.records.Case"],
        ),
        ("comparing", "import numpy as np\nfrom autograder.core.compare import compare", []),
    ],
)
def test_a_forbidden_import_is_seen(claim: str, source: str, names: list[str]) -> None:
    (rule,) = (rule for rule in RULES if rule.claim.startswith(claim))
    module = "autograder.isolated.child" if "isolated" in claim else "cnnviz.models"
    assert forbidden(imported(source, module), rule) == names
