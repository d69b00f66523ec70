"""kill -9 in the middle of 2,000 runs: after a restart all are completed and every kept step is kept once."""

import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from upshot.core.invariants import Snapshot, violations

PROGRAM = Path(__file__).with_name("engine_process.py")
EVENTS = 2_000
STEPS = 3


def start(folder: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, str(PROGRAM), str(folder / "crash.db"), str(folder / "ledger"), str(EVENTS)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def snapshot(path: Path) -> Snapshot:
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    tables = ("events", "unmatched", "runs", "active", "steps", "timers")
    rows = {table: [dict(row) for row in connection.execute(f"SELECT * FROM upshot_{table}")] for table in tables}
    connection.close()
    return Snapshot(**rows)


def kill_when_ledger_has(process: "subprocess.Popen[str]", ledger: Path, lines: int) -> None:
    """SIGKILL once the outside ledger shows that so many steps were performed: the middle of the work, not of a clock."""
    while not ledger.exists() or ledger.read_bytes().count(b"\n") < lines:
        assert process.poll() is None, "the engine ended before it could be killed"
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.mark.timeout(180)
@pytest.mark.parametrize("kill_after", [1, 1_500, 4_500])
def test_a_kill_in_the_middle_loses_nothing_and_repeats_no_kept_step(tmp_path: Path, kill_after: int) -> None:
    first = start(tmp_path)
    kill_when_ledger_has(first, tmp_path / "ledger", kill_after)
    killed = snapshot(tmp_path / "crash.db")
    assert violations(killed) == []
    assert len(killed.steps) < EVENTS * STEPS
    kept_before = {(step["run_id"], step["step_id"]): step["finished_at"] for step in killed.steps}

    second = start(tmp_path)
    output, _ = second.communicate()
    assert second.returncode == 0, output
    after = snapshot(tmp_path / "crash.db")

    assert violations(after) == []
    assert Counter(run["status"] for run in after.runs) == {"completed": EVENTS}
    assert len(after.events) == EVENTS
    assert len(after.steps) == EVENTS * STEPS
    assert after.active == [] == after.unmatched
    for step in after.steps:
        kept_at = kept_before.get((step["run_id"], step["step_id"]))
        assert kept_at is None or kept_at == step["finished_at"], "a kept step was kept again"
    performed = Counter((tmp_path / "ledger").read_text().splitlines())
    assert set(performed) == {f"{step['run_id']}:{step['step_id']}" for step in after.steps}
    repeated = {key for key, times in performed.items() if times > 1}
    assert not repeated & {f"{run_id}:{step_id}" for run_id, step_id in kept_before}, "a kept step was performed again"
