"""From results to one page."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from markupsafe import Markup

from autograder.batch.stages import Result
from autograder.cohort.order import items_of
from autograder.cohort.pseudonyms import pseudonyms
from autograder.cohort.reteach import topics
from autograder.cohort.separating import findings
from autograder.cohort.stopping import largest_stops, steps
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
        results: all that is known of the class, one a student and item.
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
