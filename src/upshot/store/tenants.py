"""Tenants, and the revision that tells every process when a tenant's definitions changed."""

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert

from upshot.core.strict_json import encode
from upshot.store.schema import tenants


class Tenant(msgspec.Struct, frozen=True):
    """One tenant. `settings` may hold `zone`, `locale`, `limits` and `retention`."""

    id: str
    name: str
    status: str
    settings: dict[str, Any]
    created_at: int


_COLUMNS = (tenants.c.id, tenants.c.name, tenants.c.status, tenants.c.settings, tenants.c.created_at)


def create(connection: Connection, tenant: Tenant) -> bool:
    """Keep this tenant; False when one of that id is there already, which is then left as it is."""
    row = {
        "id": tenant.id,
        "name": tenant.name,
        "status": tenant.status,
        "settings": encode(tenant.settings),
        "created_at": tenant.created_at,
    }
    new = insert(tenants).values(row).on_conflict_do_nothing().returning(tenants.c.id)
    return connection.execute(new).first() is not None


def read(connection: Connection, tenant_id: str) -> Tenant | None:
    """This tenant, if there is one."""
    row = connection.execute(select(*_COLUMNS).where(tenants.c.id == tenant_id)).one_or_none()
    return _tenant(row) if row is not None else None


def lock(connection: Connection, tenant_id: str) -> None:
    """Wait until no other transaction has this tenant locked, and keep it locked until this one ends. On SQLite a writing
    transaction is alone as it is."""
    if connection.dialect.name != "sqlite":
        connection.execute(select(tenants.c.id).where(tenants.c.id == tenant_id).with_for_update(key_share=True))


def page(connection: Connection, after: str | None, limit: int) -> list[Tenant]:
    """Tenants in the order of their ids, beginning after `after`."""
    query = select(*_COLUMNS).order_by(tenants.c.id).limit(limit)
    if after is not None:
        query = query.where(tenants.c.id > after)
    return [_tenant(row) for row in connection.execute(query)]


def change(connection: Connection, tenant_id: str, *, name: str, status: str, settings: Mapping[str, Any]) -> None:
    """Give this tenant a new name, status and settings. Its definitions count as changed: zone and limits are part of
    them."""
    values = {"name": name, "status": status, "settings": encode(dict(settings))}
    connection.execute(update(tenants).where(tenants.c.id == tenant_id).values(values))
    bump_definitions(connection, tenant_id)


def bump_definitions(connection: Connection, tenant_id: str) -> None:
    """Tell every process, by the revision, that this tenant's automations, event types or settings changed."""
    one_more = tenants.c.definitions_revision + 1
    connection.execute(update(tenants).where(tenants.c.id == tenant_id).values(definitions_revision=one_more))


def runs_pruned_until(connection: Connection, tenant_id: str) -> int:
    """Runs of this tenant that ended before this instant may be kept no longer; 0 when none was ever pruned."""
    query = select(tenants.c.runs_pruned_until).where(tenants.c.id == tenant_id)
    return connection.execute(query).scalar() or 0


def note_pruned(connection: Connection, tenant_id: str, until: int) -> None:
    """Runs of this tenant that ended before `until` were pruned."""
    is_less = tenants.c.runs_pruned_until.is_(None) | (tenants.c.runs_pruned_until < until)
    connection.execute(update(tenants).where(tenants.c.id == tenant_id, is_less).values(runs_pruned_until=until))


def _tenant(row: Any) -> Tenant:
    return Tenant(row[0], row[1], row[2], msgspec.json.decode(row[3]), row[4])
