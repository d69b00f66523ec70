"""Declared entity types: their title, and which of their fields steps may set."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from upshot.core.strict_json import encode
from upshot.store.schema import entity_types


class EntityType(msgspec.Struct, frozen=True):
    """One declared entity type; `allowed_fields` None allows all."""

    name: str
    title: str
    allowed_fields: tuple[str, ...] | None


def read(connection: Connection, tenant_id: str, name: str) -> EntityType | None:
    """The entity type of this name, if it is declared."""
    columns = (entity_types.c.name, entity_types.c.title, entity_types.c.allowed_fields)
    query = select(*columns).where(entity_types.c.tenant_id == tenant_id, entity_types.c.name == name)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    allowed: Sequence[str] | None = msgspec.json.decode(row[2]) if row[2] is not None else None
    return EntityType(row[0], row[1], tuple(allowed) if allowed is not None else None)


def put(connection: Connection, tenant_id: str, declared: EntityType, now: int) -> None:
    """Keep this entity type in the place of what was declared under its name before; a schema it has stays."""
    row = {
        "tenant_id": tenant_id,
        "name": declared.name,
        "title": declared.title,
        "allowed_fields": encode(list(declared.allowed_fields)) if declared.allowed_fields is not None else None,
        "updated_at": now,
    }
    statement = insert(entity_types).values(row)
    changed = {name: statement.excluded[name] for name in ("title", "allowed_fields", "updated_at")}
    connection.execute(statement.on_conflict_do_update(index_elements=["tenant_id", "name"], set_=changed))
