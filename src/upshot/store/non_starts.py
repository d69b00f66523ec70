"""Starts that were held back though trigger and condition held: what was done to an event for an automation, and why. And the
runs that other runs caused, by which loops are counted."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, bindparam, func, select, true
from sqlalchemy.dialects.postgresql import insert

from upshot.store.event_pages import MADE_WITHIN
from upshot.store.listing import id_bound, rarely
from upshot.store.rows import BIGINT, TEXT, Prepared, rows
from upshot.store.schema import events, non_starts, runs

Pair = tuple[str, str, str, str]
"""Tenant, entity type and id, and automation."""


class NonStart(msgspec.Struct, frozen=True):
    """What became of one event for one automation. `key` is what it was counted by; instants are microseconds UTC."""

    tenant_id: str
    event_id: str
    automation_id: str
    outcome: str
    key: str
    reason: str
    at: int


_COLUMNS = tuple((name, BIGINT if name == "at" else TEXT) for name in NonStart.__struct_fields__)
_new = rows(*_COLUMNS)
_insert = Prepared(
    insert(non_starts)
    .from_select([name for name, _ in _COLUMNS], select(*_new.c).where(true()))
    .on_conflict_do_nothing()
)


def add(connection: Connection, held_back: Sequence[NonStart]) -> None:
    """Keep these; of one event and automation the first stays."""
    _insert(connection, [msgspec.structs.astuple(one) for one in held_back])


def of_event(connection: Connection, tenant_id: str, event_id: str) -> dict[str, NonStart]:
    """What was held back of this event, by automation."""
    columns = [non_starts.c[name] for name in NonStart.__struct_fields__]
    query = select(*columns).where(non_starts.c.tenant_id == tenant_id, non_starts.c.event_id == event_id)
    found = [NonStart(*row) for row in connection.execute(query)]
    return {one.automation_id: one for one in found}


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
