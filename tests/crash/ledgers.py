"""What is outside of the engine and what is inside of it, compared."""

import json
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row
from sqlalchemy import make_url

from tests.crash.load import EVENTS, TENANT
from upshot.core.automations.document import CALLED, SCHEDULED
from upshot.core.invariants import Snapshot, violations
from upshot.core.segments import JOINED

TABLES = ("events", "unmatched", "runs", "active", "steps", "timers", "waits")
STEPS = {
    "three": ("one", "two", "three"),
    "sleep": ("one", "two"),
    "flaky": ("one", "two"),
    "chain": ("one",),
    "held": ("one", "two"),
    "blocked": ("one", "two"),
    "deadly": ("one", "two"),
    "nap": ("one",),
    "called": ("one",),
    "once": ("one", "two"),
    "joined": ("one",),
    "each": ("one",),
    "none": (),
    "soon": (),
    "past": (),
    "goal": ("one",),
    "exit": ("one",),
}
"""The steps of each automation that call the provider."""
AT_MOST_ONCE = frozenset({("once", "one")})
ENDED = frozenset({"completed", "partial"})
CHANGED = frozenset({"member.created"})
"""What changes of entities tell."""
CANCELS = frozenset({"cancelled_by_event", "exit_met"})
"""Why runs are cancelled where nobody does it."""
OVER = """SELECT (SELECT count(*) FROM upshot_active) + (SELECT count(*) FROM upshot_unmatched)
    + (SELECT count(*) FROM upshot_flow_keys WHERE due_at IS NOT NULL)
    + (SELECT count(*) FROM upshot_replays WHERE status = 'running')
    + (SELECT count(*) FROM upshot_outbox WHERE status = 'pending' AND (format = 1 OR error IS NULL))"""
"""What is left to do. The outbox row that nobody can read is done with when its first failure is kept."""


class Look:
    """The test's own view of a database."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._open: Any = None

    def rows(self, query: str) -> list[dict[str, Any]]:
        """What a query gives, or a statement that returns rows; committed at once."""
        return [dict(row) for row in self._connection.execute(query).fetchall()]

    def run(self, statement: str) -> int:
        """Execute a statement; the number of rows it changed."""
        return self._connection.execute(statement).rowcount

    def number(self, query: str) -> int:
        """The one number a query gives."""
        (row,) = self.rows(query)
        return next(iter(row.values()))

    def is_over(self) -> bool:
        """Whether nothing is left to do, except for what cannot be done."""
        return self.number(OVER) == 0

    def snapshot(self) -> Snapshot:
        """All rows the invariants speak of, of one instant."""
        self.run("BEGIN" if self._is_sqlite else "BEGIN ISOLATION LEVEL REPEATABLE READ")
        rows = {table: self.rows(f"SELECT * FROM upshot_{table}") for table in TABLES}
        self.run("COMMIT")
        return Snapshot(**rows)

    def kept(self) -> set[str]:
        """The keys of all steps that are kept."""
        return {f"{row['run_id']}:{row['step_id']}" for row in self.rows("SELECT run_id, step_id FROM upshot_steps")}

    def close(self) -> None:
        """Close the connection; the next use opens another."""
        if self._open is not None:
            self._open.close()
            self._open = None

    @property
    def _is_sqlite(self) -> bool:
        return self._url.startswith("sqlite")

    @property
    def _connection(self) -> Any:
        if self._open is None and self._is_sqlite:
            self._open = sqlite3.connect(
                make_url(self._url).database or "", isolation_level=None, timeout=30, check_same_thread=False
            )
            self._open.row_factory = sqlite3.Row
        elif self._open is None or getattr(self._open, "broken", False):
            self._open = psycopg.Connection[dict[str, Any]].connect(self._url, autocommit=True, row_factory=dict_row)
        return self._open


class Provider:
    """What the outside world saw: a line for each call, with its idempotency key and the worker that made it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "provider"

    def calls(self, since: int = 0) -> list[str]:
        """The keys, in the order of the calls, from the `since`-th on."""
        if not self._path.exists():
            return []
        return [line.partition(" ")[0] for line in self._path.read_text().splitlines()[since:]]

    def callers(self) -> dict[str, list[str]]:
        """Who called, by key."""
        found: dict[str, list[str]] = {}
        for line in self._path.read_text().splitlines() if self._path.exists() else []:
            key, _, name = line.partition(" ")
            found.setdefault(key, []).append(name)
        return found


