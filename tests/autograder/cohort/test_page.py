"""The page as text: what it says, whom it names, and that nothing on it comes alive."""

import json
import re
import time
from html.parser import HTMLParser

import pytest

from autograder.batch.results import Store
from autograder.cohort import cohort_page
from autograder.cohort.page import pseudonyms, trusted
from autograder.cohort.view import dead_json
from autograder.core.verdict import FAILED, PASSED
from autograder.text.formulas import in_sentence

from .classroom import NAMES, SECRET, a_term, course, known, raised, result

COURSE = course(2, 3, 1)
HOSTILE = '</script><script>alert(1)</script><img src=x onerror="alert(2)">\u2028\u2029"; alert(3); //'


class Elements(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def page(results, **options):
    return cohort_page(results, COURSE, secret=SECRET, **options)


def data_of(text):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)[1])


def test_the_sentence_of_an_instructor_stands_on_the_page_with_place_and_formula():
    results = [result(f"s{n}", "m1.f1", FAILED if n < 23 else PASSED, known(0)) for n in range(40)]
    text = page(results)
    first = text[text.index('<ol class="topics">') : text.index("</ol>", text.index('<ol class="topics">'))]
    assert in_sentence("23 of 40 were told: “You summed ∂y^c/∂A over i, j; α_k is their mean.”") in first
    assert "01 Method 1, exercise 1" in first
    assert "<mfrac>" in first
    assert "<code>m1.f2</code>, <code>m1.f3</code>" in first


def test_names_and_messages_stay_text_in_the_page_and_in_its_script():
    text = page([result(HOSTILE, "m1.f1", FAILED, raised(HOSTILE)), result("ann", "m1.f1", PASSED)])
    assert [tag for tag, _ in Elements(text).found].count("script") == 2
    assert not [tag for tag, _ in Elements(text).found if tag in ("img", "iframe", "object", "link")]
    assert "\u2028" not in text
    assert HOSTILE[:30] in data_of(text)["students"][0]
    assert HOSTILE[:30] in data_of(text)["sentences"][0]
    assert dead_json("</script>&\u2028") == r'"\u003c/script\u003e\u0026�"'


def test_only_the_script_of_the_page_itself_may_run_and_nothing_is_loaded():
    text = page([result("ann", "m1.f1", PASSED)])
    policy = next(a["content"] for tag, a in Elements(text).found if a.get("http-equiv") == "Content-Security-Policy")
    assert re.fullmatch(
        r"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-[A-Za-z0-9+/]{43}='", policy
    )
    assert not [a for _, a in Elements(text).found if a.get("src") or a.get("href", "#").startswith("http")]


def test_without_names_nothing_on_the_page_reveals_one():
    results = a_term(COURSE, 30, seed=1)
    text = page(results, anonymous=True, left_out=[f"results/{name} is not as it was signed." for name in NAMES])
    raw = text + json.dumps(data_of(text), ensure_ascii=False)
    names = [*NAMES, *(f"student {n:04d}" for n in range(30))]
    assert [name for name in names if name in raw] == []
    assert "Ann" not in raw
    assert "Left out: 11 results" in text
    assert data_of(text)["students"] == sorted(data_of(text)["students"])


def test_with_names_everybody_is_there():
    shown = data_of(page(a_term(COURSE, 30, seed=1)))["students"]
    assert set(shown) >= {name for name in NAMES if "\u2028" not in name}


def test_a_student_has_the_same_id_in_every_lesson_and_another_with_another_secret():
    results = a_term(COURSE, 30, seed=1)
    one, two = (data_of(page(results, anonymous=True, only=[lesson.id]))["students"] for lesson in COURSE)
    assert set(two) <= set(one)
    assert pseudonyms(["ann"], "other") != pseudonyms(["ann"], SECRET)


def test_ids_that_would_agree_are_told_apart(monkeypatch):
    monkeypatch.setattr("autograder.cohort.page.SHORTEST", 1)
    ids = pseudonyms([f"s{n}" for n in range(200)], SECRET)
    assert len(set(ids.values())) == 200
    assert max(map(len, ids.values())) < 8


def test_those_who_handed_in_nothing_of_the_lesson_are_counted_apart():
    results = [result("ann", "m1.f1", PASSED), result("bob", "m2.f1", PASSED)]
    assert "1 student more is known, with nothing handed in for this lesson." in page(results, only=["01_m1"])
    with pytest.raises(ValueError, match=r"^lesson: no result of 03_m3 is there; grade it first\.$"):
        page(results, only=["03_m3"])


def test_the_page_says_that_time_is_not_measured():
    assert "How long anybody worked, and when, is not measured" in page([result("ann", "m1.f1", PASSED)])


def test_a_result_that_is_not_as_signed_is_named_and_left_out(tmp_path):
    store = Store(tmp_path / "results", SECRET)
    results = [result(name, "m1.f1", PASSED) for name in ("ann", "bob", "cho")]
    for each in results:
        store.write(store.place(each.student, each.lesson, each.item), b"")
        store.put(each)
    altered, moved = (store.place(name, "01_m1", "m1.f1") for name in ("bob", "cho"))
    altered.write_text(altered.read_text().replace('"passed"', '"failed"'))
    moved.write_bytes(store.place("ann", "01_m1", "m1.f1").read_bytes())
    found, left_out = trusted(store)
    assert found == results[:1]
    assert left_out == [
        "results/bob/01_m1/m1.f1.json is not as it was signed: it was altered, or signed with another secret.",
        "results/cho/01_m1/m1.f1.json is signed, but belongs elsewhere: it was moved or copied.",
    ]
    assert all(sentence in page(found, left_out=left_out) for sentence in left_out)


def test_a_large_class_is_a_small_page():
    results = a_term(course(10, 5, 0), 300)
    started = time.process_time()
    text = cohort_page(results, course(10, 5, 0), secret=SECRET)
    assert time.process_time() - started < 5
    assert len(text.encode()) < 400_000
