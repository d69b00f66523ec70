"""Schedule: an occurrence that is due becomes an event, which its automation alone listens to, and the schedule moves on, in
one transaction. From there on it is an event like any other: matched once, explained, and never lost.
"""

import logging
from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import Connection

from upshot.adapters.clock import new_id
from upshot.core.automations.document import SCHEDULED
from upshot.core.errors import Busy
from upshot.core.events import Event
from upshot.core.instants import MINUTE, SECOND, to_text
from upshot.core.local_time import to_local, zone_or_utc
from upshot.core.schedules import Firing, Schedule, decide, schedule_of
from upshot.core.schedules.firing import LOOK_AGAIN
from upshot.core.strict_json import encode
from upshot.engine import control
from upshot.engine.process import Process
from upshot.engine.run import Run
from upshot.engine.sweep import HELD, PATIENCE, REST, Sweep, go_on, page_size
from upshot.store import events as event_store
from upshot.store import schedules as store
from upshot.store.events import insert_events

log = logging.getLogger("upshot.engine")

POLL_SECONDS = 1.0
BUSY_PAUSE_SECONDS = 0.05
FIRE_MAX = 100
"""Schedules started in one transaction."""
POSTPONED = MINUTE
"""When a schedule that cannot be started now is looked at again (microseconds)."""


class Fired(msgspec.Struct, frozen=True):
    """What one transaction started: the events, the runs that it cancelled, and the pages that are this worker's to do."""

    events: list[Event]
    cancelled: list[tuple[str, str]]
    sweeps: list[Sweep]
    number: int
    """How many schedules were due."""


class ScheduleService:
    """The service that starts what is due by the calendar, never early and each occurrence once."""

    name = "schedule"

    def __init__(self, process: Process, run: Run) -> None:
        self._process, self._run = process, run
        self._waiting: list[Sweep] = []
        self.on_events: Callable[[Sequence[Event]], None] = lambda _: None
        self.on_cancelled: Callable[[str, str], None] = lambda _tenant, _run: None

    async def poll(self) -> float:
        """Start what is due."""
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            await self._sweep(one)
        delay = await self._fire()
        return min(delay, REST / SECOND) if self._waiting else delay

    async def _fire(self) -> float:
        process = self._process
        due_at = await process.reads.run(store.next_due)
        now = process.clock.now()
        if due_at is None or due_at > now:
            return POLL_SECONDS if due_at is None else min(POLL_SECONDS, (due_at - now) / SECOND)
        fired = await process.commit.run_async(lambda c: fire(c, process.clock.now(), process.worker_id), "schedule")
        for tenant_id, run_id in fired.cancelled:
            self.on_cancelled(tenant_id, run_id)
        self.on_events(fired.events)
        for one in fired.sweeps:
            await self._sweep(one)
        return 0.0 if fired.number else BUSY_PAUSE_SECONDS

    async def _sweep(self, one: Sweep) -> None:
        """Do a page, or let it wait while the tenant has enough under way here. When it fails it is done again later, and holds
        up no other."""
        waited = self._process.clock.now() - one.taken_at
        if waited < PATIENCE and self._run.driven(one.due.tenant_id) >= page_size(self._process):
            self._waiting.append(one)
        elif waited < HELD:
            try:
                following = await go_on(self._process, one, self.on_events)
                self._waiting += [following] if following is not None else []
            except Busy:
                raise
            except Exception:
                log.exception(
                    "automation %s could not go through its entities; it is tried again", one.due.automation_id
                )


