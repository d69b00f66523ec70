"""Sweep: an occurrence that is for each entity of a type, or for those with a date near, goes through them page by page. A
page is one indexed read and one transaction, and between two pages there is a rest, longer while the tenant's runs are still
under way; and while other tenants have work, pages are smaller. So thousands due at once leave room for others.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any

import msgspec
from sqlalchemy import Connection

from upshot.adapters.clock import new_id
from upshot.core.automations.document import SCHEDULED
from upshot.core.conditions import Condition
from upshot.core.dates import NEAR
from upshot.core.entities import Entity
from upshot.core.events import EntityRef, Event
from upshot.core.instants import SECOND, to_text
from upshot.core.local_time import to_local, zone_or_utc
from upshot.core.schedules import Each, Schedule, due_at, local_date
from upshot.core.strict_json import encode
from upshot.engine.live_run import facts_of
from upshot.engine.process import Process
from upshot.store import events as event_store
from upshot.store import schedules as store
from upshot.store import segments, sweeps
from upshot.store.entities import as_root
from upshot.store.events import insert_events

REST = SECOND // 50
"""Between two pages of one schedule (microseconds)."""
PATIENCE = SECOND // 2
"""How long a page waits at most for what the tenant has under way (microseconds): one that is always busy gets on, too."""
SHARED_PART = 4
"""A page is this part of a whole one while several tenants have work here: none of them waits long behind it."""
HELD = 10 * SECOND
"""How long after a page the next one is this worker's to do, before another takes over (microseconds)."""
ID_MAX = 200


class Sweep(msgspec.Struct, frozen=True):
    """An occurrence whose next page is this worker's to do."""

    due: store.Due
    schedule: Schedule
    zone: str
    taken_at: int


class Page(msgspec.Struct, frozen=True):
    """The events of one page, and the place after it; None when it was the last."""

    events: list[Event]
    after: str | None


