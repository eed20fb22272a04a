"""Every trick that an archive can play ends in its bytes or in one sentence, in memory, and nothing is written."""

import io
import os
import struct
import time
import tracemalloc

import pytest

from autograder.batch import archive
from autograder.batch.archive import in_archive
from autograder.batch.collect import collect
from autograder.batch.entries import FILE, FOLDER, REFUSED
from autograder.reading.cells import Unreadable

from .zips import Member, packed, written

GOOD = Member(b"bob/grad_cam.py", b"def grad_cam():\n    return 1\n")


def entries(data, **limits):
    return in_archive(io.BytesIO(data), "a.zip", **limits)


def said(data, largest=1_000_000):
    """What each entry of an archive gives: its bytes, or the sentence."""
    told = []
    for entry in entries(data):
        try:
            told.append(entry.read(largest))
        except Unreadable as error:
            told.append(str(error))
    return told


def test_what_any_packer_writes_is_read():
    files = {"alice/grad_cam.py": b"x = 1", "alice/ünï.ipynb": b"{}"}
    assert {"/".join(e.parts): e.read(99) for e in entries(packed(files))} == files


def test_folders_are_folders():
    assert [(e.parts, e.kind) for e in entries(packed({"bob/": b""}))] == [(("bob",), FOLDER)]


NAMES = {
    b"../grad_cam.py": r'leads out of the archive by "\.\."',
    b"alice/../bob/grad_cam.py": r'leads out of the archive by "\.\."',
    b"/etc/grad_cam.py": "has an absolute name",
    b"C:/grad_cam.py": "has an absolute name",
    b"c:grad_cam.py": "has an absolute name",
    b"alice\\grad_cam.py": "has a name with backslashes",
    b"..\\..\\grad_cam.py": "has a name with backslashes",
    b"\\\\host\\share\\grad_cam.py": "has a name with backslashes",
    b"grad_cam.py\0.png": "has a name with a NUL character",
    b"": "has no name",
    b"./.": "has no name",
    b"x" * 256 + b"/grad_cam.py": "has a name that is too long",
    b"a/" * 9 + b"grad_cam.py": "lies too deep",
}


@pytest.mark.parametrize(("name", "why"), NAMES.items())
def test_a_name_that_is_no_plain_path_is_refused_whatever_it_holds(name, why):
    (entry,) = entries(written(Member(name)))
    assert (entry.kind, entry.parts) == (REFUSED, ())
    with pytest.raises(Unreadable, match=rf"^submission: .*{why}; pack the archive again\.$"):
        entry.read(99)


@pytest.mark.parametrize("name", [b"./bob/grad_cam.py", b"bob//grad_cam.py", b"bob/./grad_cam.py"])
def test_harmless_spellings_of_a_path_are_that_path(name):
    assert [e.parts for e in entries(written(Member(name)))] == [("bob", "grad_cam.py")]


@pytest.mark.parametrize(
    ("name", "flags", "text"),
    [("Zoë".encode(), 0x800, "Zoë"), ("Zoë".encode(), 0, "Zoë"), ("Zoë".encode("cp437"), 0, "Zoë"),
     ("Zoe\u0308".encode(), 0x800, "Zoë"), ("Zoe\u0308".encode(), 0, "Zoë")],
)  # fmt: skip
def test_names_are_read_as_they_were_meant(name, flags, text):
    assert [e.parts for e in entries(written(Member(name, flags=flags)))] == [(text,)]


def test_a_name_that_is_not_the_utf8_it_says_it_is_spoils_the_archive_in_one_sentence():
    with pytest.raises(Unreadable, match=r"a\.zip is not a whole zip archive \(UnicodeDecodeError"):
        entries(written(Member(b"\xff\xfe.py", flags=0x800)))


KINDS = {0o120777: "link", 0o010644: "pipe", 0o020644: "device", 0o060644: "disk", 0o140755: "socket"}


