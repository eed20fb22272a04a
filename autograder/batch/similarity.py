"""Which submissions look alike beyond what everybody's do: a hint for a human, never a verdict.

Each function becomes a bag of shingles (`shapes`); a shingle that many students have weighs little, one that only two
have weighs much. What the students were given is left out.
"""

from __future__ import annotations

import ast
import builtins
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix, diags
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.utils import gen_batches

from autograder.course.locations import home_of
from autograder.course.records import Lesson
from autograder.reading.submission import Source, Submission, from_module, from_notebook
from autograder.reading.trees import is_note, numbered, words

WHOLE = "the whole submission"
SHORT = 20
"""A function with fewer shingles of its own is too short to tell."""
ALIKE = 0.6
"""From this similarity on a pair is listed."""
RARE = 0.3
"""And from this rarity on: below it, they share what a good part of the class shares."""

Work = tuple[str, Submission]
"""A student and what was handed in."""


@dataclass(frozen=True)
class Pair:
    """Two students whose code for one exercise looks alike."""

    lesson: str
    exercise: str
    """Its id, or `WHOLE`."""
    students: tuple[str, str]
    similarity: float
    """Cosine of the weighted shingles: 1 where they are the same but for names and layout."""
    rarity: float
    """Of what they share: 1 where nobody else has it, 0 where everybody does."""
    sharers: int
    """Students that have half of what the two share, or more, the two included."""

    rank: float = 0.0
    """What the table is sorted by: similarity times rarity, and less for short code."""


@dataclass(frozen=True)
class Likeness:
    """What a comparison of one lesson found."""

    pairs: tuple[Pair, ...]
    """The most telling first."""
    compared: Mapping[str, int]
    """Exercise -> students whose code was compared."""
    short: Mapping[str, int]
    """Exercise -> students whose function is too short to tell."""
    unreadable: int
    """Pieces of code that do not parse or are too long to be compared."""


def alike(lesson: Lesson, works: Sequence[Work], *, top: int = 30, released: Path | None = None) -> Likeness:
    """Compares every two students of one lesson, exercise by exercise and as a whole.

    Raises:
        ValueError: `top` is not positive.
    """
    if top < 1:
        raise ValueError(f"top: got {top}, which must be 1 or more; it is the number of pairs to list.")
    given, works = _given(lesson, released or home_of(lesson.id).lessons), sorted(works, key=lambda work: work[0])
    read = [[statements(source) for source in submission.sources] for _, submission in works]
    bodies = [list(chain.from_iterable(part or () for part in parts)) for parts in read]
    names = [student for student, _ in works]
    pairs: list[Pair] = []
    compared, short = {}, {}
    for item, documents in _documents(lesson, bodies, given):
        kept = [k for k, document in enumerate(documents) if len(document) >= SHORT]
        compared[item], short[item] = len(kept), sum(0 < len(document) < SHORT for document in documents)
        found = _pairs([documents[k] for k in kept], [names[k] for k in kept], top)
        pairs += [Pair(lesson.id, item, *about) for about in found]
    pairs.sort(key=lambda pair: (-round(pair.rank, 6), pair.exercise, pair.students))
    return Likeness(tuple(pairs[:top]), compared, short, sum(part is None for parts in read for part in parts))


def _given(lesson: Lesson, released: Path) -> frozenset[str]:
    """The shingles of the release notebook and of the stub module."""
    return _given_in(released / lesson.id, lesson.name)


@cache
def _given_in(folder: Path, name: str) -> frozenset[str]:
    module, notebook = folder / f"{name}.py", folder / f"{name}.ipynb"
    sources: list[Source] = [*from_module(module).sources] if module.is_file() else []
    sources += from_notebook(notebook).sources if notebook.is_file() else ()
    return frozenset(chain.from_iterable(s.shingles for source in sources for s in statements(source) or ()))


def _documents(
    lesson: Lesson, bodies: Sequence[Sequence[Statement]], given: frozenset[str]
) -> Iterator[tuple[str, list[Shingles]]]:
    """Exercise -> each student's own shingles for it; at the end those of all they wrote."""
    for exercise in lesson.exercises:
        functions = {e.function for e in lesson.exercises} - {exercise.function}
        yield exercise.id, [_own(_reached(body, exercise.function, functions), given) for body in bodies]
    yield WHOLE, [_own(body, given) for body in bodies]


def _own(body: Sequence[Statement], given: frozenset[str]) -> Shingles:
    return tuple(shingle for statement in body for shingle in statement.shingles if shingle not in given)


def _reached(body: Sequence[Statement], name: str, others: set[str]) -> list[Statement]:
    """A function and the student's own helpers that it leads to; other exercises stand for themselves."""
    defined = {statement.name: statement for statement in body if statement.name and statement.name not in others}
    found: dict[str, Statement] = {}
    left = [name]
    while left:
        name = left.pop()
        if name in defined and name not in found:
            found[name] = defined[name]
            left += sorted(defined[name].uses)
    return list(found.values())


