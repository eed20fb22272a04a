"""A class, a third of it hostile, and a grader that is killed while it works: nothing lost, nothing graded wrongly."""

import importlib.util
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


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="SIGKILL, and isolation by forking")
def test_a_killed_and_resumed_batch_has_every_exact_score_and_the_bytes_of_an_undisturbed_one(endurance, tmp_path):
    kinds = ("forge", "crash", "corrupt", "inject", "smuggle")
    found = endurance.endure(tmp_path, n=24, kills=3, jobs=2, seconds=2, seed=3, kinds=kinds)
    assert len(found.hostile) == 8
    assert found.killed.kills == 3
    assert not found.problems
    assert found.points > 0


def test_every_file_that_differs_or_is_in_one_folder_alone_is_named(endurance, tmp_path):
    for name, files in {"one": {"a": "1", "b": "1", "c": "1"}, "other": {"a": "1", "b": "2", "d": "1"}}.items():
        (tmp_path / name).mkdir()
        for file, text in files.items():
            (tmp_path / name / file).write_text(text)
    told = list(endurance.differences(tmp_path / "one", tmp_path / "other"))
    assert told == ["b differs", "c is only in one", "d is only in other"]
