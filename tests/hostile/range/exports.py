"""What the results of a batch become in other systems: Gradescope's JSON, Moodle's and a spreadsheet's table."""

from __future__ import annotations

import json
from collections.abc import Sequence

from autograder import registry
from autograder.batch.records import Result
from autograder.exports import moodle, plain
from autograder.exports.gradescope_results import results_json
from autograder.exports.standing import standings
from autograder.words import json_text
from tests.hostile.range.attacks import LESSON


def tables(results: Sequence[Result]) -> tuple[str, ...]:
    """Every table that a spreadsheet or a learning platform would open."""
    found = standings(results)
    made = [plain.table(found), moodle.import_table(found, {})]
    return tuple(table.decode() for table in made)


def gradescope(results: Sequence[Result]) -> str:
    """All text of one student's `results.json`, as Gradescope reads it."""
    lesson = registry.lesson(LESSON)
    made = json.loads(json_text(results_json(lesson, results, confined="")))
    return "\n".join([made["output"], *(f"{test['name']}: {test['output']}" for test in made["tests"])])
