"""The runs that other runs caused, by which loops are counted."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, func, select

from upshot.store.event_pages import MADE_WITHIN
from upshot.store.listing import id_bound, rarely
from upshot.store.rows import BIGINT, TEXT, Prepared, rows
from upshot.store.schema import events, runs

Pair = tuple[str, str, str, str]
"""Tenant, entity type and id, and automation."""

_asked = rows(*((name, TEXT) for name in ("tenant_id", "entity_type", "entity_id", "automation_id", "bound")))
_caused = (
    select(func.count())
    .select_from(runs.join(events, (events.c.tenant_id == runs.c.tenant_id) & (events.c.id == runs.c.event_id)))
    .where(
        runs.c.tenant_id == _asked.c.tenant_id,
        rarely(runs.c.entity_type == _asked.c.entity_type),
        rarely(runs.c.entity_id == _asked.c.entity_id),
        runs.c.id >= _asked.c.bound,
        runs.c.created_at >= bindparam("since", type_=BIGINT),
        runs.c.automation_id == _asked.c.automation_id,
        events.c.depth > 0,
    )
    .correlate(_asked)
    .scalar_subquery()
)
_count = Prepared(
    select(*(_asked.c[name] for name in ("tenant_id", "entity_type", "entity_id", "automation_id")), _caused)
)


def count_caused(connection: Connection, pairs: Sequence[Pair], since: int) -> dict[Pair, int]:
    """How many runs of each of these automations began for the entity at this instant or later, caused by other runs."""
    bound = id_bound(since - MADE_WITHIN)
    return {tuple(row[:4]): row[4] for row in _count(connection, [(*pair, bound) for pair in pairs], since=since)}
