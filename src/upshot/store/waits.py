"""Waits of runs for events, and which fields of which events any version of an automation waits for.

`met_by` is the event that a wait was met by: set once, by whoever is first. Who drives the run keeps that as the step's
outcome, and the wait is gone with it.
"""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, exists, literal_column, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert

from upshot.core.events import DEPTH_MAX, Event
from upshot.core.waits import Fields, event_key
from upshot.store.events import read_events
from upshot.store.rows import BIGINT, INTEGER, TEXT, Prepared, key_in, rows
from upshot.store.schema import awaited, events, waits

Key = tuple[str, str]
PAGE = 500
_encode = msgspec.json.Encoder().encode


class Wait(msgspec.Struct, array_like=True):
    """A run waits for an event of this name and key. `taken` are the events, as JSON, that met earlier waits of the run and
    meet no further one."""

    tenant_id: str
    run_id: str
    kind: str
    step_id: str
    event_name: str
    match_key: str
    test: int
    set_at: int
    looked_back: int = 0
    taken: str | None = None
    met_by: str | None = None


_WAIT = (
    ("tenant_id", TEXT),
    ("run_id", TEXT),
    ("kind", TEXT),
    ("step_id", TEXT),
    ("event_name", TEXT),
    ("match_key", TEXT),
    ("test", INTEGER),
    ("set_at", BIGINT),
    ("looked_back", INTEGER),
    ("taken", TEXT),
    ("met_by", TEXT),
)
_new = rows(*_WAIT)
_insert = Prepared(
    insert(waits).from_select([name for name, _ in _WAIT], select(*_new.c).where(true())).on_conflict_do_nothing()
)


def add(connection: Connection, new: Sequence[Wait]) -> None:
    """Let runs, which are held, wait. What is missed between this commit and an event's is found by looking back after it."""
    if new:
        _insert(connection, new)


_asked = rows(("tenant_id", TEXT), ("event_name", TEXT), ("match_key", TEXT))
_find = Prepared(
    select(*(waits.c[name] for name, _ in _WAIT)).where(
        key_in(
            [waits.c.tenant_id, waits.c.event_name, waits.c.match_key],
            _asked,
            ["tenant_id", "event_name", "match_key"],
        ),
        waits.c.met_by.is_(None),
    )
)


def find(connection: Connection, keys: Sequence[tuple[str, str, str]]) -> list[Wait]:
    """The open waits of these `(tenant, event name, key)`."""
    return [Wait(*row) for row in _find(connection, keys)]


_met = rows(("tenant_id", TEXT), ("run_id", TEXT), ("kind", TEXT), ("step_id", TEXT), ("event_id", TEXT))
_met_by = (
    select(_met.c.event_id)
    .where(
        _met.c.tenant_id == waits.c.tenant_id,
        _met.c.run_id == waits.c.run_id,
        _met.c.kind == waits.c.kind,
        _met.c.step_id == waits.c.step_id,
    )
    .scalar_subquery()
)
_WHICH = ["tenant_id", "run_id", "kind", "step_id"]
_which = [waits.c[name] for name in _WHICH]
_meet = Prepared(
    update(waits)
    .where(key_in(_which, _met, _WHICH), waits.c.met_by.is_(None))
    .values(met_by=_met_by)
    .returning(waits.c.tenant_id, waits.c.run_id, waits.c.kind)
)


def meet(connection: Connection, met: Sequence[tuple[str, str, str, str, str]]) -> list[tuple[str, str, str]]:
    """Meet those of these `(tenant, run, kind, step, event)` that nobody met before: the first wins. What was met, as `(tenant,
    run, kind)`. The runs are locked."""
    return [(row[0], row[1], row[2]) for row in _meet(connection, met)]


