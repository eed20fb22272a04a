import re
import time

import numpy as np
import pytest
import torch

import cnnviz
from cnnviz.digits import _scans


def overlap(a, b):
    """Pixels that two boxes share."""
    sides = [max(0, min(a[i + 2], b[i + 2]) - max(a[i], b[i])) for i in (0, 1)]
    return sides[0] * sides[1]


@pytest.mark.parametrize("digits", [1, 2])
def test_shapes_types_and_ranges_are_as_documented(digits):
    data = cnnviz.cluttered_digits(40, seed=3, digits=digits)
    extra = () if digits == 1 else (2,)
    assert (data.images.shape, data.images.dtype) == ((40, 1, 64, 64), torch.float32)
    assert (data.labels.shape, data.labels.dtype) == ((40, *extra), torch.int64)
    assert (data.boxes.shape, data.boxes.dtype) == ((40, *extra, 4), torch.int64)
    assert 0 <= data.images.min() <= data.images.max() <= 1
    assert set(data.labels.flatten().tolist()) <= set(range(10))


def test_the_seed_decides_everything_and_fewer_canvases_are_the_first_ones():
    first, again, fewer = (cnnviz.cluttered_digits(n, seed=5) for n in (20, 20, 7))
    for name in ("images", "labels", "boxes"):
        assert torch.equal(getattr(first, name), getattr(again, name))
        assert torch.equal(getattr(first, name)[:7], getattr(fewer, name))
    assert not torch.equal(first.images, cnnviz.cluttered_digits(20, seed=6).images)
    assert not torch.equal(first.images, cnnviz.cluttered_digits(20, seed=5, split="test").images)


def test_the_global_generators_are_left_alone():
    before, numpy_before = torch.random.get_rng_state(), np.random.get_state()[1].copy()
    cnnviz.cluttered_digits(3, seed=0)
    assert torch.equal(before, torch.random.get_rng_state())
    assert (numpy_before == np.random.get_state()[1]).all()


@pytest.mark.parametrize("digits", [1, 2])
def test_boxes_hold_all_of_the_digits_ink_tightly(digits):
    data = cnnviz.cluttered_digits(100, seed=1, digits=digits, strokes=0)
    for image, boxes in zip(data.images[:, 0], data.boxes.reshape(100, digits, 4).tolist(), strict=True):
        rest = image.clone()
        for top, left, bottom, right in boxes:
            assert 0 <= top < bottom <= 64
            assert 0 <= left < right <= 64
            ink = image[top:bottom, left:right] > 0
            assert all(edge.any() for edge in (ink[0], ink[-1], ink[:, 0], ink[:, -1]))
            rest[top:bottom, left:right] = 0
        assert rest.max() == 0


def test_strokes_lie_outside_the_boxes_too():
    data = cnnviz.cluttered_digits(50, seed=1)
    outside = data.images[:, 0].clone()
    for image, (top, left, bottom, right) in zip(outside, data.boxes.tolist(), strict=True):
        image[top:bottom, left:right] = 0
    assert ((outside.flatten(1) > 0.3).sum(1) > 20).double().mean() > 0.95


def test_two_digits_have_different_classes_and_boxes_that_do_not_overlap():
    data = cnnviz.cluttered_digits(300, seed=2, digits=2)
    assert (data.labels[:, 0] != data.labels[:, 1]).all()
    assert all(overlap(*pair) == 0 for pair in data.boxes.tolist())


def test_places_sizes_contrasts_and_classes_vary():
    data = cnnviz.cluttered_digits(500, seed=0, strokes=0)
    top, left, bottom, right = data.boxes.double().T
    assert (top.min(), left.min()) == (0, 0)
    assert (bottom.max(), right.max()) == (64, 64)
    assert (bottom - top).max() - (bottom - top).min() >= 10
    peaks = data.images.flatten(1).max(1).values
    assert peaks.max() - peaks.min() > 0.4
    assert data.labels.bincount(minlength=10).min() >= 25


def test_no_scan_is_in_both_splits():
    (train, _), (test, _) = _scans("train"), _scans("test")
    assert len(train) + len(test) == 1797
    assert not {scan.tobytes() for scan in train} & {scan.tobytes() for scan in test}


def test_twelve_thousand_canvases_take_well_under_a_minute():
    start = time.process_time()
    cnnviz.cluttered_digits(600, seed=0)
    assert time.process_time() - start < 2  # a twentieth of 40 s


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"split": "valid"}, 'split: got \'valid\'; allowed are "train" and "test"; pass one of them.'),
        ({"digits": 3}, "digits: got 3; allowed are 1 and 2 digits on a canvas; pass one of them."),
        ({"n": 0}, "n: got 0; allowed are whole numbers from 1; pass one of them."),
        ({"n": 2.5}, "n: got 2.5; allowed are whole numbers from 1; pass one of them."),
        ({"seed": -1}, "seed: got -1; allowed are whole numbers from 0; pass one of them."),
    ],
)
def test_wrong_arguments_are_one_sentence(arguments, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        cnnviz.cluttered_digits(**{"n": 2, "seed": 0, **arguments})
