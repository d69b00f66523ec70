"""The sandbox: what programs give, what they cannot reach, and that nothing they do harms this process or another program."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.crash.processes import until
from upshot.adapters.programs import ProgramFailed
from upshot.adapters.sandbox import Ran, Sandbox
from upshot.core.errors import ActionError, MissingPart

FOREVER = "while True:\n    pass"
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("ab\"'\\\n{}é😀", max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    made = Sandbox()
    yield made
    made.close()


def failure(sandbox: Sandbox, source: str, inputs: dict[str, Any] | None = None, seconds: float = 5) -> str:
    with pytest.raises(ProgramFailed) as caught:
        sandbox.run(source, inputs or {}, seconds)
    return str(caught.value)


@pytest.mark.parametrize(
    ("source", "gives"),
    [
        ("inputs['a'] * 2", 42),
        ("x = inputs['a']\n\n[\n  x,\n  (x, None),  # a tuple is a list\n]\n# the end", [21, [21, None]]),
        ("if inputs:\n    result = {'n': 1.5}\nprint('done')", {"n": 1.5}),
        ("def f(n):\n    return 1 if n < 2 else n * f(n - 1)\nf(10)", 3628800),
        ('text = """\nx\n"""\ntext', "\nx\n"),
        ("x = 1\r\nx + 1\r\n", 2),
        ("f'{inputs[\"a\"]}{{a}} {{ order.id }}'", "21{a} { order.id }"),
        ("import json, math, re\nre.sub('a', 'b', json.dumps([math.floor(1.5)]))", "[1]"),
        ("x = 1", None),
        ("for x in [1]:\n    x", None),
        ("# nothing", None),
    ],
)
def test_the_last_line_or_result_is_what_a_program_gives(sandbox: Sandbox, source: str, gives: Any) -> None:
    assert sandbox.check(source) is None
    assert sandbox.run(source, {"a": 21}, 5).result == gives


@given(JSON)
def test_what_goes_in_comes_out(sandbox: Sandbox, value: Any) -> None:
    result = sandbox.run("inputs['value']", {"value": value}, 5).result
    assert result == value
    assert repr(result) == repr(value)


WORDS = 'x = 1 ( ) [ ] { } : ; @ # % * , \' " f\'{ """ \\ if else lambda eval raise return yield await del try except None é'
LAYOUT = [" ", "    ", "\n", "\r", "\t", "\x0c", "\u2028", "\0"]
FRAGMENTS = st.sampled_from(
    [*WORDS.split(), *LAYOUT, "def f", "class A", "import os", "result", "inputs", "0x", "1e999"]
)


@given(st.lists(FRAGMENTS, max_size=25).map("".join) | st.text(max_size=60))
@example("\\")
@example("x = 1\n\\")
@settings(max_examples=100)
def test_nonsense_is_refused_or_fails_with_a_sentence_and_never_more(sandbox: Sandbox, source: str) -> None:
    wrong = sandbox.check(source)
    try:
        sandbox.run(source, {}, 5)
    except ProgramFailed as error:
        assert str(error)
    else:
        assert wrong is None


@pytest.mark.parametrize(
    "probe",
    [
        "().__class__",
        "''.__class__.__mro__",
        "getattr(1, '__cla' + 'ss__')",
        "'{0.__class__}'.format(1)",
        "inputs.constructor",
        "inputs.prototype",
        "(lambda: 0).__globals__",
        "(lambda: 0).__code__",
        "print.__self__",
        "__builtins__",
        "__import__('os')",
        "globals()",
        "vars()",
        "given",
        "names",
        "compile('1', 'a', 'eval')",
        "eval('().__class__')",
        "exec('import socket')",
        "open('/etc/passwd').read()",
        "import os\nos.listdir('/')",
        "import os\nos.environ['PATH']",
        "import os\nos.system('true')",
        "import os\nos.urandom(1)",
        "import pathlib\npathlib.Path('/etc/passwd').read_text()",
        "import pathlib\npathlib.Path('/tmp/x').write_text('x')",
        "import sys\nsys.modules",
        "import sys\nsys._getframe()",
        *[
            f"import {name}"
            for name in ("socket", "subprocess", "ctypes", "importlib", "gc", "builtins", "uuid", "threading")
        ],
        "type('X', (), {})().__class__",
        "try:\n    1 / 0\nexcept Exception as e:\n    e.__traceback__.tb_frame",
    ],
)
def test_nothing_of_the_host_is_reached(sandbox: Sandbox, probe: str) -> None:
    assert failure(sandbox, probe)


def test_the_same_inputs_give_the_same_output_in_any_process() -> None:
    source = (
        "import datetime, random, time\n"
        "[random.random(), random.Random().random(), time.time(), time.perf_counter(), str(datetime.datetime.now()),\n"
        " list(set('hello world'.split())), hash('a'), id([]), time.process_time()]"
    )
    told = [Sandbox(), Sandbox()]
    first, second = (each.run(source, {}, 5).result for each in told)
    assert first == second == told[0].run(source, {}, 5).result
    for each in told:
        each.close()


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("x = 1\n\n1 / 0", "Line 3: ZeroDivisionError: division by zero"),
        ("def f():\n    inputs['b']\nf()", "Line 2: KeyError: b"),
        ("x = 1\n[\n1 / 0]", "Line 3: ZeroDivisionError: division by zero"),
        ("raise ValueError('no')", "Line 1: ValueError: no"),
        ("def f(n):\n    return f(n + 1)\nf(0)", "RecursionError: maximum recursion depth exceeded"),
        ("x = [1]\nwhile True:\n    x += x", "The program took more than 32 MB of memory."),
        ("'a' * 10**12", "The program took more than 32 MB of memory."),
        ("2 ** 10**10", "The program took more than 32 MB of memory."),
        ("x = []\nfor _ in range(60):\n    x = [x, x]\nx", "The program took more than 32 MB of memory."),
        ("for _ in range(100):\n    print('x' * 1000)", "The program printed more than 65,536 bytes."),
        ("'a' * 300_000", "The result is larger than the 262,144 bytes that are kept."),
        ("{1, 2}", "The result is not JSON: Object of type set is not JSON serializable"),
        ("float('nan')", "The result is not JSON: Out of range float values are not JSON compliant: nan"),
        ("lambda: 1", "The result is not JSON: Object of type function is not JSON serializable"),
        ("x = []\nx.append(x)\nx", "The result is not JSON: Circular reference detected"),
        ("10 ** 30", "The result is not JSON that can be kept: the whole number is beyond 64 bits"),
        ("chr(0)", "The result is not JSON that can be kept: the text holds a NUL character"),
        ("import json\njson.dumps = 1\ndict = str = len = None\n{1}", ""),
    ],
)
def test_a_program_that_fails_says_where_and_why(sandbox: Sandbox, source: str, said: str) -> None:
    assert said in failure(sandbox, source)
    assert sandbox.run("1 + 1", {}, 5).result == 2


