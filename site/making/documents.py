"""`docs/*.md` as pages: each in its group, in a fixed order; one that is new stands at the end of the last group."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

from autograder.course import registry
from making.places import ROOT, Places
from making.templates import render

GROUPS = {
    "reference": ("maps", "conventions"),
    "measured": ("localisation", "networks", "benchmarks"),
    "teach": ("teaching", "adapting", "places", "jupyterhub", "grading", "results", "exports"),
}
"""Section of the site -> documents, in the order in which they are read."""
LAST = "teach"
LICENCES = "cnnviz/LICENSES.md"
"""Of the weights and photos; every page leads there."""
ABOUT = {
    "maps": "any network, any photo, a map in a few lines.",
    "conventions": "one notation for lessons, checks and functions, and what every method promises.",
    "localisation": "every map method held against digits whose true boxes the network never saw.",
    "networks": "each method on every classification network of torchvision: right, or refused and why.",
    "benchmarks": "each method beside captum, zennit, torchcam and pytorch-grad-cam, and the grader beside nbgrader.",
    "teaching": "a class from the first hand-out to the grades, in order.",
    "adapting": "other lessons, points, deadlines and texts, and lessons of your own.",
    "places": "JupyterLab, VS Code, Colab, Binder: what each can and cannot do.",
    "jupyterhub": "one server for a class, with nbgrader.",
    "grading": "what a check looks at, how a mistake gets its name, what student code cannot do.",
    "results": "what grading leaves on disk, the secret, and what a signature covers.",
    "exports": "grades to Canvas, Blackboard, Brightspace, Moodle, Gradescope, GitHub Classroom or a plain table.",
}
"""Document -> what a reader finds there; one that is not listed stands with its title only."""

_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^()\s]+)\)")
_TITLE = re.compile(r"^# (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Document:
    """One page out of `docs/`."""

    name: str
    title: str
    about: str


def write_documents(places: Places) -> dict[str, list[Document]]:
    """Writes every document below `docs/`; which stand in which group."""
    texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md"))}
    for name, text in texts.items():
        places.write(f"docs/{name}.md", render("document.md.j2", about=ABOUT.get(name, ""), text=linked(text)))
    places.write("licences.md", "---\norphan: true\n---\n" + linked((ROOT / LICENCES).read_text(encoding="utf-8")))
    titles = {name: found[1] if (found := _TITLE.search(text)) else name for name, text in texts.items()}
    return {
        group: [Document(name, titles[name], ABOUT.get(name, "")) for name in names]
        for group, names in grouped(list(texts)).items()
    }


def grouped(names: list[str]) -> dict[str, list[str]]:
    """The documents that exist, by group.

    >>> grouped(["grading", "new", "conventions"])
    {'reference': ['conventions'], 'measured': [], 'teach': ['grading', 'new']}
    """
    known = {name for group in GROUPS.values() for name in group}
    found = {group: [name for name in order if name in names] for group, order in GROUPS.items()}
    found[LAST] += [name for name in names if name not in known]
    return found


def linked(text: str) -> str:
    """The text with links into the course folder led to the site's pages; where there is none, the words remain."""
    return _LINK.sub(_link, text)


def _link(match: re.Match[str]) -> str:
    picture, words, target = match.groups()
    if re.match(r"[a-z]+:|#", target):
        return match[0]
    path, _, anchor = target.partition("#")
    page = page_of(posixpath.normpath(posixpath.join("docs", path)))
    if page is None or picture:
        return words
    if page.startswith("lessons/"):
        return f"{{doc}}`{words} </{page}>`"
    return f"[{words}]({posixpath.relpath(page, 'docs')}{'#' + anchor if anchor else ''})"


def page_of(path: str) -> str | None:
    """The page that shows what lies at this path of the course folder."""
    if (ROOT / path).suffix == ".md" and path.startswith("docs/") and (ROOT / path).is_file():
        return path
    folder, _, rest = path.partition("/")
    if folder in ("lessons", "solutions"):
        lesson = next((lesson for lesson in registry.lessons() if lesson.id == rest.split("/")[0]), None)
        return f"lessons/{lesson.id}" if lesson else "lessons/index"
    return {"README.md": "start.md", LICENCES: "licences.md"}.get(path)
