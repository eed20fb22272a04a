"""Every status with a real submission, and what comes back with it."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from autograder.isolated import Cell, Request, Runner, RunnerError, observe
from autograder.isolated import runner as runner_module
from cnnviz import small_nets

from .conftest import asking, planned

LINUX = pytest.mark.skipif(os.name == "nt", reason="signals and limits of a Unix")


def test_a_right_answer_arrives_with_what_was_printed(run):
    outcome = run("def f(x):\n    print('hello')\n    return x * 2")
    assert (outcome.status, outcome.error, outcome.output) == ("ran", None, "hello\n")
    (seen,) = outcome.observations
    assert (seen.kind, seen.types, seen.dtypes, seen.effects) == ("value", ("tensor",), ("float32",), ())
    np.testing.assert_array_equal(seen.arrays[0], 2 * np.arange(6.0).reshape(2, 3))
    np.testing.assert_array_equal(seen.again[0], seen.arrays[0])


def test_the_child_sees_what_the_same_process_sees(run):
    net = small_nets.BatchNormNet(generator=torch.Generator().manual_seed(0)).eval()
    calls = [planned(net, torch.rand(n, 3, 8, 8), flag=n) for n in (1, 3)]
    source = """
    def f(model, images, flag):
        model.features[0].train()
        return model(images), flag, [0.5][0], "text"
    """
    space: dict = {}
    exec(
        "def f(model, images, flag):\n    model.features[0].train()\n    return model(images), flag, [0.5][0], 'text'",
        space,
    )
    here, there = observe(space["f"], calls), run(source, calls=calls).observations
    for a, b in zip(here, there, strict=True):
        assert (a.kind, a.types, a.dtypes, a.devices, a.effects) == (b.kind, b.types, b.dtypes, b.devices, b.effects)
        for mine, theirs in zip((*a.arrays, *a.again), (*b.arrays, *b.again), strict=True):
            np.testing.assert_array_equal(mine, theirs)


def test_bfloat16_and_text_survive_the_journey(run):
    (seen,) = run("import torch\ndef f(x):\n    return x.to(torch.bfloat16), 'b', True").observations
    assert (seen.dtypes, seen.types) == (("bfloat16", "str", "bool"), ("tensor", "str", "bool"))
    assert seen.arrays[0].dtype == np.float32
    assert str(seen.arrays[1]) == "b"


def test_a_stub_is_not_attempted_and_none_is_unsupported(run):
    assert run("def f(x):\n    raise NotImplementedError").observations[0].kind == "not attempted"
    seen = run("def f(x):\n    pass").observations[0]
    assert (seen.kind, seen.type_name) == ("unsupported", "NoneType")


def test_an_exception_is_told_with_its_line(run):
    outcome = run("import torch\n\ndef f(x):\n    y = torch.zeros(2)\n    return x @ y\n")
    assert outcome.status == "ran"
    error = outcome.observations[0].error
    assert (error["type"], error["line"], error["source_line"]) == ("RuntimeError", 5, "return x @ y")


def test_an_error_in_a_given_helper_names_the_students_line(run):
    source = "import torch\n\ndef share(R, z):\n    return R @ z\n\ndef f(x):\n    return share(x, torch.zeros(7))\n"
    error = run(source).observations[0].error
    assert (error["type"], error["line"], error["source_line"]) == (
        "RuntimeError",
        7,
        "return share(x, torch.zeros(7))",
    )


def test_a_call_that_asks_for_input_names_its_line(run):
    error = run("def f(x):\n    k = int(input())\n    return x * k").observations[0].error
    assert (error["type"], error["line"], error["source_line"]) == ("EOFError", 2, "k = int(input())")


def test_one_call_that_raises_leaves_the_others(run):
    calls = [planned(torch.tensor(value)) for value in (1.0, 2.0, 3.0)]
    kinds = [o.kind for o in run("def f(x):\n    assert x != 2\n    return x", calls=calls).observations]
    assert kinds == ["value", "raised", "value"]


@pytest.mark.parametrize(
    ("source", "kind", "line"),
    [
        ("def f(x):\n    return (x\n", "SyntaxError", 2),
        ("x = 1\nraise ValueError('no')\n", "ValueError", 2),
        ("import nowhere", "ModuleNotFoundError", 1),
        ("import sys\nsys.exit(0)", "SystemExit", 2),
        ("f = 1\0", None, None),
    ],
    ids=["syntax", "raise", "import", "exit", "null byte"],
)
def test_a_submission_that_does_not_load_says_where(run, source, kind, line):
    outcome = run(source)
    assert (outcome.status, outcome.observations) == ("load error", ())
    if kind:
        assert (outcome.error["type"], outcome.error["line"]) == (kind, line)


def test_a_missing_function_has_a_status_of_its_own(run):
    assert run("g = 1").status == "no function"
    assert run("f = 1").status == "no function"


def test_a_variable_is_read_where_it_is_a_text(run):
    assert run("answer = 'b'", function=None, variable="answer", calls=[]).variable == "b"
    assert run("answer = 3", function=None, variable="answer", calls=[]).variable is None
    assert run("", function=None, variable="answer", calls=[]).variable is None


def test_a_statement_that_fails_takes_no_other_with_it(runner):
    cells = (
        Cell(
            "cell 1",
            "import nowhere\nimport torch\nN = 3\nM = compute()\nraise ValueError\ndef g(x): return N * x",
            False,
        ),
        Cell("cell 2", "this is not Python", False),
        Cell("cell 3", "def f(x): return g(x)"),
    )
    outcome = runner.run(Request(cells, "f", None, [planned(torch.ones(2))]))
    assert (outcome.status, outcome.output) == ("ran", "")
    assert outcome.observations[0].arrays[0].tolist() == [3, 3]


def test_a_submission_can_look_at_its_own_source_and_at_the_practice_check(run):
    source = """
    from autograder import check
    import inspect
    def f(x):
        return inspect.getsource(f)
    check("a.f", f)
    """
    assert str(run(source).observations[0].arrays[0]).startswith("def f(x):")


def test_warnings_prints_and_progress_bars_cost_nothing(run):
    source = """
    import warnings, sys, logging
    warnings.warn("at load")
    def f(x):
        warnings.warn("in the call")
        print("progress", file=sys.stderr)
        logging.error("log")
        return x
    """
    outcome = run(source)
    assert outcome.observations[0].kind == "value"
    assert all(text in outcome.output for text in ("at load", "in the call", "progress"))


@pytest.mark.parametrize(
    "loop",
    [
        "while True: pass",
        "import signal\n    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())\n    while True: pass",
        "import signal, time\n    for n in (14, 15): signal.signal(n, signal.SIG_IGN)\n    time.sleep(1000)",
        "import re\n    re.match('(a+)+$', 'a' * 60 + 'b')",
        "while True:\n        try:\n            while True: pass\n        except BaseException: pass",
        "print('x' * 10**6)\n    while True: print('x' * 10**6)",
    ],
    ids=["loop", "signals blocked", "sleep", "in C", "catches all", "endless print"],
)
@LINUX
def test_an_endless_call_ends_at_the_limit_and_earlier_calls_are_kept(run, loop):
    calls = [planned(torch.tensor(value)) for value in (1.0, 2.0, 3.0)]
    start = time.monotonic()
    outcome = run(f"def f(x):\n    if x < 3: return x\n    {loop}", calls=calls, seconds=1.0)
    assert outcome.status == "time"
    assert [float(o.arrays[0]) for o in outcome.observations] == [1.0, 2.0]
    assert time.monotonic() - start < 5


def test_an_endless_import_ends_at_the_limit(run):
    assert run("while True: pass", seconds=0.5).status == "time"


def test_200_megabytes_on_one_line_neither_block_nor_stay(run):
    source = "import os, sys\ndef f(x):\n    for _ in range(200): os.write(1, b'x' * 2**20)\n    return x"
    outcome = run(source, output_bytes=1000)
    assert (outcome.status, outcome.output) == ("ran", "x" * 1000)


def test_printed_bytes_that_are_no_text_are_shown_replaced(run):
    assert "\ufffd" in run("import os\ndef f(x):\n    os.write(1, b'\\xff\\xfe')\n    return x").output


@pytest.mark.skipif(not runner_module.sys.platform.startswith("linux"), reason="address space is limited on Linux")
@pytest.mark.parametrize(
    "bomb",
    ["b = [bytes(10**8) for _ in range(1000)]", "import torch\n    return torch.zeros(10**10)", "raise MemoryError"],
    ids=["bytes", "tensor", "raised"],
)
def test_a_memory_bomb_has_a_status_of_its_own(run, bomb):
    calls = [planned(torch.tensor(value)) for value in (1.0, 2.0)]
    outcome = run(f"def f(x):\n    if x < 2: return x\n    {bomb}", calls=calls, memory_mb=300)
    assert (outcome.status, outcome.error["type"], len(outcome.observations)) == ("memory", "MemoryError", 1)


def test_results_beyond_the_limit_are_status_output(run):
    outcome = run("import torch\ndef f(x):\n    return torch.zeros(10**6)", result_bytes=10**6)
    assert (outcome.status, outcome.observations) == ("output", ())
    assert "1000000 bytes" in outcome.error["message"]


def test_deep_recursion_is_an_error_and_bottomless_recursion_a_crash(run):
    assert run("def f(x):\n    return f(x)").observations[0].error["type"] == "RecursionError"
    source = "import sys\nsys.setrecursionlimit(10**9)\nclass A:\n    def __repr__(self): return repr([self])\n"
    outcome = run(source + "def f(x):\n    return repr(A())", memory_mb=1000)
    assert outcome.status in ("crashed", "memory")


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("os._exit(0)", "exit code 0"),
        ("os._exit(7)", "exit code 7"),
        ("os.kill(os.getpid(), 9)", "SIGKILL"),
        ("os.abort()", "SIGABRT"),
        ("ctypes.string_at(0)", "SIGSEGV"),
    ],
)
@pytest.mark.parametrize("place", ["in the function", "at import"])
@LINUX
def test_a_crash_says_how(run, code, told, place):
    source = "import os, ctypes\n"
    source += f"def f(x):\n    {code}" if place == "in the function" else code
    outcome = run(source)
    assert outcome.status == "crashed"
    assert told in outcome.error["message"]


def test_a_crash_at_the_second_call_keeps_the_first(run):
    calls = [planned(torch.tensor(value)) for value in (1.0, 2.0)]
    outcome = run("import os\ndef f(x):\n    if x > 1: os._exit(0)\n    return x", calls=calls)
    assert (outcome.status, len(outcome.observations)) == ("crashed", 1)


FORGED = """
import os
def f(x):
    for fd in range(3, 300):
        try:
            os.write(fd, FORGERY)
        except OSError:
            pass
    return x
