"""The audit: who changed what, with before and after, in the transaction of the change."""

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select

from upshot.core.strict_json import encode
from upshot.store.schema import audit


class Entry(msgspec.Struct, frozen=True):
    """One change that a person, a key or the host made."""

    id: str
    at: int
    actor: str
    action: str
    noun: str
    noun_id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


def add(
    connection: Connection,
    tenant_id: str,
    entry_id: str,
    at: int,
    actor: str,
    action: str,
    noun: str,
    noun_id: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> None:
    """Keep one entry. `before` is None for what is new, `after` for what is gone; neither ever holds a secret."""
    row = {
        "tenant_id": tenant_id,
        "id": entry_id,
        "at": at,
        "actor": actor,
        "action": action,
        "noun": noun,
        "noun_id": noun_id,
        "before": encode(dict(before)) if before is not None else None,
        "after": encode(dict(after)) if after is not None else None,
    }
    connection.execute(insert(audit).values(row))


def page(
    connection: Connection,
    tenant_id: str,
    before: str | None,
    limit: int,
    *,
    noun: str | None = None,
    noun_id: str | None = None,
) -> list[Entry]:
    """The tenant's entries, newest first, beginning before the entry `before`."""
    columns = [audit.c[name] for name in Entry.__struct_fields__]
    query = select(*columns).where(audit.c.tenant_id == tenant_id).order_by(audit.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(audit.c.id < before)
    if noun is not None:
        query = query.where(audit.c.noun == noun)
    if noun_id is not None:
        query = query.where(audit.c.noun_id == noun_id)
    return [_entry(row) for row in connection.execute(query)]


def _entry(row: Any) -> Entry:
    *plain, before, after = row
    decoded = (msgspec.json.decode(text) if text is not None else None for text in (before, after))
    return Entry(*plain, *decoded)
