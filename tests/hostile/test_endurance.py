"""A class, a third of it hostile, and a grader that is killed while it works: nothing lost, nothing graded wrongly."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def endurance():
    """The benchmark as a module; it lies in no package."""
    about = importlib.util.spec_from_file_location("endurance", BENCHMARKS / "endurance.py")
    module = importlib.util.module_from_spec(about)
    sys.modules["endurance"] = module
    about.loader.exec_module(module)
    return module


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="SIGKILL, and isolation by forking")
def test_a_killed_and_resumed_batch_has_every_exact_score_and_the_bytes_of_an_undisturbed_one(endurance, tmp_path):
    kinds = ("forge", "crash", "corrupt", "inject", "smuggle")
    found = endurance.endure(tmp_path, n=15, kills=2, jobs=2, seconds=2, seed=3, kinds=kinds)
    assert len(found.hostile) == 5
    assert found.killed.kills == 2
    assert not found.problems
    assert found.points > 0


@pytest.fixture
def two(tmp_path):
    """Two RESULTS folders: how a file of theirs is written."""

    def write(name, one, other):
        for folder, text in (("one", one), ("other", other)):
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is not None:
                path.write_text(text)
        return tmp_path / "one", tmp_path / "other"

    return write


def result(message, *, points=0):
    row = {"check": "promises", "verdict": "failed", "points": points, "diagnosis": message}
    return json.dumps({"result": {"rows": [row]}})


def test_every_file_that_differs_or_is_in_one_folder_alone_is_named(endurance, two):
    two("a", "1", "1")
    two("b", "1", "2")
    two("c", "1", None)
    folders = two("d", None, "1")
    told = ["b differs", "c is only in one", "d is only in other"]
    assert endurance.by_chance(*folders, ["eve"]) == ([], told)


def test_another_message_is_forgiven_to_an_attacker_alone_and_another_point_to_nobody(endurance, two):
    two("manifest.json", "1", "2")
    folders = two("results/eve/x/y.json", result("one"), result("other"))
    assert endurance.by_chance(*folders, ["eve"]) == (["results/eve/x/y.json"], [])
    assert endurance.by_chance(*folders, ["mallory"])[1] == ["manifest.json differs", "results/eve/x/y.json differs"]
    two("results/eve/x/y.json", result("one"), result("other", points=1))
    assert endurance.by_chance(*folders, ["eve"])[0] == []
