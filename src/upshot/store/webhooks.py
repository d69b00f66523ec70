"""Inbound webhooks: what is kept of each, and which one a token belongs to."""

from typing import Any

import msgspec
from sqlalchemy import Connection, delete, func, insert, or_, select, update

from upshot.store.schema import tenants, webhooks


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """One webhook, with the status of its tenant. `settings` is JSON text, the secrets are sealed; instants are microseconds
    UTC. What is old works until its instant."""

    tenant_id: str
    id: str
    settings: str
    revision: int
    token_hash: str
    token_hint: str
    old_token_hash: str | None = None
    old_token_until: int | None = None
    secret: str | None = None
    old_secret: str | None = None
    old_secret_until: int | None = None
    created_by: str
    created_at: int
    updated_at: int
    received_at: int | None = None
    refused_at: int | None = None
    refused_why: str | None = None
    tenant_status: str = "active"


_NAMES = tuple(name for name in Webhook.__struct_fields__ if name != "tenant_status")
_with_tenant = select(*(webhooks.c[name] for name in _NAMES), tenants.c.status).join(
    tenants, tenants.c.id == webhooks.c.tenant_id
)


def create(connection: Connection, webhook: Webhook) -> None:
    """Keep this new webhook."""
    connection.execute(insert(webhooks).values(_row(webhook)))


def save(connection: Connection, webhook: Webhook) -> None:
    """Write this webhook over what is kept of it."""
    connection.execute(update(webhooks).where(_one(webhook.tenant_id, webhook.id)).values(_row(webhook)))


def remove(connection: Connection, tenant_id: str, webhook_id: str) -> None:
    """Keep nothing of this webhook."""
    connection.execute(delete(webhooks).where(_one(tenant_id, webhook_id)))


def read(connection: Connection, tenant_id: str, webhook_id: str) -> Webhook | None:
    """This webhook of this tenant."""
    return _found(connection, _with_tenant.where(_one(tenant_id, webhook_id)))


def by_token(connection: Connection, token_hash: str, now: int) -> Webhook | None:
    """The webhook of this token: the token decides the tenant. One that was replaced works until its end."""
    is_old = (webhooks.c.old_token_hash == token_hash) & (webhooks.c.old_token_until > now)
    return _found(connection, _with_tenant.where(or_(webhooks.c.token_hash == token_hash, is_old)))


def page(connection: Connection, tenant_id: str, before: str | None, limit: int) -> list[Webhook]:
    """The tenant's webhooks, newest first, beginning before `before`."""
    query = _with_tenant.where(webhooks.c.tenant_id == tenant_id).order_by(webhooks.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(webhooks.c.id < before)
    return [_webhook(row) for row in connection.execute(query)]


def count(connection: Connection, tenant_id: str) -> int:
    """How many webhooks the tenant has."""
    query = select(func.count()).select_from(webhooks).where(webhooks.c.tenant_id == tenant_id)
    return int(connection.execute(query).scalar_one())


def note(connection: Connection, tenant_id: str, webhook_id: str, **seen: Any) -> None:
    """Remember when a delivery was received or refused, and why."""
    connection.execute(update(webhooks).where(_one(tenant_id, webhook_id)).values(seen))


def _one(tenant_id: str, webhook_id: str) -> Any:
    return (webhooks.c.tenant_id == tenant_id) & (webhooks.c.id == webhook_id)


def _row(webhook: Webhook) -> dict[str, Any]:
    return {name: getattr(webhook, name) for name in _NAMES}


def _found(connection: Connection, query: Any) -> Webhook | None:
    row = connection.execute(query).one_or_none()
    return _webhook(row) if row is not None else None


def _webhook(row: Any) -> Webhook:
    return Webhook(**dict(zip(_NAMES, row[:-1], strict=True)), tenant_status=row[-1])
