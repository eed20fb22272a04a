"""Finds out from a place whose work lies there and which lesson it belongs to. Pure functions of names."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from autograder.course import registry
from autograder.course.records import Lesson

CODE = (".py", ".ipynb")
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
SUFFIXES = (*CODE, *ARCHIVES)
"""Suffixes of files that can be handed in."""
NOT_HANDED_IN = (".csv", ".tsv", ".xls", ".xlsx", ".yml", ".yaml", ".toml", ".md", ".log", ".db", ".sh", ".cfg", ".ini")
"""Suffixes of files that graders and LMS put beside the work of a class."""
NOBODY = ("readme", "index", "license", "metadata", "submission_metadata", "grades", "gradebook", "roster", "students")
"""Names of such files whatever their suffix."""
_CANVAS = (
    r"(?P<name>[^_]+)_(?:LATE_)?(?P<user>[0-9]{1,18})_(?:question_[0-9]+_)?(?P<file>[0-9]{1,18})_(?P<rest>.+)",
    r"(?P<name>[^_]+)_(?:LATE_)?(?P<user>[0-9]{1,18})_(?P<rest>text|link)",
)
"""Names that Canvas makes, of files alone."""
_OTHERS = (
    r"(?P<name>.+?)_(?P<user>[0-9]{1,18})_assignsubmission_[a-z]+_?(?P<rest>.*)",
    r"(?P<task>.+?)_attempt_(?P<when>[0-9]{4}(?:-[0-9]{2}){5})_?(?P<rest>.*)",
    r"(?P<user>[0-9]{1,18})(?:-[0-9]+)? - (?P<name>.+?) - (?P<when>[^-]*\b[0-9]{4}\b[^-]*)(?: - (?P<rest>.*))?",
    r"(?P<name>.+)\+(?P<task>[^+]+)\+(?P<when>[0-9]{4}-[0-9]{2}-[0-9]{2}.[0-9]{2}.[0-9]{2}.[0-9]{2}[^+]*)(?:\+[^+]*)?",
)
"""Names that Moodle, Blackboard, Brightspace and nbgrader's inbound folder make."""
_DAY = re.compile(
    r"(?:([0-9]{1,2})\W+)?([^\W\d_]{3})[^\W\d_]*\W+(?:([0-9]{1,2})\W+)?([0-9]{4})\W+"
    r"([0-9]{1,2}?)\W?([0-9]{2})(?![0-9])\W*([AaPp]?)"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_COPY_OF = re.compile(
    r"^\W*(?:copy|copie|copia|cópia|kopie|kopia|kopi)\W+(?:\([0-9]+\)\W*)?(?:of|von|de|di|da|av)\b[\W_]*", re.I
)
_TWICE = re.compile(r".+?(\.tar\.[a-z0-9]+|\.(?:py|ipynb)[\W\d]*\.(?:txt|json))", re.I | re.DOTALL)
"""Names with two suffixes, of packers and of browsers: "work.tar.gz", "grad_cam.ipynb.txt"."""
_LOOK_LIKE = str.maketrans("авеікмнорстухѕјһԁɡӏαβεικνορτυχ", "abeikmhopctyxsjhdglabeikvoptux")
"""Cyrillic and Greek small letters, and the Latin ones that they look like."""
_WORD = re.compile(r"[^\W\d_]+|[0-9]+")
_ADDED = """a av copia copie copy corrected da de di done final finished fixed homework hw ipynb kopi kopia kopie
exercise late latest lesson lezione my neu new of old py solution solved submission submitted the v van version von
week work"""
_PLAIN_WORDS = frozenset(_ADDED.split())
"""Words that people and programs add to a file's name without making it another file."""


@dataclass(frozen=True)
class Named:
    """The owner and the lesson of a file, by its place."""

    student: str
    """Empty where the place does not say."""
    lesson: Lesson | None = None
    """The lesson that the file itself is named after."""
    folder: Lesson | None = None
    """The lesson that a folder above it is named after."""
    attempt: str = ""
    """When an LMS received it, written so that the later is the larger; empty where the place does not say."""
    utc: bool = False
    """Whether that time is in UTC, as nbgrader says it; else it is by the platform's own clock."""
    version: tuple[int, int] = (0, 0)
    """From an LMS: number of the resubmission, number of the file; the larger is the later."""
    number: int = 0
    """The number that a browser or a file manager added: 1 in "grad_cam (1).py"."""
    words: int = 0
    """Words beside the lesson's: 2 in "Copy of grad_cam.py"."""
    loose: bool = False
    """Whether some of these are none that copies have, as in "grad_cam_plots.py"."""
    depth: int = 0
    """Folders between the student's own and the file."""
    sure: bool = True
    """False where the student is only guessed from the whole name of a file."""
    origin: str = ""
    """The maker of the name: a platform, or the names of the files themselves; empty for a folder of the student's."""

    @property
    def rank(self) -> tuple[object, ...]:
        """Of two files for one lesson the one with the larger rank counts."""
        told = self.number == 0 and not self.words, self.folder is not None
        return self.version, not self.loose, *told, -self.depth, -self.words, self.number


def named(parts: Sequence[str]) -> Named:
    """Reads a place, name by name below what is collected.

    `11_grad_cam/...` at the top is the class's folder of that lesson; else the first folder is a student's, and a file
    without a folder has its student in its name.
    """
    above = _ids().get(parts[0]) if len(parts) > 1 else None
    inner = parts[1:] if above else parts
    if len(inner) == 1:
        return _flat(inner[0], above)
    received = _received(inner[0]) or _Received(inner[0])
    folder = next((found for part in inner[1:-1] if (found := folder_lesson(part))), received.lesson or above)
    return _file(inner[-1], received, folder, depth=len(inner) - 2)


def folder_lesson(name: str) -> Lesson | None:
    """The lesson of a folder `11_grad_cam`, `grad_cam` or "Week 11 - Grad-CAM"."""
    found = _found(name)
    return found.lesson if not _others(found) else None


def lesson_of_file(name: str, student: str = "") -> Named:
    """Reads from a file's own name its lesson: `grad_cam.py`, `Copy of Grad-CAM (2).ipynb`, `alice_grad_cam-1.py`."""
    found = _found(stem(name))
    if found.lesson is None:
        return Named(student, number=found.number)
    own = {_plain(word) for word in _WORD.findall(student)}
    words = [word for word in found.words if word not in own]
    return Named(student, found.lesson, number=found.number, words=len(words), loose=bool(_others(found) - own))


def folder_of_lesson(name: str) -> bool:
    """Whether a folder at the top is the class's for a lesson."""
    return name in _ids()


def skeleton(name: str) -> str:
    """The rest of a name for a reader who sees neither case, accents' spelling, blanks nor other alphabets."""
    plain = unicodedata.normalize("NFKC", name).casefold().translate(_LOOK_LIKE)
    return "".join(c for c in plain if not c.isspace() and unicodedata.category(c) != "Cf").rstrip("._-")


def stem(name: str) -> str:
    """A file's name without the suffix."""
    return name[: -len(suffix(name))] if suffix(name) else name


def suffix(name: str) -> str:
    """The suffix as the file has it: ".ipynb", ".IPYNB", ".ipynb.txt", ".tar.gz" or "" where there is none."""
    if twice := _TWICE.fullmatch(name):
        return twice[1]
    head, dot, tail = name.rpartition(".")
    return dot + tail if head and dot else ""


def kind(name: str) -> str:
    """The suffix in small letters, without what a browser adds to it."""
    found = suffix(name).lower()
    return next((code for code in CODE if found.startswith(f"{code}") and found.endswith((".txt", ".json"))), found)


@dataclass(frozen=True)
class _Received:
    """The parts that an LMS or nbgrader writes into the name of a folder or of a file."""

    student: str
    lesson: Lesson | None = None
    attempt: str = ""
    utc: bool = False
    file: int = 0
    rest: str = ""
    """The rest: the student's own name for the file."""
    origin: str = ""
    """As `Named` has it."""


def _received(text: str, forms: Sequence[str] = _OTHERS) -> _Received | None:
    """The platform's part of a name comes first: what a student wrote after it may look like another's."""
    matches = [match for form in forms if (match := re.fullmatch(form, text, re.DOTALL))]
    if not matches:
        return None
    found = max(matches, key=lambda match: len(match.groupdict(default="").get("rest", "")))
    part = defaultdict(str, found.groupdict(default=""))
    task, name = (part["task"], part["name"]) if part["name"] else _task_and_user(part["task"])
    student = f"{name}_{part['user']}" if part["user"] else name
    return _Received(
        student, folder_lesson(task), _when(part["when"]), part["when"].endswith(" UTC"), int(part["file"] or 0),
        part["rest"], "platform",
    )  # fmt: skip


def _task_and_user(text: str) -> tuple[str, str]:
    """Blackboard's "Grad-CAM_alice": after the lesson's name, else after the first "_", so that nobody is cut short."""
    ends = [at for at, sign in enumerate(text) if sign == "_" and text[at + 1 :]]
    lessons = [at for at in ends if folder_lesson(text[:at])]
    at = lessons[0] if lessons else ends[0] if ends else -1
    return text[: max(at, 0)], text[at + 1 :]


def _when(text: str) -> str:
    """A time as digits that sort; of the forms that nobody here has seen the text itself."""
    if day := _DAY.search(text):
        before, month, after, year, hour, minute, half = day.groups()
        if month.lower() in _MONTHS and (before or after):
            hours = int(hour) % 12 + 12 * (half in "Pp") if half else int(hour)
            return f"{year}{_MONTHS.index(month.lower()) + 1:02}{int(before or after):02}{hours:02}{minute}"
    return re.sub(r"\D", "", text) if text[:4].isdigit() else text


def _flat(name: str, folder: Lesson | None) -> Named:
    text = stem(name)
    if received := _received(text, (*_CANVAS, *_OTHERS)):
        return _file(f"{received.rest}{suffix(name)}", received, folder or received.lesson, flat=True)
    found = _found(text)
    student = _beside(found)
    if student is None:
        return Named(text, None, folder, sure=False, origin="files")
    return _file(name, _Received(student, origin="files"), folder, flat=True)


def _beside(found: _Found) -> str | None:
    """The student in a name, before the lesson or after it; None where it names no lesson, as "Cam Smith" does not."""
    before = _COPY_OF.sub("", found.before, count=1).strip(" _-.+")
    if before or found.lesson is None:
        return before if found.lesson else None
    others = _others(found)
    if others and found.before == "" and found.lesson.name == "cam":
        return None
    return " ".join(word for word in _WORD.findall(found.after) if _plain(word) in others)


def _file(name: str, received: _Received, folder: Lesson | None, *, depth: int = 0, flat: bool = False) -> Named:
    about = lesson_of_file(name, received.student)
    version = (about.number, received.file) if flat else (0, 0)
    return replace(
        about, folder=folder, attempt=received.attempt, utc=received.utc, version=version, depth=depth,
        origin=received.origin,
    )  # fmt: skip


@dataclass(frozen=True)
class _Found:
    """A name around the lesson in it."""

    lesson: Lesson | None
    before: str
    after: str
    words: tuple[str, ...]
    """The words beside it, plain."""
    number: int
    """The last number after it."""


def _found(text: str) -> _Found:
    """The longest lesson in a name, of equals the last; its number in front belongs to it."""
    words = list(_WORD.finditer(text))
    plain = [_plain(word[0]) for word in words]
    spans = [
        (len(name), j, i, _names()[name]) for i in range(len(words)) for j in range(i + 1, min(i + 5, len(words) + 1))
        if (name := "".join(plain[i:j])) in _names()
    ]  # fmt: skip
    if not spans:
        return _Found(None, text, "", tuple(plain), _last_number(plain[1:]))
    _, j, i, lesson = max(spans, key=lambda span: span[:3])
    if i and plain[i - 1].lstrip("0") == lesson.id.split("_")[0].lstrip("0"):
        i -= 1
    beside = tuple(word for word in (*plain[:i], *plain[j:]) if not word.isdecimal())
    before, after = text[: words[i].start()], text[words[j - 1].end() :]
    return _Found(lesson, before, after, beside, _last_number(plain[j:]))


def _last_number(words: Sequence[str]) -> int:
    return next((int(word[:9]) for word in reversed(words) if word.isdecimal()), 0)


def _others(found: _Found) -> set[str]:
    """The words that are none that copies have."""
    return set(found.words) - _PLAIN_WORDS


def _plain(word: str) -> str:
    """Small letters without accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", word.casefold()) if not unicodedata.combining(c))


@cache
def _ids() -> Mapping[str, Lesson]:
    return {lesson.id: lesson for lesson in registry.lessons()}


@cache
def _names() -> Mapping[str, Lesson]:
    """Every lesson by its name without what stands between the words."""
    return {lesson.name.replace("_", ""): lesson for lesson in registry.lessons()}
