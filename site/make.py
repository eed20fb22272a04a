"""Builds the site: python site/make.py [--lessons 11_grad_cam,01_filters] [--no-execute] [--to DIR] [--check].

Pages are written first (package `making`), then Sphinx makes the site of them, every warning an error. Executed
notebooks are kept in `site/_build/kept`, so only the first build takes minutes.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from making.documents import write_documents
from making.executed import outputs
from making.front import write_front
from making.gallery import write_gallery
from making.leaks import leaks
from making.lessons import write_lesson
from making.links import broken
from making.places import BUILD, SITE, Places, fingerprint
from making.reference import MORE, methods, shared_arguments, write_reference
from making.start import write_start
from making.templates import render

from autograder.course import registry
from autograder.course.records import Lesson


def main() -> int:
    """Exit status 0 where the site stands without a warning, a broken link or a solution on it."""
    begun = time.perf_counter()
    given = _arguments()
    places = Places(given.to)
    write_pages(places, chosen(given.lessons), execute=given.execute)
    failed = sphinx(places)
    problems = [] if failed else [*leaks(places.html), *(broken(places.html) if given.check else ())]
    print("\n".join(problems))
    print(f"{places.html / 'index.html'} ({time.perf_counter() - begun:.0f} s, {len(problems)} problems)")
    return failed or int(bool(problems))


def chosen(names: str) -> Sequence[Lesson]:
    """The lessons of a comma-separated list, in the order of the course; all where it is empty."""
    wanted = [registry.lesson(name).id for name in names.split(",") if name]
    return [lesson for lesson in registry.lessons() if not wanted or lesson.id in wanted]


def write_pages(places: Places, lessons: Sequence[Lesson], *, execute: bool) -> None:
    """Writes everything that Sphinx reads."""
    shown = [lesson.id for lesson in lessons]
    for lesson in registry.lessons():
        if lesson.id in shown:
            write_lesson(places, lesson, outputs(lesson, execute=execute))
        else:  # pages refer to it
            places.write(f"lessons/{lesson.id}.md", f"---\norphan: true\n---\n# {lesson.title}\n\n{lesson.summary}\n")
    gallery = write_gallery(places, execute=execute)
    write_front(places, lessons, gallery=gallery)
    write_start(places, lessons, gallery=gallery)
    write_reference(places)
    groups = write_documents(places)
    titles = {lesson.id: lesson.title for lesson in registry.lessons()}
    index = {"documents": groups["reference"], "methods": methods(), "lessons": titles, "more": list(MORE)}
    index["shared"] = shared_arguments()
    places.write("reference/index.md", render("reference.md.j2", **index))
    for section in ("measured", "teach"):
        places.write(f"{section}.md", render(f"{section}.md.j2", documents=groups[section]))
    places.forget_others()


def sphinx(places: Places) -> int:
    """Sphinx's exit status."""
    from sphinx.cmd.build import build_main

    static = f"{SITE / 'static'},{places.source / 'static'}"
    options = ["-W", "--keep-going", "-q", "-j", "2", "-c", str(SITE), "-d", str(places.doctrees)]
    options += ["-E", "-a"] if _settings_changed(places) else []
    return build_main([*options, "-D", f"html_static_path={static}", str(places.source), str(places.html)])


def _settings_changed(places: Places) -> bool:
    """Whether the last build had other settings; Sphinx does not look at what they import."""
    made_with = fingerprint([*SITE.glob("*.py"), *SITE.glob("making/*.py"), *SITE.glob("templates/*")])
    note = places.folder / "made_with"
    same = note.is_file() and note.read_text(encoding="utf-8") == made_with
    note.write_text(made_with, encoding="utf-8")
    return not same


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lessons", default=os.environ.get("CNNVIZ_SITE_LESSONS", ""), help="names, by comma")
    parser.add_argument("--no-execute", dest="execute", action="store_false", help="show only figures that are kept")
    parser.add_argument("--to", type=Path, default=BUILD, help="folder of source/ and html/")
    parser.add_argument("--check", action="store_true", help="also follow every link of every page")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
