"""What checks said, kept by the content that they were made from. Everything here may be lost: it only costs time."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import platformdirs

from autograder.text.files import write_whole

ENVIRONMENT = "CNNVIZ_CACHE"
"""Variable that names another folder."""
MOST = 3000
"""Records that are kept; beyond them the oldest go."""


def cache_folder() -> Path:
    """This user's folder for what can be made again."""
    named = os.environ.get(ENVIRONMENT)
    return Path(named) if named else platformdirs.user_cache_path("cnnviz", appauthor=False)


def digest(*parts: str | bytes | None) -> str:
    """One name for all these contents; nothing and an empty text are different."""
    total = hashlib.sha256()
    for part in parts:
        given = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        data = b"-" if given is None else b"+" + given
        total.update(hashlib.sha256(data).digest())
    return total.hexdigest()


class Cache:
    """Records by name, one small file each; a folder that cannot be read or written holds nothing."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = cache_folder() if folder is None else folder

    def get(self, kind: str, key: str) -> Mapping[str, Any] | None:
        """The record, if it is there, whole and not too old."""
        try:
            read = json.loads(self._path(kind, key).read_bytes())
            body = read["body"]
            if read["sum"] != _sum(body) or (read["until"] is not None and read["until"] < time.time()):
                return None
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None
        return body if isinstance(body, dict) else None

    def put(self, kind: str, key: str, body: Mapping[str, Any], *, lasts: float | None = None) -> None:
        """Keeps a record, `lasts` seconds or for good, where the folder lets us."""
        until = None if lasts is None else time.time() + lasts
        record = {"until": until, "sum": _sum(body), "body": body}
        with contextlib.suppress(OSError):
            write_whole(self._path(kind, key), json.dumps(record).encode())

    def prune(self, kind: str) -> None:
        """Removes the oldest records where there are far too many."""
        with contextlib.suppress(OSError):
            files = list((self.folder / kind).iterdir())
            if len(files) > MOST:
                for path in sorted(files, key=_age)[: -MOST // 2]:
                    path.unlink(missing_ok=True)

    def _path(self, kind: str, key: str) -> Path:
        return self.folder / kind / f"{key}.json"


def _sum(body: Any) -> str:
    return digest(json.dumps(body, sort_keys=True))


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
