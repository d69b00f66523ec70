"""An engine is killed while it runs programs of steps: another one runs those again to their end, keeps each step once with
what its program gives, and nothing of the sandbox is left behind.
"""

from pathlib import Path

from tests.crash.ledgers import Look
from tests.crash.load import TENANT, Work, automation, build
from tests.crash.processes import Processes, until
from upshot.core.invariants import violations

PROGRAMS, ROUNDS = 16, 200_000
STEPS = ("code", "end")
SOURCE = f"n = 0\nwhile n < {ROUNDS}: n += 1\nn + inputs['number']"


def test_programs_of_an_engine_that_is_killed_are_run_again(work: Work, look: Look, processes: Processes) -> None:
    upshot = build(work)
    code = {"id": "code", "action": "run_code", "with": {"source": SOURCE, "inputs": {"number": "{{ number }}"}}}
    twice = {"source": "inputs['of'] * 2", "inputs": {"of": "{{ steps.code.output }}"}}
    upshot.automations.create(TENANT, automation("code", code, {"id": "end", "action": "run_code", "with": twice}))
    upshot.close()
    first = processes.start(work.but(event="crash/code", events=PROGRAMS))
    first.wait_for("given")
    first.until(lambda: sandboxes_of(first.pid), "a program runs")
    left = sandboxes_of(first.pid)
    first.kill()
    killed = look.snapshot()
    assert violations(killed) == []
    second = processes.start(work)
    second.until(look.is_over, "all is over")
    second.stop()
    after = look.snapshot()
    assert violations(after) == []
    assert [run["status"] for run in after.runs] == ["completed"] * PROGRAMS
    outputs = {name: sorted(int(step["output"]) for step in after.steps if step["step_id"] == name) for name in STEPS}
    assert outputs == {
        "code": [ROUNDS + number for number in range(PROGRAMS)],
        "end": [2 * (ROUNDS + number) for number in range(PROGRAMS)],
    }
    kept = {(step["run_id"], step["step_id"]): step for step in killed.steps}
    assert [kept.get((step["run_id"], step["step_id"]), step) for step in after.steps] == after.steps
    until(lambda: not any(is_sandbox(pid) for pid in (*left, *sandboxes_of(second.pid))), "no sandbox is left")


def sandboxes_of(pid: int) -> list[int]:
    """The processes in which this engine runs programs."""
    return [int(one.name) for one in Path("/proc").iterdir() if one.name.isdecimal() and _parent(int(one.name)) == pid]


def is_sandbox(pid: int) -> bool:
    """Whether it is one, and alive."""
    return _parent(pid) is not None


def _parent(pid: int) -> int | None:
    """Who started this process, if it is alive and a sandbox."""
    try:
        name, _, rest = Path(f"/proc/{pid}/stat").read_text().partition(" (")[2].rpartition(") ")
    except OSError:
        return None
    state, parent = rest.split()[:2]
    return int(parent) if name == "monty" and state != "Z" else None
