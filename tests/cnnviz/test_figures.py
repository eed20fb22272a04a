import re
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
import torch

import cnnviz

matplotlib.use("agg")
import matplotlib.pyplot as plt

NAN, INF = float("nan"), float("inf")
MAPS = {
    "ordinary": torch.rand(4, 4),
    "signed": torch.randn(4, 4),
    "zero": torch.zeros(4, 4),
    "constant": torch.full((4, 4), -0.3),
    "all nan": torch.full((4, 4), NAN),
    "some nan": torch.tensor([[NAN, 1.0], [2.0, 3.0]]),
    "infinite": torch.tensor([[-INF, 1.0], [INF, 3.0]]),
    "one cell": torch.ones(1, 1),
    "integer": torch.arange(16).reshape(4, 4),
    "bool": torch.eye(4, dtype=torch.bool),
    "half": torch.rand(4, 4).half(),
    "tiny": torch.rand(4, 4).double() * 1e-300,
    "huge": torch.rand(4, 4).double() * 1e300,
    "attached": torch.rand(4, 4, requires_grad=True) * 2,
    "array": np.eye(4),
    "batch of one": torch.rand(1, 4, 4),
}


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


@pytest.mark.parametrize("kind", MAPS)
def test_every_map_is_drawn(kind):
    for ax in (
        cnnviz.show_map(MAPS[kind]),
        cnnviz.show_map(MAPS[kind], size=(16, 16), signed=True),
        cnnviz.overlay(torch.rand(3, 16, 16), MAPS[kind]),
        cnnviz.overlay(torch.rand(1, 16, 16), MAPS[kind], signed=False),
    ):
        ax.figure.canvas.draw()
    cnnviz.show_grid([MAPS[kind], torch.rand(4, 4)], shared=True, colorbar=True).canvas.draw()


def test_constant_and_missing_values_are_said_below():
    assert cnnviz.show_map(MAPS["constant"]).get_xlabel() == "Constant: every value is -0.3."
    assert cnnviz.show_map(MAPS["all nan"]).get_xlabel() == "No value is finite."
    assert cnnviz.overlay(torch.rand(3, 8, 8), MAPS["infinite"]).get_xlabel() == "2 of 4 values are not finite (grey)."
    assert cnnviz.show_map(MAPS["ordinary"]).get_xlabel() == ""


def test_a_map_with_both_signs_gets_the_diverging_colours_centred_at_zero():
    image = cnnviz.show_map(torch.tensor([[-1.0, 3.0]])).get_images()[0]
    assert (image.get_cmap().name, image.get_clim()) == ("RdBu_r", (-3, 3))
    image = cnnviz.show_map(torch.tensor([[1.0, 3.0]])).get_images()[0]
    assert (image.get_cmap().name, image.get_clim()) == ("viridis", (1, 3))


def test_signed_overrides_the_choice():
    assert cnnviz.show_map(torch.tensor([[1.0, 3.0]]), signed=True).get_images()[0].get_clim() == (-3, 3)
    assert cnnviz.show_map(torch.tensor([[-1.0, 3.0]]), signed=False).get_images()[0].get_clim() == (-1, 3)
    assert cnnviz.show_map(torch.tensor([[-2.0, -1.0]]), signed=True).get_images()[0].get_clim() == (-2, 2)


def test_the_colour_bar_and_the_picture_carry_the_raw_values():
    raw = torch.tensor([[0.0, 20.0], [40.0, 5.0]])
    ax = cnnviz.show_map(raw)
    assert np.array_equal(ax.get_images()[0].get_array(), raw)
    bar = ax.figure.axes[1]
    assert bar.get_ylim() == (0, 40)
    assert len(cnnviz.show_map(raw, colorbar=False).figure.axes) == 1


def test_enlarging_is_bilinear_between_cell_centres():
    raw = torch.rand(3, 5)
    expected = torch.nn.functional.interpolate(raw[None, None], size=(12, 20), mode="bilinear", align_corners=False)
    drawn = cnnviz.show_map(raw, size=(12, 20)).get_images()[0].get_array()
    assert np.allclose(drawn, expected[0, 0], atol=1e-6)


def test_an_overlay_is_clear_where_the_map_is_lowest_and_strongest_at_its_peak():
    raw = torch.zeros(8, 8)
    raw[2, 5] = 7
    photo, veil = cnnviz.overlay(torch.rand(3, 8, 8), raw, alpha=0.6).get_images()
    assert photo.get_array().shape == (8, 8, 3)
    opacity = veil.get_array()[..., 3]
    assert opacity[2, 5] == pytest.approx(0.6)
    assert opacity.sum() == pytest.approx(0.6)


def test_an_overlay_takes_what_the_network_took():
    images = cnnviz.preprocess(cnnviz.photo("coffee"), size=64)
    drawn = cnnviz.overlay(images, torch.rand(2, 2)).get_images()[0].get_array()
    assert np.allclose(drawn, cnnviz.deprocess(images)[0].permute(1, 2, 0), atol=1e-6)