@pytest.mark.parametrize(
    "source", [FOREVER, "sum(range(10 ** 12))", "try:\n    while True: pass\nexcept BaseException: 1"]
)
def test_a_program_without_end_is_stopped(sandbox: Sandbox, source: str) -> None:
    assert failure(sandbox, source, seconds=0.2) == "The program was stopped after 0.2 s."


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("x = 1\ny = ", "Line 2: Expected an expression"),
        ("def f(:\n    pass", "Line 1: Expected a parameter"),
        ("(" * 20_000, "Line 1: Source is too deeply nested"),
        ("def f():\n    yield 1", "Line 2: NotImplementedError: The monty syntax parser does not yet support yield"),
        ("\0", "null bytes"),
    ],
)
def test_what_cannot_be_read_is_said_before_it_runs(sandbox: Sandbox, source: str, said: str) -> None:
    wrong = sandbox.check(source)
    assert wrong is not None
    assert said in wrong


def test_what_is_printed_is_told_with_the_result_or_the_error(sandbox: Sandbox) -> None:
    assert sandbox.run("print('a', 1)\n2", {}, 5) == Ran(2, "a 1\n")
    with pytest.raises(ProgramFailed) as caught:
        sandbox.run("print('a')\n1 / 0", {}, 5)
    assert caught.value.printed == "a\n"


def workers_of(pid: int) -> list[int]:
    """The workers of this process that are alive."""
    found: list[int] = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and (seen := stat(int(folder.name))) is not None and seen == ("monty", pid):
            found.append(int(folder.name))
    return found


def stat(pid: int) -> tuple[str, int] | None:
    """The name and the parent of a process that is alive."""
    try:
        name, _, rest = Path(f"/proc/{pid}/stat").read_text().partition(" (")[2].rpartition(") ")
    except OSError:
        return None
    state, parent = rest.split()[:2]
    return None if state == "Z" else (name, int(parent))


def test_a_tenant_that_fills_it_holds_up_no_other_and_a_worker_that_dies_fails_its_own_program_only() -> None:
    sandbox = Sandbox()
    before = set(workers_of(os.getpid()))

    async def scenario() -> None:
        greedy = [asyncio.create_task(sandbox.run_step("a", FOREVER, {}, 10)) for _ in range(3 * sandbox.at_once)]
        await asyncio.sleep(0)
        assert (await sandbox.run_step("b", "1 + 1", {}, 5)).result == 2
        assert not all(task.done() for task in greedy)
        greedy[-1].cancel()
        while not all(task.done() for task in greedy):
            for worker in set(workers_of(os.getpid())) - before:
                os.kill(worker, signal.SIGKILL)
            await asyncio.wait(greedy, timeout=0.01)
        ended = await asyncio.gather(*greedy, return_exceptions=True)
        assert {type(error) for error in ended[:-1]} == {ActionError}
        assert isinstance(ended[-1], asyncio.CancelledError)
        assert (await sandbox.run_step("a", "3", {}, 5)).result == 3

    asyncio.run(scenario())
    sandbox.close()
    until(lambda: not set(workers_of(os.getpid())) - before, "its workers end when it is closed")


ENGINE = """
import sys
from upshot import Upshot
upshot = Upshot(sys.argv[1])
upshot.migrate()
upshot.start()
steps = [{"id": "code", "action": "run_code", "with": {"source": "while True: pass", "timeout_seconds": 2}}]
upshot.automations.create("default", {"name": "x", "trigger": {"event": "a/b"}, "steps": steps, "status": "active"})
upshot.emit("a/b", {})
print("begun", flush=True)
sys.stdin.read()
"""


def test_no_worker_outlives_an_engine_that_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ENGINE, f"sqlite:///{tmp_path}/upshot.db"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as engine:
        assert engine.stdout is not None
        assert engine.stdout.readline() == b"begun\n"
        until(lambda: workers_of(engine.pid), "a program runs")
        workers = workers_of(engine.pid)
        engine.kill()
    until(lambda: not [worker for worker in workers if stat(worker) is not None], "the workers are gone")


def test_a_fork_of_a_process_that_used_it_says_so_instead_of_hanging(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.run("1", {}, 5)
    pid = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: pid + 1)
    forked = Sandbox()
    forked.begin_anew()
    with pytest.raises(MissingPart, match="forked"):
        forked.run("1", {}, 5)


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydantic_monty", None)
    bare = Sandbox()
    assert not bare.is_installed
    with pytest.raises(MissingPart, match=r"pip install 'upshot\[code\]'"):
        bare.check("1")
