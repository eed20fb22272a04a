"""Which statements of a notebook one function needs: those that bind or change the global names that its code uses.

Nothing is run. A statement that nobody needs (a training loop, a figure, a check) is left out, so that what it costs or
breaks costs and breaks nothing here.
"""

from __future__ import annotations

import ast
import dis
import inspect
import re
import warnings
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType

from autograder.reading.trees import is_note, parsed

SHORT = 20_000
"""Characters of code whose statements are worth keeping."""
ANYTHING = "*"
"""Bound by `from x import *`, `exec` and `globals()`: it may be any name."""

_GLOBALLY = ("STORE_GLOBAL", "DELETE_GLOBAL")
_STORES = (*_GLOBALLY, "STORE_NAME", "DELETE_NAME")
_COMPREHENSIONS = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")
_LOOK_AROUND = {"globals", "locals", "exec", "eval"}
_SHOWING = {"print", "display", "check", "plt", "help", "repr"}
_IN_PLACE = re.compile(
    r"\w+_|eval|train|to|cuda|cpu|double|float|half|append|extend|insert|update|pop|remove|clear|sort|reverse"
    r"|setdefault|add|discard|load_state_dict|apply|add_module|register\w*"
)
"""Methods that change their object though their result is kept: `_ = model.eval()`."""
_FIXED = {"device", "int", "float", "str", "bool", "len", "round", "range", "partial", "Path", "Size", "frozenset"}
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class Statement:
    """One statement at top level, and the global names that it deals with."""

    first: int
    """Its first line, decorators included."""
    last: int
    binds: frozenset[str]
    uses: frozenset[str]
    """Anywhere in it, also in the bodies of functions that it defines."""
    at_once: frozenset[str]
    """Of these what it uses while it runs, and not only when a function of it is called."""
    changes: frozenset[str]
    """Names whose objects it changes while it runs: a place in them is set, a method of theirs is called."""
    given: frozenset[str]
    """Names that it hands to a function whose result it does not keep; the function may change them."""
    binds_later: frozenset[str]
    """Names that the functions it defines bind when they are called: they say `global`."""
    changes_later: frozenset[str]
    """Names whose objects these functions may change."""
    defines: bool
    """Whether it is a function, a class or an import: its name stands for code, and is not changed by being used."""
    imports: bool
    fixed: bool
    """Whether it gives a name a value that cannot be changed: a number, a text, a device."""
    stubs: frozenset[str]
    """Functions of it that only raise NotImplementedError."""
    attempts: frozenset[str]
    """What it binds that may be a function of the student's own."""


def statements(text: str) -> tuple[Statement, ...]:
    """Those of one cell; none where it does not parse."""
    return (_of_short if len(text) < SHORT else _of_long)(text)


def _statements(text: str) -> tuple[Statement, ...]:
    tree = parsed(text)
    return tuple(map(_statement, tree.body)) if tree else ()


# Those of a long text take much room: a class's are not kept.
_of_short, _of_long = lru_cache(maxsize=512)(_statements), lru_cache(maxsize=1)(_statements)


def needed(cells: Sequence[Sequence[Statement]], name: str) -> list[list[Statement]]:
    """Of each cell's statements those without which `name` would not be what the notebook makes of it."""
    every = [one for cell in cells for one in cell]
    defined = {bound: one for one in every if one.defines for bound in one.binds}
    data = {bound for one in every if not (one.defines or one.fixed) for bound in one.binds}
    data |= {bound for one in every for bound in one.binds_later}
    own = {bound for one in every if not one.imports for bound in one.binds}
    wanted, chosen, grown = {name}, set(), True
    while grown:
        found = [one for one in every if one not in chosen and _matters(one, wanted, own, data, defined, name)]
        chosen.update(found)
        wanted.update(used for one in found for used in one.uses)
        grown = bool(found)
    return [[one for one in cell if one in chosen] for cell in cells]


def only(text: str, kept: Iterable[Statement]) -> str:
    """The lines of these statements, in their places."""
    numbers = {number for one in kept for number in range(one.first, one.last + 1)}
    return "\n".join(line if n in numbers else "" for n, line in enumerate(text.split("\n"), start=1))


def _matters(
    one: Statement, wanted: set[str], own: set[str], data: set[str], defined: dict[str, Statement], name: str
) -> bool:
    if ANYTHING in one.binds or one.binds & wanted or one.changes & wanted & own or one.given & wanted & data:
        return True
    if _LOOK_AROUND & wanted and one.binds:
        return True
    return any((c.binds_later | c.changes_later & data) & wanted for c in _called(one, defined, name))


def _called(one: Statement, defined: dict[str, Statement], name: str) -> list[Statement]:
    """The functions that a statement may call while it runs; showing what the asked-for one gives is no change."""
    waiting, found = [used for used in one.at_once if used != name], {}
    while waiting:
        used = waiting.pop()
        if used in defined and used not in found:
            found[used] = defined[used]
            waiting += [inner for inner in defined[used].uses if inner != name]
    return list(found.values())