def test_an_overlay_on_the_uncropped_photo_is_refused():
    sentence = "map: got a 7x7 grid for a 400x600 photo; allowed is a grid of the photo's proportions; pass the picture"
    with pytest.raises(ValueError, match=sentence):
        cnnviz.overlay(cnnviz.photo("coffee"), torch.rand(7, 7))
    for grid, photo in (((7, 10), (224, 320)), ((7, 11), (224, 340)), ((1, 1), (32, 64)), ((33, 65), (64, 128))):
        cnnviz.overlay(torch.rand(3, *photo), torch.rand(grid))


@pytest.mark.parametrize("photo", [(400, 300), (300, 400), (96, 72), (390, 300)])
def test_an_overlay_on_a_phones_whole_photo_is_refused(photo):
    with pytest.raises(ValueError, match="allowed is a grid of the photo's proportions"):
        cnnviz.overlay(torch.rand(3, *photo), torch.rand(7, 7))


@pytest.mark.parametrize("photo", [torch.linspace(-2.1, 2.6, 48), torch.arange(48.0), torch.linspace(-1.5, 0.5, 48)])
def test_an_overlay_on_a_picture_of_another_scaling_is_refused(photo):
    with pytest.raises(ValueError, match=r"allowed are \[0, 1\], and \[-1, 1\] as preprocess gives; pass"):
        cnnviz.overlay(photo.reshape(3, 4, 4), torch.rand(4, 4))


def test_a_grid_shows_photos_as_they_are_and_maps_in_colours():
    photo, field = torch.rand(3, 6, 6), torch.rand(1, 4, 4)
    figure = cnnviz.show_grid([photo, field, photo[None], np.eye(3)], titles=list("abcd"), columns=3)
    assert [ax.get_title() for ax in figure.axes] == list("abcd")
    drawn = [ax.get_images()[0].get_array() for ax in figure.axes]
    assert np.allclose(drawn[0], photo.permute(1, 2, 0))
    assert np.allclose(drawn[1], field[0])


def test_a_grid_takes_a_batch():
    assert len(cnnviz.show_grid(torch.rand(7, 3, 8, 8)).axes) == 7
    assert len(cnnviz.show_grid(torch.rand(2, 8, 8)).axes) == 2
    assert len(cnnviz.show_grid(torch.rand(2, 1, 8, 8)).axes) == 2


def test_a_signed_colour_picture_has_zero_at_grey():
    gradient = torch.zeros(3, 4, 4)
    gradient[0, 0, 0] = -0.002
    gradient[1, 1, 1] = 0.001
    drawn = cnnviz.show_grid([gradient]).axes[0].get_images()[0].get_array()
    assert drawn[0, 0].tolist() == [0, 0.5, 0.5]
    assert drawn[1, 1].tolist() == [0.5, 0.75, 0.5]


def test_a_shared_range_covers_all_maps():
    figure = cnnviz.show_grid([torch.tensor([[0.0, 1.0]]), torch.tensor([[-5.0, 2.0]])], shared=True)
    assert {ax.get_images()[0].get_clim() for ax in figure.axes} == {(-5, 5)}
    figure = cnnviz.show_grid([torch.tensor([[0.0, 1.0]]), torch.tensor([[-5.0, 2.0]])])
    assert [ax.get_images()[0].get_clim() for ax in figure.axes] == [(0, 1), (-5, 5)]


def test_drawing_into_a_given_axes_makes_no_figure_and_changes_no_map():
    _, ax = plt.subplots()
    raw = torch.randn(4, 4)
    before = raw.clone()
    assert cnnviz.show_map(raw, ax=ax) is ax
    assert cnnviz.overlay(torch.rand(3, 8, 8), raw, ax=ax, title="over") is ax
    assert (ax.get_title(), len(plt.get_fignums())) == ("over", 1)
    assert torch.equal(raw, before)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: cnnviz.show_map(None),
            "map: got nothing; allowed are tensors and arrays; pass what a method returned.",
        ),
        (lambda: cnnviz.show_map("cat"), "map: got str without numbers; allowed are tensors and arrays"),
        (lambda: cnnviz.show_map(torch.rand(0, 3)), "map: got Tensor without numbers; allowed are"),
        (
            lambda: cnnviz.show_map(torch.rand(3, 4, 4)),
            "map: got shape [3, 4, 4]; allowed are [h w] and [1 h w]; pass one map",
        ),
        (lambda: cnnviz.show_map(torch.rand(4)), "map: got shape [4]; allowed are [h w] and [1 h w]"),
        (
            lambda: cnnviz.overlay(torch.rand(8, 8), torch.eye(4)),
            "photo: got shape [8, 8]; allowed are [3 H W] and [1 H W]",
        ),
        (lambda: cnnviz.show_grid([]), "pictures: got none; allowed is a list of at least one"),
        (lambda: cnnviz.show_grid([torch.rand(2, 4, 4)]), "pictures: got shape [2, 4, 4]; allowed are"),
        (
            lambda: cnnviz.show_grid([torch.eye(4)], titles=["a", "b"]),
            "titles: got 2 for 1 pictures; allowed is one for each; pass 1 titles.",
        ),
    ],
)
def test_wrong_shapes_are_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        call()


def test_figures_need_no_display():
    code = "import cnnviz, torch; cnnviz.show_map(torch.eye(3)).figure.savefig('/dev/null', format='png')"
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/tmp"}
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, env=environment)
