"""Awaken: an event meets the waits for it, in the transaction that matches it, after it was accepted. Who sleeps is made ready
for any worker; whoever is driven is told by its worker, which looks for what has come. Runs that it cancels are cancelled after
that (see `cancel`).

Who waits for the end of a run that it called, and sleeps, is made ready in a transaction of its own after that end is kept.
"""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from upshot.core.events import Event
from upshot.engine.decide import Matched
from upshot.engine.process import Process
from upshot.engine.run import Run
from upshot.store import calls, cancelling, hints, runs, waits
from upshot.store.cancelling import Cancelling
from upshot.store.waits import Wait

POLL_SECONDS = 1.0
ROUSED_MAX = 500


def awaken(connection: Connection, matched: Sequence[Matched]) -> bool:
    """Meet the waits for these events, each by the first that comes, and begin to cancel the runs that they cancel; whether
    there were any."""
    asked = {(m.event.tenant_id, m.event.name, key) for m in matched for kind, key in m.keys if kind == "step"}
    cancelled = [
        Cancelling(m.event.tenant_id, m.event.id, key, m.event.name, int(m.event.test))
        for m in matched
        for kind, key in m.keys
        if kind == "cancel"
    ]
    has_met = bool(asked) and _meet(connection, matched, sorted(asked))
    is_cancelling = bool(cancelled) and cancelling.begin(connection, cancelled)
    return has_met or is_cancelling


def _meet(connection: Connection, matched: Sequence[Matched], asked: Sequence[tuple[str, str, str]]) -> bool:
    met = _first_of_each(matched, waits.find(connection, asked))
    if not met:
        return False
    locked = runs.lock(connection, sorted({(wait.tenant_id, wait.run_id) for wait, _ in met}))
    wanted = [
        (wait.tenant_id, wait.run_id, wait.step_id, event.id)
        for wait, event in met
        if (wait.tenant_id, wait.run_id) in locked
    ]
    first = waits.meet(connection, wanted)
    runs.rouse(connection, sorted(first))
    hints.send(connection, hints.RUNS)
    hints.send(connection, hints.WAITS)
    return bool(first)


def _first_of_each(matched: Sequence[Matched], found: Sequence[tuple[Wait, str]]) -> list[tuple[Wait, Event]]:
    """Each open wait with the first of these events that meets it."""
    by_key: dict[tuple[str, str, str], list[Event]] = {}
    for one in sorted(matched, key=lambda m: m.event.id):
        for kind, key in one.keys:
            if kind == "step":
                by_key.setdefault((one.event.tenant_id, one.event.name, key), []).append(one.event)
    met: list[tuple[Wait, Event]] = []
    for wait, since in found:
        events = by_key.get((wait.tenant_id, wait.event_name, wait.match_key), ())
        first = next((event for event in events if event.id > since and _may_meet(event, wait)), None)
        if first is not None:
            met.append((wait, first))
    return met


def _may_meet(event: Event, wait: Wait) -> bool:
    """Whether the event is no test that a real run waits beside, and met no earlier wait of that run."""
    return (not event.test or bool(wait.test)) and (wait.taken is None or f'"{event.id}"' not in wait.taken)


class Awaken:
    """The service that wakes runs whose called runs are over, and tells runs with several open places, which go on meanwhile,
    what has come for them."""

    name = "awaken"

    def __init__(self, process: Process, run: Run) -> None:
        self._process, self._run = process, run
        self.on_roused: Callable[[], None] = lambda: None

    async def poll(self) -> float:
        """Look for calls that are over, and for what has come if a run that is driven here waits for something."""
        keys = await self._process.reads.run(calls.asleep, ROUSED_MAX)
        if keys:
            await self._process.commit.run_async(lambda c: rouse(c, keys), "rouse")
            self.on_roused()
        waiting = [key for key, fork in self._run.forks.items() if fork.waits]
        if waiting:
            for wait in await self._process.reads.run(waits.met_of_runs, waiting):
                fork = self._run.forks.get((wait.tenant_id, wait.run_id))
                if fork is not None:
                    fork.meet(wait)
        return 0.0 if len(keys) == ROUSED_MAX else POLL_SECONDS


def rouse(connection: Connection, keys: Sequence[tuple[str, str]]) -> None:
    """Make those of these runs ready that still sleep."""
    runs.rouse(connection, list(runs.lock_parked(connection, keys)))
    hints.send(connection, hints.RUNS)