def _statement(node: ast.stmt) -> Statement:
    code = _compiled(node)
    now, later = _codes(code) if code else ([], [])
    every = list(ast.walk(node))
    named = {n.id for n in every if isinstance(n, ast.Name)}
    at_once, uses = _used(now, named), _used([*now, *later], named)
    binds, bound_later = _stored(now[:1], _STORES), set()
    if any(isinstance(n, ast.Global | ast.NamedExpr) for n in every):
        binds, bound_later = binds | _stored(now[1:], _GLOBALLY), _stored(later, _GLOBALLY)
    if code is None:  # it fails when it is run, and is told of by the name that it would have bound
        binds = {n.id for n in every if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    stars = any(isinstance(n, ast.ImportFrom) and _binds_anything(n) for n in every)
    if stars or _LOOK_AROUND & at_once:
        binds = binds | {ANYTHING}
    parts = list(_parts(node))
    now_defined = [n for n, is_later in parts if not is_later and isinstance(n, _DEFINITIONS)]
    stubs = {n.name for n in now_defined if is_stub(n)} - {n.name for n in now_defined if not is_stub(n)}
    called = {*_changed(p for p, is_later in parts if is_later), *_given(p for p, is_later in parts if is_later)}
    imports = isinstance(node, ast.Import | ast.ImportFrom)
    return Statement(
        first=min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", ()))]),
        last=node.end_lineno or node.lineno,
        binds=frozenset(binds),
        uses=frozenset(uses),
        at_once=frozenset(at_once),
        changes=frozenset(_changed(part for part, is_later in parts if not is_later)),
        given=frozenset(_given(part for part, is_later in parts if not is_later)),
        binds_later=frozenset(bound_later),
        changes_later=frozenset(called & _used(later, named)),
        defines=imports or isinstance(node, _DEFINITIONS),
        imports=imports,
        fixed=_is_fixed(node),
        stubs=frozenset(stubs),
        attempts=frozenset() if _is_no_function(node) else frozenset(binds) - stubs - {ANYTHING},
    )


def _is_no_function(node: ast.stmt) -> bool:
    """Whether what it binds is a module or a plain value."""
    value = getattr(node, "value", None)
    return isinstance(node, ast.Import | ast.Delete) or (_is_fixed(node) and not isinstance(value, ast.Call))


def is_stub(node: ast.AST) -> bool:
    """Whether it is a function that only raises NotImplementedError."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    body = [n for n in node.body if not is_note(n)]
    if len(body) != 1 or not isinstance(body[0], ast.Raise):
        return False
    raised = body[0].exc
    return getattr(raised.func if isinstance(raised, ast.Call) else raised, "id", None) == "NotImplementedError"


def _compiled(node: ast.stmt) -> CodeType | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return compile(ast.Module([node], []), "cell", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return None


def _codes(code: CodeType) -> tuple[list[CodeType], list[CodeType]]:
    """What runs with the statement, and what runs when a function of it is called."""
    now: list[CodeType] = []
    later: list[CodeType] = []
    waiting = [(code, False)]
    while waiting:
        one, deferred = waiting.pop()
        (later if deferred else now).append(one)
        for inner in one.co_consts:
            if isinstance(inner, CodeType):
                is_body = not inner.co_flags & inspect.CO_OPTIMIZED or inner.co_name in _COMPREHENSIONS
                waiting.append((inner, deferred or not is_body))
    return now, later


def _used(codes: Iterable[CodeType], named: set[str]) -> set[str]:
    """The global names that the code reads; `co_names` has those and the names of attributes."""
    return {
        name for code in codes for name in named.intersection(code.co_names)
        if name not in code.co_varnames and name not in code.co_cellvars and name not in code.co_freevars
    }  # fmt: skip


def _stored(codes: Iterable[CodeType], operations: Collection[str]) -> set[str]:
    return {i.argval for code in codes for i in dis.get_instructions(code) if i.opname in operations}


def _parts(statement: ast.stmt) -> Iterator[tuple[ast.AST, bool]]:
    """Every node, and whether it runs only when a function is called."""
    waiting: list[tuple[ast.AST, bool]] = [(statement, False)]
    while waiting:
        node, later = waiting.pop()
        yield node, later
        body = node.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) else []
        inside = {id(part) for part in (body if isinstance(body, list) else [body])}
        waiting += [(child, later or id(child) in inside) for child in ast.iter_child_nodes(node)]


def _changed(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Names whose objects these nodes change: by setting a place in them, by calling a method of theirs."""
    for node in nodes:
        if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            yield from _root(node)
        elif isinstance(node, ast.Expr | ast.Assign) and isinstance(node.value, ast.Call):
            called = node.value.func
            if isinstance(called, ast.Attribute) and (isinstance(node, ast.Expr) or _IN_PLACE.fullmatch(called.attr)):
                yield from _root(called)
        elif isinstance(node, _DEFINITIONS):
            for each in node.decorator_list:
                yield from _root(each.func if isinstance(each, ast.Call) else each)


def _given(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Names in the arguments of a call whose result is not kept; printing and drawing change nothing."""
    for node in nodes:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            call = node.value
            if not any(root in _SHOWING or root.startswith("show") for root in _root(call.func)):
                for given in (*call.args, *(each.value for each in call.keywords)):
                    yield from (part.id for part in ast.walk(given) if isinstance(part, ast.Name))


def _root(node: ast.AST) -> Iterator[str]:
    """The name that `a.b[c]` begins with."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id


def _is_fixed(node: ast.stmt) -> bool:
    if not isinstance(node, ast.Assign | ast.AnnAssign):
        return False
    value = node.value
    if isinstance(value, ast.Call):
        return getattr(value.func, "attr", getattr(value.func, "id", "")) in _FIXED
    return isinstance(value, ast.Constant | ast.UnaryOp | ast.Compare | ast.JoinedStr)


def _binds_anything(node: ast.ImportFrom) -> bool:
    return node.module == "__future__" or any(alias.name == ANYTHING for alias in node.names)
