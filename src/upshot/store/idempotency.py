"""Answers kept under the key a caller gave its request, so that sending it again does nothing twice."""

import msgspec
from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from upshot.store.database import Overtaken
from upshot.store.schema import idempotency


class KeptRequest(msgspec.Struct, frozen=True):
    """A request that was made under a key. `status` and `response` are None while the first one is under way."""

    route: str
    body_hash: str
    status: int | None
    response: str | None


def claim(
    connection: Connection, tenant_id: str, key: str, route: str, body_hash: str, now: int, expires_at: int
) -> KeptRequest | None:
    """Take this key for this request; None when it was free, else the request that has it.

    Raises:
        Overtaken: the request that had it gave it back meanwhile.
    """
    own = (idempotency.c.tenant_id == tenant_id) & (idempotency.c.key == key)
    connection.execute(delete(idempotency).where(own, idempotency.c.expires_at <= now))
    row = {
        "tenant_id": tenant_id,
        "key": key,
        "route": route,
        "body_hash": body_hash,
        "created_at": now,
        "expires_at": expires_at,
    }
    new = insert(idempotency).values(row).on_conflict_do_nothing().returning(idempotency.c.key)
    if connection.execute(new).first() is not None:
        return None
    columns = [idempotency.c[name] for name in KeptRequest.__struct_fields__]
    kept = connection.execute(select(*columns).where(own)).one_or_none()
    if kept is None:
        raise Overtaken("an idempotency key was given back")
    return KeptRequest(*kept)


def keep(connection: Connection, tenant_id: str, key: str, status: int, response: str) -> None:
    """Keep the answer that this key's request was given."""
    own = (idempotency.c.tenant_id == tenant_id) & (idempotency.c.key == key)
    connection.execute(update(idempotency).where(own).values(status=status, response=response))


def release(connection: Connection, tenant_id: str, key: str) -> None:
    """The request changed nothing: its key is free again."""
    connection.execute(delete(idempotency).where(idempotency.c.tenant_id == tenant_id, idempotency.c.key == key))


def remove_expired(connection: Connection, now: int) -> int:
    """Remove what nobody may ask for any more; how many rows went."""
    return connection.execute(delete(idempotency).where(idempotency.c.expires_at <= now)).rowcount
