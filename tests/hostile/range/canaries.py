"""Secrets planted wherever a thief looks: if one shows up in what a student gets to see, it was stolen."""

from __future__ import annotations

import contextlib
import secrets
import socket
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PLACES = {
    "secret": "the course secret, in the environment",
    "environment": "a variable of the grader's environment",
    "student": "another student's submission",
    "gradebook": "gradebook.db",
    "solutions": "solutions_private.txt",
    "home": "a file in the grader's home",
    "network": "a server on the loopback interface",
    "argv": "the grader's command line",
}
"""Where each canary is planted."""


@dataclass(frozen=True)
class Canaries:
    """One secret text a place."""

    text: dict[str, str]

    @classmethod
    def fresh(cls) -> Canaries:
        """New ones that nobody can know."""
        return cls({place: f"CANARY-{secrets.token_hex(12)}" for place in PLACES})

    def environment(self) -> dict[str, str]:
        """The grader's variables."""
        return {"CNNVIZ_SECRET": self.text["secret"], "RED_CANARY": self.text["environment"]}

    def plant(self, home: Path, course: Path) -> None:
        """The files; the canary of a student is planted with the submissions."""
        (home / "canary.txt").write_text(self.text["home"] + "\n", encoding="utf-8")
        (course / "solutions_private.txt").write_text(f"# {self.text['solutions']}\n", encoding="utf-8")
        with contextlib.closing(sqlite3.connect(course / "gradebook.db")) as gradebook, gradebook:
            gradebook.execute("create table grade (student text, score real)")
            gradebook.execute("insert into grade values (?, 18)", (self.text["gradebook"],))

    def found_in(self, text: str) -> list[str]:
        """The places whose canary is in a text."""
        return [PLACES[place] for place, canary in self.text.items() if canary in text]

    @contextlib.contextmanager
    def served(self, home: Path) -> Iterator[None]:
        """A server on the loopback interface that tells its canary to whoever connects; its port is in HOME."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            (home / "canary_port").write_text(f"{server.getsockname()[1]}\n", encoding="utf-8")
            thread = threading.Thread(target=self._answer, args=(server,), daemon=True)
            thread.start()
            try:
                yield
            finally:
                with contextlib.suppress(OSError):
                    server.shutdown(socket.SHUT_RDWR)  # ends the accept that waits
        thread.join(5)

    def _answer(self, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                visitor, _ = server.accept()
                with visitor, contextlib.suppress(OSError):
                    visitor.sendall(self.text["network"].encode())
