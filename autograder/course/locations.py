"""Finds the parts of the course: in a checkout, in the installed package, in folders of an instructor's own.

No other module knows. Lessons lie in *homes*: ours, and those that `course.toml` names (`own`) or that an installed
package declares by an entry point of the group `cnnviz.lessons`, whose value is the package that holds them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from autograder.course.choices import choices

PACKAGE = Path(__file__).parents[1]
CODE = PACKAGE.parent
"""The folder of the packages `cnnviz`, `cnnviz_ref` and `autograder`."""
OUTLINES = Path(__file__).with_name("outlines")
GROUP = "cnnviz.lessons"


@dataclass(frozen=True)
class Home:
    """A folder of `solutions` and `lessons`."""

    root: Path
    own: bool = False
    """Whether they are an instructor's own, held to no style of ours."""

    @property
    def solutions(self) -> Path:
        """The folder of the authors' texts and of the solved lessons; a student's copy has none."""
        return self.root / "solutions"

    @property
    def lessons(self) -> Path:
        """The lessons as students get them; in a clone students write in them."""
        return self.root / "lessons"

    @property
    def installed(self) -> bool:
        """Whether they are part of an installed package, where nothing is written."""
        return self.root == PACKAGE

    def outline(self, lesson: str) -> Path:
        """The file of a lesson's outline."""
        return self.solutions / lesson / "outline.json" if self.own else OUTLINES / f"{lesson}.json"

    def holds(self, lesson: str) -> bool:
        """Whether the lesson of this folder name is written, or outlined, here."""
        return (self.solutions / lesson / f"{lesson.partition('_')[2]}.md").is_file() or self.outline(lesson).is_file()


OURS = Home(PACKAGE if (PACKAGE / "lessons").is_dir() else CODE)
"""In the package where the course is installed, else in the clone."""


@cache
def homes() -> tuple[Home, ...]:
    """All homes. A lesson that lies in several is taken from the first: an instructor's own comes before ours.

    Raises:
        ValueError: a folder that `course.toml` names, or the package of an entry point, is not there.
    """
    own = [*choices().own, *map(_package, sorted({point.value for point in entry_points(group=GROUP)}))]
    for root in own:
        if not root.is_dir():
            raise ValueError(f"course.toml, own: {root} is no folder; name one that holds solutions/, or create it.")
    return (*(Home(root.resolve(), own=True) for root in own), OURS)


def home_of(lesson: str) -> Home:
    """The home of the lesson with this folder name; ours for one that lies nowhere yet."""
    return next((home for home in homes() if home.holds(lesson)), OURS)


def written() -> list[Path]:
    """The folders of the lessons that are here as their authors wrote them."""
    texts = (path for home in reversed(homes()) for path in home.solutions.glob("[!.]*/*.md"))  # no editor's folders
    found = {path.parent.name: path.parent for path in texts}
    return [found[name] for name in sorted(found)]


def outlined() -> list[Path]:
    """The files of the outlines."""
    found = {path.stem: path for path in OUTLINES.glob("*.json")}
    own = [path for home in reversed(homes()) for path in home.solutions.glob("*/outline.json")]
    found |= {path.parent.name: path for path in own}
    return [found[name] for name in sorted(found)]


def _package(name: str) -> Path:
    spec = find_spec(name)
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        raise ValueError(f"entry point {GROUP}: got {name}, which is no installed package; name one, or uninstall it.")
    return Path(places[0])
