"""`cnnviz watch` in a real terminal: keys that are pressed, files that are saved."""

import os
import re
import sys
import time

import pytest

from .conftest import handed_out, write

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
COMMAND = [sys.executable, "-m", "autograder.cli", "watch", "11"]
ENDED = 15


@pytest.fixture
def terminal(student):
    """The watch in 40 columns without colour, after its first words."""
    from .terminal import Terminal

    with Terminal(COMMAND, columns=40, NO_COLOR="1") as terminal:
        terminal.wait_for("q quit")
        yield terminal


def save(work, body):
    """As editors and Jupyter do it: a copy beside the file, renamed into its place."""
    text = handed_out("grad_cam.py")
    half = work.folder / ".grad_cam.py.swp"
    half.write_text(text.replace('raise NotImplementedError("grad_cam.neuron_importance', body + "#"), encoding="utf-8")
    half.replace(work.module)


def test_a_session_from_the_first_mistake_to_the_reset(terminal, work):
    from .terminal import alive

    assert "Write in lessons/11_grad_cam/grad_cam.py" in " ".join(terminal.text.split())
    save(work, "return gradients.sum(dim=(2, 3))")
    first = terminal.wait_for("Formula: α_k^c = (1/Z) Σ_i Σ_j")
    assert "✗ failed" in first
    assert "divide by Z" in first
    since = terminal.press("h")
    terminal.wait_for("Hint 1 of 3, a question:", since=since)
    terminal.wait_for("h again shows hint 2.", since=since)
    since = len(terminal.text)
    save(work, "return gradients.sum(dim=(2, 3)")
    calm = terminal.wait_for("Nothing was checked", since=since)
    assert "was never closed" in calm
    assert "Traceback" not in calm
    since = len(terminal.text)
    begun = time.monotonic()
    save(work, "return gradients.mean(dim=(2, 3))")
    terminal.wait_for("✓ passed", since=since)
    assert time.monotonic() - begun < 5  # below 1 s on a machine that does nothing else: benchmarks/watching.py
    terminal.wait_for("The map: write grad_cam_map", since=since)
    asked = {"n": "The whole method: write", "l": "passed: Importance of a channel", "?": "Enter check it again"}
    for key, words in asked.items():
        terminal.wait_for(words, since=terminal.press(key))
    since = terminal.press("r")
    terminal.wait_for("Put grad_cam back", since=since)
    terminal.wait_for("Nothing was changed.", since=terminal.press("n"))
    started = terminal.descendants()
    assert started
    terminal.press("q")
    assert terminal.process.wait(ENDED) == 0
    assert terminal.after == terminal.before
    assert alive(started) == set()
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", terminal.raw)
    assert max(map(len, re.split(r"[\r\n]", terminal.text))) <= 40


def test_a_new_save_ends_the_check_that_runs(terminal, work):
    save(work, "return gradients.sum(dim=(2, 3))")
    terminal.wait_for("divide by Z")  # from here on the process is warm
    since = len(terminal.text)
    write(work, "while True:\n        pass")
    terminal.wait_for("Checking... 3 s", since=since)
    since = len(terminal.text)
    save(work, "return gradients.mean(dim=(2, 3))")
    terminal.wait_for("✓ passed", since=since)
    assert "did not finish" not in " ".join(terminal.text.split())


def test_ctrl_c_ends_it_in_the_middle_of_an_endless_loop_and_leaves_nothing(terminal, work):
    from .terminal import alive

    write(work, "while True:\n        pass")
    terminal.wait_for("Checking...")
    time.sleep(1)
    started = terminal.descendants()
    terminal.press("\x03")
    assert terminal.process.wait(ENDED) == 0
    assert terminal.after == terminal.before
    assert alive(started) == set()
    assert "Traceback" not in terminal.text


def test_without_a_terminal_it_says_how_to_end_it_and_ends_so(student, work):
    import signal
    import subprocess

    env = os.environ | {"PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(COMMAND, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=env, text=True)
    lines = [process.stdout.readline() for _ in range(3)]
    process.send_signal(signal.SIGTERM)
    rest, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "There is no keyboard here; Ctrl-C ends it." in " ".join("".join([*lines, rest]).split())
