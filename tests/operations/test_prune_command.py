"""`upshot prune` as a command: counted first, beside a running engine, killed half-way, and the file is smaller afterwards."""

import json
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.operations.conftest import Past
from upshot.adapters.clock import ids_from
from upshot.app.settings import Settings
from upshot.core.errors import Refused
from upshot.core.instants import from_text
from upshot.core.retention import Retention

EVENTS = 1_500


@pytest.fixture
def past(tmp_path: Path) -> Any:
    """A file with many runs that are over; by the machine's clock they are years old."""
    long_ago = from_text("2020-01-01T00:00:00Z")
    with ids_from(os.urandom), Past(f"sqlite:///{tmp_path}/past.db", now=long_ago) as made:
        made.automation({"id": "note", "action": "note", "with": {"text": "{{ text }}"}})
        for first in range(0, EVENTS, 500):
            batch = [
                {"id": f"{n}", "name": "test/happened", "data": {"text": "x" * 300}} for n in range(first, first + 500)
            ]
            made.upshot.emit_many(batch)
            made.settle()
        yield made


def prune(past: Past, *more: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "upshot.cli", "prune", "--database", past.url, *more]
    return subprocess.run(command, check=False, capture_output=True, text=True, env={**os.environ, **environment})


@pytest.mark.timeout(120)
def test_it_counts_then_removes_beside_a_running_engine_and_the_file_shrinks(past: Past) -> None:
    counted = json.loads(prune(past, "--dry-run", "--json").stdout)
    numbers = {"runs": EVENTS, "events": EVENTS, "event_keys": EVENTS, "audit": len(past.rows("audit"))}
    assert counted["tenants"] == [{"id": "default", "removed": numbers}]
    told = json.loads(prune(past, "--json").stdout)
    (default,) = told["tenants"]
    assert default["removed"] == {**numbers, "steps": EVENTS}
    assert told["bytes"]["after"] < told["bytes"]["before"] / 2
    past.emit("test/happened", {"text": "and on it goes"})
    assert past.numbers("events", "runs") == [1, 1]
    past.check()


@pytest.mark.timeout(120)
def test_killed_half_way_it_leaves_nothing_half_done_and_goes_on_the_next_time(past: Past) -> None:
    killed = prune(past, UPSHOT_CRASH_AT="change.before_commit:4")
    assert killed.returncode == -signal.SIGKILL
    left = past.numbers("runs")[0]
    assert 0 < left < EVENTS
    assert past.numbers("steps") == [left], "a run goes with its journal"
    past.check()
    ended = prune(past)
    assert ended.returncode == 0, ended.stderr
    assert f"{left:,} runs" in ended.stdout
    assert "MiB and has" in ended.stdout
    assert past.numbers("runs", "steps", "events") == [0, 0, 0]
    assert "Nothing went" in prune(past, "--older-than", "90d", "--tenant", "default").stdout


def test_it_says_what_was_asked_wrongly(past: Past) -> None:
    for asked, why in ((("--older-than", "soon"), "--older-than"), (("--tenant", "nobody"), "nobody")):
        ended = prune(past, *asked, "--json")
        assert ended.returncode == 1
        assert why in ended.stderr


def test_days_are_checked(past: Past) -> None:
    with pytest.raises(Refused) as refused:
        Settings(retention_event_keys_days=6, retention_runs_days=-1, prune_every_hours=1_000)
    assert {problem.path for problem in refused.value.problems} == {
        "retention_event_keys_days", "retention_runs_days", "prune_every_hours",
    }  # fmt: skip
    assert Settings(retention_runs_days=0).retention() == Retention(runs_days=0)
    for wrong in ({"runs_days": "many"}, {"outbox_days": 3}, {"event_keys_days": 1}, "long"):
        with pytest.raises(Refused, match="retention"):
            past.upshot.tenants.change("default", settings={"retention": wrong})
    past.upshot.tenants.change("default", settings={"retention": {"runs_days": 0}})
    past.upshot.retention.prune(older_than=timedelta(seconds=1))
    assert past.numbers("runs") == [EVENTS], "for ever"
