"""A right answer that computes in float32 passes where only rounding shows; where more does, this is what is told."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils._pytree import tree_map

from autograder.core.grade import grade_function
from autograder.core.oracle import Setting
from autograder.core.verdict import PASSED
from autograder.report.sentences import sentence
from tests.exercises.test_mutation_gate import EXERCISES

NOT_IN_FLOAT32 = {
    "tsne.squared_distances": "law: turned_moved_enlarged",  # 1e7 from 0
    "tsne.joint_probabilities": "values: a crowd, where two points are equal, with one point far away",
}
"""Rows on inputs of which float32 keeps too little."""
TRIED = [exercise for exercise in EXERCISES if exercise.id != "cam.convert_to_cam"]
"""That one returns a network, which is called with float64."""


def single(value: Any) -> Any:
    if isinstance(value, nn.Module):
        return copy.deepcopy(value).float()
    return value.float() if isinstance(value, torch.Tensor) and value.dtype == torch.float64 else value


def double(value: Any) -> Any:
    return value.double() if isinstance(value, torch.Tensor) and value.dtype == torch.float32 else value


@pytest.mark.parametrize("exercise", TRIED, ids=lambda exercise: exercise.id)
@pytest.mark.parametrize("back", [False, True], ids=["returned in float32", "returned in float64"])
def test_a_right_answer_in_float32_passes_or_is_told_so(exercise: Any, back: bool) -> None:
    def coarse(*args: Any, **kwargs: Any) -> Any:
        found = exercise.reference(*tree_map(single, args), **tree_map(single, kwargs))
        return tree_map(double, found) if back else found

    told = "It is right to 0.0001, and 1e-06 is asked for" if back else "got dtype float32, asked for the dtype of the"
    failed = [row for row in rows(exercise, coarse) if row.check != NOT_IN_FLOAT32.get(exercise.id)]
    assert [
        (row.check, sentence(row.diagnosis.message))
        for row in failed
        if row.check[:6] == "values" and told not in sentence(row.diagnosis.message)
    ] == []
    assert {row.diagnosis.kind for row in failed} <= {"dtype", "values"}
    assert len(failed) <= 1


def rows(exercise: Any, function: Callable[..., Any]) -> list[Any]:
    return [row for row in grade_function(exercise, function, Setting(student="ada")).rows if row.verdict != PASSED]
