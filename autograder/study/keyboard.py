"""Single keys from the terminal, and the terminal as it was afterwards, whatever happens."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType

from prompt_toolkit.input import Input, create_input
from prompt_toolkit.keys import Keys

QUIT, ENTER, SUSPEND = "q", "enter", "suspend"
_NAMES = {Keys.ControlC: QUIT, Keys.ControlD: QUIT, Keys.ControlM: ENTER, Keys.ControlJ: ENTER, Keys.ControlZ: SUSPEND}


class Keyboard:
    """Tells of each key that is pressed, inside a running event loop; a context manager.

    Args:
        told: hears "h", QUIT, ENTER and so on.
    """

    def __init__(self, told: Callable[[str], None]) -> None:
        self._told, self._stack = told, ExitStack()
        self._input: Input | None = None

    @property
    def there(self) -> bool:
        """Whether there is a terminal to press keys in."""
        return self._input is not None

    def __enter__(self) -> Keyboard:
        if sys.stdin is not None and sys.stdin.isatty():
            self._input = create_input()
            self._stack.enter_context(self._input.raw_mode())
            self._stack.enter_context(self._input.attach(self._ready))
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()
        if self._input is not None:
            self._input.close()

    def suspend(self) -> None:
        """Back to the shell until it sends us on, as Ctrl-Z does anywhere."""
        if self._input is not None and hasattr(signal, "SIGTSTP"):
            with self._input.detach(), self._input.cooked_mode():
                os.kill(os.getpid(), signal.SIGTSTP)

    def _ready(self) -> None:
        assert self._input is not None
        for press in self._input.read_keys():
            self._told(_NAMES.get(press.key, press.data.lower()) if isinstance(press.key, Keys) else press.key.lower())
        if self._input.closed:
            self._told(QUIT)
