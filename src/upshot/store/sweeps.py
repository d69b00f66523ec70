"""The entities that a schedule is for, a page at a time in the order of an index, however many there are."""

from typing import Any

from sqlalchemy import Connection, bindparam, select, tuple_

from upshot.core.entities import Entity
from upshot.store.entities import entity_of
from upshot.store.entities import read as read_entities
from upshot.store.rows import INTEGER, TEXT, Prepared
from upshot.store.schema import entities, entity_dates
from upshot.store.segments import members

_COLUMNS = tuple(entities.c[name] for name in ("type", "id", "fields", "tags", "revision", "created_at", "updated_at"))
_named = {
    name: bindparam(name, type_=TEXT) for name in ("tenant_id", "of_type", "after_id", "field", "first", "last", "day")
}
_number = bindparam("number", type_=INTEGER)
_of_type = Prepared(
    select(*_COLUMNS)
    .where(
        entities.c.tenant_id == _named["tenant_id"],
        entities.c.type == _named["of_type"],
        entities.c.id > _named["after_id"],
    )
    .order_by(entities.c.id)
    .limit(_number)
)
_near = Prepared(
    select(entity_dates.c.on_day, entity_dates.c.entity_id)
    .where(
        entity_dates.c.tenant_id == _named["tenant_id"],
        entity_dates.c.type == _named["of_type"],
        entity_dates.c.field == _named["field"],
        entity_dates.c.on_day >= _named["first"],
        entity_dates.c.on_day <= _named["last"],
        tuple_(entity_dates.c.on_day, entity_dates.c.entity_id) > tuple_(_named["day"], _named["after_id"]),
    )
    .order_by(entity_dates.c.on_day, entity_dates.c.entity_id)
    .limit(_number)
)

Found = tuple[list[Entity], str | None]
"""The entities of a page, and the place after which the next one begins; None when it was the last."""


def of_type(connection: Connection, tenant_id: str, type_: str, after: str, number: int) -> Found:
    """Entities of this type, in the order of their ids."""
    rows = _of_type(connection, tenant_id=tenant_id, of_type=type_, after_id=after, number=number)
    found = [entity_of(row) for row in rows]
    return found, found[-1].id if len(found) == number else None


def of_segment(connection: Connection, tenant_id: str, segment_id: str, type_: str, after: str, number: int) -> Found:
    """Entities that are in this segment, of this type, in the order of their ids."""
    listed = members(connection, tenant_id, segment_id, after, number)
    keys = [(tenant_id, type_, entity_id) for entity_id, _ in listed]
    known = read_entities(connection, keys) if keys else {}
    return [known[key] for key in keys if key in known], listed[-1][0] if len(listed) == number else None


def near_day(
    connection: Connection, tenant_id: str, type_: str, field: str, days: tuple[str, str], after: str, number: int
) -> Found:
    """Entities of this type whose date in `field` is indexed from the first to the last of `days`."""
    day, _, last_id = after.partition(" ")
    asked: dict[str, Any] = {
        "tenant_id": tenant_id,
        "of_type": type_,
        "field": field,
        "first": days[0],
        "last": days[1],
    }
    listed = _near(connection, **asked, day=day, after_id=last_id, number=number).fetchall()
    # Not joined: without statistics PostgreSQL would look through all entities of the type for each of these.
    keys = [(tenant_id, type_, entity_id) for _, entity_id in listed]
    known = read_entities(connection, keys) if keys else {}
    place = " ".join(listed[-1]) if len(listed) == number else None
    return [known[key] for key in keys if key in known], place
