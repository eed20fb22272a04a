"""`cnnviz watch`: each save is checked at once."""

from __future__ import annotations

from typing import Annotated

import typer

from autograder.commands.shared import one_sentence


def watch(
    lesson: Annotated[
        str | None, typer.Argument(metavar="[LESSON]", help="11_grad_cam, grad_cam or 11; else the one in progress.")
    ] = None,
) -> None:
    """Check whenever you save, in your editor or in Jupyter. Keys: h hint, n next, l list, r reset, ? all keys."""
    import asyncio
    import gc
    import signal
    from contextlib import suppress

    from autograder.study.cache import Cache
    from autograder.study.folder import course_folder, work, works
    from autograder.study.screens import at_hand
    from autograder.study.signs import console
    from autograder.study.watching import Watch

    with one_sentence():
        folder, cache = course_folder(), Cache()
        found = works(folder)
        begin = work(folder, lesson) if lesson else at_hand(found, cache)
        with suppress(KeyboardInterrupt):
            asyncio.run(Watch(found, begin, cache, console()).run())
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # what is still being loaded ends by itself, or with a second Ctrl-C
    gc.freeze()  # else the interpreter looks through all of torch once more before the prompt is back