_keys = rows(("tenant_id", TEXT), ("run_id", TEXT))
_of_runs = key_in([waits.c.tenant_id, waits.c.run_id], _keys, ["tenant_id", "run_id"])
_read = Prepared(select(*(waits.c[name] for name, _ in _WAIT)).where(_of_runs))
_is_met_step = (waits.c.kind == literal_column("'step'")) & waits.c.met_by.is_not(None)
_read_met = Prepared(select(*(waits.c[name] for name, _ in _WAIT)).where(_of_runs, _is_met_step))
_clear = Prepared(delete(waits).where(_of_runs))
_steps = rows(("tenant_id", TEXT), ("run_id", TEXT), ("step_id", TEXT))
_remove = Prepared(
    delete(waits).where(
        key_in([waits.c.tenant_id, waits.c.run_id, waits.c.step_id], _steps, ["tenant_id", "run_id", "step_id"]),
        waits.c.kind == literal_column("'step'"),
    )
)
_looked_back = Prepared(
    update(waits).where(_of_runs, waits.c.looked_back == literal_column("0")).values(looked_back=literal_column("1"))
)


def of_runs(connection: Connection, keys: Collection[Key]) -> list[Wait]:
    """What these runs wait for."""
    return [Wait(*row) for row in _read(connection, list(keys))]


def met_of_runs(connection: Connection, keys: Collection[Key]) -> list[Wait]:
    """What of it has come."""
    return [Wait(*row) for row in _read_met(connection, list(keys))]


def remove(connection: Connection, steps: Sequence[tuple[str, str, str]]) -> None:
    """These steps `(tenant, run, step)` wait no longer; their runs are held or locked."""
    if steps:
        _remove(connection, steps)


def clear(connection: Connection, keys: Sequence[Key]) -> None:
    """These runs wait for nothing any more."""
    if keys:
        _clear(connection, keys)


def note_looked_back(connection: Connection, keys: Sequence[Key]) -> None:
    """Everything that could be found by looking back was found for these runs."""
    if keys:
        _looked_back(connection, keys)


# --- looking back -------------------------------------------------------------------------------------------------------


def look_back(connection: Connection, wait: Wait, fields: Fields, hint: str, since: str) -> Event | None:
    """The first event after the one with the id `since` that meets this wait. `hint` is a text that its data must hold, if not
    empty."""
    taken: set[str] = set(msgspec.json.decode(wait.taken)) if wait.taken else set()
    while True:
        query = (
            select(events.c.id)
            .where(events.c.tenant_id == wait.tenant_id, events.c.name == wait.event_name, events.c.id > since)
            .where(events.c.depth <= DEPTH_MAX, or_(events.c.test == 0, literal_column(str(wait.test)) == 1))
            .order_by(events.c.id)
            .limit(PAGE)
        )
        if hint:
            query = query.where(events.c.data.contains(hint, autoescape=True))
        found = list(connection.execute(query).scalars())
        for event in read_events(connection, [(wait.tenant_id, event_id) for event_id in found]):
            if event.id not in taken and event_key(fields, event.as_root()) == wait.match_key:
                return event
        if len(found) < PAGE:
            return None
        since = found[-1]


# --- what is waited for at all -------------------------------------------------------------------------------------------

_names = rows(("tenant_id", TEXT), ("event_name", TEXT), ("fields", TEXT))
_expect = Prepared(
    insert(awaited)
    .from_select(["tenant_id", "event_name", "fields"], select(*_names.c).where(true()))
    .on_conflict_do_nothing()
)


def expect(connection: Connection, tenant_id: str, shapes: Collection[tuple[str, Fields]]) -> None:
    """Versions of this tenant's automations may wait for events of these names, compared by these fields. Whoever matches with
    definitions from before the tenant's next revision does not look for them."""
    _expect(connection, [(tenant_id, name, _encode(fields).decode()) for name, fields in sorted(shapes)])


def expected(connection: Connection, tenant_id: str) -> dict[str, tuple[Fields, ...]]:
    """The lists of fields that are waited for, by the name of the event."""
    found: dict[str, list[Fields]] = {}
    query = select(awaited.c.event_name, awaited.c.fields).where(awaited.c.tenant_id == tenant_id)
    for name, fields in connection.execute(query.order_by(awaited.c.event_name, awaited.c.fields)):
        found.setdefault(name, []).append(tuple(msgspec.json.decode(fields)))
    return {name: tuple(shapes) for name, shapes in found.items()}


def is_waiting(tenant_id: Any, run_id: Any) -> Any:
    """Whether a run waits for an event that has not come, as part of a statement."""
    return exists().where(
        waits.c.tenant_id == tenant_id, waits.c.run_id == run_id, waits.c.kind == "step", waits.c.met_by.is_(None)
    )
