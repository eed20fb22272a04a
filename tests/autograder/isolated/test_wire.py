"""The decoder believes nothing."""

import io
import json
import struct

import numpy as np
import pytest

from autograder.isolated.requests import Observation, error_record
from autograder.isolated.wire import MAX_MANIFEST, BadAnswer, Decoder, frame, observation_frame

TOKEN = bytes(range(16))
GOOD = Observation(
    "value",
    (np.arange(6.0).reshape(2, 3), np.array("α")),
    ("tensor", "str"),
    ("float64", "str"),
    ("cpu", "cpu"),
    "tuple",
)


def decoder(calls=2, result_bytes=10_000):
    return Decoder(TOKEN, calls=calls, result_bytes=result_bytes)


def manifest(**changes):
    """What `observation_frame(GOOD)` writes, with changes, and its blob."""
    data = observation_frame(TOKEN, GOOD)
    size, _ = struct.unpack_from(">IQ", data, 16)
    return {**json.loads(data[28 : 28 + size]), **changes}, data[28 + size :]


def packed(text, blobs=b""):
    text = text if isinstance(text, bytes) else json.dumps(text).encode()
    return TOKEN + struct.pack(">IQ", len(text), len(blobs)) + text + blobs


def npy(array, **options):
    file = io.BytesIO()
    np.lib.format.write_array(file, array, **options)
    return file.getvalue()


def header(descr="<f8", shape="(2, 3)", order="False"):
    text = f"{{'descr': {descr!r}, 'fortran_order': {order}, 'shape': {shape}, }}".encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def test_an_observation_survives_the_journey_in_pieces_of_any_size():
    data = observation_frame(TOKEN, GOOD)
    for size in (1, 7, len(data)):
        reader = decoder()
        found = [f for i in range(0, len(data), size) for f in reader.feed(data[i : i + size])]
        assert len(found) == 1
        np.testing.assert_array_equal(found[0].arrays[0], GOOD.arrays[0])
        assert (str(found[0].arrays[1]), found[0].types, found[0].again) == ("α", GOOD.types, None)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?"])
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 1, 2)])
def test_every_plain_dtype_and_shape_arrives(dtype, shape):
    sent = Observation(
        "value", (np.ones(shape, dtype),), ("array",), ("x",), ("cpu",), "ndarray", (np.zeros(shape, dtype),)
    )
    (found,) = decoder().feed(observation_frame(TOKEN, sent))
    assert (found.arrays[0].dtype, found.arrays[0].shape) == (np.dtype(dtype), shape)
    np.testing.assert_array_equal(found.again[0], np.zeros(shape, dtype))


def test_an_array_in_any_memory_order_arrives_in_its_own_shape():
    array = np.arange(24.0).reshape(2, 3, 4).transpose(2, 0, 1)
    (found,) = decoder().feed(observation_frame(TOKEN, Observation("value", (array,), ("array",), ("x",), ("cpu",))))
    np.testing.assert_array_equal(found.arrays[0], array)


@pytest.mark.parametrize(
    "data",
    [b"\x01", b"{}" * 20, b"PASS\n", TOKEN[:-1] + b"x", TOKEN + struct.pack(">IQ", MAX_MANIFEST + 1, 0)],
    ids=["one byte", "json", "text", "last byte of the token", "long manifest"],
)
def test_bytes_without_the_token_or_with_a_huge_manifest_are_refused_at_once(data):
    with pytest.raises(BadAnswer):
        list(decoder().feed(data))


def test_announced_blobs_beyond_the_limit_are_refused_before_they_arrive():
    with pytest.raises(BadAnswer, match="larger than allowed"):
        list(decoder(result_bytes=1000).feed(TOKEN + struct.pack(">IQ", 2, 2**60)))


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"not json",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'{"frame": "done", "status": NaN, "blobs": []}',
        b'{"seconds": ' + b"9" * 10_000 + b', "frame": "done", "blobs": []}',
        b'{"frame": "other", "blobs": []}',
        b'{"frame": ["done"], "blobs": []}',
        b'{"frame": "done", "blobs": {}}',
        b'{"frame": "done", "blobs": [-1, 1]}',
        b'{"frame": "done", "blobs": [true]}',
        b'{"frame": "started", "rung": 3, "blobs": []}',
        b'{"frame": "done", "status": "perfect", "error": null, "variable": null, "observer": true, "blobs": []}',
        b'{"frame": "done", "status": ["ran"], "error": null, "variable": null, "observer": true, "blobs": []}',
        b'{"frame": "done", "status": "ran", "error": null, "variable": {"a": 1}, "observer": true, "blobs": []}',
        b'{"frame": "done", "status": "ran", "error": null, "variable": null, "observer": "yes", "blobs": []}',
        b'{"frame": "done", "status": "ran", "error": null, "variable": null, "observer": true, "blobs": [], "x": 9}',
    ],
)
def test_a_malformed_manifest_is_a_bad_answer(text):
    with pytest.raises(BadAnswer):
        list(decoder().feed(packed(text)))


