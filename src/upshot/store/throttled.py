"""Throttled runs in the store: each stands in a queue that no worker serves until its instant, which is kept with what was
done to its event."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, literal_column, null, select, update

from upshot.core.queues import THROTTLED
from upshot.store.flow import Key
from upshot.store.rows import BIGINT, INTEGER, TEXT, Prepared, Sent, key_in, rows
from upshot.store.schema import active, flow_outcomes, runs

_of_run = (active.c.tenant_id == runs.c.tenant_id) & (active.c.run_id == runs.c.id)
_is_throttled = active.c.queue == literal_column(f"'{THROTTLED}'")
_due = Prepared(
    select(flow_outcomes.c.tenant_id, flow_outcomes.c.event_id, flow_outcomes.c.automation_id, flow_outcomes.c.run_id)
    .where(flow_outcomes.c.due_at.is_not(None), flow_outcomes.c.due_at <= bindparam("now", type_=BIGINT))
    .order_by(flow_outcomes.c.due_at)
    .limit(bindparam("number", type_=INTEGER))
    .with_for_update(skip_locked=True)
)
_EVENT = ("tenant_id", "event_id", "automation_id")
_events = rows(*((name, TEXT) for name in _EVENT))
_begun = Sent(
    update(flow_outcomes)
    .where(key_in([flow_outcomes.c[name] for name in _EVENT], _events, _EVENT))
    .values(due_at=null())
)
_keys = rows(("tenant_id", TEXT), ("run_id", TEXT))
_ready = Prepared(
    select(runs.c.tenant_id, runs.c.automation_id, runs.c.waits_for, runs.c.id)
    .where(_of_run, key_in([active.c.tenant_id, active.c.run_id], _keys, ["tenant_id", "run_id"]), _is_throttled)
    .order_by(runs.c.tenant_id, runs.c.id)
    .with_for_update(of=active)
)


class Throttled(NamedTuple):
    """A run whose instant has come, and the place it then waits for."""

    tenant_id: str
    automation_id: str
    waits_for: str | None
    id: str


def due_starts(connection: Connection, now: int, number: int) -> tuple[list[Throttled], int]:
    """Runs that waited for an instant that has come, locked; and how many instants had come. Each is given once."""
    found = _due(connection, now=now, number=number).fetchall()
    if not found:
        return [], 0
    _begun(connection, [row[:3] for row in found])
    return [Throttled(*row) for row in _ready(connection, [(row[0], row[3]) for row in found])], len(found)


_waiting = Prepared(
    select(flow_outcomes.c.event_id, flow_outcomes.c.due_at)
    .where(
        _of_run,
        _is_throttled,
        active.c.worker_id.is_(None),
        active.c.parked == literal_column("0"),
        active.c.tenant_id == bindparam("tenant_id", type_=TEXT),
        runs.c.automation_id == bindparam("automation_id", type_=TEXT),
        flow_outcomes.c.tenant_id == runs.c.tenant_id,
        flow_outcomes.c.event_id == runs.c.event_id,
        flow_outcomes.c.automation_id == runs.c.automation_id,
        flow_outcomes.c.key == bindparam("key", type_=TEXT),
        flow_outcomes.c.due_at > bindparam("now", type_=BIGINT),
    )
    .order_by(flow_outcomes.c.due_at, flow_outcomes.c.event_id)
)
_instants = rows(*((name, TEXT) for name in _EVENT), ("due_at", BIGINT))
_instant = (
    select(_instants.c.due_at).where(*(_instants.c[name] == flow_outcomes.c[name] for name in _EVENT)).scalar_subquery()
)
_set_again = Sent(
    update(flow_outcomes)
    .where(key_in([flow_outcomes.c[name] for name in _EVENT], _instants, _EVENT))
    .values(due_at=_instant, until=_instant)
)


def waiting(connection: Connection, key: Key, now: int) -> list[tuple[str, int]]:
    """The events whose runs wait for an instant of this key, which is locked, each with it and in their order; but for runs
    that are paused."""
    given = {"tenant_id": key.tenant_id, "automation_id": key.automation_id, "key": key.key}
    return [(row[0], row[1]) for row in _waiting(connection, **given, now=now)]


def set_again(connection: Connection, key: Key, instants: Sequence[tuple[str, int]]) -> None:
    """Let the runs of these events, which wait under this locked key, start at these instants."""
    if instants:
        _set_again(connection, [(key.tenant_id, event_id, key.automation_id, at) for event_id, at in instants])
