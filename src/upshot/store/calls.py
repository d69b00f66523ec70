"""Calls: a step of a run starts a run of another automation, and may wait for its end.

A run has one key for each step that calls (`event_keys`), so a step never starts a second run, however often it is begun.
Who waits for the end of a run has a row in `waits`, under one name for all and with that run's id as its key; `met_by` is the
status with which it ended, kept in the transaction that ends it. Whoever waited and sleeps is made ready after that.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, and_, bindparam, literal_column, null, select, update

from upshot.core.automations.places import base_of, list_place, name_of
from upshot.core.queues import QUEUE
from upshot.core.waits import RUN_ENDED
from upshot.store import hints
from upshot.store.listing import rarely
from upshot.store.rows import INTEGER, TEXT, Prepared, key_in, rows
from upshot.store.schema import active, automation_versions, automations, event_keys, events, runs, steps, waits

Key = tuple[str, str]
OUTPUTS_BYTES_MAX: Final = 262_144
_GIVING: Final = ("action", "for_each", "wait_for_event", "call")
"""The kinds of steps whose outputs hold more than the way that was taken."""


def key_of(run_id: str, step_id: str) -> str:
    """The key of the run that this step of this run calls."""
    return f"call:{run_id}:{step_id}"


class Callee(msgspec.Struct, frozen=True):
    """An automation that is to be called, as it stands."""

    name: str
    status: str
    version: int | None
    priority: int
    is_deleted: bool
    queue: str


_keys = rows(("tenant_id", TEXT), ("id", TEXT))
_is_live = (
    (automation_versions.c.tenant_id == automations.c.tenant_id)
    & (automation_versions.c.automation_id == automations.c.id)
    & (automation_versions.c.version == automations.c.version)
)
_callees = Prepared(
    select(
        automations.c.tenant_id,
        automations.c.id,
        automations.c.name,
        automations.c.status,
        automations.c.version,
        automations.c.priority,
        automations.c.deleted_at,
        automation_versions.c.queue,
    )
    .select_from(automations.outerjoin(automation_versions, _is_live))
    .where(key_in([automations.c.tenant_id, automations.c.id], _keys, ["tenant_id", "id"]))
)


def callees(connection: Connection, keys: Sequence[Key]) -> dict[Key, Callee]:
    """Those of these automations that there are or were."""
    return {
        (row[0], row[1]): Callee(row[2], row[3], row[4], row[5], row[6] is not None, row[7] or QUEUE)
        for row in _callees(connection, keys)
    }


class Child(msgspec.Struct, frozen=True):
    """The run that a step called before; None where it is not kept any more."""

    run_id: str | None
    status: str | None


_sources = rows(("tenant_id", TEXT), ("source_id", TEXT))
_of_key = and_(event_keys.c.tenant_id == runs.c.tenant_id, rarely(event_keys.c.event_id == runs.c.event_id))
_children = Prepared(
    select(event_keys.c.tenant_id, event_keys.c.source_id, runs.c.id, runs.c.status)
    .select_from(event_keys.outerjoin(runs, _of_key))
    .where(key_in([event_keys.c.tenant_id, event_keys.c.source_id], _sources, ["tenant_id", "source_id"]))
)


def children(connection: Connection, keys: Sequence[Key]) -> dict[Key, Child]:
    """The runs that were called under these `(tenant, key)`, of those that ever were."""
    return {(row[0], row[1]): Child(row[2], row[3]) for row in _children(connection, keys)} if keys else {}


_is_call = (waits.c.kind == literal_column("'step'")) & (waits.c.event_name == literal_column(f"'{RUN_ENDED}'"))
_is_open, _is_met = waits.c.met_by.is_(None), waits.c.met_by.is_not(None)
_end = Prepared(
    update(waits)
    .where(
        waits.c.tenant_id == _keys.c.tenant_id,
        waits.c.event_name == literal_column(f"'{RUN_ENDED}'"),
        rarely(waits.c.match_key == _keys.c.id),
        _is_open,
    )
    .values(met_by=bindparam("status", type_=TEXT))
    .returning(waits.c.run_id)
)


def end(connection: Connection, keys: Collection[Key], status: str) -> None:
    """These runs ended with this status, which is kept with each wait for that. Nothing else is locked of who waits, since
    other transactions lock runs in an order of their own."""
    if _end(connection, sorted(keys), status=status).fetchall():
        hints.send(connection, hints.WAITS)


_of_runs = key_in([waits.c.tenant_id, waits.c.run_id], _keys, ["tenant_id", "id"])
_awaited = Prepared(
    select(waits.c.tenant_id, waits.c.run_id, waits.c.step_id, waits.c.match_key).where(_of_runs, _is_call, _is_open)
)


def awaited(connection: Connection, keys: Collection[Key]) -> dict[tuple[str, str, str], str]:
    """The runs whose end these wait for, by `(tenant, run, step)`."""
    return {(row[0], row[1], row[2]): row[3] for row in _awaited(connection, sorted(keys))}


_asleep = Prepared(
    select(waits.c.tenant_id, waits.c.run_id)
    .select_from(waits.join(active, (active.c.tenant_id == waits.c.tenant_id) & (active.c.run_id == waits.c.run_id)))
    .where(_is_call, _is_met, active.c.parked == literal_column("1"))
    .limit(bindparam("number", type_=INTEGER))
)


def asleep(connection: Connection, limit: int) -> list[Key]:
    """Runs that sleep though what they called is over."""
    return sorted({(row[0], row[1]) for row in _asleep(connection, number=limit)})


class _Listed(msgspec.Struct):
    items: list[msgspec.Raw]


def items_of(connection: Connection, tenant_id: str, run_id: str, step_id: str) -> int | None:
    """How many items the list of this `for_each` of a run has; None when it has kept none."""
    query = select(steps.c.output).where(
        steps.c.tenant_id == tenant_id,
        steps.c.run_id == run_id,
        steps.c.step_id == list_place(step_id),
        steps.c.output.is_not(null()),
    )
    found = connection.execute(query).scalar()
    return len(msgspec.json.decode(found, type=_Listed).items) if found is not None else None


class Ended(msgspec.Struct, frozen=True):
    """What is kept of a run that was called: what it was, the data it was given, why it failed, and what its steps gave (None
    when that is more than 256 KiB)."""

    automation: str | None
    data: str | None
    error: str | None
    outputs: dict[str, Any] | None


def ended(connection: Connection, tenant_id: str, run_id: str) -> Ended | None:
    """This run, which is over; None when it is not kept any more."""
    of_run = (automations.c.tenant_id == runs.c.tenant_id) & (automations.c.id == runs.c.automation_id)
    of_event = (events.c.tenant_id == runs.c.tenant_id) & (events.c.id == runs.c.event_id)
    of_version = (
        (automation_versions.c.tenant_id == runs.c.tenant_id)
        & (automation_versions.c.automation_id == runs.c.automation_id)
        & (automation_versions.c.version == runs.c.version)
    )
    joined = runs.outerjoin(automations, of_run).outerjoin(events, of_event).outerjoin(automation_versions, of_version)
    query = (
        select(automations.c.name, events.c.data, runs.c.error, automation_versions.c.document)
        .select_from(joined)
        .where(runs.c.tenant_id == tenant_id, runs.c.id == run_id)
    )
    found = connection.execute(query).one_or_none()
    if found is None:
        return None
    return Ended(found[0], found[1], found[2], _outputs(connection, tenant_id, run_id, found[3]))


class _Step(msgspec.Struct):
    id: str


class _Document(msgspec.Struct):
    steps: list[_Step]


def _outputs(connection: Connection, tenant_id: str, run_id: str, document: str | None) -> dict[str, Any] | None:
    """What the steps of this run gave, each in its latest round, but for the items of a list."""
    wanted = (steps.c.tenant_id == tenant_id, steps.c.run_id == run_id, steps.c.output.is_not(null()))
    query = select(steps.c.step_id, steps.c.kind, steps.c.output).where(*wanted, steps.c.kind.in_(_GIVING))
    found = connection.execute(query.order_by(steps.c.seq)).all()
    read = msgspec.json.decode(document, type=_Document).steps if document is not None else []
    known = {step.id for step in read} or {step_id for step_id, _, _ in found}
    named = [(step_id, name_of(step_id, known), output) for step_id, _, output in found]
    kept = {name: output for step_id, name, output in named if name == base_of(step_id, known)}
    if sum(len(output.encode()) for output in kept.values()) > OUTPUTS_BYTES_MAX:
        return None
    return {step_id: msgspec.json.decode(output) for step_id, output in kept.items()}