@pytest.mark.parametrize("kind", ["raised", "not attempted"])
def test_an_end_without_its_error_is_a_bad_answer(kind):
    nothing = {"arrays": [], "types": [], "dtypes": [], "devices": [], "again": None, "blobs": []}
    text, _ = manifest(kind=kind, error=error_record("E", "m"), **nothing)
    list(decoder().feed(packed(text)))
    with pytest.raises(BadAnswer, match="an error that is not one"):
        list(decoder().feed(packed({**text, "error": None})))


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "passed"},
        {"kind": ["value"]},
        {"kind": "raised"},
        {"types": ["tensor"]},
        {"types": ["tensor", {}]},
        {"types": ["tensor", "object"]},
        {"dtypes": ["float64", "x" * 101]},
        {"devices": "cpu"},
        {"effects": ["points"]},
        {"effects": ["grad", "grad"]},
        {"type_name": 3},
        {"type_name": "x" * 101},
        {"seconds": -1},
        {"seconds": "1"},
        {"seconds": True},
        {"arrays": [None]},
        {"arrays": [None, None]},
        {"arrays": [None, "x" * 10_001]},
        {"arrays": None},
        {"again": [None]},
        {"again": 1},
        {"error": "none"},
        {"error": {"type": "E"}},
        {"error": {**error_record("E", "m"), "message": "x" * 501}},
        {"error": {**error_record("E", "m"), "line": 1.5}},
        {"error": {**error_record("E", "m"), "line": -1}},
        {"kind": "raised", "error": {**error_record("E", "m"), "frames": ["a line"] * 6}},
        {"kind": "raised", "error": {**error_record("E", "m"), "frames": ["x" * 301]}},
        {"kind": "raised", "error": {**error_record("E", "m"), "frames": "a line"}},
        {"error": error_record("E", "m")},
        {"types": ["tensor", "tensor"]},
        {"points": 100},
    ],
    ids=str,
)
def test_an_observation_with_one_wrong_field_is_a_bad_answer(changes):
    text, blobs = manifest(**changes)
    with pytest.raises(BadAnswer):
        list(decoder().feed(packed(text, blobs)))


@pytest.mark.parametrize(
    "blob",
    [
        header("|O") + b"x" * 48,
        npy(np.array([{}], dtype=object), allow_pickle=True),
        header("<U6") + b"x" * 144,
        header("|V8") + b"x" * 48,
        header("<c16") + b"x" * 96,
        header(">f8") + b"x" * 48,
        header("<M8[s]") + b"x" * 48,
        header(shape="(2, 4)") + b"x" * 48,
        header(shape="(4294967296, 4294967296)") + b"x" * 48,
        header(shape="(9223372036854775807, 9223372036854775807, 0)"),
        header(shape="(-1, -6)") + b"x" * 48,
        header(shape="(True, 6)") + b"x" * 48,
        header(shape="[2, 3]") + b"x" * 48,
        header(shape="(" + "1, " * 20 + ")") + b"x" * 47,
        header(order="True") + b"x" * 48,
        header(shape="(" * 30 + ")" * 30),
        npy(np.zeros(3), version=(2, 0)),
        b"\x93NUMPY\x01\x00\xff\xff{",
        b"PK\x03\x04" + b"x" * 40,
        b"",
    ],
    ids=lambda blob: repr(bytes(blob[10:60]))[:60],
)
def test_a_blob_that_is_not_a_plain_array_is_a_bad_answer(blob):
    text, _ = manifest(blobs=[len(blob)])
    with pytest.raises(BadAnswer):
        list(decoder().feed(packed(text, blob)))


def test_sizes_must_add_up_to_the_blobs():
    text, blobs = manifest(blobs=[1])
    with pytest.raises(BadAnswer, match="add up"):
        list(decoder().feed(packed(text, blobs)))


def test_more_observations_than_calls_are_a_bad_answer():
    reader = decoder(calls=1)
    list(reader.feed(observation_frame(TOKEN, GOOD)))
    with pytest.raises(BadAnswer, match="more observations"):
        list(reader.feed(observation_frame(TOKEN, GOOD)))


def test_what_is_right_before_a_fault_counts_however_the_bytes_were_cut():
    data = observation_frame(TOKEN, GOOD) + b"PASS"
    for size in (1, 100, len(data)):
        reader, found = decoder(), []
        pieces = (data[start : start + size] for start in range(0, len(data), size))
        with pytest.raises(BadAnswer):
            found.extend(frame for piece in pieces for frame in reader.feed(piece))
        assert len(found) == 1, size


def test_the_limit_counts_all_frames_together():
    reader = decoder(calls=100, result_bytes=1000)
    data = observation_frame(TOKEN, GOOD)
    with pytest.raises(BadAnswer, match="larger"):
        list(reader.feed(100 * data))


def test_half_a_surrogate_pair_does_not_reach_the_report():
    done = {"status": "ran", "error": error_record("E", "x\ud800"), "variable": "\udfff", "observer": True}
    (found,) = decoder().feed(frame(TOKEN, {"frame": "done", **done}))
    assert (found["error"]["message"], found["variable"]) == ("x?", "?")
