"""Reading entities: the types there are, and lists."""

from typing import Any

import msgspec
from sqlalchemy import Connection, and_, func, or_, select

from upshot.core.entities import Entity
from upshot.store.listing import SCAN_MAX, contains
from upshot.store.schema import entities

_COLUMNS = [entities.c[name] for name in ("type", "id", "fields", "tags", "revision", "created_at", "updated_at")]
Place = tuple[int, str]
"""Where a list stands: the instant of the last change, and the id."""


class Page(msgspec.Struct, frozen=True):
    """Entities in order. `next_before` is where the next page begins, None when there is none."""

    entities: list[Entity]
    next_before: Place | None


def types(connection: Connection, tenant_id: str) -> dict[str, int]:
    """The tenant's types of entities, and how many there are of each."""
    query = (
        select(entities.c.type, func.count())
        .where(entities.c.tenant_id == tenant_id)
        .group_by(entities.c.type)
        .order_by(entities.c.type)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def page(
    connection: Connection,
    tenant_id: str,
    type_: str,
    before: Place | None,
    limit: int,
    *,
    search: str | None = None,
    tag: str | None = None,
) -> Page:
    """Entities of one type, last changed first, beginning before `before`. A page that searches looks through a bounded
    number of them and may be short, or empty, with more to come."""
    query = select(*_COLUMNS).where(entities.c.tenant_id == tenant_id, entities.c.type == type_)
    if before is not None:
        changed_at, last_id = before
        same = and_(entities.c.updated_at == changed_at, entities.c.id < last_id)
        query = query.where(entities.c.updated_at <= changed_at, or_(entities.c.updated_at < changed_at, same))
    query = query.order_by(entities.c.updated_at.desc(), entities.c.id.desc())
    if not search and not tag:
        found = [_entity(row) for row in connection.execute(query.limit(limit + 1))]
        return Page(found[:limit], _place(found[limit - 1]) if len(found) > limit else None)
    window = query.limit(SCAN_MAX).subquery()
    matching = select(window).order_by(window.c.updated_at.desc(), window.c.id.desc()).limit(limit + 1)
    if search:
        matching = matching.where(or_(contains(window.c.fields, search), contains(window.c.id, search)))
    if tag:
        written = msgspec.json.encode(tag).decode()
        matching = matching.where(contains(window.c.tags, written))
    found = [_entity(row) for row in connection.execute(matching)]
    if len(found) > limit:
        return Page(found[:limit], _place(found[limit - 1]))
    ordered = select(window.c.updated_at, window.c.id).order_by(window.c.updated_at, window.c.id).limit(1)
    if connection.execute(select(func.count()).select_from(window)).scalar() == SCAN_MAX:
        last = connection.execute(ordered).one()
        return Page(found, (last[0], last[1]))
    return Page(found, None)


def _place(entity: Entity) -> Place:
    return entity.updated_at, entity.id


def _entity(row: Any) -> Entity:
    return Entity(
        type=row[0],
        id=row[1],
        fields=msgspec.json.decode(row[2]),
        tags=tuple(msgspec.json.decode(row[3])),
        revision=row[4],
        created_at=row[5],
        updated_at=row[6],
    )