"""


@pytest.mark.parametrize(
    "forgery",
    ['b\'{"status": "ran", "points": 100}\'', "bytes(1000)", "b'\\x93NUMPY\\x01\\x00' * 50", "os.urandom(5000)"],
)
@LINUX
def test_forged_bytes_on_every_descriptor_are_a_bad_answer(run, forgery):
    outcome = run(FORGED.replace("FORGERY", forgery))
    assert (outcome.status, outcome.observations) == ("bad answer", ())
    assert outcome.rung, "what came before the forgery was lost"


FINDS_THE_CHANNEL = """
import gc, time
def f(x):
    channel = next(o for o in gc.get_objects() if type(o).__name__ == "Channel")
    FORGERY
    return x
"""


def test_the_clock_cannot_be_wound_back_nor_the_rung_changed(run):
    """A second beginning, even with the call's own token, is a lie."""
    forgery = "channel.send({'frame': 'started', 'rung': 'gold'})"
    outcome = run(FINDS_THE_CHANNEL.replace("FORGERY", forgery))
    assert (outcome.status, outcome.error["message"]) == ("bad answer", "the result channel carried a second beginning")
    assert "gold" not in outcome.rung


def test_closing_every_descriptor_earns_nothing(run):
    outcome = run("import os\ndef f(x):\n    os.closerange(0, 300)\n    return x")
    assert (outcome.status, outcome.observations) == ("crashed", ())


