"""A lesson's page: the student's notebook, and below its cells what the solved one showed there."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence

import nbformat
from nbformat import NotebookNode

from autograder.authoring.parse import EXERCISE, QUESTION
from autograder.course.records import Lesson
from making.executed import Outputs, off_the_page
from making.figures import decoded, webp
from making.panels import drawn
from making.places import ROOT, Places
from making.templates import plain, render

LONGEST = 4000
"""Characters of printed text that a page shows of one cell."""
SAYS_LITTLE = 30
"""Characters of a figure's own description; a shorter one is told after the sentence above it."""

_STEPS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|^.*\r(?!\n)", re.MULTILINE)
"""Colours of a terminal, and what a progress bar overwrote."""
_PUZZLE = re.compile(r"\((\w+\.svg)\)")
_INLINE = re.compile(r"data:image/webp;base64,([\w+/=]+)")


def write_lesson(places: Places, lesson: Lesson, outputs: Outputs) -> None:
    """Writes the lesson's page and its figures below `lessons/`."""
    page = _Page(places, lesson, outputs)
    notebook = nbformat.read(ROOT / "lessons" / lesson.id / f"{lesson.name}.ipynb", as_version=4)
    for cell in notebook.cells:
        if not off_the_page(cell):
            page.add(cell)
    made = nbformat.v4.new_notebook(metadata=_metadata(notebook, lesson), cells=page.made)
    places.write(f"lessons/{lesson.id}.ipynb", nbformat.writes(made))


