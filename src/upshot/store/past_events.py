"""Events of the past as they were, many at a time: what a backtest reads and a replay gives again."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, bindparam, func, select

from upshot.core.events import DEPTH_MAX, EntityRef, Event
from upshot.store.event_pages import MADE_WITHIN
from upshot.store.listing import id_bound, rarely
from upshot.store.rows import BIGINT, INTEGER, TEXT, Prepared, key_in, rows
from upshot.store.schema import events


class Window(msgspec.Struct, frozen=True):
    """Events of one name, accepted from `since` on and before `until` (microseconds UTC), all or those about one entity.
    Without those of test runs, of stopped loops and of runs that people started again: no automation could have started on
    them."""

    name: str
    since: int
    until: int
    entity: tuple[str, str] | None = None


class PastEvent(msgspec.Struct, frozen=True, gc=False):
    """An event, and when it was accepted."""

    event: Event
    accepted_at: int


def _own(name: str, kind: Any = TEXT) -> Any:
    return bindparam(name, type_=kind)


_inside: tuple[ColumnElement[Any], ...] = (
    events.c.tenant_id == _own("tenant_id"),
    events.c.id > _own("id_after"),
    events.c.id < _own("id_before"),
    events.c.accepted_at >= _own("since", BIGINT),
    events.c.accepted_at < _own("until", BIGINT),
    events.c.test == 0,
    events.c.cause_run_id.is_(None) | events.c.cause_step_id.is_not(None),
    events.c.depth <= DEPTH_MAX,
)
_of_all = (rarely(events.c.name == _own("name")),)
_of_entity = (
    events.c.name == _own("name"),
    rarely(events.c.entity_type == _own("entity_type")),
    rarely(events.c.entity_id == _own("entity_id")),
)
_count, _count_of_entity = (Prepared(select(func.count()).where(*_inside, *which)) for which in (_of_all, _of_entity))
_wanted = select(
    events.c.id,
    events.c.source_id,
    events.c.name,
    events.c.data,
    events.c.ts,
    events.c.accepted_at,
    events.c.entity_type,
    events.c.entity_id,
    events.c.root_id,
    events.c.depth,
)
_newest = Prepared(_wanted.where(*_inside, *_of_all).order_by(events.c.id.desc()).limit(_own("number", INTEGER)))
_oldest, _oldest_of_entity = (
    Prepared(_wanted.where(*_inside, *which).order_by(events.c.id).limit(_own("number", INTEGER)))
    for which in (_of_all, _of_entity)
)
_ids = rows(("tenant_id", TEXT), ("id", TEXT))
_read = Prepared(
    _wanted.where(key_in([events.c.tenant_id, events.c.id], _ids, ["tenant_id", "id"])).order_by(events.c.id.desc())
)


def count(connection: Connection, tenant_id: str, window: Window) -> int:
    """How many events there are in this window."""
    statement = _count if window.entity is None else _count_of_entity
    (number,) = statement(connection, **_bounds(tenant_id, window)).fetchone()
    return int(number)


def newest(connection: Connection, tenant_id: str, window: Window, before: str | None, limit: int) -> list[PastEvent]:
    """The events of this window, whoever they are about, newest first, beginning before the event `before`."""
    found = _newest(connection, **_bounds(tenant_id, window, before=before), number=limit).fetchall()
    return [_event(tenant_id, row) for row in found]


def oldest(connection: Connection, tenant_id: str, window: Window, after: str | None, limit: int) -> list[PastEvent]:
    """The events of this window, oldest first, beginning after the event `after`."""
    statement = _oldest if window.entity is None else _oldest_of_entity
    found = statement(connection, **_bounds(tenant_id, window, after=after), number=limit).fetchall()
    return [_event(tenant_id, row) for row in found]


def read(connection: Connection, tenant_id: str, ids: Sequence[str]) -> list[PastEvent]:
    """These events, as far as they are still kept, newest first."""
    found = _read(connection, [(tenant_id, event_id) for event_id in ids]).fetchall() if ids else ()
    return [_event(tenant_id, row) for row in found]


def _bounds(tenant_id: str, window: Window, *, after: str | None = None, before: str | None = None) -> dict[str, Any]:
    bounds = {
        "tenant_id": tenant_id,
        "name": window.name,
        "id_after": after or id_bound(window.since - MADE_WITHIN),
        "id_before": before or id_bound(window.until + MADE_WITHIN),
        "since": window.since,
        "until": window.until,
    }
    if window.entity is not None:
        bounds |= {"entity_type": window.entity[0], "entity_id": window.entity[1]}
    return bounds


def _event(tenant_id: str, row: Any) -> PastEvent:
    event_id, source_id, name, text, ts, accepted_at, entity_type, entity_id, root_id, depth = row
    event = Event(
        tenant_id=tenant_id,
        id=event_id,
        source_id=source_id,
        name=name,
        data=msgspec.json.decode(text),
        text=text,
        ts=ts,
        root_id=root_id,
        entity=EntityRef(entity_type, entity_id) if entity_type is not None else None,
        depth=depth,
    )
    return PastEvent(event, accepted_at)
