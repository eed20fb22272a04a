"""A cache that is lost, damaged or in nobody's reach costs time and nothing else."""

import json

import pytest

from autograder.study import cache as cache_module
from autograder.study.cache import Cache, cache_folder, digest


@pytest.fixture
def kept(tmp_path):
    cache = Cache(tmp_path / "cache")
    cache.put("exercises", "key", {"rows": [1, 2]})
    return cache


def record(cache):
    return cache.folder / "exercises/key.json"


def test_what_was_put_comes_back(kept):
    assert kept.get("exercises", "key") == {"rows": [1, 2]}
    assert [path.name for path in record(kept).parent.iterdir()] == ["key.json"]


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"body": 1}', b"[" * 100_000])
def test_a_damaged_record_is_as_good_as_none(kept, damage):
    record(kept).write_bytes(damage)
    assert kept.get("exercises", "key") is None
    kept.put("exercises", "key", {"rows": []})
    assert kept.get("exercises", "key") == {"rows": []}


def test_a_record_in_which_one_value_was_changed_is_not_believed(kept):
    read = json.loads(record(kept).read_text())
    read["body"]["rows"] = [3]
    record(kept).write_text(json.dumps(read))
    assert kept.get("exercises", "key") is None


def test_a_folder_where_nothing_can_be_written_holds_nothing(tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    cache = Cache(tmp_path / "cache")
    cache.put("exercises", "key", {})
    cache.prune("exercises")
    assert cache.get("exercises", "key") is None


def test_a_read_only_folder_still_tells_what_it_holds(kept, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError("read-only file system")

    monkeypatch.setattr("pathlib.Path.write_bytes", refuse)  # permissions do not stop root
    kept.put("exercises", "other", {})
    assert (kept.get("exercises", "other"), kept.get("exercises", "key")) == (None, {"rows": [1, 2]})


def test_a_record_that_lasts_briefly_is_forgotten(kept):
    kept.put("exercises", "key", {"rows": []}, lasts=-1)
    assert kept.get("exercises", "key") is None


def test_the_oldest_records_go_when_there_are_too_many(kept, monkeypatch):
    monkeypatch.setattr(cache_module, "MOST", 6)
    for n in range(10):
        kept.put("exercises", str(n), {})
    kept.prune("exercises")
    assert len(list(record(kept).parent.iterdir())) == 3


def test_the_folder_is_the_users_own_or_the_one_named(monkeypatch, tmp_path):
    monkeypatch.setenv("CNNVIZ_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("CNNVIZ_CACHE")
    assert cache_folder().name == "cnnviz"


def test_nothing_and_an_empty_text_have_different_names():
    assert digest(None, "") != digest("", None) != digest("", "")