About = tuple[tuple[str, str], float, float, int, float]


def _pairs(documents: Sequence[Shingles], names: Sequence[str], top: int) -> list[About]:
    """The most telling pairs: students, similarity, rarity, sharers, rank."""
    if len(documents) < 2:
        return []
    counts = csr_matrix(CountVectorizer(analyzer=list).fit_transform(documents))
    weighted = csr_matrix(TfidfTransformer(sublinear_tf=True).fit_transform(counts))
    rare = _rarity(counts)
    rarely = weighted @ diags(np.sqrt(rare))
    lengths = np.array([len(document) for document in documents])
    trust = np.sqrt(lengths / (lengths + SHORT))
    best: list[tuple] = []
    for rows in gen_batches(len(documents), 500):
        best = sorted([*best, *_telling(weighted, rarely, trust, rows, top)], reverse=True)[:top]
    return [
        (_ordered(names[i], names[j]), min(similarity, 1.0), min(rarity, 1.0), _sharers(counts, i, j), rank)
        for rank, similarity, rarity, i, j in best
    ]


def _rarity(counts: csr_matrix) -> np.ndarray:
    """1 for a shingle that two students have, falling with the logarithm of how many do, near 0 for all of them."""
    having = np.asarray((counts > 0).sum(axis=0)).ravel()
    n = counts.shape[0] + 1
    return (np.log(n / having) / np.log(n / 2)).clip(0, 1)


def _telling(weighted, rarely, trust: np.ndarray, rows: slice, top: int) -> Iterator[tuple]:
    """Rank, similarity, rarity and places of the best pairs whose first lies in `rows`."""
    similarity = (weighted[rows] @ weighted.T).toarray()
    rarity = (rarely[rows] @ rarely.T).toarray() / np.maximum(similarity, ALIKE)
    later = np.arange(rarity.shape[1])[None, :] > np.arange(rows.start, rows.stop)[:, None]
    listed = later & (similarity >= ALIKE) & (rarity >= RARE)
    rank = np.where(listed, similarity * rarity * trust[rows, None] * trust, 0.0)
    for place in np.argsort(-rank, axis=None, kind="stable")[:top]:
        i, j = np.unravel_index(place, rank.shape)
        if rank[i, j] > 0:
            found = (float(array[i, j]) for array in (rank, similarity, rarity))
            yield (*found, rows.start + int(i), int(j))


def _sharers(counts: csr_matrix, i: int, j: int) -> int:
    """How many students have at least half of the shingles that two share."""
    shared = np.intersect1d(counts[i].indices, counts[j].indices)
    having = np.asarray((counts[:, shared] > 0).sum(axis=1)).ravel()
    return int((2 * having >= len(shared)).sum())


def _ordered(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one <= other else (other, one)


WIDTH = 7
"""Tokens of a shingle: about a call with its arguments."""
LONGEST = 200_000
"""Characters of the longest source that is looked at."""

Shingles = tuple[str, ...]


@dataclass(frozen=True)
class Statement:
    """One statement of a module, at top level."""

    name: str
    """Of the function or class that it defines; empty for anything else."""
    shingles: Shingles
    uses: frozenset[str]
    """The names in it."""


def statements(source: Source) -> tuple[Statement, ...] | None:
    """The shapes of a source's statements; None where it cannot be read."""
    return _statements(source.text) if len(source.text) <= LONGEST else None


@lru_cache(maxsize=2048)
def _statements(text: str) -> tuple[Statement, ...] | None:
    """Kept, since most cells of a class's notebooks are the same."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a student's odd escape sequence is no concern of the reader's
        tree = Source("", text).tree
    if tree is None:
        return None
    imported = _imported(tree)
    return tuple(_statement(node, imported) for node in tree.body if not _is_plain(node))


def _is_plain(node: ast.stmt) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom) or is_note(node)


def _statement(node: ast.stmt, imported: Mapping[str, str]) -> Statement:
    tokens = list(words(node, lambda name: imported.get(name) or (name if hasattr(builtins, name) else f"\0{name}")))
    uses = frozenset(token[1:] for token in tokens if token.startswith("\0"))
    name = node.name if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) else ""
    return Statement(name, tuple(_shingles(tokens)), uses)


def _imported(tree: ast.Module) -> dict[str, str]:
    """Alias -> what it stands for, so that `F` and `functional` are one."""
    return {
        alias.asname or alias.name: f"{getattr(node, 'module', None) or ''}.{alias.name}"
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }


def _shingles(tokens: Sequence[str]) -> Iterator[str]:
    """Runs of `WIDTH` tokens."""
    return (numbered(tokens[start : start + WIDTH]) for start in range(max(1, len(tokens) - WIDTH + 1)))
