"""The runs that other runs caused, by which loops are counted."""

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from upshot.store.listing import rarely
from upshot.store.rows import TEXT, Prepared, rows
from upshot.store.schema import events, runs

Pair = tuple[str, str, str, str]
"""Tenant, entity type and id, and automation."""


_asked = rows(("tenant_id", TEXT), ("entity_type", TEXT), ("entity_id", TEXT), ("automation_id", TEXT), ("since", TEXT))
_caused = (
    select(func.count())
    .select_from(runs.join(events, (events.c.tenant_id == runs.c.tenant_id) & (events.c.id == runs.c.event_id)))
    .where(
        runs.c.tenant_id == _asked.c.tenant_id,
        rarely(runs.c.entity_type == _asked.c.entity_type),
        rarely(runs.c.entity_id == _asked.c.entity_id),
        runs.c.id >= _asked.c.since,
        runs.c.automation_id == _asked.c.automation_id,
        events.c.depth > 0,
    )
    .correlate(_asked)
    .scalar_subquery()
)
_count = Prepared(select(_asked.c.tenant_id, _asked.c.entity_type, _asked.c.entity_id, _asked.c.automation_id, _caused))


def count_caused(connection: Connection, pairs: Sequence[Pair], since: str) -> dict[Pair, int]:
    """How many runs of each of these automations began for the entity since the id `since`, caused by other runs."""
    return {tuple(row[:4]): row[4] for row in _count(connection, [(*pair, since) for pair in pairs])}
