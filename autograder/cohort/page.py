"""From the signed results of a class to one page; what is not as it was signed is named and left out."""

from __future__ import annotations

import base64
import gc
import hashlib
import hmac
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from markupsafe import Markup

from autograder.batch.names import file_name, seed_name
from autograder.batch.results import Store
from autograder.batch.secret import naming_key
from autograder.batch.signed import LARGEST, Untrusted, believed
from autograder.batch.stages import Result
from autograder.cohort.findings import findings, largest_stops, steps, topics
from autograder.cohort.order import items_of
from autograder.cohort.tally import Tally, tally
from autograder.cohort.view import by_lesson, dead_json, for_the_map, lines, points
from autograder.core.verdict import NOT_JUDGED
from autograder.course.records import Lesson
from autograder.report.pages import environment, page
from autograder.text.formulas import as_mathml


def cohort_page(
    results: Sequence[Result],
    lessons: Iterable[Lesson],
    *,
    secret: str,
    only: Sequence[str] = (),
    anonymous: bool = False,
    left_out: Sequence[str] = (),
) -> Markup:
    """One self-contained page on a class.

    Args:
        results: all that is known of the class, one per student and item.
        lessons: the course, in order.
        secret: the course secret; it makes the ids that stand for names.
        only: ids of the lessons that are shown; all without it.
        anonymous: no name is shown, and nothing that a student's own code said.
        left_out: a sentence for each file that is not as it was signed.

    Raises:
        ValueError: there is no result to show.
    """
    chosen = [result for result in results if not only or result.lesson in only]
    if not chosen:
        raise ValueError(f"lesson: no result of {', '.join(only) or 'any lesson'} is there; grade it first.")
    everybody = sorted({result.student for result in results})
    ids = pseudonyms(everybody, secret) if anonymous else {name: name for name in everybody}
    students = sorted({result.student for result in chosen}, key=lambda name: ids[name].casefold())
    counted = tally(chosen, items_of(lessons, chosen), students, told=not anonymous)
    counted.students = [ids[name] for name in students]
    return page(
        "cohort.html.j2", anonymous=anonymous, others=len(everybody) - len(students), left_out=list(left_out),
        **_values(counted),
    )  # fmt: skip


def _values(counted: Tally) -> dict[str, Any]:
    found, way, (all_pass, none_pass, against) = lines(counted), steps(counted), findings(counted)
    script = Markup(_script())
    unjudged = counted.count(NOT_JUDGED)
    return {
        "tally": counted, "lines": found, "groups": by_lesson(found), "points": points(counted),
        "topics": topics(counted), "steps": way, "stops": largest_stops(way),
        "all_pass": all_pass, "none_pass": none_pass, "against": against,
        "unjudged": [(item, int(n)) for item, n in zip(counted.items, unjudged, strict=True) if n],
        "data": dead_json(for_the_map(counted)), "script": script, "script_hash": _hash(script),
        "formula": as_mathml,
    }  # fmt: skip


def _script() -> str:
    loader = environment().loader
    assert loader is not None
    return loader.get_source(environment(), "cohort.js")[0]


def _hash(script: str) -> str:
    """As a content security policy names the only script that may run."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
"""Without i, l, o and u, which are read as something else."""
SHORTEST = 6


def pseudonyms(students: Iterable[str], secret: str) -> dict[str, str]:
    """Student -> id: six letters of a keyed hash, for all of a class the same in every lesson; more where two agree."""
    key = naming_key(secret)
    whole = {
        student: _letters(hmac.new(key, seed_name(student).encode(), hashlib.sha256).digest()) for student in students
    }
    return {student: _told_apart(hashed, list(whole.values())) for student, hashed in whole.items()}


def _letters(digest: bytes) -> str:
    number = int.from_bytes(digest, "big")
    return "".join(LETTERS[number >> shift & 31] for shift in range(250, -1, -5))


def _told_apart(hashed: str, everybody: list[str]) -> str:
    """The shortest beginning that nobody else has."""
    length = SHORTEST
    while length < len(hashed) and sum(other.startswith(hashed[:length]) for other in everybody) > 1:
        length += 1
    return hashed[:length]


def trusted(store: Store) -> tuple[list[Result], list[str]]:
    """All results whose signature holds and that lie in their own place, and a sentence for every other file.

    One call of the system a file and no more, for there are 50,000 of a large class.
    """
    found, left_out, folder = [], [], os.path.join(store.folder, "results")
    own_name = cache(file_name)
    with _without_pauses():
        for entry in _files(folder):
            place = entry.path[len(folder) + 1 :]
            try:
                result = _read(entry, store.key)
                own = (own_name(result.student), own_name(result.lesson), f"{own_name(result.item)}.json")
                if place != os.path.join(*own):
                    raise Untrusted("is signed, but belongs elsewhere: it was moved or copied")
                found.append(result)
            except Untrusted as error:
                left_out.append(f"results/{place.replace(os.sep, chr(47))} {error}.")
            except ValueError as error:
                left_out.append(f"results/{place.replace(os.sep, chr(47))} is signed, but {error}.")
    return sorted(found, key=lambda result: (result.lesson, result.student, result.item)), sorted(left_out)


def _read(entry: os.DirEntry, key: bytes) -> Result:
    if not entry.is_file(follow_symlinks=False):
        raise Untrusted("is not a plain file")
    try:
        with open(entry.path, "rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise Untrusted(f"cannot be read ({error.strerror})") from error
    if len(data) > LARGEST:
        raise Untrusted("is larger than anything that is written here")
    kept = believed("result", data, key)["result"]
    return Result.from_json({name: value for name, value in kept.items() if name != "evidence"})


def _files(folder: str) -> Iterator[os.DirEntry]:
    """Everything below that is no folder; links are not followed."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(entry.path)
            else:
                yield entry


@contextmanager
def _without_pauses() -> Iterator[None]:
    """Nothing that is read here is garbage: looking for some takes as long as the reading."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
