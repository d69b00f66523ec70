"""API keys: only the hash of a key's secret is kept."""

from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select, update

from upshot.store.schema import api_keys, tenants


class Key(msgspec.Struct, frozen=True):
    """One key with the status of the tenant it belongs to. Instants are microseconds UTC."""

    tenant_id: str
    id: str
    name: str
    role: str
    prefix: str
    hash: str
    created_by: str
    created_at: int
    last_used_at: int | None = None
    expires_at: int | None = None
    revoked_at: int | None = None
    tenant_status: str = "active"


_OWN = tuple(column for column in api_keys.c if column.name in Key.__struct_fields__)
_NAMES = tuple(column.name for column in _OWN)
_with_tenant = select(*_OWN, tenants.c.status).join(tenants, tenants.c.id == api_keys.c.tenant_id)


def create(connection: Connection, key: Key) -> None:
    """Keep this key."""
    connection.execute(insert(api_keys).values({name: getattr(key, name) for name in _NAMES}))


def by_prefix(connection: Connection, prefix: str) -> Key | None:
    """The key that begins with this prefix, whoever's it is: the key decides the tenant."""
    return _one(connection, _with_tenant.where(api_keys.c.prefix == prefix))


def by_id(connection: Connection, tenant_id: str, key_id: str) -> Key | None:
    """This key of this tenant."""
    return _one(connection, _with_tenant.where(api_keys.c.tenant_id == tenant_id, api_keys.c.id == key_id))


def page(connection: Connection, tenant_id: str, before: str | None, limit: int) -> list[Key]:
    """The tenant's keys, newest first, beginning before `before`."""
    query = _with_tenant.where(api_keys.c.tenant_id == tenant_id).order_by(api_keys.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(api_keys.c.id < before)
    return [_key(row) for row in connection.execute(query)]


def count_admins(connection: Connection, tenant_id: str, now: int) -> int:
    """How many of the tenant's admin keys still work."""
    query = select(api_keys.c.id).where(
        api_keys.c.tenant_id == tenant_id,
        api_keys.c.role == "admin",
        api_keys.c.revoked_at.is_(None),
        api_keys.c.expires_at.is_(None) | (api_keys.c.expires_at > now),
    )
    return len(connection.execute(query).all())


def revoke(connection: Connection, tenant_id: str, key_id: str, now: int) -> None:
    """This key no longer works."""
    _set(connection, tenant_id, key_id, revoked_at=now)


def used(connection: Connection, tenant_id: str, key_id: str, now: int) -> None:
    """Remember that this key was used."""
    _set(connection, tenant_id, key_id, last_used_at=now)


def _set(connection: Connection, tenant_id: str, key_id: str, **values: int) -> None:
    one = (api_keys.c.tenant_id == tenant_id) & (api_keys.c.id == key_id)
    connection.execute(update(api_keys).where(one).values(values))


def _one(connection: Connection, query: Any) -> Key | None:
    row = connection.execute(query).one_or_none()
    return _key(row) if row is not None else None


def _key(row: Any) -> Key:
    return Key(**dict(zip(_NAMES, row[:-1], strict=True)), tenant_status=row[-1])
