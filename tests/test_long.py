"""What tests/conftest.py says of long tests is about tests that are there."""

from pathlib import Path

import pytest

from tests.conftest import CASES, LONG

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("beginning", [*LONG, *CASES])
def test_a_beginning_is_that_of_a_test(beginning):
    file, _, name = beginning.partition("::")
    texts = [path.read_text(encoding="utf-8") for path in ROOT.glob(f"{file}*") if path.suffix == ".py"]
    assert any(f"def {name}" in text for text in texts)
