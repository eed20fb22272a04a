import re
import socket

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image

import cnnviz


@pytest.fixture
def save(tmp_path):
    def write(pixels, name="picture.png"):
        Image.fromarray(np.asarray(pixels)).save(tmp_path / name)
        return tmp_path / name

    return write


@pytest.mark.parametrize("name", cnnviz.photos())
def test_packaged_photos_are_colour_tensors_between_0_and_1(name, monkeypatch):
    monkeypatch.setattr(socket, "socket", None)  # no network
    pixels = cnnviz.photo(name)
    assert pixels.dtype == torch.float32
    assert pixels.shape[0] == 3
    assert 0 <= pixels.min() < 0.2
    assert 0.8 < pixels.max() <= 1


def test_a_path_gives_the_files_pixels(save):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    expected = torch.from_numpy(pixels).permute(2, 0, 1) / 255
    path = save(pixels)
    assert torch.equal(cnnviz.photo(path), expected)
    assert torch.equal(cnnviz.photo(str(path)), expected)


def test_a_grey_picture_becomes_three_equal_channels(save):
    grey = cnnviz.photo(save(np.full((40, 50), 51, np.uint8)))
    assert torch.equal(grey, torch.full((3, 40, 50), 51 / 255))


def test_sixteen_bits_of_grey_are_scaled_and_not_clipped(save):
    grey = cnnviz.photo(save(np.linspace(0, 65535, 1600).astype(np.uint16).reshape(40, 40)))
    assert torch.allclose(grey[0].flatten(), torch.linspace(0, 1, 1600), atol=1e-4)


def test_transparency_is_laid_on_white(save):
    pixels = np.zeros((40, 40, 4), np.uint8)
    pixels[:20, :, 3] = 255
    picture = cnnviz.photo(save(pixels))
    assert picture[:, :20].max() == 0
    assert picture[:, 20:].min() == 1


@pytest.mark.parametrize(("mode", "name"), [("1", "a.png"), ("LA", "b.png"), ("P", "c.gif"), ("CMYK", "d.jpg")])
def test_other_kinds_of_picture_are_read_as_colour(tmp_path, mode, name):
    Image.new(mode, (50, 40)).save(tmp_path / name)
    assert cnnviz.photo(tmp_path / name).shape == (3, 40, 50)


def test_a_phones_rotation_tag_is_obeyed(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (60, 40)).save(tmp_path / "phone.jpg", exif=exif)
    assert cnnviz.photo(tmp_path / "phone.jpg").shape == (3, 60, 40)


def test_a_tiny_photo_is_refused_and_the_smallest_allowed_works(save):
    with pytest.raises(
        ValueError, match=r"of 31x80 pixels; allowed are pictures from 32 pixels a side; pass a larger one\."
    ):
        cnnviz.photo(save(np.zeros((31, 80), np.uint8)))
    assert cnnviz.preprocess(cnnviz.photo(save(np.zeros((32, 80), np.uint8)))).shape == (1, 3, 224, 224)


def test_an_unknown_name_is_one_sentence_with_a_guess():
    with pytest.raises(
        ValueError, match=r"photo: got 'chelsee'; allowed are camera, chelsea,.*did you mean 'chelsea'\?$"
    ):
        cnnviz.photo("chelsee")


def test_a_missing_file_a_folder_and_a_text_are_one_sentence_each(tmp_path):
    (tmp_path / "text.png").write_text("not a picture")
    with pytest.raises(ValueError, match=r"paths of picture files that exist; pass one of them\.$"):
        cnnviz.photo(tmp_path / "none.png")
    with pytest.raises(ValueError, match=r", a folder; allowed are picture files such as PNG and JPEG"):
        cnnviz.photo(tmp_path)
    with pytest.raises(ValueError, match=r"not a picture that can be read; allowed are picture files"):
        cnnviz.photo(tmp_path / "text.png")


