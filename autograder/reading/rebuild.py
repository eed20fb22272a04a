"""The release copy with a student's code in it: no cell of ours is the student's, no code of the student's is lost."""

from __future__ import annotations

import ast
import copy
import re
from collections import defaultdict
from collections.abc import Sequence

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograder.reading.cells import Found
from autograder.reading.magics import as_python
from autograder.reading.trees import parsed


def rebuilt(release: NotebookNode, found: Sequence[Found]) -> NotebookNode:
    """The release copy, each solution and each open code cell as the student left it, and the student's own cells.

    Cells are recognised by grade id, else by cell id, else by their text; and where a solution cell is as it was
    released, by the function or the answer that it is for. A locked cell is always the release's; what a student wrote
    into one, or into a copy of any cell, stays as a cell of the student's own. Outputs are dropped, and words of
    the student's own are quoted, so that nothing in them is live where an instructor reads them.
    """
    versions, own = _sorted_in(release.cells, found)
    _adopt(release.cells, versions, own)
    notebook = copy.deepcopy(release)
    notebook.cells = [_own_cell(cell) for cell in own[-1]]
    for index, cell in enumerate(copy.deepcopy(release.cells)):
        notebook.cells += [*_filled_in(cell, versions[index]), *(_own_cell(c) for c in own[index])]
    for number, cell in enumerate(cell for cell in notebook.cells if cell.id == ""):
        cell.id = f"own-{number}"
    return notebook


def _sorted_in(
    cells: Sequence[NotebookNode], found: Sequence[Found]
) -> tuple[dict[int, list[Found]], dict[int, list[Found]]]:
    """Index of a release cell -> what the student made of it; index -> the student's own cells that follow it."""
    versions: dict[int, list[Found]] = defaultdict(list)
    own: dict[int, list[Found]] = defaultdict(list)
    place = -1
    for cell in found:
        index = _index(cells, cell)
        if index is None:
            own[place].append(cell)
        else:
            versions[index].append(cell)
            place = index
    return versions, own


def _adopt(cells: Sequence[NotebookNode], versions: dict[int, list[Found]], own: dict[int, list[Found]]) -> None:
    """Code of the student's own that does what an untouched solution cell is for goes there, or after all of them."""
    untouched = {
        name: index
        for index, cell in enumerate(cells)
        if _marked(cell, "solution") and all(v.source.strip() == cell.source.strip() for v in versions[index])
        for name in _names(cell.source)
    }
    for several in [own[place] for place in sorted(own)]:
        for cell in [cell for cell in several if cell.code]:
            meant = {untouched[name] for name in _names(cell.source) if name in untouched}
            if meant:
                several.remove(cell)
                (versions[meant.pop()] if len(meant) == 1 else own[len(cells) - 1]).append(cell)


def _names(source: str) -> list[str]:
    """Functions and variables that the code gives a value to at top level."""
    tree = parsed(as_python(source))
    if tree is None:
        return re.findall(r"(?m)^def (\w+)\(", source)
    assigned = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    assigned += [node.target for node in tree.body if isinstance(node, ast.AnnAssign)]
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return functions + [target.id for target in assigned if isinstance(target, ast.Name)]


def _index(cells: Sequence[NotebookNode], cell: Found) -> int | None:
    by_grade = (cell.grade_id and cell.grade_id == c.metadata.get("nbgrader", {}).get("grade_id") for c in cells)
    by_id = (cell.cell_id and cell.cell_id == c.get("id") and cell.code == (c.cell_type == "code") for c in cells)
    by_text = (cell.source.strip() and cell.source.strip() == c.source.strip() for c in cells)
    for way in (by_grade, by_id, by_text):
        if (index := next((i for i, same in enumerate(way) if same), None)) is not None:
            return index
    return None


def _filled_in(cell: NotebookNode, versions: Sequence[Found]) -> list[NotebookNode]:
    """The release cell as it is to be graded, after what else the student made of it."""
    changed = [v for v in versions if v.source.strip() != cell.source.strip()]
    if cell.cell_type != "code":
        return _with_words(cell, [v for v in changed if v.source.strip()])
    usable = [v for v in changed if v.code or parsed(as_python(v.source))]
    locked = _marked(cell, "locked") and not _marked(cell, "solution")
    if usable and not _marked(cell, "grade") and not locked:
        cell.source = usable[-1].source
        changed.remove(usable[-1])
    return [*(_own_cell(v) for v in changed), cell]


def _with_words(cell: NotebookNode, changed: Sequence[Found]) -> list[NotebookNode]:
    """A text cell of the release; where it is for an answer in words, the student's last one, quoted."""
    if not (changed and _marked(cell, "solution")):
        return [cell]
    cell.source = quoted(changed[-1].source)
    return [*(_own_cell(v) for v in changed if v.code or v is not changed[-1]), cell]


def _marked(cell: NotebookNode, mark: str) -> bool:
    """What nbgrader's metadata says; nbgrader itself takes a second or two to import."""
    return bool(cell.metadata.get("nbgrader", {}).get(mark, False))


def _own_cell(cell: Found) -> NotebookNode:
    made = new_code_cell(cell.source) if cell.code else new_markdown_cell(quoted(cell.source))
    made.id = ""
    return made


def unquoted(text: str) -> str:
    """What `quoted` was given; any other text as it is."""
    found = re.fullmatch(r"(`{3,})text\n(.*)\n\1", text, re.DOTALL)
    return found[2] if found else text


def quoted(text: str) -> str:
    """Text as a fenced block, in which neither HTML nor links are live."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"
