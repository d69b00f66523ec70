"""Reading events: lists, one event, and whether it is still to be matched."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, func, or_, select

from upshot.core.instants import MINUTE
from upshot.store.listing import SCAN_MAX, contains, id_bound, rarely
from upshot.store.schema import automations, dead_letters, event_keys, events, runs, unmatched

MADE_WITHIN = MINUTE
"""An event's id is made at most this long before or after its acceptance: bounds in time are bounds on the key."""


class EventRow(msgspec.Struct, frozen=True, kw_only=True):
    """One event as it is kept. `data` and `marks` are JSON text; instants are microseconds UTC."""

    id: str
    source_id: str | None
    name: str
    data: str
    ts: int
    accepted_at: int
    entity_type: str | None
    entity_id: str | None
    marks: str | None
    root_id: str
    depth: int
    cause_run_id: str | None
    cause_step_id: str | None
    test: bool


class Hop(msgspec.Struct, frozen=True):
    """One link of a chain of causes: an event started a run, and a step of it made the next event happen."""

    event_id: str
    event_name: str
    run_id: str
    automation_id: str
    automation_name: str
    step_id: str


class Filter(msgspec.Struct, frozen=True):
    """Which events are wanted. `search` looks for text in the data and the ids; `since` and `until` bound the acceptance."""

    name: str | None = None
    entity: tuple[str, str] | None = None
    search: str | None = None
    since: int | None = None
    until: int | None = None


class Page(msgspec.Struct, frozen=True):
    """Events in order. `next_before` is where the next page begins, None when there is none."""

    events: list[EventRow]
    next_before: str | None


_NAMES = EventRow.__struct_fields__
_COLUMNS = [events.c[name] for name in _NAMES]


def page(connection: Connection, tenant_id: str, before: str | None, limit: int, wanted: Filter) -> Page:
    """The tenant's events, newest first, beginning before the event `before`. A page that searches for text looks through
    a bounded number of events and may be short, or empty, with more to come."""
    query = _wanted(select(*_COLUMNS), tenant_id, before, wanted)
    if not wanted.search:
        found = [_row(row) for row in connection.execute(query.limit(limit + 1))]
        return Page(found[:limit], found[limit - 1].id if len(found) > limit else None)
    window = query.limit(SCAN_MAX).subquery()
    holds = or_(*(contains(window.c[name], wanted.search) for name in ("data", "source_id", "id", "name")))
    matching = select(window).where(holds).order_by(window.c.id.desc()).limit(limit + 1)
    found = [_row(row) for row in connection.execute(matching)]
    if len(found) > limit:
        return Page(found[:limit], found[limit - 1].id)
    keys = _wanted(select(events.c.id), tenant_id, before, wanted).limit(SCAN_MAX).subquery()
    number, last = connection.execute(select(func.count(), func.min(keys.c.id))).one()
    return Page(found, last if number == SCAN_MAX else None)


def read(connection: Connection, tenant_id: str, event_id: str) -> EventRow | None:
    """One event, by the id its host gave it or else by the engine's."""
    own = own_id(connection, tenant_id, event_id)
    query = select(*_COLUMNS).where(events.c.tenant_id == tenant_id, events.c.id == (own or event_id))
    row = connection.execute(query).one_or_none()
    return _row(row) if row is not None else None


def causes(connection: Connection, tenant_id: str, event: EventRow) -> list[Hop]:
    """The chain of causes of this event, from its root on, as far as it is kept: a hop for each event that led to it. Empty
    for one that nothing caused; a run that people ran again has the chain of the one it was made of."""
    joined = runs.join(events, (events.c.tenant_id == runs.c.tenant_id) & (events.c.id == runs.c.event_id)).outerjoin(
        automations, (automations.c.tenant_id == runs.c.tenant_id) & (automations.c.id == runs.c.automation_id)
    )
    hops: list[Hop] = []
    run_id, step_id = event.cause_run_id, event.cause_step_id
    while run_id is not None and len(hops) < event.depth:
        query = (
            select(
                func.coalesce(events.c.source_id, events.c.id),
                events.c.name,
                runs.c.automation_id,
                func.coalesce(automations.c.name, ""),
                events.c.cause_run_id,
                events.c.cause_step_id,
            )
            .select_from(joined)
            .where(runs.c.tenant_id == tenant_id, runs.c.id == run_id)
        )
        found = connection.execute(query).one_or_none()
        if found is None:
            break
        if step_id is not None:
            hops.append(Hop(found[0], found[1], run_id, found[2], found[3], step_id))
        run_id, step_id = found[4], found[5]
    return hops[::-1]


def own_id(connection: Connection, tenant_id: str, source_id: str) -> str | None:
    """The engine's id of the event that its host calls `source_id`."""
    query = select(event_keys.c.event_id).where(
        event_keys.c.tenant_id == tenant_id, event_keys.c.source_id == source_id
    )
    return connection.execute(query).scalar()


def unmatched_of(connection: Connection, tenant_id: str, event_ids: Sequence[str]) -> set[str]:
    """Which of these events have yet to be matched with the automations."""
    query = select(unmatched.c.event_id).where(unmatched.c.tenant_id == tenant_id, unmatched.c.event_id.in_(event_ids))
    return {row[0] for row in connection.execute(query)}


def given_up_of(connection: Connection, tenant_id: str, event_ids: Sequence[str]) -> dict[str, str]:
    """Which of these events were given up on and never matched since, and why."""
    ids = [f"event:{event_id}" for event_id in event_ids]
    query = select(dead_letters.c.noun_id, dead_letters.c.error).where(
        dead_letters.c.tenant_id == tenant_id,
        dead_letters.c.id.in_(ids),
        dead_letters.c.status.in_(("open", "discarded")) | dead_letters.c.replay_id.is_not(None),
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def _wanted(query: Select[Any], tenant_id: str, before: str | None, wanted: Filter) -> Select[Any]:
    query = query.where(events.c.tenant_id == tenant_id).order_by(events.c.id.desc())
    if before is not None:
        query = query.where(events.c.id < before)
    if wanted.name is not None:
        query = query.where(rarely(events.c.name == wanted.name))
    if wanted.entity is not None:
        entity_type, entity_id = wanted.entity
        query = query.where(rarely(events.c.entity_type == entity_type), rarely(events.c.entity_id == entity_id))
    if wanted.since is not None:
        query = query.where(events.c.id >= id_bound(wanted.since - MADE_WITHIN), events.c.accepted_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(events.c.id < id_bound(wanted.until + MADE_WITHIN), events.c.accepted_at < wanted.until)
    return query


def _row(row: Any) -> EventRow:
    values = dict(zip(_NAMES, row, strict=True))
    values["test"] = bool(values["test"])
    return EventRow(**values)
