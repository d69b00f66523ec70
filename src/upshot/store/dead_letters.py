"""What was given up on, kept for inspection."""

from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from upshot.store.schema import dead_letters


def add(connection: Connection, tenant_id: str, kind: str, noun_id: str, error: str, strikes: int, now: int) -> None:
    """Keep one dead letter; one and the same thing is kept once."""
    row: dict[str, Any] = {
        "tenant_id": tenant_id,
        "id": f"{kind}:{noun_id}",
        "kind": kind,
        "noun_id": noun_id,
        "error": error,
        "strikes": strikes,
        "status": "open",
        "created_at": now,
    }
    connection.execute(insert(dead_letters).values(row).on_conflict_do_nothing())


def listed(connection: Connection, tenant_id: str, limit: int) -> list[dict[str, Any]]:
    """The tenant's dead letters, newest first."""
    query = select(dead_letters).where(dead_letters.c.tenant_id == tenant_id).order_by(dead_letters.c.created_at.desc())
    return [dict(row) for row in connection.execute(query.limit(limit)).mappings()]
