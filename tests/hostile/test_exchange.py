"""nbgrader's exchange, used by strangers: what is handed in as a link, a pipe, in another's name, at another time.

Each attack is one hand-in. It must beat nbgrader's own classes, and be held by the course's.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace

import pytest

if os.name != "posix":
    pytest.skip("nbgrader's exchange needs owners of files", allow_module_level=True)

from nbgrader.api import Gradebook
from nbgrader.converters import Autograde, GenerateFeedback
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeFactory
from nbgrader.exchange.abc.exchange import ExchangeError
from nbgrader.exchange.default import ExchangeCollect, ExchangeReleaseFeedback
from traitlets.config import Config, PyFileConfigLoader

from autograder.course import registry
from autograder.nbgrader import exchange, feedback_exporter, submitted
from autograder.nbgrader.exchange import Collect, ReleaseFeedback
from autograder.nbgrader.feedback_exporter import FeedbackExporter
from autograder.nbgrader.submitted import SubmissionExporter
from tests.hostile.handing_in import (
    IS_ROOT,
    LESSON,
    MARKS,
    NAME,
    REPOSITORY,
    Course,
    made_course,
    no_accounts,
    page_of,
    solved,
    untouched,
)  # fmt: skip

INNOCENT = "zoe"
"""Collected last: whatever stops collecting is seen by this student's work."""
LEAKS, STOPS, TAKES = "leaks", "stops", "takes"


@dataclass(frozen=True)
class Attack:
    """One hostile hand-in."""

    do: Callable[[Course, str, Path], None]
    """Spoils the folder that a student handed in."""
    told: str
    """What the grader reads about it; empty where the work is collected and the rest is left where it lies."""
    stock: str
    """How nbgrader's own class is beaten; empty where only its later commands are."""
    needs_root: bool


ATTACKS: dict[str, Attack] = {}


def attack(told: str = "", *, stock: str = "", needs_root: bool = False):
    def keep(do):
        ATTACKS[do.__name__] = Attack(do, told, stock, needs_root)
        return do

    return keep


def relink(path, target):
    path.unlink(missing_ok=True)
    path.symlink_to(target)


NO_FILE = "is no plain file"


@attack(stock=LEAKS)
def links_the_secret_beside_the_work(course, me, folder):
    relink(folder / "key.html", course.folder / ".cnnviz_secret")
    relink(folder / "book.html", course.folder / "gradebook.db")


@attack(NO_FILE, stock=LEAKS)
def links_the_answer_key_as_notebook(course, me, folder):
    relink(folder / f"{NAME}.ipynb", course.folder / "solutions" / LESSON / f"{NAME}.ipynb")


@attack(NO_FILE, stock=LEAKS)
def links_the_answer_key_as_module(course, me, folder):
    relink(folder / f"{NAME}.py", course.folder / "solutions" / LESSON / f"{NAME}.py")


@attack("Left out", stock=LEAKS)
def links_the_answer_key_as_helper(course, me, folder):
    relink(folder / "helper.py", course.folder / "solutions" / LESSON / f"{NAME}.py")


@attack(stock=LEAKS)
def links_the_solutions_as_package(course, me, folder):
    relink(folder / "helpers", course.folder / "solutions" / LESSON)


@attack(NO_FILE, stock=LEAKS)
def links_its_secret(course, me, folder):
    relink(folder / "submission_secret.txt", course.folder / ".cnnviz_secret")


@attack("is no folder", stock=LEAKS)
def links_the_folder_itself(course, me, folder):
    shutil.rmtree(folder)
    folder.symlink_to(course.folder / "solutions" / LESSON)
    course.give(folder, me)


@attack("belongs to another account", stock=LEAKS, needs_root=True)
def hard_links_the_gradebook(course, me, folder):
    (folder / f"{NAME}.ipynb").unlink()
    os.link(course.folder / "gradebook.db", folder / f"{NAME}.ipynb")


@attack("belongs to another account", needs_root=True)
def holds_a_notebook_of_another(course, me, folder):
    course.give(folder / f"{NAME}.ipynb", INNOCENT)