def page_size(process: Process) -> int:
    """How many entities are gone through at once, at present."""
    most = process.limits.sweep_page
    return max(1, most // SHARED_PART) if process.commit.is_shared else most


async def go_on(process: Process, sweep: Sweep, hand: Callable[[Sequence[Event]], None]) -> Sweep | None:
    """Do the next page of this occurrence, and give the one after it, if there is one. Whoever was first to keep a page has
    done it; what another did is dropped."""
    due = sweep.due
    known = await process.definitions.of(due.tenant_id)
    listeners = known.listeners.get(SCHEDULED + due.automation_id)
    if listeners is None:  # this process does not know of it yet, or not any more
        process.definitions.forget(due.tenant_id)
        return None
    condition = listeners.by_id[due.automation_id].program.condition
    now = process.clock.now()
    page = await process.reads.run(read_page, sweep, condition, now, page_size(process))
    fresh = await process.commit.run_async(
        lambda c: keep_page(c, sweep, page, process.clock.now(), process.worker_id), "sweep"
    )
    if fresh is None:
        return None
    hand(fresh)
    if page.after is None:
        return None
    following = msgspec.structs.replace(due, sweep_after=page.after)
    return msgspec.structs.replace(sweep, due=following, taken_at=process.clock.now())


def read_page(connection: Connection, sweep: Sweep, condition: Condition | None, now: int, number: int) -> Page:
    """The entities after the last page for whom the automation may start, as events."""
    due, each = sweep.due, sweep.schedule.each or Each("")
    occurrence, after = due.sweep_at or 0, due.sweep_after or ""
    zone = zone_or_utc(sweep.zone)
    local = to_local(occurrence, zone)
    segment = segments.named(connection, due.tenant_id, each.segment) if each.segment else None
    if each.segment and segment is None:  # no automation may name it then, so this one is about to go, too
        return Page([], None)
    type_ = segment.entity_type if segment is not None else each.type
    if each.field and local is not None:
        anchor = each.anchor_of(local.date())
        days = ((anchor - NEAR).isoformat(), (anchor + NEAR).isoformat())
        found, place = sweeps.near_day(connection, due.tenant_id, type_, each.field, days, after, number)
        meant = [one for one in found if local_date(one.fields.get(each.field), zone) == anchor]
        if segment is not None:
            keys = [(due.tenant_id, one.id) for one in meant]
            inside = segments.of_entities(connection, keys) if keys else set[segments.Member]()
            meant = [one for one in meant if (due.tenant_id, segment.id, one.id) in inside]
    else:
        anchor = None
        if segment is not None:
            meant, place = sweeps.of_segment(connection, due.tenant_id, segment.id, type_, after, number)
        else:
            meant, place = sweeps.of_type(connection, due.tenant_id, type_, after, number)
    events: list[Event] = []
    for entity in meant:
        event = _event(sweep, entity, anchor.isoformat() if anchor is not None else None, now)
        if condition is None or _may_hold(condition, event, as_root(entity), now, sweep.zone):
            events.append(event)
    return Page(events, place)


def keep_page(connection: Connection, sweep: Sweep, page: Page, now: int, worker_id: str) -> list[Event] | None:
    """Keep these events, and that the page is done; the events that are new. None when another did it, or it was paused."""
    due = sweep.due
    present = store.read(connection, *due.key)
    if present is None or present.due_at is None:
        return None
    if (present.sweep_at, present.sweep_after) != (due.sweep_at, due.sweep_after):
        return None
    keys = sorted((event.tenant_id, event.source_id or "", event.id, now) for event in page.events)
    new = event_store.keep_keys(connection, keys) if keys else set[str]()
    fresh = [event for event in page.events if event.id in new]
    if fresh:
        insert_events(connection, fresh, now, worker_id)
    if page.after is not None:
        moved = msgspec.structs.replace(present, sweep_after=page.after, due_at=now + HELD)
    else:
        occurrence = present.occurrence_at
        due_next = None if occurrence is None else due_at(sweep.schedule, occurrence, due.automation_id)
        moved = msgspec.structs.replace(present, sweep_at=None, sweep_after=None, due_at=due_next)
    store.put(connection, [moved])
    return fresh


def _may_hold(condition: Condition, event: Event, entity: dict[str, Any], now: int, zone: str) -> bool:
    """Whether the condition holds, or cannot be decided: then matching tells why."""
    try:
        return condition.decide(facts_of(event, now=now, zone=zone, entity=entity))
    except Exception:  # noqa: BLE001 - the event is matched as every event is, and given up on as every one
        return True


def _event(sweep: Sweep, entity: Entity, anchor: str | None, now: int) -> Event:
    """The event of an entity. Its id is made of the date that is counted from or, without one, of the occurrence: so nobody is
    meant twice by one date, and again when it is moved."""
    due, each = sweep.due, sweep.schedule.each
    occurrence = due.sweep_at or 0
    local = to_local(occurrence, zone_or_utc(sweep.zone))
    data: dict[str, Any] = {
        "schedule": {
            "occurrence_at": to_text(occurrence),
            "local_time": local.isoformat(timespec="seconds") if local is not None else None,
            "zone": sweep.zone,
            "date": anchor,
        }
    }
    of = to_text(occurrence) if each is None or anchor is None else f"{each.field}{each.days:+}:{anchor}"
    source_id = f"schedule:{due.automation_id}:{of}:{entity.type}:{entity.id}"
    if len(source_id) > ID_MAX:
        source_id = f"schedule:{due.automation_id}:{sha256(source_id.encode()).hexdigest()}"
    event_id = new_id(now)
    return Event(
        tenant_id=due.tenant_id,
        id=event_id,
        source_id=source_id,
        name=SCHEDULED + due.automation_id,
        data=data,
        text=encode(data),
        ts=occurrence,
        received_at=now,
        root_id=event_id,
        entity=EntityRef(entity.type, entity.id),
    )
