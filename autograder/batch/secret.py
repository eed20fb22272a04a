"""The course secret: it seeds the hidden cases and signs the results. Whoever has it can forge both."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from autograder.isolated.current_folder import is_in
from autograder.text.words import printable

VARIABLE, FILE = "CNNVIZ_SECRET", ".cnnviz_secret"


def _say(sentence: str) -> None:
    from autograder.text.screen import Screen

    Screen(stderr=True).say(printable(sentence))


def course_secret(
    file: Path | None = None,
    *,
    make: bool = True,
    submitted: Path | None = None,
    told: Callable[[str], None] = _say,
) -> str:
    """The secret of the environment, of `file`, or of `.cnnviz_secret` in this folder, which is made where missing.

    Args:
        file: a file that holds the secret and nothing else.
        make: False where results are there already: a new secret could not read them.
        submitted: what was handed in: a secret that lies there may be a student's.
        told: is told once of a secret that was made.

    Raises:
        ValueError: there is none, it is empty, or environment and file name two different ones; or this folder holds
            what was handed in.
        OSError: a file that cannot be read.
    """
    named = _read(file) if file is not None else None
    given = os.environ.get(VARIABLE, "").strip() or None
    if named and given and named != given:
        raise ValueError(
            f"secret: {VARIABLE} and {file} hold different ones; unset the variable, or leave --secret out."
        )
    if found := given or named:
        return found
    if submitted is not None and is_in(submitted):
        raise ValueError(
            f"secret: this folder holds what was handed in, so a {FILE} here may be a student's; run the command in "
            f"another folder, set {VARIABLE}, or name its file with --secret."
        )
    if Path(FILE).exists():
        return _read(Path(FILE))
    if not make:
        raise ValueError(
            f"secret: got none for results that are signed; set {VARIABLE}, name its file with --secret, "
            f"or run this in the folder that holds {FILE}."
        )
    _write(Path(FILE))
    told(f"A course secret was made: {Path(FILE).resolve()}. Keep it, and keep it from students: it signs the results.")
    return _read(Path(FILE))


def signing_key(secret: str) -> bytes:
    """The key of the signatures."""
    return _derived(secret, "signatures")


def seeds_name(secret: str) -> str:
    """Names the secret without telling it."""
    return _derived(secret, "name of the seeds").hex()[:16]


def naming_key(secret: str) -> bytes:
    """The key of the short ids that stand for students where no name is shown."""
    return _derived(secret, "ids for names")


def _derived(secret: str, label: str) -> bytes:
    return hmac.new(secret.encode(), f"cnnviz {label}".encode(), hashlib.sha256).digest()


def _read(file: Path) -> str:
    try:
        found = file.read_text(encoding="utf-8").strip()
    except FileNotFoundError as error:
        raise ValueError(
            f"secret: {file} does not exist; write one long random line there, or leave --secret out to have one made."
        ) from error
    except UnicodeDecodeError as error:
        raise ValueError(f"secret: {file} is not text; it should hold one long random line.") from error
    if not found:
        raise ValueError(f"secret: {file} is empty; write one long random line there, or remove it to have one made.")
    return found


def _write(file: Path) -> None:
    """Whole or not at all, readable by the owner alone; of two processes at once the first one's stays."""
    half = file.with_name(f"{file.name}.{os.getpid()}.half")
    with contextlib.suppress(FileNotFoundError):
        half.unlink()
    handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(handle, "w", encoding="utf-8") as writing:
        writing.write(secrets.token_urlsafe(32) + "\n")
    if not file.exists():
        half.replace(file)
    half.unlink(missing_ok=True)
