"""One JSON file with a signature: written whole or not at all, and believed only as it was signed."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

from autograder.batch.stages import canonical

LARGEST = 20_000_000
"""Bytes of the largest file that is read."""


class Untrusted(ValueError):
    """A file that is not as it was signed; the sentence says how."""


def sealed(kind: str, value: Any, key: bytes) -> bytes:
    """The file's bytes: the value and its signature. `kind` keeps one sort of file from being shown as another."""
    return _laid_out({kind: value, "signature": _signature(kind, value, key)})


def sealed_line(kind: str, value: Any, key: bytes) -> bytes:
    """As `sealed`, on one line."""
    return canonical({kind: value, "signature": _signature(kind, value, key)}) + b"\n"


def opened(kind: str, path: Path, key: bytes) -> Any:
    """The signed value of a file, which holds that and nothing else.

    Raises:
        Untrusted: it is altered, cut off, unsigned, or signed with another secret.
        FileNotFoundError: it is not there.
    """
    data = _bytes(path)
    content = believed(kind, data, key)
    if data != _laid_out({name: content[name] for name in (kind, "signature")}):
        raise Untrusted("holds more than what was signed")
    return content[kind]


def believed(kind: str, data: bytes, key: bytes) -> Any:
    """The content of a file whose value is as it was signed; what else stands there is not looked at.

    Raises:
        Untrusted: the value is altered, cut off, unsigned, or signed with another secret.
    """
    try:
        content = json.loads(data)
        value, signature = content[kind], str(content["signature"])
        right = hmac.compare_digest(signature.encode(), _signature(kind, value, key).encode())
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Untrusted("cannot be read as a signed file: it is cut off, or something else") from error
    if not right:
        raise Untrusted("is not as it was signed: it was altered, or signed with another secret")
    return content


def hash_of(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def _bytes(path: Path) -> bytes:
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise Untrusted("is not a plain file")
    try:
        if path.stat().st_size > LARGEST:
            raise Untrusted("is larger than anything that is written here")
        return path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Untrusted(f"cannot be read ({error.strerror})") from error


def _laid_out(content: Any) -> bytes:
    return json.dumps(content, indent=1, sort_keys=True, allow_nan=False).encode() + b"\n"


def _signature(kind: str, value: Any, key: bytes) -> str:
    return hmac.new(key, kind.encode() + b"\0" + canonical(value), hashlib.sha256).hexdigest()