def test_state_does_not_travel_to_the_next_submission(run):
    spoil = """
    import builtins, os, sys, torch, numpy, cnnviz
    from pathlib import Path
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(9)
    torch.set_grad_enabled(False)
    torch.equal = torch.Tensor.detach = numpy.array = lambda *a, **k: 1 / 0
    builtins.left = cnnviz.left = sys.left = 1
    os.environ["LEFT"] = "1"
    Path("left.txt").write_text("left")
    Path.home().joinpath("left.py").write_text("left")
    def f(x):
        return 1
    """
    run(spoil)
    look = """
    import builtins, os, sys, torch, numpy, cnnviz
    def f(x):
        return (torch.get_default_dtype() == torch.float32, torch.is_grad_enabled(), torch.equal(x, x.detach()),
                not any(hasattr(m, "left") for m in (builtins, cnnviz, sys)), "LEFT" not in os.environ,
                os.listdir(".") == [], os.listdir(os.path.expanduser("~")) == [], numpy.array(1) == 1)
    """
    assert [bool(a) for a in run(look).observations[0].arrays] == [True] * 8


def test_state_left_by_one_call_does_not_reach_the_next_call(run):
    source = "import torch\ndef f(x):\n    d = torch.ones(1)\n    torch.set_default_dtype(torch.float64)\n    return d"
    outcome = run(source, calls=[planned(torch.ones(1))] * 2)
    assert [o.dtypes for o in outcome.observations] == [("float32",)] * 2