def test_a_truncated_picture_is_refused(save):
    path = save(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(ValueError, match="not a picture that can be read"):
        cnnviz.photo(path)


@pytest.mark.parametrize("shape", [(3, 300, 451), (3, 451, 300), (3, 40, 40), (3, 33, 1000)])
def test_preprocess_gives_a_centred_square_between_minus_1_and_1(shape):
    images = cnnviz.preprocess(torch.rand(shape), size=96)
    assert images.shape == (1, 3, 96, 96)
    assert -1 <= images.min() < images.max() <= 1


def test_the_crop_is_the_centre_of_the_longer_side():
    photo = torch.zeros(3, 64, 128)
    photo[:, :, 64 - 8 : 64 + 8] = 1
    columns = cnnviz.deprocess(cnnviz.preprocess(photo, size=64))[0, 0, 0]
    assert columns.nonzero().double().mean() == pytest.approx(31.5)
    assert torch.equal(columns, columns.flip(0))


def test_deprocess_undoes_the_scaling():
    photo = torch.rand(3, 48, 48)
    assert torch.allclose(cnnviz.deprocess(cnnviz.preprocess(photo, size=48))[0], photo, atol=1e-5)


def test_preprocess_refuses_other_shapes_and_sizes():
    with pytest.raises(ValueError, match=r"photo: got \(1, 3, 64, 64\); allowed is a tensor \[3 H W\]; pass what"):
        cnnviz.preprocess(torch.rand(1, 3, 64, 64))
    with pytest.raises(ValueError, match="photo: got str; allowed is a tensor"):
        cnnviz.preprocess("chelsea")
    with pytest.raises(ValueError, match="size: got 0; allowed are whole numbers of pixels from 1"):
        cnnviz.preprocess(torch.rand(3, 64, 64), size=0)


def test_each_quadrant_of_a_mosaic_is_its_photo():
    names = ["flower", "coffee", "camera", "rocket"]
    mosaic = cnnviz.mosaic(names, size=64)
    assert mosaic.image.shape == (3, 128, 128)
    assert (mosaic.targets.dtype, mosaic.quadrants.dtype, mosaic.names) == (torch.int64, torch.int64, tuple(names))
    covered = torch.zeros(128, 128)
    for name, target, (top, left, bottom, right) in zip(names, mosaic.targets, mosaic.quadrants.tolist(), strict=True):
        tile = cnnviz.deprocess(cnnviz.preprocess(cnnviz.photo(name), size=64))[0]
        assert torch.allclose(mosaic.image[:, top:bottom, left:right], tile, atol=1e-6)
        assert cnnviz.class_names()[target] == cnnviz.PHOTO_CLASS[name]
        covered[top:bottom, left:right] += 1
    assert (covered == 1).all()
    assert cnnviz.mosaic(names).image.shape == (3, 224, 224)


@torch.no_grad()
def test_on_a_mosaic_the_classes_own_quadrant_is_where_its_map_is_largest():
    model, mosaic = cnnviz.efficientnet_lite0(), cnnviz.mosaic(["chelsea", "coffee", "camera", "rocket"])
    features = model.features(mosaic.image[None] * 2 - 1)[0]
    maps = torch.einsum("nk,khw->nhw", model.classifier.weight[mosaic.targets], features).relu()
    maps = torch.nn.functional.interpolate(maps[None], size=(224, 224), mode="bilinear")[0]
    for i, field in enumerate(maps):
        shares = [(field[t:b, l:r].sum() / field.sum()).item() for t, l, b, r in mosaic.quadrants.tolist()]
        assert shares[i] == max(shares) > 0.5


@pytest.mark.parametrize("names", [["chelsea"] * 4, ["chelsea", "coffee"], ["chelsea", "coffee", "camera", "dog"]])
def test_a_mosaic_of_other_photos_is_refused(names):
    with pytest.raises(ValueError, match=re.escape(f"names: got {names}; allowed are four different ones of camera")):
        cnnviz.mosaic(names)


def test_class_names_are_the_thousand_of_imagenet():
    names = cnnviz.class_names()
    assert (len(names), names[0], names[999]) == (1000, "tench", "toilet tissue")
    names.clear()
    assert len(cnnviz.class_names()) == 1000


@pytest.mark.parametrize(
    ("name", "index"), [("tripod", 872), ("Egyptian cat", 285), ("egyptian", 285), (" ESPRESSO ", 967), ("daisy", 985)]
)
def test_class_index_takes_a_name_or_a_part_of_one(name, index):
    assert cnnviz.class_index(name) == index


def test_class_index_lists_what_comes_near():
    with pytest.raises(
        ValueError, match=r"name: got 'terrier', which matches 19 classes; .*near it: .*terrier \(\d+\)"
    ):
        cnnviz.class_index("terrier")
    with pytest.raises(
        ValueError, match=r"name: got 'expresso', which matches no class; .*near it: .*espresso \(967\)"
    ):
        cnnviz.class_index("expresso")
    with pytest.raises(ValueError, match=r"'qqqq', which matches no class; .*near it: none; pass a name, or the index"):
        cnnviz.class_index("qqqq")


def test_a_torchvision_networks_own_preprocessing_is_torchvisions():
    photo = cnnviz.photo("coffee")
    weights = torchvision.models.ResNet50_Weights.DEFAULT
    images = cnnviz.preprocess(photo, model="resnet50")
    assert torch.equal(images, weights.transforms()(photo)[None])
    seen = cnnviz.deprocess(images, model="resnet50")
    mean, std = (torch.tensor(each)[:, None, None] for each in (weights.transforms().mean, weights.transforms().std))
    assert torch.allclose(seen * 1.0, images * std + mean, atol=1e-6)
    assert 0 <= seen.min() < seen.max() <= 1


def test_preprocessing_of_an_unknown_network_is_refused():
    with pytest.raises(ValueError, match="model: got 'resnet5'; allowed are networks of torchvision"):
        cnnviz.preprocess(cnnviz.photo("coffee"), model="resnet5")


def test_a_folders_pictures_are_listed_in_order_and_read_one_by_one(save, tmp_path):
    for name in ("b.png", "a.JPG"):
        save(np.full((40, 50, 3), 9, np.uint8), name)
    (tmp_path / "notes.txt").write_text("no picture")
    found = cnnviz.photos(tmp_path)
    assert found == [str(tmp_path / "a.JPG"), str(tmp_path / "b.png")]
    assert cnnviz.photo(found[0]).shape == (3, 40, 50)


def test_no_folder_and_a_folder_without_pictures_are_one_sentence_each(tmp_path):
    with pytest.raises(
        ValueError, match=r"folder: got '.*none', no folder; allowed are folders with files such as PNG"
    ):
        cnnviz.photos(tmp_path / "none")
    with pytest.raises(ValueError, match=r"folder: got '.*', a folder without pictures; allowed are folders with"):
        cnnviz.photos(tmp_path)


def test_the_kits_network_may_be_named_where_torchvisions_are():
    photo = cnnviz.photo("coffee")
    images = cnnviz.preprocess(photo)
    assert torch.equal(cnnviz.preprocess(photo, model="efficientnet_lite0"), images)
    assert torch.equal(cnnviz.deprocess(images, model="efficientnet_lite0"), cnnviz.deprocess(images))


def test_the_top_classes_are_told_with_their_probabilities():
    scores = torch.zeros(1, 1000).index_fill(1, torch.tensor([872]), 20.0)
    assert cnnviz.top_classes(scores, 1) == "tripod 100 %"
    assert cnnviz.top_classes(scores).startswith("tripod 100 %, ")
    assert cnnviz.top_classes(scores).count(" %") == 3
