"""Serves the page to this machine alone, and to whoever has the token of this run."""

from __future__ import annotations

import asyncio
import hmac
import secrets
import webbrowser
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlencode

from tornado import httpserver, netutil, web

from autograder.explore.answering import page

HERE = "127.0.0.1"
REFUSED = "This page is for whoever started it: open the address that the command has said, with its token."


class Explore(web.RequestHandler):
    """The only page."""

    def initialize(self, folder: Path, token: str, port: int) -> None:
        """Takes the folder where photos begin, and who may look."""
        self.folder, self.token = folder, token
        self.cookie = f"cnnviz-{port}"  # cookies know no ports: two pages on one machine have one each

    def set_default_headers(self) -> None:
        """Nothing is kept, and no other page learns the address."""
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "no-referrer")

    def get(self) -> None:
        """Leads from the address with the token to one without it, or shows what the fields ask for."""
        asked = {name: self.get_query_argument(name) for name in self.request.query_arguments}
        given = asked.pop("token", "")
        # Another page can reach this address, also under a name of its own: it has neither token nor cookie.
        if not hmac.compare_digest((given or self.get_cookie(self.cookie, "")).encode(), self.token.encode()):
            raise web.HTTPError(403)
        if given:
            self.set_cookie(self.cookie, self.token, httponly=True, samesite="Strict", path="/")
            self.redirect(f"/?{urlencode(asked)}")
            return
        nonce = secrets.token_urlsafe(12)
        self.finish(page(asked, self.folder, nonce))

    def write_error(self, status_code: int, **_: object) -> None:
        """Says why in one sentence."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(REFUSED if status_code == 403 else f"This cannot be asked: {self._reason}.")

    def log_exception(self, *_: object) -> None:
        """A request that is refused is no news for the terminal."""


def serve(
    asked: Mapping[str, str], folder: Path, port: int, *, tell: Callable[[str], None], browser: bool = True
) -> None:
    """Serves until it is interrupted.

    Args:
        asked: what the page's fields say first.
        folder: where paths of photos begin.
        port: where the page is; 0 is any that is free.
        tell: is given the address as soon as it answers.
        browser: whether the page is opened.

    Raises:
        OSError: the port is taken.
    """
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(asked, folder, port, tell, browser))


async def _serve(asked: Mapping[str, str], folder: Path, port: int, tell: Callable[[str], None], browser: bool) -> None:
    sockets = netutil.bind_sockets(port, HERE)
    port, token = sockets[0].getsockname()[1], secrets.token_urlsafe(24)
    pages = web.Application([("/", Explore, {"folder": folder, "token": token, "port": port})])
    httpserver.HTTPServer(pages).add_sockets(sockets)
    address = f"http://{HERE}:{port}/?{urlencode({**asked, 'token': token})}"
    tell(address)
    if browser:
        webbrowser.open(address)
    await asyncio.Event().wait()
