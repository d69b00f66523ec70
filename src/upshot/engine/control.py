"""Control: what people do to runs. Each is one transaction that wins or loses against the worker that drives the run."""

from collections import Counter

from sqlalchemy import Connection

from upshot.core.errors import Conflict, NotFound
from upshot.core.events import Event
from upshot.store import counts, journal, runs, waits
from upshot.store.events import insert_events
from upshot.store.runs import NewRun


def cancel(connection: Connection, tenant_id: str, run_id: str, now: int) -> str:
    """Cancel a run that is not over: no further step starts, and the outcome of one in flight is dropped. A completion
    that was committed first wins. Returns the status it had.

    Raises:
        NotFound: there is no such run.
        Conflict: it is over already.
    """
    found = runs.unfinished(connection, tenant_id, run_id)
    if found is None:
        status = runs.status(connection, tenant_id, run_id)
        if status is None:
            raise NotFound("run", run_id)
        raise Conflict(f"Run {run_id!r} is {status} already; only a run that is not over can be cancelled.")
    before, is_test = found
    runs.finish(connection, [(tenant_id, run_id)], "cancelled", now)
    journal.clear_timers(connection, [(tenant_id, run_id)])
    waits.clear(connection, [(tenant_id, run_id)])
    changes = Counter({(tenant_id, "runs", "", before): -1})
    if not is_test:
        changes[tenant_id, "runs", "", "cancelled"] += 1
    counts.add(connection, changes, now)
    return before


def start_by_hand(connection: Connection, event: Event, run: NewRun, now: int) -> None:
    """Keep an event that nobody else is started by, and one run of it that any worker may claim."""
    insert_events(connection, [event], now, None)
    runs.create(connection, [run], now)
    counts.add(connection, Counter({(run.tenant_id, "runs", "", "pending"): 1}), now)
