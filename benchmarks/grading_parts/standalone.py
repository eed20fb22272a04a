"""A misconception as a student would hand it in: one function that needs nothing of the course's own packages."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from functools import cache
from types import CodeType, ModuleType
from typing import Any

import torch

from autograder.course.records import Exercise

OURS = ("autograder", "cnnviz_ref")
"""Packages that a student's code cannot import: what comes from there is written into the function."""


class NotStandalone(ValueError):
    """The function needs something that cannot be written down."""


def written(exercise: Exercise, wrong: Callable[..., Any]) -> str:
    """Source of `wrong` under the exercise's name, with all helpers inside.

    Raises:
        NotStandalone: it holds an object that has no source.
    """
    inner = list(_definitions(wrong, "wrong", set()))
    parameters = inspect.signature(exercise.reference).parameters.values()
    taken = ", ".join(_as_taken(parameters))
    given = ", ".join(p.name if p.kind is not p.KEYWORD_ONLY else f"{p.name}={p.name}" for p in parameters)
    body = "\n".join([*inner, f"return wrong({given})"])
    return f"def {exercise.function}({taken}):\n{textwrap.indent(body, '    ')}\n"


def _as_taken(parameters) -> Iterator[str]:
    """The reference's parameters without annotations; defaults where they can be written."""
    starred = False
    for p in parameters:
        if p.kind is p.KEYWORD_ONLY and not starred:
            starred = True
            yield "*"
        yield p.name if p.default is p.empty else f"{p.name}={_spelled(p.default)}"


def _definitions(function: Callable[..., Any], name: str, known: set[str]) -> Iterator[str]:
    """What `function` uses, then the function itself as `name`."""
    if not inspect.isfunction(function):
        raise NotStandalone(f"{name} is {function!r}")
    for used, value in _uses(function).items():
        if used not in known:
            known.add(used)
            yield from _binding(used, value, known)
    yield _definition(function, name)


def _definition(function: Callable[..., Any], name: str) -> str:
    node = _node(function)
    captured = inspect.getclosurevars(function).nonlocals
    lambda_ = isinstance(node, ast.Lambda)
    text = f"{name} = {ast.unparse(node)}" if lambda_ else ast.unparse(_undressed(node, name))
    if not captured:
        return text
    # A factory, so that two closures over the same name stay apart.
    inner = "\n".join(part for used, value in captured.items() for part in _binding(used, value, set()))
    made = textwrap.indent(f"{inner}\n{text}\nreturn {name}", "    ")
    return f"def _make_{name}():\n{made}\n{name} = _make_{name}()"


def _binding(name: str, value: Any, known: set[str]) -> Iterator[str]:
    if isinstance(value, ModuleType):
        if value.__name__.partition(".")[0] in OURS:
            raise NotStandalone(f"{name} is the module {value.__name__}")
        yield f"import {value.__name__} as {name}"
    elif callable(value) and (found := _importable(value)):
        yield f"from {found} import {value.__name__} as {name}"
    elif inspect.isfunction(value):
        yield from _definitions(value, name, known)
    else:
        yield f"{name} = {_spelled(value)}"


def _importable(value: Any) -> str:
    """The public module that a function or class of somebody else's is taken from; empty where there is none."""
    own = getattr(value, "__module__", None) or ""
    places = [] if own.partition(".")[0] in OURS else [sys.modules.get(own), torch]
    return next((m.__name__ for m in places if m and getattr(m, getattr(value, "__name__", ""), None) is value), "")


def _spelled(value: Any) -> str:
    text = repr(value)
    try:
        same = ast.literal_eval(text) == value
    except (ValueError, SyntaxError):
        same = False
    if same is not True:
        raise NotStandalone(f"{text} cannot be written down")
    return text


def _uses(function) -> dict[str, Any]:
    """Global names of the function and of the functions in it that the builtins do not have."""
    names = set(_names(function.__code__))
    return {name: function.__globals__[name] for name in sorted(names) if name in function.__globals__}


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _node(function) -> ast.Lambda | ast.FunctionDef:
    """The function's own syntax tree; of several lambdas on a line, the one with the same bytecode."""
    code = function.__code__
    at_line = [
        node
        for node in ast.walk(_tree(inspect.getsourcefile(function)))
        if isinstance(node, ast.Lambda | ast.FunctionDef) and node.lineno == code.co_firstlineno
    ]
    named = [node for node in at_line if getattr(node, "name", "<lambda>") == code.co_name]
    same = [node for node in named if isinstance(node, ast.FunctionDef) or _compiles_to(node, code)]
    if len({ast.dump(node) for node in same}) != 1:
        raise NotStandalone(f"{code.co_name} in line {code.co_firstlineno} has no source of its own")
    return same[0]


def _compiles_to(node: ast.Lambda, code: CodeType) -> bool:
    compiled = compile(ast.Expression(node), "lambda", "eval").co_consts[0]
    return (compiled.co_varnames, _bare(compiled.co_consts)) == (code.co_varnames, _bare(code.co_consts)) and set(
        compiled.co_names
    ) <= set(code.co_names) | set(code.co_freevars)


def _bare(constants) -> list[Any]:
    return [constant for constant in constants if not isinstance(constant, CodeType | str)]


@cache
def _tree(path: str) -> ast.Module:
    with open(path, encoding="utf-8") as file:
        return ast.parse(file.read())


def _undressed(node: ast.FunctionDef, name: str) -> ast.FunctionDef:
    """Without annotations, decorators and docstring."""
    node = ast.parse(ast.unparse(node)).body[0]  # type: ignore[assignment]
    node.name, node.returns, node.decorator_list = name, None, []
    for argument in ast.walk(node):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    if ast.get_docstring(node) is not None and len(node.body) > 1:
        node.body = node.body[1:]
    return node
