"""Cancel: an event ends the runs that it cancels, a batch in each transaction, so that thousands of them hold up nobody else.

Which runs those are is found in the store by whoever looks first. A run that nobody drives has this service look back for it,
for an event that came between the run's own and the moment it could be found; the others do so themselves before they begin.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

from sqlalchemy import Connection

from upshot.core.events import Event
from upshot.core.waits import Fields
from upshot.engine import control
from upshot.engine.process import Process
from upshot.store import cancelling, waits
from upshot.store.cancelling import Cancelling
from upshot.store.events import read_events
from upshot.store.runs import Key
from upshot.store.waits import Wait

POLL_SECONDS = 1.0
BUSY_PAUSE_SECONDS = 0.05
EVENTS_MAX = 5
RUNS_MAX = 150
"""Runs that one transaction cancels."""
LOOKS_MAX = 100


class Cancel:
    """The service that cancels what events cancel."""

    name = "cancel"

    def __init__(self, process: Process) -> None:
        self._process = process
        self._claimed_up_to = ""
        self.on_cancelled: Callable[[str, str], None] = lambda _tenant_id, _run_id: None

    async def poll(self) -> float:
        """Cancel the next batch, and look back for runs that nobody drives."""
        process = self._process
        ahead = await process.reads.run(cancelling.ahead, LOOKS_MAX)
        is_more = False
        if ahead.unlooked:
            found = await process.reads.run(look_back_all, ahead.unlooked)
            cancelled = await process.commit.run_async(
                lambda c: cancel_found(c, ahead.unlooked, found, process.clock.now()), "cancel"
            )
            self._tell(cancelled)
            is_more = len(ahead.unlooked) == LOOKS_MAX
        if not ahead.is_spreading:
            return 0.0 if is_more else POLL_SECONDS
        number, cancelled, self._claimed_up_to = await process.commit.run_async(
            lambda c: spread(c, self._claimed_up_to, process.clock.now()), "cancel"
        )
        self._tell(cancelled)
        return 0.0 if number or self._claimed_up_to else BUSY_PAUSE_SECONDS  # another worker has it locked

    def _tell(self, cancelled: Sequence[Key]) -> None:
        for tenant_id, run_id in cancelled:
            self.on_cancelled(tenant_id, run_id)
            self._process.changes.tell(tenant_id, "run", id=run_id, status="cancelled")


def spread(connection: Connection, after: str, now: int) -> tuple[int, list[Key], str]:
    """Cancel the next runs of each of a few events, of several tenants; how many events, which runs, and the tenant after
    which the next batch begins."""
    share = cancelling.claim(connection, EVENTS_MAX, after)
    if not share.rows:
        return 0, [], share.last
    events = {event.id: event for event in read_events(connection, [(o.tenant_id, o.event_id) for o in share.rows])}
    room = RUNS_MAX // len(share.rows)
    cancelled: list[Key] = []
    done: list[Cancelling] = []
    for one in share.rows:
        event = events.get(one.event_id)
        chosen = cancelling.next_runs(connection, one, room) if event is not None else []
        if event is not None and chosen:
            cancelled += [(one.tenant_id, run_id) for run_id in control.cancel_by(connection, event, chosen, now)]
        if len(chosen) < room:
            done.append(one)
    cancelling.end(connection, done)
    return len(share.rows), cancelled, share.last


def look_back(
    connection: Connection, watched: Sequence[Wait], shapes: Mapping[str, Collection[Fields]], since: str
) -> Event | None:
    """The first event after the one with the id `since` that meets one of these watches of a run; `shapes` say how each is
    compared."""
    found = (waits.look_back(connection, wait, shapes[wait.step_id], since) for wait in watched)
    return min((event for event in found if event is not None), key=lambda event: event.id, default=None)


def look_back_all(connection: Connection, watched: Sequence[tuple[Wait, str]]) -> dict[Key, Event]:
    """The same for runs that nobody drives, each watch with the event that its run began with; by run, none for most."""
    known = {
        tenant_id: waits.expected(connection, tenant_id)
        for tenant_id in sorted({wait.tenant_id for wait, _ in watched})
    }
    found: dict[Key, Event] = {}
    for wait, since in watched:
        looked_for = known[wait.tenant_id].get(wait.event_name, ())
        shapes = {wait.step_id: [shape.fields for shape in looked_for if shape.kind == "cancel"]}
        key, event = (wait.tenant_id, wait.run_id), look_back(connection, [wait], shapes, since)
        if event is not None and (key not in found or event.id < found[key].id):
            found[key] = event
    return found


def cancel_found(
    connection: Connection, watched: Sequence[tuple[Wait, str]], found: Mapping[Key, Event], now: int
) -> list[Key]:
    """Cancel the runs that an event was found for; for the others nobody needs to look back again. Those cancelled."""
    cancelled: list[Key] = []
    for key, event in sorted(found.items()):
        cancelled += [(key[0], run_id) for run_id in control.cancel_by(connection, event, [key[1]], now)]
    cancelling.note_looked_back(connection, {(wait.tenant_id, wait.run_id) for wait, _ in watched} - set(cancelled))
    return cancelled
