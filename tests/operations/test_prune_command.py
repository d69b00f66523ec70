"""`upshot prune` as a command: counted first, beside a running engine, killed half-way, and the file is smaller afterwards."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from tests.operations.conftest import Past
from upshot.adapters.clock import ids_from
from upshot.app.settings import Settings
from upshot.core.errors import Refused
from upshot.core.instants import from_text
from upshot.core.retention import Retention

EVENTS = 1_500


@contextmanager
def many_years_old(url: str) -> Iterator[Past]:
    """A store with many runs that are over; by the machine's clock they are years old."""
    long_ago = from_text("2020-01-01T00:00:00Z")
    with ids_from(os.urandom), Past(url, now=long_ago) as made:
        made.automation({"id": "note", "action": "note", "with": {"text": "{{ text }}"}})
        for first in range(0, EVENTS, 500):
            batch = [
                {"id": f"{n}", "name": "test/happened", "data": {"text": "x" * 300}} for n in range(first, first + 500)
            ]
            made.upshot.emit_many(batch)
            made.settle()
        yield made


@pytest.fixture
def past(tmp_path: Path) -> Iterator[Past]:
    """One in a file."""
    with many_years_old(f"sqlite:///{tmp_path}/past.db") as made:
        yield made


@pytest.fixture
def either(url: str) -> Iterator[Past]:
    """One of each kind."""
    with many_years_old(url) as made:
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
def test_killed_half_way_it_leaves_nothing_half_done_and_goes_on_the_next_time(either: Past) -> None:
    """Neither what it did nor what was left of it touches a run that is not over."""
    nap = {"id": "nap", "delay": "3650d"}
    either.automation(nap, {"id": "last", "action": "note", "with": {}}, trigger={"event": "test/asked"})
    either.emit("test/asked", id="asked")
    killed = prune(either, UPSHOT_CRASH_AT="change.before_commit:4")
    assert killed.returncode == -signal.SIGKILL
    left = either.numbers("runs")[0] - 1
    assert 0 < left < EVENTS
    assert either.numbers("steps", "timers") == [left, 1], "a run goes with its journal"
    either.check()
    ended = prune(either)
    assert ended.returncode == 0, ended.stderr
    assert f"{left:,} runs" in ended.stdout
    assert ("MiB and has" in ended.stdout) is either.upshot.database.is_sqlite
    assert either.numbers("runs", "steps", "events", "timers") == [1, 0, 1, 1]
    assert "Nothing went" in prune(either, "--older-than", "90d", "--tenant", "default").stdout
    either.advance(timedelta(days=3650))
    (run,) = either.runs()
    assert (run["status"], run["event"]["id"]) == ("completed", "asked")
    either.check()


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