@pytest.mark.skipif(not runner_module.sys.platform.startswith("linux"), reason="only Linux has the warm process")
def test_a_killed_warm_process_costs_one_call_at_most(runner):
    assert runner.run(asking("def f(x): return x")).status == "ran"
    os.kill(runner._server._process.pid, signal.SIGKILL)
    runner._server._process.wait()
    lost = runner.run(asking("def f(x): return x"))
    assert (lost.status, lost.error["type"]) == ("crashed", "RunnerLost")
    assert runner.run(asking("def f(x): return x")).status == "ran"


def test_nothing_is_left_on_disk(runner, run):
    deep = """
    import os
    def f(x):
        os.mkdir("closed"); open("closed/a", "w").close(); os.chmod("closed", 0)
        os.symlink("/etc", "link")
        for _ in range(300):
            os.mkdir("d" * 20); os.chdir("d" * 20)
        return 1
    """
    assert run(deep).status in ("ran", "output")
    assert [path.name for path in Path(runner._server._root).rglob("call-*")] == []


@LINUX
def test_a_full_disk_is_status_output(run):
    outcome = run("def f(x):\n    for n in range(10**9): open(str(n), 'w').close()")
    assert (outcome.status, outcome.observations) == ("output", ())
    assert "files" in outcome.error["message"]


@LINUX
def test_files_that_are_deleted_while_open_fill_the_disk_too(run):
    source = """
        import os, tempfile, time
        def f(x):
            for _ in range(6):
                file, name = tempfile.mkstemp(dir=".")
                os.unlink(name)
                os.ftruncate(file, 200 * 2**20)
            time.sleep(20)
    """
    assert run(source, seconds=20.0).status == "output"


def test_run_many_answers_in_order(runner):
    sources = [f"def f(x): return {n}" for n in range(3)]
    outcomes = runner.run_many(asking(source) for source in sources)
    assert [int(o.observations[0].arrays[0]) for o in outcomes] == [0, 1, 2]


def test_an_unknown_mode_is_one_sentence():
    with pytest.raises(ValueError, match="mode is 'thread'; allowed are 'fork' and 'spawn'; leave it out"):
        Runner("thread")


def test_a_request_that_cannot_be_opened_is_the_graders_fault(runner):
    calls = [planned(signal.Signals), planned(RunnerError)]
    with pytest.raises(RunnerError, match="before the submission was loaded"):
        runner.run(asking("def f(x): return x", calls=calls))
    assert runner.run(asking("def f(x): return x")).status == "ran"


def test_a_spawned_worker_answers_like_a_fork(runner):
    source = """
    import torch
    def f(x):
        print("here")
        if x > 2: raise ValueError("large")
        return torch.rand(2) * x, x
    """
    request = asking(source, calls=[planned(torch.tensor(v)) for v in (1.0, 3.0, 2.0)], seconds=20)
    with Runner("spawn") as spawning:
        spawned, stopped = spawning.run_many([request, asking("while True: pass", seconds=0.3)])
    forked = runner.run(request)
    assert stopped.status == "time"
    assert (spawned.status, spawned.output, spawned.rung) == (forked.status, forked.output, forked.rung)
    for a, b in zip(spawned.observations, forked.observations, strict=True):
        assert (a.kind, a.types, a.dtypes, a.effects, a.error) == (b.kind, b.types, b.dtypes, b.effects, b.error)
        for one, other in zip(a.arrays, b.arrays, strict=True):
            np.testing.assert_array_equal(one, other)
