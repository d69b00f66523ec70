"""Declared event types."""

from typing import Any

import msgspec
from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.postgresql import insert

from upshot.core.strict_json import encode
from upshot.store.schema import event_types


class EventType(msgspec.Struct, frozen=True, kw_only=True):
    """One declared event type: the schema its data must meet, the entity it is about, and an example."""

    name: str
    title: str
    description: str
    schema: dict[str, Any] | bool | None
    entity: dict[str, str] | None
    on_invalid: str
    sample: dict[str, Any] | None
    created_at: int
    updated_at: int


_NAMES = EventType.__struct_fields__
_JSON = ("schema", "entity", "sample")
_COLUMNS = [event_types.c[name] for name in _NAMES]


def put(connection: Connection, tenant_id: str, declared: EventType) -> None:
    """Keep this event type in the place of what was declared under its name before."""
    row: dict[str, Any] = {"tenant_id": tenant_id}
    for name in _NAMES:
        value = getattr(declared, name)
        row[name] = encode(value) if name in _JSON and value is not None else value
    statement = insert(event_types).values(row)
    changed = {name: statement.excluded[name] for name in _NAMES if name not in {"name", "created_at"}}
    connection.execute(statement.on_conflict_do_update(index_elements=["tenant_id", "name"], set_=changed))


def read(connection: Connection, tenant_id: str, name: str) -> EventType | None:
    """The event type of this name, if it is declared."""
    query = select(*_COLUMNS).where(event_types.c.tenant_id == tenant_id, event_types.c.name == name)
    row = connection.execute(query).one_or_none()
    return _declared(row) if row is not None else None


def schema(connection: Connection, tenant_id: str, name: str) -> dict[str, Any] | None:
    """The schema of this event type, if it is declared and has one."""
    declared = read(connection, tenant_id, name)
    return declared.schema if declared is not None and isinstance(declared.schema, dict) else None


def page(connection: Connection, tenant_id: str, after: str | None, limit: int) -> list[EventType]:
    """The tenant's event types in the order of their names, beginning after `after`."""
    query = select(*_COLUMNS).where(event_types.c.tenant_id == tenant_id).order_by(event_types.c.name).limit(limit)
    if after is not None:
        query = query.where(event_types.c.name > after)
    return [_declared(row) for row in connection.execute(query)]


def remove(connection: Connection, tenant_id: str, name: str) -> None:
    """Events of this name are no longer checked."""
    connection.execute(delete(event_types).where(event_types.c.tenant_id == tenant_id, event_types.c.name == name))


def _declared(row: Any) -> EventType:
    values = dict(zip(_NAMES, row, strict=True))
    for name in _JSON:
        if values[name] is not None:
            values[name] = msgspec.json.decode(values[name])
    return EventType(**values)