def accepted(folder: Path) -> set[str]:
    """The ids of all events that were acknowledged."""
    path = folder / "accepted"
    return set(path.read_text().split()) if path.exists() else set()


class Kept:
    """What was kept and called at one instant: what was kept then is never called again."""

    def __init__(self, look: Look, folder: Path) -> None:
        self._steps = look.kept()
        self._provider = Provider(folder)
        self._calls = len(self._provider.calls())

    def raise_if_called_again(self) -> None:
        """Fail when a step that was kept then was performed afterwards."""
        again = self._steps & set(self._provider.calls(self._calls))
        assert not again, f"kept, and performed again: {sorted(again)}"


def check_now(look: Look, folder: Path) -> Snapshot:
    """What must hold at every instant, whatever was killed: the invariants, and every acknowledged event."""
    acknowledged = accepted(folder)  # read first: engines may be running
    waiting = {row["id"] for row in look.rows("SELECT id FROM upshot_outbox WHERE status = 'pending'")}
    snapshot = look.snapshot()
    assert violations(snapshot) == []
    lost = acknowledged - waiting - {row["source_id"] for row in snapshot.events}
    assert not lost, f"acknowledged, and not there: {sorted(lost)}"
    return snapshot


def check_end(look: Look, folder: Path) -> Snapshot:
    """What must hold when all is over: each event started its automation once, each run is completed, and the provider was
    called for each of its steps, with the step's own key and no other. Runs that an event or their exit ends are cancelled."""
    assert look.is_over()
    snapshot = check_now(look, folder)
    assert snapshot.timers == []
    names = {row["id"]: row["name"] for row in look.rows("SELECT id, name FROM upshot_automations")}
    runs = Counter((row["event_id"], names[row["automation_id"]]) for row in snapshot.runs)
    given_up = {row["noun_id"] for row in look.rows("SELECT noun_id FROM upshot_dead_letters WHERE kind = 'event'")}
    events = [event for event in snapshot.events if event["id"] not in given_up]
    started = {before + id_: name for id_, name in names.items() for before in (SCHEDULED, CALLED)}
    started |= {f"crash/{name}": name for name in names.values()} | {JOINED: "joined"}
    assert {e["name"] for e in events} - started.keys() <= {"crash/none", *CHANGED}
    assert runs == Counter((e["id"], started[e["name"]]) for e in events if e["name"] in started)
    assert not [e for e in snapshot.events if str(e["source_id"]).startswith(("rolled-back", "bad"))]
    early = {run["id"]: json.loads(run["reason"])["code"] for run in snapshot.runs if run["reason"] is not None}
    assert {early.get(run["id"]) for run in snapshot.runs if run["status"] == "cancelled"} <= CANCELS
    others = [run for run in snapshot.runs if run["error"] is None and early.get(run["id"]) not in CANCELS]
    unknown = unknown_of(snapshot)
    unsure = {key.partition(":")[0] for key in unknown}
    assert all(run["status"] == ("partial" if run["id"] in unsure else "completed") for run in others)
    ended = {run["id"]: names[run["automation_id"]] for run in snapshot.runs if run["status"] in ENDED}
    wanted = {f"{run_id}:{step_id}" for run_id, name in ended.items() for step_id in STEPS[name]}
    calls = Counter(key for key in Provider(folder).calls() if key.partition(":")[0] in ended)
    assert calls.keys() - unknown == wanted - unknown
    once = {f"{run_id}:{step_id}" for run_id, name in ended.items() for of, step_id in AT_MOST_ONCE if name == of}
    assert unknown <= once
    again = [key for key in once if calls[key] > 1]
    assert not again, f"at most once, and performed again: {again}"
    return snapshot


def unknown_of(snapshot: Snapshot) -> set[str]:
    """The keys of the steps of which nobody knows whether they were performed."""
    return {f"{step['run_id']}:{step['step_id']}" for step in snapshot.steps if step["status"] == "unknown"}


def expected_runs(events: int) -> int:
    """How many runs the first `events` events of a load lead to: a chain's emits one more event."""
    return events + sum(1 for number in range(events) if EVENTS[number % len(EVENTS)] == "crash/chain")


__all__ = ["TENANT", "Kept", "Look", "Provider", "accepted", "check_end", "check_now", "expected_runs", "unknown_of"]