@attack(NO_FILE, stock=STOPS)
def has_a_pipe_as_notebook(course, me, folder):
    (folder / f"{NAME}.ipynb").unlink()
    os.mkfifo(folder / f"{NAME}.ipynb")


@attack(stock=STOPS)
def has_a_pipe_as_timestamp(course, me, folder):
    (folder / "timestamp.txt").unlink()
    os.mkfifo(folder / "timestamp.txt")


@attack(NO_FILE, stock=STOPS)
def has_a_socket_as_module(course, me, folder):
    with socket.socket(socket.AF_UNIX) as made:
        here = os.getcwd()
        os.chdir(folder)  # a socket's path may have 100 characters
        try:
            made.bind(f"{NAME}.py")
        finally:
            os.chdir(here)


@attack(NO_FILE, needs_root=True)
def has_a_device_as_secret(course, me, folder):
    (folder / "submission_secret.txt").unlink()
    os.mknod(folder / "submission_secret.txt", 0o020666, os.makedev(1, 3))


@attack(NO_FILE)
def has_a_folder_as_notebook(course, me, folder):
    (folder / f"{NAME}.ipynb").unlink()
    (folder / f"{NAME}.ipynb").mkdir()


@attack("has more than 20 MB", stock=STOPS)
def has_a_notebook_of_a_terabyte(course, me, folder):
    os.truncate(folder / f"{NAME}.ipynb", 10**12)


@attack(stock=STOPS)
def has_no_time_in_its_name(course, me, folder):
    folder.rename(folder.with_name(f"{me}+{LESSON}+whenever+x"))


@attack("is no folder", stock=STOPS)
def is_a_file(course, me, folder):
    shutil.rmtree(folder)
    folder.touch()
    course.give(folder, me)


@attack("is no folder", stock=STOPS)
def is_a_pipe(course, me, folder):
    shutil.rmtree(folder)
    os.mkfifo(folder)
    course.give(folder, me)


