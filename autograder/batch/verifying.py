"""Is everything in RESULTS as it was signed, nothing taken away, nothing put in?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autograder.batch.chain import broken_links, difference, files, last
from autograder.batch.results import Store
from autograder.batch.signed import Untrusted, hash_of
from autograder.batch.summaries import table

_AGAIN = "run the same `cnnviz grade` again"


def problems(store: Store) -> list[str]:
    """A sentence for everything that is wrong."""
    bad = dict(_untrusted(store))
    found = [*bad.values(), *_against_manifest(store, bad)]
    return found + list(_missing_code(store)) + list(_stale_table(store))


def _untrusted(store: Store) -> Iterator[tuple[str, str]]:
    for path in (*store.files("results"), *store.files("history")):
        place = _place(store, path)
        try:
            store.read(path)
        except (Untrusted, FileNotFoundError) as error:
            yield place, f"{place} {error}."
    for path in store.files("submissions"):
        place = _place(store, path)
        if path.is_symlink() or not path.is_file() or hash_of(path.read_bytes()) != path.stem:
            yield place, f"{place} is not the code that was judged: it was altered."


def _against_manifest(store: Store, known: dict[str, str]) -> Iterator[str]:
    """What is missing, was added, or is another signed result than the last run left there."""
    try:
        listed: Any = last(store)["files"]
    except FileNotFoundError:
        yield f"manifest.json is missing: grading was interrupted, or it was removed; {_AGAIN}."
        return
    except Untrusted as error:
        yield f"manifest.json {error}."
        return
    yield from broken_links(store)
    found = files(store)
    for place in sorted({*listed, *found} - known.keys()):
        if listed.get(place) != found.get(place):
            told = difference(place, listed, found)
            yield told.replace("it was put there.", f"grading was interrupted, or it was put there; {_AGAIN}.")


def _missing_code(store: Store) -> Iterator[str]:
    """Judged code that is not kept any more: it could not be graded anew."""
    told = set()
    for result in store.results():
        unread = any(row.diagnosis and row.diagnosis.name == "unreadable" for row in result.rows)
        path = store.folder / "submissions" / f"{result.submission}.json"
        if not unread and path not in told and not path.is_file():
            told.add(path)
            yield f"{_place(store, path)} is missing: the code of {result.student} in {result.lesson}."


def _stale_table(store: Store) -> Iterator[str]:
    path = store.folder / "results.csv"
    try:
        same = path.read_bytes() == table(store.results())
    except OSError:
        yield f"results.csv is missing; {_AGAIN} to have it made."
        return
    if not same:
        yield f"results.csv does not say what the signed results say: it was altered; {_AGAIN} to have it made anew."


def _place(store: Store, path: Path) -> str:
    return path.relative_to(store.folder).as_posix()
