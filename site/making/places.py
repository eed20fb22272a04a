"""Where things lie."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

SITE = Path(__file__).parent.parent
ROOT = SITE.parent
BUILD = SITE / "_build"
KEPT = BUILD / "kept"
"""What took long to compute, named by the hash of what it was made from; `make site` never cleans it."""


@dataclass(frozen=True)
class Places:
    """The folders of one build."""

    folder: Path

    @property
    def source(self) -> Path:
        """What Sphinx reads; all of it is generated."""
        return self.folder / "source"

    @property
    def html(self) -> Path:
        """The site."""
        return self.folder / "html"

    @property
    def doctrees(self) -> Path:
        """Sphinx's own store."""
        return self.folder / "doctrees"

    def write(self, path: str, content: str | bytes) -> None:
        """Writes a file below `source`, unless it says so already: Sphinx rereads only what is newer."""
        target = self.source / path
        data = content.encode() if isinstance(content, str) else content
        if not target.is_file() or target.read_bytes() != data:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        self.written.add(target)

    @property
    def written(self) -> set[Path]:
        """Every file that this build wrote or found as it must be."""
        return self.__dict__.setdefault("_written", set())

    def forget_others(self) -> None:
        """Removes what an earlier build wrote and this one did not."""
        for path in self.source.rglob("*"):
            if path.is_file() and path not in self.written:
                path.unlink()


def fingerprint(paths: Iterable[Path], *more: str) -> str:
    """A hash of the files' names and contents."""
    digest = hashlib.sha256("\0".join(more).encode())
    for path in sorted(paths):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def python_files(*folders: str) -> list[Path]:
    """Every module below folders of the course."""
    return [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