class _Page:
    """The page's cells so far, and the figures that they show."""

    def __init__(self, places: Places, lesson: Lesson, outputs: Outputs) -> None:
        self.places, self.lesson, self.outputs = places, lesson, outputs
        self.exercises = {exercise.function: exercise for exercise in lesson.exercises}
        self.made: list[NotebookNode] = []
        self.figures = 0
        self.above = ""
        """The text above the cell."""
        self.predicting = False
        """Whether a prediction was asked for, so that what the next cell shows is folded."""

    def add(self, cell: NotebookNode) -> None:
        """Adds one cell of the student's notebook."""
        kind = cell.metadata.get("cnnviz", {}).get("kind")
        if cell.cell_type == "markdown":
            self._text(cell)
        elif cell.id.startswith("check_"):
            self._check(cell)
        elif kind in (EXERCISE, QUESTION):
            self._code(cell.id, cell.source, [f"cnnviz-{kind}"], [])
        else:
            self._shown(cell)
        self.predicting = kind == QUESTION or (self.predicting and not _begins_section(cell))

    def _text(self, cell: NotebookNode) -> None:
        source = self.above = cell.source
        if not self.made:
            title, _, rest = source.partition("\n")
            self._markdown("title", f"{title}\n\n{render('lesson_head.md.j2', lesson=self.lesson)}")
            source = self._cover(rest)
        self._markdown(cell.id, _PUZZLE.sub(self._puzzle, source))

    def _puzzle(self, found: re.Match[str]) -> str:
        """The picture of a question that the build made, under a name that no other lesson has."""
        name = f"figures/{self.lesson.name}_{found[1]}"
        self.places.write(f"lessons/{name}", (ROOT / "lessons" / self.lesson.id / found[1]).read_bytes())
        return f"({name})"

    def _cover(self, source: str) -> str:
        """The lesson's picture as a smaller file."""
        png = (ROOT / "lessons" / self.lesson.id / "picture.png").read_bytes()
        return source.replace("picture.png", self._figure(png, "picture"))

    def _check(self, cell: NotebookNode) -> None:
        """A check's verdict would tell a prediction's answer; of an exercise its pictures are shown, folded."""
        self._code(cell.id, cell.source, ["cnnviz-check"], [])
        exercise = self.exercises.get(cell.id.removeprefix("check_"))
        panels = [text for output in self.outputs.get(cell.id, ()) if (text := output.get("data", {}).get("text/html"))]
        pictures = [picture for text in panels for picture in drawn("".join(text))]
        if exercise and pictures:
            told = [(self._figure(picture.png), picture.alt) for picture in pictures]
            self._markdown(f"panel-{cell.id}"[:64], render("panel.md.j2", exercise=exercise, pictures=told))

    def _shown(self, cell: NotebookNode) -> None:
        shown = [made for output in self.outputs.get(cell.id, ()) for made in self._output(output)]
        self._code(cell.id, cell.source, ["hide-output"] if self.predicting and shown else [], shown)

    def _output(self, output: NotebookNode) -> list[NotebookNode]:
        """What a page shows of an output: printed text, results, figures; no progress bars, no foreign HTML."""
        if output.output_type == "stream":
            text = _STEPS.sub("", output.text)
            return [_stream(text)] if output.name == "stdout" and text.strip() else []
        data = output.get("data", {})
        if (sliders := "".join(data.get("text/html", ""))).startswith('<div class="cnnviz-play"'):
            html = _INLINE.sub(lambda found: self._static(base64.b64decode(found[1])), sliders)
            return [nbformat.v4.new_output("display_data", data={"text/html": html})]
        if "image/png" in data:
            alt = self._described(output.metadata.get("image/png", {}).get("alt", ""))
            return [_markdown_output(f"![{plain(alt)}]({self._figure(decoded(data['image/png']))})")]
        if output.output_type == "execute_result" and "text/html" not in data:
            return [_stream("".join(data.get("text/plain", "")))]
        return []

    def _described(self, alt: str) -> str:
        alt = alt.replace("middle centre", "centre")
        return alt if len(alt) >= SAYS_LITTLE else f"{last_sentence(self.above)} {alt}".strip()

    def _figure(self, png: bytes, name: str = "") -> str:
        """Writes the figure; its name, relative to the page."""
        self.figures += not name
        path = f"figures/{self.lesson.name}_{name or f'{self.figures:02d}'}.webp"
        self.places.write(f"lessons/{path}", webp(png))
        return path

    def _static(self, data: bytes) -> str:
        """Writes a picture that Sphinx does not look for, since it stands in HTML; its address from the page."""
        self.figures += 1
        path = f"static/sliders/{self.lesson.name}_{self.figures:02d}.webp"
        self.places.write(path, data)
        return f"../_{path}"

    def _markdown(self, name: str, source: str) -> None:
        self.made.append(nbformat.v4.new_markdown_cell(source, id=name))

    def _code(self, name: str, source: str, tags: Sequence[str], shown: Sequence[NotebookNode]) -> None:
        metadata = {"tags": list(tags), "mystnb": {"code_prompt_show": "Show what happens"}}
        cell = nbformat.v4.new_code_cell(source, id=name, metadata=metadata, outputs=list(shown))
        self.made.append(cell)


def last_sentence(text: str) -> str:
    """The last sentence of some Markdown, without its marks.

    >>> last_sentence("# Title\\n\\nFirst. *Second* one:")
    'Second one.'
    """
    words = re.sub(r"[*_`$]|^#+ ", "", text.strip().split("\n\n")[-1], flags=re.MULTILINE)
    return re.split(r"(?<=[.!?:]) +", " ".join(words.split()).rstrip(":"))[-1].rstrip(".") + "."


def cover_words(lesson: Lesson) -> str:
    """What is on the lesson's picture, as its text says it."""
    notebook = nbformat.read(ROOT / "lessons" / lesson.id / f"{lesson.name}.ipynb", as_version=4)
    return re.search(r"!\[(.*?)\]\(picture\.png\)", notebook.cells[0].source, flags=re.DOTALL)[1]  # type: ignore[index]


def _metadata(notebook: NotebookNode, lesson: Lesson) -> dict:
    about = {"description": lesson.summary, "property=og:description": lesson.summary}
    return {**notebook.metadata, "myst": {"html_meta": about}}


def _begins_section(cell: NotebookNode) -> bool:
    return cell.cell_type == "markdown" and cell.source.startswith("#")


def _stream(text: str) -> NotebookNode:
    return nbformat.v4.new_output("stream", name="stdout", text=text[:LONGEST])


def _markdown_output(text: str) -> NotebookNode:
    return nbformat.v4.new_output("display_data", data={"text/markdown": text})