def fire(connection: Connection, now: int, worker_id: str) -> Fired:
    """Start the schedules that are due, and keep when each is due next."""
    found = [(due, _read(due)) for due in store.due(connection, now, FIRE_MAX)]
    causes = [
        (due.tenant_id, due.last_event_id, due.automation_id)
        for due, schedule in found
        if schedule is not None and schedule.overlap != "allow" and due.last_event_id is not None
    ]
    unfinished = store.unfinished(connection, causes)
    events: list[Event] = []
    kept: list[store.Kept] = []
    cancelled: list[tuple[str, str]] = []
    swept: list[Sweep] = []
    for due, schedule in found:
        if schedule is not None and due.sweep_at is not None and due.tenant_status == "active":
            swept.append(Sweep(due, schedule, _zone(due, schedule), now))
            kept.append(_kept(due, due.occurrence_at, now + HELD))
            continue
        cause = (due.tenant_id, due.last_event_id or "")
        firing = _decide(due, schedule, now, is_running=cause in unfinished)
        if (
            firing.cancels and unfinished[cause] is None
        ):  # not even matched: there is something to cancel a moment later
            firing = Firing((), due.occurrence_at, now + LOOK_AGAIN)
        elif firing.cancels:
            cancelled += _cancel(connection, due.tenant_id, unfinished[cause], now)
        if schedule is not None and schedule.each is not None and firing.starts:
            kept.append(_swept(due, firing, now))
            continue
        made = [_event(due, schedule, at, now) for at in firing.starts] if schedule is not None else []
        events += made
        kept.append(_moved(due, firing, made))
    keys = sorted((event.tenant_id, event.source_id or "", event.id, now) for event in events)
    new = event_store.keep_keys(connection, keys) if keys else set[str]()
    fresh = [event for event in events if event.id in new]
    if fresh:
        insert_events(connection, fresh, now, worker_id)
    if kept:
        store.put(connection, kept)
    return Fired(fresh, cancelled, swept, len(found))


def _read(due: store.Due) -> Schedule | None:
    try:
        return schedule_of(due.document)
    except Exception:
        log.exception("the schedule of automation %s could not be read", due.automation_id)
        return None


def _decide(due: store.Due, schedule: Schedule | None, now: int, *, is_running: bool) -> Firing:
    """What happens to it. One that this release cannot read, or whose tenant is suspended, waits and holds up no other."""
    postponed = Firing((), due.occurrence_at, now + POSTPONED)
    if schedule is None or due.tenant_status != "active" or due.occurrence_at is None:
        return postponed
    try:
        zone = zone_or_utc(_zone(due, schedule))
        return decide(schedule, due.occurrence_at, now, zone, due.automation_id, is_running=is_running)
    except Exception:
        log.exception("automation %s could not be started by its schedule; it is tried again", due.automation_id)
        return postponed


def _cancel(connection: Connection, tenant_id: str, run_id: str | None, now: int) -> list[tuple[str, str]]:
    moved = control.act(connection, tenant_id, [run_id or ""], "cancel", "schedule", now)  # it may have ended meanwhile
    return [(tenant_id, cancelled) for cancelled in moved.done]


def _moved(due: store.Due, firing: Firing, made: list[Event]) -> store.Kept:
    return msgspec.structs.replace(
        _kept(due, firing.occurrence_at, firing.due_at),
        last_at=firing.starts[-1] if firing.starts else due.last_at,
        last_event_id=made[-1].id if made else due.last_event_id,
        skipped_at=firing.skipped_at if firing.skipped_at is not None else due.skipped_at,
        skipped_why=firing.skipped_why or due.skipped_why,
    )


def _swept(due: store.Due, firing: Firing, now: int) -> store.Kept:
    """The entities of the occurrence are gone through from now on; the next occurrence is looked at afterwards."""
    moved = _moved(due, firing, [])
    return msgspec.structs.replace(moved, due_at=now, sweep_at=firing.starts[-1], sweep_after="")


def _kept(due: store.Due, occurrence_at: int | None, due_at: int | None) -> store.Kept:
    """The schedule as it stands, but for these."""
    kept = {
        name: getattr(due, name) for name in store.Kept.__struct_fields__ if name not in {"occurrence_at", "due_at"}
    }
    return store.Kept(**kept, occurrence_at=occurrence_at, due_at=due_at)


def _event(due: store.Due, schedule: Schedule, occurrence: int, now: int) -> Event:
    """The event of an occurrence. Its id is made of the automation and the instant, so there cannot be a second one."""
    zone = _zone(due, schedule)
    local = to_local(occurrence, zone_or_utc(zone))
    data = {
        "schedule": {
            "occurrence_at": to_text(occurrence),
            "local_time": local.isoformat(timespec="seconds") if local is not None else None,
            "zone": zone,
        }
    }
    event_id = new_id(now)
    return Event(
        tenant_id=due.tenant_id,
        id=event_id,
        source_id=f"schedule:{due.automation_id}:{to_text(occurrence)}",
        name=SCHEDULED + due.automation_id,
        data=data,
        text=encode(data),
        ts=occurrence,
        received_at=now,
        root_id=event_id,
    )


def _zone(due: store.Due, schedule: Schedule) -> str:
    return schedule.zone or str(msgspec.json.decode(due.tenant_settings).get("zone") or "UTC")
