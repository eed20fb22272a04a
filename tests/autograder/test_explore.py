"""`cnnviz explore`: every method of one picture with its knobs, and a sentence for whatever cannot be shown."""

import inspect
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from urllib.parse import quote

import pytest

from autograder.explore.answering import page
from autograder.explore.explorable import EXPLORABLE
from cnnviz_ref import METHODS

DIGIT = {"photo": "digit", "network": "digit_net"}


def shown(folder, **asked):
    return str(page({**DIGIT, **asked}, folder, "nonce"))


def test_every_method_is_there_but_for_those_that_place_many_pictures():
    assert {method.name for method in METHODS} - set(EXPLORABLE) == {"embed", "nearest_neighbors", "tsne"}


@pytest.mark.parametrize("name", EXPLORABLE)
def test_every_method_draws_where_its_knobs_begin(name, tmp_path):
    text = shown(tmp_path, method=name)
    assert 'role="alert"' not in text
    assert text.count("<figure") == text.count('src="data:image/png;base64,') == 1
    assert text.count('type="range"') == len(EXPLORABLE[name].knobs)


@pytest.mark.parametrize(("name", "knob"), [(name, knob) for name, one in EXPLORABLE.items() for knob in one.knobs],
                         ids=lambda each: getattr(each, "name", each))  # fmt: skip
def test_a_knob_is_an_argument_of_its_method_and_begins_at_one_of_its_values(name, knob):
    drawn = inspect.signature(EXPLORABLE[name].draw).parameters
    assert knob.name in drawn or any(one.kind is one.VAR_KEYWORD for one in drawn.values())
    assert knob.start in knob.values
    assert len(knob.values) > 1


def test_a_turned_knob_shows_another_picture_and_back_the_same(tmp_path):
    pictures = [
        re.search(r'data:image/png;base64,[^"]+', shown(tmp_path, method="occlusion", window=at))[0] for at in "020"
    ]
    assert pictures[0] == pictures[2] != pictures[1]


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"layer": "features.blok3", "method": "grad_cam"}, "did you mean 'features.block3'?"),
        ({"photo": "chelsea"}, "photo: got 'chelsea'; with network digit_net allowed are digit and digits"),
        ({"class": "12"}, "class: got 12; allowed are 0 to 9"),
        ({"network": "resnet"}, "network: got 'resnet'; allowed are efficientnet_lite0, digit_net and"),
        ({"network": "squeezenet1_0", "weights": "random", "photo": "text.jpg"}, "not a picture that can be read"),
    ],
)
def test_what_cannot_be_shown_is_a_sentence_on_the_page(asked, sentence, tmp_path):
    (tmp_path / "text.jpg").write_text("no picture")
    text = shown(tmp_path, **asked)
    (told,) = re.findall(r'<p role="alert"><strong>(.*?)</strong>', text)
    assert sentence in told.replace("&#39;", "'")
    assert "<figure" not in text


def test_random_weights_are_named(tmp_path):
    text = shown(tmp_path, photo="chelsea", network="squeezenet1_1", weights="random", method="saliency")
    assert "Nobody trained its weights, they are random" in text
    assert "<figure" in text


def test_what_was_typed_is_never_markup(tmp_path):
    text = shown(tmp_path, layer='"><b onclick=x>', photo="<i>", method="grad_cam")
    assert "<b onclick" not in text
    assert "<i>" not in text


def test_only_whoever_has_the_token_is_served(tmp_path):
    command = [sys.executable, "-m", "autograder.cli", "explore", "--no-browser", "--model", "digit_net", "--photo=x"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    try:
        address = process.stdout.readline().strip()
        plain, _, token = address.partition("token=")
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        for stranger in ("", "token=wrong", f"token={quote('é')}"):
            with pytest.raises(urllib.error.HTTPError, match="403") as refused:
                opener.open(plain + stranger)
            with refused.value as answer:
                assert b"open the address that the command has said" in answer.read()
        with opener.open(f"{plain}token={token}") as answer:
            assert "token" not in answer.url
            assert "photo: got &#39;x&#39;" in answer.read().decode()
        assert address.startswith("http://127.0.0.1:")
        port = int(address.split(":")[2].split("/")[0])
        with socket.socket() as other, pytest.raises(ConnectionRefusedError):
            other.connect(("127.0.0.2", port))
    finally:
        process.terminate()
        process.communicate(timeout=30)
