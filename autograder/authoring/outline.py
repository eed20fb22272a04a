"""For `cnnviz build`: the outline of a lesson, and its formulas in characters for a terminal and a screen reader."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict

from autograder.course.locations import home_of
from autograder.course.outlines import EXERCISE, QUESTION, Item, digest
from autograder.course.records import Exercise, Lesson, Question

FOLDER = "autograder/course/outlines"
"""Outlines of ours lie here in the course folder, and so in the installed package."""


def outline_path(lesson: Lesson) -> str:
    """The outline's path, relative to the lesson's home."""
    return f"solutions/{lesson.id}/outline.json" if home_of(lesson.id).own else f"{FOLDER}/{lesson.id}.json"


def outline_text(lesson: Lesson, *files: str) -> str:
    """The outline as JSON; what an item does not have is left out.

    Args:
        lesson: the records.
        files: the texts of the student's module and notebook as they are handed out.
    """
    own = home_of(lesson.id).own
    items = [{k: v for k, v in asdict(_item(item, own)).items() if v} for item in lesson.items]
    digests = [digest(text.encode()) for text in files]
    made = {"id": lesson.id, "title": lesson.title, "digests": digests, "items": items}
    return json.dumps(made, ensure_ascii=False, indent=1) + "\n"


def _item(item: Exercise | Question, own: bool) -> Item:
    if isinstance(item, Question):
        options = tuple((word, option.text) for word, option in item.choices.items())
        return Item(item.id, QUESTION, item.text, item.points, options=options, within=item.within)
    return Item(
        item.id, EXERCISE, item.title, item.points, item.minutes, item.difficulty, item.lines,
        _in_characters(item.formula, own), tuple(item.hints), item.builds_on,
    )  # fmt: skip


def _in_characters(formula: str, own: bool) -> str:
    """A formula for a terminal; an instructor's own as LaTeX where it has a command that has no sign here."""
    try:
        return plain(formula)
    except ValueError:
        if own:
            return formula
        raise


_GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "Delta": "Δ\b", "varepsilon": "ε", "epsilon": "ε",
    "eta": "η", "lambda": "λ", "mu": "μ", "rho": "ρ", "sigma": "σ", "tau": "τ", "theta": "θ", "phi": "φ", "pi": "π",
    "omega": "ω",
}  # fmt: skip
_SIGNS = {
    "sum": "Σ", "prod": "Π", "partial": "∂\b", "infty": "∞", "nabla": "∇", "pm": "±", "mp": "∓", "mid": "|", "|": "‖",
    "in": " ∈ ", "le": " ≤ ", "ge": " ≥ ", "ne": " ≠ ", "approx": " ≈ ", "cdot": " · ", "times": " × ", "odot": " ⊙ ",
    "cap": " ∩ ", "cup": " ∪ ", "leftarrow": " ← ", "rightarrow": " → ", "to": " → ",
    "dots": "...", "ldots": "...", "cdots": "...", "{": "{", "}": "}",
    "lVert": "‖\b", "rVert": "\b‖", "lfloor": "⌊\b", "rfloor": "\b⌋", "lceil": "⌈\b", "rceil": "\b⌉",
    "max": "max", "min": "min", "log": "log", "ln": "ln", "exp": "exp", "cos": "cos", "arg": "arg",
    ",": "", "!": "", ";": " ", ":": " ", " ": " ", "quad": "\t", "qquad": "\t", "\\": "; ",
    "big": "", "Big": "", "bigg": "", "Bigg": "",
}  # fmt: skip
"""Command -> sign. A backspace asks for no space on its side, a tab for two."""
_ACCENTS = {"tilde": "\u0303", "bar": "\u0304", "hat": "\u0302"}
_TEXT = ("text", "mathrm", "mathbf", "mathit", "operatorname")
_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[{}^_&]|[^\\{}^_&]", re.DOTALL)
_SCRIPTS = r"(?:[_^](?:[\w±∓+\-]+|\([^()]*\)))*"
_ATOM = re.compile(rf"\d+|∂|[∂Δ]?[^\W\d_]['\u0302-\u0304]?{_SCRIPTS}|\|[^|]*\||‖[^‖]*‖")
"""Text that needs no brackets above or below a fraction's line."""


def plain(latex: str) -> str:
    r"""The formula with Unicode signs, fractions on one line, and brackets where a fraction or an index needs them.

    Raises:
        ValueError: a command that nothing is known about.

    >>> plain(r"\alpha_k^c = \frac{1}{Z} \sum_i \frac{\partial y^c}{\partial A^k_{ij}}")
    'α_k^c = (1/Z) Σ_i ∂y^c/∂A^k_ij'
    """
    return re.sub(r" *\t *", "  ", _tidy(_until(iter(_TOKEN.findall(latex)), None)))


def _tidy(text: str) -> str:
    """Single spaces, and none inside brackets or where a sign asks for none (a backspace)."""
    text = re.sub(r" *\x08 *", "", re.sub(r" +", " ", text))
    return re.sub(r"([(\[]) +| +([)\],;])", r"\1\2", text).strip()


def _until(tokens: Iterator[str], end: str | None) -> str:
    """All that follows, to the token `end` or to the end."""
    made: list[str] = []
    for token in tokens:
        if token == end:
            break
        made.append(_one(token, tokens))
    return "".join(made)


def _one(token: str, tokens: Iterator[str]) -> str:
    """One sign, group, index or command."""
    if token == "{":
        return _until(tokens, "}")
    if token in "_^":
        return _index(token, _argument(tokens))
    if token == "&":
        return " "
    if not token.startswith("\\"):
        return token
    return _command(token[1:], tokens)


def _command(name: str, tokens: Iterator[str]) -> str:
    if name in ("frac", "tfrac", "dfrac"):
        return _fraction(_argument(tokens), _argument(tokens))
    if name == "sqrt":
        return f"√({_argument(tokens).strip()})"
    if name in _TEXT:
        return _argument(tokens)
    if name in _ACCENTS:
        return _argument(tokens) + _ACCENTS[name]
    if name in ("begin", "end"):
        _argument(tokens)
        return ""
    if name in ("left", "right"):
        return _argument(tokens).removeprefix(".")
    known = _GREEK.get(name, _SIGNS.get(name))
    if known is None:
        raise ValueError(
            f"formula: got \\{name}, which has no plain sign yet; add it to autograder/authoring/outline.py."
        )
    return known


def _argument(tokens: Iterator[str]) -> str:
    """Takes what a command or an index is given: a group or the next sign."""
    token = next(tokens, "")
    while token == " ":
        token = next(tokens, "")
    return _one(token, tokens) if token else ""


def _index(kind: str, inner: str) -> str:
    inner = _tidy(inner)
    alone = re.fullmatch(r"[^\W_]+|[+\-±∓*]|\([^()]*\)", inner)
    return kind + (inner if alone else f"({inner})")


def _fraction(above: str, below: str) -> str:
    above, below = _bracketed(_tidy(above)), _bracketed(_tidy(below))
    return f" ({above}/{below})" if above.isdigit() else f" {above}/{below}"


def _bracketed(text: str) -> str:
    return text if _ATOM.fullmatch(text) else f"({text})"