@pytest.mark.parametrize("mode", KINDS)
def test_what_would_be_no_plain_file_is_refused(mode):
    assert said(written(Member(data=b"/etc/passwd", mode=mode))) == [
        "submission: grad_cam.py is a link or a device; pack the archive again without it."
    ]


def test_an_encrypted_file_is_refused():
    assert said(written(Member(flags=0x801))) == [
        "submission: grad_cam.py is encrypted; pack the archive again without it."
    ]


@pytest.mark.parametrize("method", [1, 9, 12, 14, 93, 97, 99])
def test_an_unusual_method_is_refused(method):
    assert said(written(Member(method=method))) == [
        "submission: grad_cam.py is packed by another method than deflate; pack the archive again without it."
    ]


def test_a_bomb_is_refused_before_it_is_unpacked():
    tracemalloc.start()
    told = said(written(Member(data=b"\0" * 30_000_000)), largest=50_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert told == [
        "submission: grad_cam.py unpacks to more than 200 times its size; pack the archive again without it."
    ]
    assert peak < 200_000_000  # the archive itself is made within


def test_a_bomb_that_lies_about_its_size_is_cut_off_where_it_said_it_ends():
    begun = time.perf_counter()
    (told,) = said(written(Member(data=b"\0" * 30_000_000, size=900_000)))
    assert "cannot be unpacked (BadZipFile: Bad CRC-32" in told
    assert time.perf_counter() - begun < 5


def test_a_file_that_is_too_large_is_refused_by_its_own_word():
    assert said(written(Member(data=os.urandom(2_000_000)))) == [
        "submission: grad_cam.py has more than 1 MB; clear the outputs and hand it in again."
    ]


def test_a_file_that_is_shorter_than_it_says_is_refused():
    data = written(Member(data=b"x" * 10, size=500, method=0))
    (told,) = said(data)
    assert told.startswith("submission: grad_cam.py ")
    assert told.endswith("pack the archive again.")


def test_files_that_share_their_bytes_are_refused():
    first = Member(b"a.py", os.urandom(5000), method=0)
    second = Member(b"b.py", b"x", method=0, offset=0)
    told = said(written(first, second))
    assert [("shares its bytes" in text) for text in told] == [True, True]


def test_a_file_that_lies_in_anothers_bytes_is_refused():
    inner = Member(b"b.py", b"secret", method=0)
    outer = Member(b"a.py", inner.local(), method=0)
    hidden = Member(b"b.py", b"secret", method=0, offset=30 + len(b"a.py"))
    data = written(outer, hidden)
    assert all("shares its bytes with another file" in text for text in said(data))


def test_a_second_name_for_the_same_bytes_is_refused():
    assert all("cannot be unpacked" in text for text in said(written(Member(b"a.py", local_name=b"b.py"))))


def test_a_wrong_sum_is_told():
    assert "cannot be unpacked (BadZipFile: Bad CRC-32" in said(written(Member(crc=1)))[0]


def test_broken_data_is_told():
    data = written(Member(data=os.urandom(100)))
    assert "cannot be unpacked (" in said(data[:60] + b"\xff" * 20 + data[80:])[0]


@pytest.mark.parametrize("keep", [0, 1, 3, 21, 22, 40, 100])
def test_a_truncated_archive_is_told(keep):
    with pytest.raises(Unreadable, match=r"^submission: a\.zip is not a whole zip archive \(.+\); pack it again\.$"):
        entries(written(GOOD, Member())[:keep])


def test_too_many_files_are_told():
    with pytest.raises(Unreadable, match=r"^submission: a\.zip holds more than 10 files; pack fewer\.$"):
        entries(packed({f"{n}.py": b"" for n in range(11)}), most_files=10)


def test_a_list_of_files_that_claims_to_be_endless_is_not_read(monkeypatch):
    monkeypatch.setattr(archive, "LARGEST_INDEX", 1000)
    with pytest.raises(Unreadable, match="its list of files has more than 1,000 bytes"):
        entries(packed({f"{n}.py": b"" for n in range(100)}))


def test_a_wrong_number_of_files_does_no_harm():
    assert [e.parts for e in entries(written(GOOD, count=60_000))] == [("bob", "grad_cam.py")]


def test_sizes_of_another_age_are_told():
    extra = struct.pack("<HHQQ", 1, 16, 2**63, 2**63)
    data = written(Member(size=0xFFFFFFFF, packed_size=0xFFFFFFFF, extra=extra))
    try:
        told = said(data)
    except Unreadable as error:
        told = [str(error)]
    assert told[0].startswith("submission: ")


def test_of_two_entries_with_one_name_the_last_counts_and_this_is_told(tmp_path):
    twice = written(Member(b"alice/grad_cam.py", b"x = 1"), Member(b"alice/grad_cam.py", b"x = 2"))
    (tmp_path / "class.zip").write_bytes(twice)
    told = []
    (handed,) = collect(tmp_path / "class.zip", told=told.append)
    assert handed.submission.sources[0].text == "x = 2"
    assert told == ["alice, 11_grad_cam: of 2 files alice/grad_cam.py counts."]


HOSTILE = {
    "name": written(Member(b"../bob/grad_cam.py", b"forged")),
    "link": written(Member(b"grad_cam.py", b"../bob/grad_cam.py", mode=0o120777)),
    "encrypted": written(Member(flags=1)),
    "bomb": written(Member(data=b"#" * 30_000_000)),
    "sum": written(Member(crc=1)),
    "truncated": written(Member())[:50],
    "no zip": b"x",
    "empty": b"",
    "overlap": written(Member(b"grad_cam.py", b"a" * 99, method=0), Member(b"grad_cam.ipynb", method=0, offset=0)),
}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("place", ["eve.zip", "eve/work.zip", "eve_1_2_grad_cam.zip"])
@pytest.mark.parametrize("in_a_zip", [False, True])
def test_a_hostile_zip_is_its_students_problem_alone(tmp_path, kind, place, in_a_zip):
    """And nothing is written: the folder holds afterwards what it held before."""
    files = {place: HOSTILE[kind], "bob/grad_cam.py": GOOD.data}
    submitted = tmp_path / "submitted"
    if in_a_zip:
        submitted = tmp_path / "submitted.zip"
        submitted.write_bytes(written(*(Member(name.encode(), data, method=0) for name, data in files.items())))
    else:
        for name, data in files.items():
            (submitted / name).parent.mkdir(parents=True, exist_ok=True)
            (submitted / name).write_bytes(data)
    before = sorted(tmp_path.rglob("*"))
    bob, eve = collect(submitted, told=[].append)
    assert sorted(tmp_path.rglob("*")) == before
    assert (bob.student, bob.submission.sources[0].text) == ("bob", GOOD.data.decode())
    assert eve.submission is None
    assert eve.problem.startswith("submission: ")
    assert eve.lesson == bob.lesson


def test_the_hostile_zips_are_zips_that_would_be_read_without_the_trick(tmp_path):
    (tmp_path / "eve.zip").write_bytes(written(Member()))
    (handed,) = collect(tmp_path)
    assert handed.submission.sources[0].text == "x = 1\n"


def test_every_entry_has_a_kind():
    kinds = {e.kind for e in entries(written(Member(), Member(b"d/", b"", method=0), Member(b"../x")))}
    assert kinds == {FILE, FOLDER, REFUSED}


def test_an_archive_of_nothing_holds_nothing(tmp_path):
    assert entries(packed({})) == []
    (tmp_path / "class.zip").write_bytes(packed({}))
    with pytest.raises(ValueError, match=r"class\.zip holds no work of any student"):
        collect(tmp_path / "class.zip")


def test_a_students_archive_of_nothing_is_that_students_problem(tmp_path):
    (tmp_path / "class.zip").write_bytes(packed({"eve.zip": packed({}), "bob/grad_cam.py": GOOD.data}))
    bob, eve = collect(tmp_path / "class.zip")
    assert bob.submission
    assert eve.problem == "submission: there is no grad_cam.py or grad_cam.ipynb and no other file; hand it in."