@attack(stock=STOPS)
def is_deeper_than_a_path(course, me, folder):
    handle = os.open(folder, os.O_RDONLY)
    for _ in range(60):
        os.mkdir("d" * 100, dir_fd=handle)
        inner = os.open("d" * 100, os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        handle = inner
    os.close(handle)


@attack(f"in the name of {INNOCENT}", stock=TAKES, needs_root=True)
def hands_in_for_the_innocent(course, me, folder):
    folder.rename(folder.with_name(f"{INNOCENT}+{LESSON}+2098-01-01 10:00:00 UTC+x"))


@attack("in the name of ..")
def hands_in_for_the_folder_above(course, me, folder):
    folder.rename(folder.with_name(f"..+{LESSON}+2026-01-01 10:00:00 UTC+x"))


@attack("in the name of clear\ufffd[2J screen", stock=TAKES)
def hands_in_with_escapes_in_its_name(course, me, folder):
    folder.rename(folder.with_name(f"clear\x1b[2J\nscreen+{LESSON}+2026-01-01 10:00:00 UTC+x"))


@attack("300 hand-ins", needs_root=True)
def floods_in_the_name_of_others(course, me, folder):
    folder.rename(folder.with_name(f"somebody+{LESSON}+0+x"))
    for number in range(299):
        (folder.parent / f"{INNOCENT}+{LESSON}+2097-01-01 10:00:00 UTC+{number}").mkdir()
        course.give(folder.parent / f"{INNOCENT}+{LESSON}+2097-01-01 10:00:00 UTC+{number}", me)


@attack(stock=TAKES)
def hands_in_last_year(course, me, folder):
    (folder / "timestamp.txt").write_text("2023-01-01 10:00:00 UTC")
    for one in (*folder.iterdir(), folder):
        os.utime(one, (1_700_000_000, 1_700_000_000))
    folder.rename(folder.with_name(f"{me}+{LESSON}+2023-01-01 10:00:00 UTC+x"))


@attack(stock=TAKES)
def hands_in_in_2099(course, me, folder):
    (folder / "timestamp.txt").write_text("2099-01-01 10:00:00 UTC")
    folder.rename(folder.with_name(f"{me}+{LESSON}+2099-01-01 10:00:00 UTC+x"))


@attack()
def hands_in_twice_at_the_same_time(course, me, folder):
    course.hand_in(me)


@attack(stock=TAKES)
def publishes_pages_of_its_own(course, me, folder):
    (folder / f"{NAME}.html").write_text("<script>own page</script>")
    (folder / "more.html").write_text("<script>own page</script>")
    (folder / "refused.txt").write_text("<script>own page</script>")


@attack("submission_secret.txt")
def has_no_secret(course, me, folder):
    (folder / "submission_secret.txt").unlink()


@attack("submission_secret.txt")
def has_a_secret_that_is_a_path(course, me, folder):
    (folder / "submission_secret.txt").write_text("../../../../etc/cron.d/x")


@attack("submission_secret.txt")
def has_a_secret_that_is_no_text(course, me, folder):
    (folder / "submission_secret.txt").write_bytes(b"\xff\xfe" * 40)


@attack()
def has_the_secret_of_the_innocent(course, me, folder):
    shutil.copyfile(of_the_innocent(course) / "submission_secret.txt", folder / "submission_secret.txt")


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    return made_course(tmp_path_factory.mktemp("empty")).folder / "gradebook.db"


@pytest.fixture
def course(tmp_path, empty, monkeypatch):
    """One of its own for each test; where it is root's, each student has an account."""
    made = made_course(tmp_path, empty)
    monkeypatch.setattr(
        exchange, "account", lambda uid: {n: name for name, n in made.students.items()}.get(uid, "root")
    )
    return made


def attacked(course, name):
    """The attacker's and an innocent's hand-ins."""
    innocent = course.hand_in(INNOCENT)
    innocent.rename(innocent.with_name(innocent.name.rpartition("+")[0] + "+innocent"))
    ATTACKS[name].do(course, name, course.hand_in(name))


@pytest.fixture(params=sorted(ATTACKS))
def name(request):
    if ATTACKS[request.param].needs_root and not IS_ROOT:
        pytest.skip("only root can make files of other accounts")
    return request.param


def collect(course, stage=Collect, **config):
    course.run(stage, check_owner=IS_ROOT or stage is ExchangeCollect, **config)


def collected(course):
    """Student -> names of the files."""
    places = (course.folder / "submitted").glob(f"*/{LESSON}")
    return {place.parent.name: {path.name for path in place.iterdir()} for place in places}


def time_of(course, student):
    text = (course.folder / "submitted" / student / LESSON / "timestamp.txt").read_text()
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S.%f %Z").replace(tzinfo=timezone.utc)


NOW = timedelta(minutes=10)
TAKEN = {f"{NAME}.ipynb", "timestamp.txt"}
WHOLE = {*TAKEN, "submission_secret.txt"}


def test_an_attack_is_held_and_told_and_the_innocent_is_collected(course, name, caplog):
    attacked(course, name)
    with caplog.at_level(logging.INFO):
        collect(course)
    assert course.leaks() == []
    assert ATTACKS[name].told in caplog.text
    assert set(collected(course)) <= {INNOCENT, name}
    assert collected(course)[INNOCENT] == WHOLE
    assert collected(course).get(name, WHOLE) - {"submission_secret.txt"} in (TAKEN, {"timestamp.txt", "refused.txt"})
    for student in collected(course):
        assert abs(datetime.now(timezone.utc) - time_of(course, student)) < NOW


def test_the_attack_beats_nbgraders_own_class(course, name):
    if not ATTACKS[name].stock:
        pytest.skip("it is aimed at what comes after collecting")
    attacked(course, name)
    result = stock_result(course, name)
    assert ATTACKS[name].stock in result


def stock_result(course, name):
    """What nbgrader's own class makes of it."""
    try:
        collect(course, ExchangeCollect)
    except (OSError, shutil.Error, RuntimeError, ValueError, TimeoutError):
        return {STOPS}  # whoever's turn had not come is not collected
    result = {LEAKS} if course.leaks() else set()
    odd = set(collected(course)) - {INNOCENT, name}
    others = collected(course).get(name, set()) - WHOLE
    secret = (course.folder / "submitted" / INNOCENT / LESSON / "submission_secret.txt").read_text()
    exchanged = (of_the_innocent(course) / "submission_secret.txt").read_text() != secret
    chosen = [
        path for path in (course.folder / "submitted" / name).rglob("timestamp.txt") if "-01-01 " in path.read_text()
    ]
    return result | ({TAKES} if odd or others or exchanged or (chosen and "hands_in" in name) else set())


def of_the_innocent(course):
    (folder,) = (one for one in course.inbound.iterdir() if one.name.endswith("+innocent"))
    return folder


# What collecting leaves to chance: who changes what while it runs.


def secret_in(course, student):
    return (course.folder / "submitted" / student / LESSON / "submission_secret.txt").read_text()


@pytest.mark.parametrize("stage", [Collect, ExchangeCollect])
def test_a_folder_that_becomes_a_link_between_check_and_copy_is_not_followed(course, stage, monkeypatch):
    course.students["racer"] = os.geteuid()  # no owner gives the link away
    folder = course.hand_in("racer")

    def swap(uid):
        """The moment in which either class has looked at the owner."""
        if not folder.is_symlink():
            folder.rename(folder.with_name("aside"))
            folder.symlink_to(course.folder / "solutions" / LESSON)
        return SimpleNamespace(pw_name="racer")

    monkeypatch.setattr(exchange, "account", lambda uid: swap(uid).pw_name)
    monkeypatch.setattr("nbgrader.exchange.default.collect.pwd", SimpleNamespace(getpwuid=swap))
    course.run(stage)
    assert bool(course.leaks()) == (stage is ExchangeCollect)


@pytest.mark.parametrize("name", [name for name in sorted(ATTACKS) if name.startswith("links_")])
def test_no_link_is_followed_where_everybody_has_the_graders_account(course, name):
    course.students.update(dict.fromkeys((name, INNOCENT), os.geteuid()))
    (course.folder / "solutions" / LESSON / "submission_secret.txt").write_text("s" * 128)
    attacked(course, name)
    course.run(Collect, check_owner=False)
    assert course.leaks() == []
    assert collected(course)[INNOCENT] == WHOLE


@pytest.mark.skipif(not IS_ROOT, reason="only root can make folders of other accounts")
def test_a_folder_of_another_that_takes_its_place_is_not_read(course, monkeypatch, caplog):
    mine, theirs = course.hand_in("racer"), course.hand_in(INNOCENT)
    known = exchange.account

    def swap(uid):
        if known(uid) == "racer" and mine.exists() and theirs.exists():
            mine.rename(mine.with_name("aside"))
            theirs.rename(mine)
        return known(uid)

    monkeypatch.setattr(exchange, "account", swap)
    collect(course)
    assert "another folder took its place; submit the lesson again." in caplog.text
    assert f"{NAME}.ipynb" not in collected(course)["racer"]


def test_a_hand_in_that_is_still_arriving_is_collected_the_next_time(course):
    folder = course.hand_in("slow")
    secret, notebook = folder / "submission_secret.txt", folder / f"{NAME}.ipynb"
    whole = secret.read_text(), notebook.read_text()
    secret.unlink()
    notebook.write_text(whole[1][:1000])
    collect(course)
    assert collected(course) == {"slow": {"refused.txt", "timestamp.txt"}}
    notebook.write_text(whole[1])
    secret.write_text(whole[0])
    course.give(folder, "slow")
    collect(course, update=True)
    assert collected(course) == {"slow": WHOLE}
    assert (course.folder / "submitted" / "slow" / LESSON / f"{NAME}.ipynb").read_text() == whole[1]


def test_the_newest_whole_hand_in_counts_whatever_its_folder_says(course):
    first = course.hand_in("ada", when="2099-01-01 10:00:00 UTC")
    collect(course)
    second = course.hand_in("ada", when="2020-01-01 10:00:00 UTC")
    (course.hand_in("ada") / "submission_secret.txt").unlink()
    collect(course)
    assert secret_in(course, "ada") == (first / "submission_secret.txt").read_text(), "only --update replaces"
    collect(course, update=True)
    assert secret_in(course, "ada") == (second / "submission_secret.txt").read_text()


def test_what_is_changed_after_the_due_date_was_handed_in_after_it(course):
    early = course.hand_in("ada")
    with Gradebook(f"sqlite:///{course.folder}/gradebook.db") as book:
        book.update_or_create_assignment(LESSON, duedate=str(datetime.now(timezone.utc).replace(tzinfo=None)))
    late = course.hand_in("ada")
    os.utime(late, (0, 0))
    collect(course, before_duedate=True)
    assert secret_in(course, "ada") == (early / "submission_secret.txt").read_text()
    (early / f"{NAME}.ipynb").write_text(json.dumps(untouched()))
    collect(course, before_duedate=True)
    assert secret_in(course, "ada") == (late / "submission_secret.txt").read_text() or time_of(course, "ada") > (
        datetime.fromtimestamp(late.stat().st_ctime, timezone.utc)
    )


def test_the_module_and_its_helpers_are_collected_and_other_files_are_not(course):
    folder = course.hand_in("ada")
    (folder / "tools").mkdir()
    for name in (f"{NAME}.py", "mine.py", "tools/more.py", "test_mine.py", "not a name.py", "data.csv", "notes.ipynb"):
        (folder / name).write_text("x = 1")
    course.give(folder, "ada")
    collect(course)
    place = course.folder / "submitted" / "ada" / LESSON
    found = {path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file()}
    assert found == {*WHOLE, f"{NAME}.py", "mine.py", "tools/more.py"}


@pytest.mark.parametrize("part", ["inbound", "course"])
@pytest.mark.skipif(not IS_ROOT, reason="only root can make folders of other accounts")
def test_an_exchange_that_a_student_put_in_its_place_is_not_collected_from(course, part):
    place = course.inbound if part == "inbound" else course.inbound.parent
    place.rename(place.with_name("aside"))
    course.inbound.mkdir(parents=True)
    course.hand_in("ada")
    course.give(place, "ada")
    with pytest.raises(ExchangeError):
        collect(course)
    collect(course, ExchangeCollect)
    assert set(collected(course)) == {"ada"}, "nbgrader's own class believes it"


@pytest.mark.parametrize("linked", ["zoe", f"zoe/{LESSON}"])
def test_nothing_is_written_through_a_link_in_the_submitted_folder(course, linked, caplog):
    victim = course.folder / "submitted" / "ada" / LESSON
    victim.mkdir(parents=True)
    (victim / "timestamp.txt").write_text("2026-01-01 10:00:00 UTC")
    link = course.folder / "submitted" / linked
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(victim.parent if linked == "zoe" else victim)
    course.hand_in("zoe")
    course.hand_in("zzz")
    collect(course, update=True)
    assert "is a link; hand in the folder itself with its files." in caplog.text
    assert [path.name for path in victim.iterdir()] == ["timestamp.txt"]
    assert "zzz" in collected(course)


# What an instructor unpacked into the submitted folder.


def unpack(course, student, *, secret="s" * 40):
    folder = course.folder / "submitted" / student / LESSON
    folder.mkdir(parents=True)
    (folder / f"{NAME}.ipynb").write_text(json.dumps(untouched()))
    (folder / "timestamp.txt").write_text("2026-01-01 10:00:00 UTC")
    (folder / "submission_secret.txt").write_text(secret)
    return folder


def pipe_as_timestamp(course, folder):
    (folder / "timestamp.txt").unlink()
    os.mkfifo(folder / "timestamp.txt")


def rubbish_as_timestamp(course, folder):
    (folder / "timestamp.txt").write_text("whenever")


def year_as_timestamp(course, folder):
    (folder / "timestamp.txt").write_text("2099-01-01 10:00:00 UTC")


def overflow_as_timestamp(course, folder):
    (folder / "timestamp.txt").write_text("9999-12-31 23:59:59 -2359")


def path_as_time_zone(course, folder):
    (folder / "timestamp.txt").write_text(f"2026-01-01 10:00:00 {course.folder}/gradebook.db")


def link_as_secret(course, folder):
    relink(folder / "submission_secret.txt", course.folder / ".cnnviz_secret")


def link_in_a_folder_with_brackets(course, folder):
    (folder / "a[b]").mkdir()
    (folder / "a[b]" / "key.txt").symlink_to(course.folder / ".cnnviz_secret")


def line_break_in_the_name(course, folder):
    folder.parent.rename(folder.parent.with_name("m\nallory"))


def no_utf_8_in_the_name(course, folder):
    os.rename(folder.parent, os.fsencode(folder.parent) + b"\xff")


def page_beside_the_work(course, folder):
    (folder / f"{NAME}.html").write_text(MARKS[".cnnviz_secret"])


UNPACKED = (pipe_as_timestamp, rubbish_as_timestamp, year_as_timestamp, overflow_as_timestamp, path_as_time_zone,
            link_as_secret, link_in_a_folder_with_brackets, line_break_in_the_name, no_utf_8_in_the_name,
            page_beside_the_work)  # fmt: skip


def autograde(course, seconds):
    """Folders and files only: nothing is judged."""
    config = Config(
        {"CourseDirectory": {"ignore": ["*.py", "*.md"]}, "Autograde": {"exporter_class": SubmissionExporter}}
    )
    config.Autograde.sanitize_preprocessors = config.Autograde.autograde_preprocessors = []
    course.run(Autograde, config=config, seconds=seconds)


def outcome(course, seconds):
    """What went wrong; empty where nothing did."""
    try:
        autograde(course, seconds)
    except (TimeoutError, NbGraderException) as error:
        return f"{STOPS}: {error}"
    with Gradebook(f"sqlite:///{course.folder}/gradebook.db") as book:
        years = {one.timestamp.year for one in book.assignment_submissions(LESSON) if one.timestamp}
    return LEAKS if course.leaks("autograded") else TAKES if years - {2026} else ""


@pytest.mark.filterwarnings("ignore:Object of type <Submitted:sqlalchemy.exc.SAWarning")  # nbgrader's own
@pytest.mark.parametrize("spoil", UNPACKED)
@pytest.mark.parametrize("weak", [False, True])
def test_what_is_unpacked_into_the_submitted_folder_stops_nobody_and_leaks_nothing(course, spoil, weak, monkeypatch):
    if weak:
        monkeypatch.setattr(submitted, "only_the_lessons_work", lambda converter: None)
    spoil(course, unpack(course, "mallory"))
    unpack(course, INNOCENT)
    if spoil is path_as_time_zone and weak:
        pytest.skip("the file is opened, and that cannot be seen")
    assert bool(outcome(course, 5 if weak else 60)) == weak
    graded = course.folder / "autograded" / INNOCENT / LESSON / f"{NAME}.ipynb"
    assert weak or graded.exists()


@pytest.mark.parametrize("weak", [False, True])
def test_what_an_earlier_run_left_beside_the_work_does_not_get_into_the_feedback(course, weak, monkeypatch):
    if weak:
        monkeypatch.setattr(feedback_exporter, "only_the_lessons_work", lambda converter: None)
    monkeypatch.setattr(
        FeedbackExporter,
        "from_notebook_node",
        lambda self, nb, resources, **kw: ("page", {**resources, "output_extension": ".html"}),
    )
    folder = course.folder / "autograded" / "mallory" / LESSON
    folder.mkdir(parents=True)
    shutil.copy(REPOSITORY / "lessons" / LESSON / f"{NAME}.ipynb", folder)
    (folder / "more.html").write_text(MARKS[".cnnviz_secret"])
    (folder / "submission_secret.txt").write_text("s" * 40)
    config = Config({"GenerateFeedback": {"exporter_class": FeedbackExporter, "preprocessors": []}})
    course.run(GenerateFeedback, config=config)
    made = {path.name for path in (course.folder / "feedback" / "mallory" / LESSON).iterdir()}
    assert made == {f"{NAME}.html", "submission_secret.txt"} | ({"more.html"} if weak else set())


# What is given back.


def fed_back(course, student, *, secret, time="2026-01-01 10:00:00 UTC"):
    folder = course.folder / "feedback" / student / LESSON
    folder.mkdir(parents=True)
    (folder / f"{NAME}.html").write_text(f"the page of {student}")
    (folder / "timestamp.txt").write_text(time)
    (folder / "submission_secret.txt").write_bytes(secret.encode() if isinstance(secret, str) else secret)
    return folder


def released(course):
    return {path.name: path.read_text() for path in course.released.iterdir()}


def no_secret(folder, course):
    (folder / "submission_secret.txt").unlink()


def secret_that_is_no_text(folder, course):
    (folder / "submission_secret.txt").write_bytes(b"\xff" * 128)


def page_that_is_a_link(folder, course):
    relink(folder / f"{NAME}.html", course.folder / ".cnnviz_secret")


def pages_of_its_own(folder, course):
    (folder / f"{NAME}.html").rename(folder / "own.html")


def secret_of_the_innocent(folder, course):
    (folder / "submission_secret.txt").write_text("z" * 128)


@pytest.mark.filterwarnings("ignore:Exception ignored")  # nbgrader leaves files open
@pytest.mark.parametrize("stage", [ReleaseFeedback, ExchangeReleaseFeedback])
@pytest.mark.parametrize(
    "spoil", [no_secret, secret_that_is_no_text, page_that_is_a_link, pages_of_its_own, secret_of_the_innocent]
)
def test_only_our_pages_are_released_and_what_is_wrong_with_one_stops_no_other(course, spoil, stage, caplog):
    fed_back(course, INNOCENT, secret="z" * 128)
    spoil(fed_back(course, "aaa", secret="a" * 128, time="2026-01-01 10:00:01 UTC"), course)
    (fed_back(course, "zzz", secret="b" * 128) / "own.html").write_text("own")
    wanted = {page_of("z" * 128): f"the page of {INNOCENT}", page_of("b" * 128): "the page of zzz"}
    with suppress(FileNotFoundError, UnicodeDecodeError):
        course.run(stage)
    assert (released(course) == wanted) == (stage is ReleaseFeedback)
    if stage is ReleaseFeedback:
        assert "No feedback released to aaa: submission: " in caplog.text


def test_feedback_for_one_student_is_released_to_that_one_and_never_to_anothers_place(course):
    fed_back(course, "ada", secret="z" * 128)
    fed_back(course, "eve", secret="z" * 128, time="2026-01-01 10:00:01 UTC")
    course.run(ReleaseFeedback, config=Config({"CourseDirectory": {"student_id": "eve"}}))
    assert released(course) == {}
    course.run(ReleaseFeedback, config=Config({"CourseDirectory": {"student_id": "ada"}}))
    assert released(course) == {page_of("z" * 128): "the page of ada"}


def test_the_formgraders_buttons_go_by_the_same_classes(course):
    config = PyFileConfigLoader("nbgrader_config.py", path=str(course.folder)).load_config()
    factory = ExchangeFactory(config=config)
    assert isinstance(factory.Collect(coursedir=CourseDirectory(), parent=factory), Collect)
    assert isinstance(factory.ReleaseFeedback(coursedir=CourseDirectory(), parent=factory), ReleaseFeedback)


# A whole class, by nbgrader's own commands.

FIRED = ("links_the_secret_beside_the_work", "links_the_answer_key_as_notebook", "links_the_answer_key_as_helper",
         "links_the_folder_itself", "hard_links_the_gradebook", "has_a_pipe_as_timestamp", "has_no_time_in_its_name",
         "is_a_pipe", "hands_in_for_the_innocent", "hands_in_with_escapes_in_its_name", "hands_in_last_year",
         "publishes_pages_of_its_own", "has_no_secret", "has_the_secret_of_the_innocent")  # fmt: skip
STOCK = """
c.ExchangeFactory.collect = "nbgrader.exchange.default.ExchangeCollect"
c.ExchangeFactory.release_feedback = "nbgrader.exchange.default.ExchangeReleaseFeedback"
from autograder.nbgrader import feedback_exporter, submitted
feedback_exporter.only_the_lessons_work = submitted.only_the_lessons_work = lambda converter: None
"""
COMMANDS = ("collect", "autograde", "generate_feedback", "release_feedback")


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A class of two innocents and all attackers, after every command; and what collecting and releasing logged."""
    if reason := no_accounts():
        pytest.skip(reason)
    course = made_course(tmp_path_factory.mktemp("class"), generate=True)
    hand_ins = {student: course.hand_in(student, notebook=solved()) for student in ("ada", INNOCENT)}
    hand_ins[INNOCENT] = hand_ins[INNOCENT].rename(
        course.inbound / f"{INNOCENT}+{LESSON}+2026-01-01 10:00:00 UTC+innocent"
    )
    for name in FIRED:
        hand_ins[name] = course.hand_in(name)
        ATTACKS[name].do(course, name, hand_ins[name])
    (course.hand_in("closed_folder")).chmod(0)
    hand_ins["closed_notebook"] = course.hand_in("closed_notebook")
    (hand_ins["closed_notebook"] / f"{NAME}.ipynb").chmod(0)
    logs = {
        command: course.nbgrader(command)
        for command in ("collect", "autograde", "generate_feedback", "release_feedback")
    }
    return course, hand_ins, logs


def test_both_innocents_have_all_points_and_their_page(graded):
    course, hand_ins, _ = graded
    points = {f"check_{getattr(i, 'function', None) or i.variable}": i.points for i in registry.lesson(LESSON).items}
    for student in ("ada", INNOCENT):
        assert course.grades(student) == points
        assert student in course.page(hand_ins[student])


def test_nothing_of_the_course_and_no_page_of_a_students_own_leaves_it(graded):
    course, _, _ = graded
    assert course.leaks() == []
    assert not [page for page in released(course).values() if "own page" in page]
    allowed = {f"{NAME}.ipynb", f"{NAME}.html", "timestamp.txt", "submission_secret.txt", "picture.png"}
    for place in ("autograded", "feedback"):
        assert {path.name for path in (course.folder / place).rglob("*") if path.is_file()} <= allowed


def test_the_grader_reads_what_was_refused_and_why(graded):
    _, _, logs = graded
    for name in FIRED:
        assert ATTACKS[name].told in logs["collect"]
    assert logs["collect"].count("Permission denied") == 2
    assert "\x1b[2J" not in "".join(logs.values())
    assert "No feedback released to has_no_secret" in logs["release_feedback"]


def test_the_student_reads_in_the_feedback_why_the_work_was_refused(graded):
    course, hand_ins, _ = graded
    for name, told in {"links_the_answer_key_as_notebook": NO_FILE, "hard_links_the_gradebook": "another account",
                       "closed_notebook": "check its permissions"}.items():  # fmt: skip
        assert told in course.page(hand_ins[name])
        assert set(course.grades(name).values()) == {None}, "it waits for a person, and is no zero"


def test_the_time_of_handing_in_is_the_file_systems(graded):
    course, _, _ = graded
    with Gradebook(f"sqlite:///{course.folder}/gradebook.db") as book:
        found = book.find_submission(LESSON, "hands_in_last_year").timestamp
    assert abs(found - datetime.now(timezone.utc).replace(tzinfo=None)) < timedelta(hours=1)


def test_nbgraders_own_classes_publish_the_secret(graded, tmp_path):
    """The same commands, without what the course's configuration says about the exchange."""
    course = made_course(tmp_path, graded[0].folder / "gradebook.db", more=STOCK)
    hand_in = course.hand_in("links_the_secret_beside_the_work")
    ATTACKS["links_the_secret_beside_the_work"].do(course, "", hand_in)
    for command in COMMANDS:
        course.nbgrader(command)
    page = course.released / page_of((hand_in / "submission_secret.txt").read_text(), "key")
    assert MARKS[".cnnviz_secret"] in page.read_text()
