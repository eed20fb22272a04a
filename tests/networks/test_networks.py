"""The table of networks and methods: a selection is surveyed anew, and the page is about all of them."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from torch import nn

from cnnviz_ref import METHODS, Method
from tests.networks import survey as surveying
from tests.networks.page import PAGE, load, page
from tests.networks.survey import NAMES, SENTENCE, Finding, judge, survey

SELECTION = (
    "squeezenet1_1",  # convolutional head that ends in a ReLU
    "shufflenet_v2_x0_5",  # chunk, transpose
    "mnasnet0_5",  # dropout in place
    "mobilenet_v3_small",  # Hardswish, squeeze-and-excitation
    "regnet_y_400mf",  # groups, squeeze-and-excitation
    "resnet18",  # one ReLU module used twice
)
"""Small networks, each of another kind."""
METHOD_NAMES = [method.name for method in METHODS]


@cache
def found(network: str) -> dict[str, Finding]:
    return {finding.method: finding for finding in survey(network)}


@pytest.mark.parametrize("method", METHOD_NAMES)
@pytest.mark.parametrize("network", SELECTION)
def test_a_method_is_right_or_refuses_as_the_table_says(network: str, method: str) -> None:
    finding = found(network)[method]
    told = {(row.network, row.method): row for row in load()}.get((network, method))
    assert told, (
        f"docs/networks.md does not know {method} on {network}; run `python -m tests.networks --methods {method}`"
    )
    assert finding.outcome == told.outcome
    assert (finding.size, finding.layer) == (told.size, told.layer)
    if finding.outcome == "refused":
        assert finding.said.split(";")[0] == told.said.split(";")[0]


def test_the_table_is_about_every_method_on_every_network_in_torchvisions_order() -> None:
    rows = [(row.network, row.method) for row in load()]
    missing = {method for name in NAMES for method in METHOD_NAMES if (name, method) not in rows}
    assert not missing, f"docs/networks.md: run `python -m tests.networks --methods {' '.join(sorted(missing))}`"
    assert rows == [(name, method) for name in NAMES for method in METHOD_NAMES]
    assert set(SELECTION) <= set(NAMES)


def test_nothing_in_the_table_is_wrong_and_refusals_are_sentences() -> None:
    assert {row.outcome for row in load()} == {"right", "refused"}
    assert all(SENTENCE.match(row.said) for row in load() if row.outcome == "refused")


def test_the_page_is_made_of_the_results() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(load())


@pytest.mark.parametrize("method", METHODS, ids=METHOD_NAMES)
def test_the_survey_sees_a_map_that_is_off_by_a_hundredth(method: Method) -> None:
    torch.manual_seed(0)
    layers = nn.Conv2d(3, 9, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(9, 8)
    net = nn.Sequential(*layers).double().requires_grad_(False)
    image, target = torch.rand(1, 3, 16, 12, dtype=torch.float64), torch.tensor([2])
    assert judge(method, net, image, target, "1")[0] == "right"
    genuine = surveying.result

    def spoiled(*arguments: object) -> object:
        result = genuine(*arguments)
        if not isinstance(result, torch.Tensor):
            result.scores.mul_(1.01)
            return result
        return ~result if result.dtype == torch.bool else result * 1.01

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(surveying, "result", spoiled)
        assert judge(method, net, image, target, "1")[0] == "wrong"
