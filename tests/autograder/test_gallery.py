"""`cnnviz gallery`: every method on one page that needs nothing else, and one sentence for bad input."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
from typer.testing import CliRunner

import cnnviz
from autograder import cli
from autograder.gallery.album import Section
from autograder.gallery.drawing import Panel, clipped, inside, numbers, photo
from autograder.gallery.options import choose
from autograder.gallery.recipes import RECIPES, recipe
from autograder.gallery.recipes.classmaps import lesson_of_the_head
from autograder.gallery.recipes.neighbours import unusual_channels
from autograder.gallery.recipes.record import captions
from autograder.gallery.subject import Target
from autograder.report import pages
from cnnviz_ref import METHODS

PNG = b"\x89PNG\r\n\x1a\n"


def run(*arguments):
    return CliRunner().invoke(cli.app, ["gallery", *map(str, arguments)], catch_exceptions=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A gallery of two digits on one canvas: its folder."""
    folder = tmp_path_factory.mktemp("gallery") / "new" / "folder"
    result = run("--model", "digit_net", "--photo", "digits", "--out", folder)
    assert result.exit_code == 0, result.stderr
    assert re.search(r"The gallery is at .*index\.html \(\d+ s\)", result.stdout)
    return folder


class Page(HTMLParser):
    """Ids, images, and whatever could fetch something."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.images, self.links, self.text = [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.ids += [found["id"]] if "id" in found else []
        self.images += [found] if tag == "img" else []
        self.links += [value for name, value in attrs if name in ("src", "href", "srcset", "action", "data")]

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def page(made):
    return Page((made / "index.html").read_text(encoding="utf-8"))


def test_every_row_of_the_table_has_a_section_in_its_order(page):
    assert page.ids == [method.name for method in METHODS]


def test_every_row_of_the_table_has_pictures_of_its_own(made, page):
    for number, method in enumerate(METHODS, 1):
        found = list(made.glob(f"{number:02d}_{method.name}*.png"))
        assert found, method.name
        assert all(path.read_bytes().startswith(PNG) for path in found)
    assert len(page.images) == len(list(made.glob("*.png")))


def test_the_page_needs_nothing_from_outside(made, page):
    assert all(link.startswith(("data:image/png;base64,", "#")) for link in page.links)
    text = (made / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"https?:|url\(|@import|<script|<link", text)
    assert "default-src 'none'" in text


def test_every_picture_has_an_alternative_text_and_its_size(page):
    for image in page.images:
        assert len(image["alt"]) > 10
        assert int(image["width"]) > 100
        assert int(image["height"]) > 100


def test_the_page_says_what_is_explained_and_what_the_model_says(page):
    text = " ".join(page.text.split())
    assert re.search(r"Its own top class for this picture is the \d, with probability 0\.\d+", text)
    assert re.search(r"the \d \(class \d\): probability 0\.\d+, number [12] of the model's list", text)
    assert "You named no class, so two of those in the picture are explained." in text


def test_two_targets_give_two_maps(made):
    number = next(i for i, method in enumerate(METHODS, 1) if method.name == "grad_cam")
    assert len(list(made.glob(f"{number:02d}_grad_cam_*.png"))) == 2


def test_every_recipe_has_a_whole_caption_and_every_caption_a_recipe():
    assert set(captions()) == set(RECIPES)
    for name, caption in captions().items():
        assert all(len(text) > 20 for text in vars(caption).values()), name


def test_a_method_without_a_recipe_is_drawn_by_its_shape_and_told_by_its_docstring():
    subject = choose("digit", None, "digit_net")
    for name, size in (("grad_cam", (317, 264)), ("activations", None), ("lrp", None), ("embed", ())):
        method = next(method for method in METHODS if method.name == name)
        plain = recipe(replace(method, name="brand_new"))
        panels = plain.draw(subject)
        assert len(panels) == (0 if size == () else 1)
        assert plain.caption.shows.endswith((".", ":"))
        assert "no caption of its own" in plain.caption.notice


def test_no_text_becomes_markup():
    subject = choose("digit", None, "digit_net")
    bad = "<b onmouseover='x'>\"&"
    subject = replace(subject, title=bad, chosen=bad, targets=(replace(subject.targets[0], name=bad),))
    caption = replace(captions()["cam"], shows=bad, formula=bad, misleads=bad)
    seen = Panel(photo(torch.zeros(1, 4, 4), "x", "").data, alt=bad, caption=bad)
    section = Section(METHODS[0], [seen], caption, 1.0)
    text = pages.page("gallery.html.j2", subject=subject, seen=seen, sections=[section], seconds=1.0)
    assert "<b " not in text
    assert Page(text).images[-1]["alt"] == bad


def test_a_dollar_or_a_rare_letter_in_a_files_name_is_drawn_as_it_is():
    assert photo(torch.zeros(1, 4, 4), "$a_b$ $^ 猫.jpg", "").data.startswith(PNG)


def test_the_head_for_cam_is_taught_the_users_picture_as_the_class_in_question(tmp_path):
    from PIL import Image

    Image.new("RGB", (40, 50), "red").save(tmp_path / "mine.png")
    _, classes = lesson_of_the_head(choose(str(tmp_path / "mine.png"), "goldfish", "efficientnet_lite0"))
    assert classes.tolist().count(1) == 1
    assert classes.min() >= 0
    _, classes = lesson_of_the_head(choose("mosaic", None, "efficientnet_lite0"))
    assert len(classes) == 49


def bad(result) -> str:
    assert result.exit_code == 2
    assert result.stdout == ""
    (sentence,) = result.stderr.strip().splitlines()
    return sentence


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--photo", "chelsae"], "--photo: got 'chelsae'; allowed are camera, chelsea, .*did you mean 'chelsea'?"),
        (["--photo", "zzz"], "mosaic and paths of picture files that exist; pass one of them."),
        (["--target", "zzzz"], "--target: got 'zzzz', which matches no class"),
        (["--target", "1000"], "--target: got 1000; allowed are 0 to 999; pass a class in that range."),
        (["--target", "-1"], "--target: got -1; allowed are 0 to 999"),
        (["--model", "resnet118"], "--model: got 'resnet118'; allowed are efficientnet_lite0, digit_net and the class"),
        (
            ["--random-weights"],
            "--random-weights: efficientnet_lite0 has its trained weights with it; leave",
        ),
        (["--model", "digit_net", "--photo", "chelsea"], "--photo: got 'chelsea'; with --model digit_net allowed are"),
        (["--model", "digit_net", "--target", "seven"], "--target: got 'seven'; allowed are the digits 0 to 9"),
        (["--model", "digit_net", "--target", "10"], "--target: got 10; allowed are 0 to 9"),
    ],
)
def test_bad_input_is_one_sentence_and_writes_nothing(tmp_path, arguments, words):
    assert re.search(words.replace("(", r"\(").replace("?", r"\?"), bad(run(*arguments, "--out", tmp_path / "out")))
    assert not (tmp_path / "out").exists()


def test_a_file_for_the_folder_is_one_sentence_and_stays(tmp_path):
    (tmp_path / "file").write_text("mine")
    assert "is a file; name a folder, which is made if it does not exist." in bad(run("--out", tmp_path / "file"))
    assert (tmp_path / "file").read_text() == "mine"


def test_a_file_that_is_no_picture_is_one_sentence(tmp_path):
    (tmp_path / "notes.png").write_text("no picture")
    assert "not a picture that can be read" in bad(run("--photo", tmp_path / "notes.png", "--out", tmp_path / "out"))


def test_the_default_class_is_the_models_own_and_said_to_be():
    subject = choose(None, None, "efficientnet_lite0")
    (target,) = subject.targets
    assert (target.name, target.rank, target) == ("Egyptian cat", 1, subject.own)
    assert "the model's own top class is explained" in subject.chosen


def test_a_class_may_be_named_or_numbered():
    named, numbered = (choose("coffee", target, "efficientnet_lite0").targets[0] for target in ("espresso", "967"))
    assert named == numbered
    assert named.rank == 1
    assert choose("coffee", "goldfish", "efficientnet_lite0").targets[0].rank > 10


def test_a_mosaic_explains_two_classes_each_with_its_quarter():
    first, second = choose("mosaic", None, "efficientnet_lite0").targets
    assert (first.box, second.box) == ((0, 0, 112, 112), (0, 112, 112, 224))
    asked, other = choose("mosaic", "espresso", "efficientnet_lite0").targets
    assert (asked.name, other.name) == ("espresso", "Egyptian cat")


def test_the_share_inside_the_box_counts_what_is_positive_on_the_pictures_grid():
    subject = choose("digit", None, "digit_net")
    left_half = Target(0, "x", 0.5, 1, box=(0, 0, 64, 32), place="the left half")
    one = torch.tensor([[3.0, 1.0], [-5.0, 0.0]]).repeat_interleave(32, 0).repeat_interleave(32, 1)
    assert (
        inside(subject, one, left_half) == "75% of what is positive lies in the left half, which is 50% of the picture."
    )
    assert inside(subject, -one.abs(), left_half) == "Nothing is positive."
    assert inside(subject, one, replace(left_half, box=None)) == ""


def test_clipping_is_symmetric_and_keeps_small_values():
    values = torch.tensor([9.0, *[-1.0] * 998, -9.0])
    assert clipped(values, 0.99).tolist() == [1.0, *[-1.0] * 999]
    assert clipped(torch.zeros(3)).tolist() == [0, 0, 0]


def test_a_map_in_words_says_where_it_is_largest():
    field = torch.zeros(6, 9)
    field[5, 0] = 2
    assert numbers(field) == "6 by 9 values from 0 to 2, largest lower left."


def test_channels_that_react_to_the_padding_come_last():
    A = torch.rand(9, 3, 7, 7, generator=torch.Generator().manual_seed(0))
    A[:, :, 3, 3] += 1
    A[:, 0, 0, 0] += 5
    here = A.amax((2, 3)).mean(0) + torch.tensor([9.0, 1.0, 2.0])
    assert unusual_channels(A, here) == [2, 1, 0]


def test_no_file_of_the_gallery_is_long():
    for path in Path(cli.__file__).parent.glob("gallery/**/*.py"):
        assert len(path.read_text().splitlines()) <= 200, path


def test_of_named_methods_only_those_are_drawn(tmp_path):
    done = run("--model", "digit_net", "--methods", "grad_cam, saliency", "--out", tmp_path / "some")
    assert done.exit_code == 0, done.stderr
    assert Page((tmp_path / "some/index.html").read_text(encoding="utf-8")).ids == ["grad_cam", "saliency"]


def test_an_unknown_method_is_said_before_anything_is_written(tmp_path):
    done = run("--methods", "grad_cam,gradcam", "--out", tmp_path / "some")
    assert done.exit_code == 2
    assert "--methods: got 'gradcam'; allowed are filters, embed" in done.stderr
    assert "did you mean 'grad_cam'?" in done.stderr
    assert not (tmp_path / "some").exists()


def test_a_network_of_torchvision_is_seen_in_its_own_scaling_and_what_does_not_apply_says_why(tmp_path):
    options = ["--model", "vgg11", "--random-weights", "--photo", "mosaic", "--methods", "grad_cam,cam"]
    done = run(*options, "--out", tmp_path / "vgg")
    assert done.exit_code == 0, done.stderr
    text = (tmp_path / "vgg/index.html").read_text(encoding="utf-8")
    assert "Nobody trained its weights" in text
    assert re.search(r"It does not apply to this network: .*average", text)
    assert [path.name for path in sorted(tmp_path.glob("vgg/0[1-9]*"))] == ["01_grad_cam_1.png", "01_grad_cam_2.png"]


def test_what_a_network_of_torchvision_takes_is_what_its_preset_makes_of_a_photo():
    subject = choose("coffee", None, "resnet18", random_weights=True)
    photo = cnnviz.deprocess(cnnviz.preprocess(cnnviz.photo("coffee")))
    mean, std = ([[0.485], [0.456], [0.406]], [[0.229], [0.224], [0.225]])  # ImageNet's, as torchvision states them
    expected = (photo - torch.tensor(mean)[..., None]) / torch.tensor(std)[..., None]
    assert torch.allclose(subject.image, expected, atol=1e-5)
    assert torch.allclose(subject.picture, photo[0], atol=1e-6)
    own = subject.collection.groups.index("coffee")
    assert torch.allclose(subject.collection.images[own], expected[0], atol=1e-5)


def test_without_a_network_connection_the_way_on_is_said(monkeypatch, tmp_path):
    def refused(*_, **__):
        raise URLError("no route to host")

    monkeypatch.setattr(cnnviz, "load_model", refused)
    sentence = bad(run("--model", "resnet18", "--out", tmp_path / "out"))
    assert "could not be downloaded (<urlopen error no route to host>)" in sentence
    assert "--random-weights" in sentence
