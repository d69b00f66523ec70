"""Waits of runs for events, and which fields of which events any version of an automation looks for.

A wait of kind `step` is a step's: `met_by` is the event that it was met by, set once, by whoever is first. Who drives the run
keeps that as the step's outcome, and the wait is gone with it. One of kind `cancel` is the run's own, from the moment it is
made to its end: an event that it finds cancels the run (see `cancelling`).
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, delete, exists, literal_column, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert

from upshot.core.events import DEPTH_MAX, Event
from upshot.core.waits import Fields, event_key, hint_of
from upshot.core.watches import Shape, Watch
from upshot.store.events import read_events
from upshot.store.listing import rarely
from upshot.store.rows import BIGINT, INTEGER, TEXT, Prepared, Sent, key_in, rows
from upshot.store.schema import awaited, events, runs, waits

Key = tuple[str, str]
PAGE = 500
MET_AT_ONCE = 100
"""Waits that one statement meets: it looks through all of them for each, which takes a third of a second for 1,000."""
_encode = msgspec.json.Encoder().encode


class Wait(msgspec.Struct, array_like=True):
    """A run waits for an event of this name and key. `taken` are the events, as JSON, that met earlier waits of the run and
    meet no further one; of a `cancel`, `step_id` tells those of a run apart."""

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
_insert = Sent(
    insert(waits).from_select([name for name, _ in _WAIT], select(*_new.c).where(true())).on_conflict_do_nothing()
)


def add(connection: Connection, new: Sequence[Wait]) -> None:
    """Let runs, which are held, wait. What is missed between this commit and an event's is found by looking back after it."""
    if new:
        _insert(connection, new)


_is_step = waits.c.kind == literal_column("'step'")


def waits_of(tenant_id: str, run_id: str, watches: Iterable[Watch], now: int, *, test: bool) -> list[Wait]:
    """What a run itself watches for, as it is kept from `now` on."""
    return [Wait(tenant_id, run_id, w.kind, w.place, w.event_name, w.match_key, int(test), now) for w in watches]


_asked = rows(("tenant_id", TEXT), ("event_name", TEXT), ("match_key", TEXT))
_find = Prepared(
    select(*(waits.c[name] for name, _ in _WAIT), runs.c.event_id)
    .join_from(
        _asked,
        waits,
        and_(
            waits.c.tenant_id == _asked.c.tenant_id,
            waits.c.event_name == _asked.c.event_name,
            rarely(waits.c.match_key == _asked.c.match_key),
        ),
    )
    .join(runs, (runs.c.tenant_id == waits.c.tenant_id) & (runs.c.id == waits.c.run_id))
    .where(waits.c.met_by.is_(None), _is_step)
)


def find(connection: Connection, keys: Sequence[tuple[str, str, str]]) -> list[tuple[Wait, str]]:
    """The open waits of steps for these `(tenant, event name, key)`, each with the event that its run began with. No key is
    given twice."""
    return [(Wait(*row[:-1]), row[-1]) for row in _find(connection, keys)]


_met = rows(("tenant_id", TEXT), ("run_id", TEXT), ("step_id", TEXT), ("event_id", TEXT))
_met_by = (
    select(_met.c.event_id)
    .where(
        _met.c.tenant_id == waits.c.tenant_id,
        _met.c.run_id == waits.c.run_id,
        _met.c.step_id == waits.c.step_id,
    )
    .scalar_subquery()
)
_WHICH = ["tenant_id", "run_id", "step_id"]
_which = [waits.c[name] for name in _WHICH]
_meet = Prepared(
    update(waits)
    .where(key_in(_which, _met, _WHICH), waits.c.met_by.is_(None), _is_step)
    .values(met_by=_met_by)
    .returning(waits.c.tenant_id, waits.c.run_id)
)


def meet(connection: Connection, met: Sequence[tuple[str, str, str, str]]) -> set[Key]:
    """Meet those of these waits of steps, `(tenant, run, step, event)`, that nobody met before: the first wins. The runs, which
    are locked, of those that were met."""
    parts = (met[first : first + MET_AT_ONCE] for first in range(0, len(met), MET_AT_ONCE))
    return {(row[0], row[1]) for part in parts for row in _meet(connection, part)}


_keys = rows(("tenant_id", TEXT), ("run_id", TEXT))
_of_runs = key_in([waits.c.tenant_id, waits.c.run_id], _keys, ["tenant_id", "run_id"])
_read = Prepared(select(*(waits.c[name] for name, _ in _WAIT)).where(_of_runs))
_is_met_step = _is_step & waits.c.met_by.is_not(None)
_read_met = Prepared(select(*(waits.c[name] for name, _ in _WAIT)).where(_of_runs, _is_met_step))
_clear = Sent(delete(waits).where(_of_runs))
_clear_steps = Sent(delete(waits).where(_of_runs, _is_step))
_clear_watches = Sent(delete(waits).where(_of_runs, ~_is_step))
_steps = rows(("tenant_id", TEXT), ("run_id", TEXT), ("step_id", TEXT))
_remove = Sent(
    delete(waits).where(
        key_in([waits.c.tenant_id, waits.c.run_id, waits.c.step_id], _steps, ["tenant_id", "run_id", "step_id"]),
        _is_step,
    )
)
_looked_back = Sent(
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


def clear_steps(connection: Connection, keys: Sequence[Key]) -> None:
    """No step of these runs waits any more."""
    if keys:
        _clear_steps(connection, keys)


def clear_watches(connection: Connection, keys: Sequence[Key]) -> None:
    """Nothing is watched for by these runs themselves."""
    if keys:
        _clear_watches(connection, keys)


def note_looked_back(connection: Connection, keys: Sequence[Key]) -> None:
    """Everything that could be found by looking back was found for these runs."""
    if keys:
        _looked_back(connection, keys)


# --- looking back -------------------------------------------------------------------------------------------------------


def look_back(connection: Connection, wait: Wait, shapes: Collection[Fields], since: str) -> Event | None:
    """The first event after the one with the id `since` that meets this wait, compared by one of these lists of fields."""
    hint = hint_of(wait.match_key)
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
            keys = (event_key(fields, event.as_root()) for fields in shapes)
            if event.id not in taken and wait.match_key in keys:
                return event
        if len(found) < PAGE:
            return None
        since = found[-1]


# --- what is waited for at all -------------------------------------------------------------------------------------------

_names = rows(("tenant_id", TEXT), ("event_name", TEXT), ("kind", TEXT), ("fields", TEXT))
_expect = Sent(
    insert(awaited)
    .from_select([column.name for column in _names.c], select(*_names.c).where(true()))
    .on_conflict_do_nothing()
)


def expect(connection: Connection, tenant_id: str, shapes: Collection[tuple[str, Shape]]) -> None:
    """Versions of this tenant's automations may look for these among events of these names. Whoever matches with definitions
    from before the tenant's next revision does not look for them."""
    listed = [(tenant_id, name, shape.kind, _encode(shape.fields).decode()) for name, shape in sorted(shapes)]
    _expect(connection, listed)


def expected(connection: Connection, tenant_id: str) -> dict[str, tuple[Shape, ...]]:
    """What is looked for, by the name of the event."""
    found: dict[str, list[Shape]] = {}
    query = select(awaited.c.event_name, awaited.c.kind, awaited.c.fields).where(awaited.c.tenant_id == tenant_id)
    for name, kind, fields in connection.execute(query.order_by(*awaited.primary_key.columns)):
        found.setdefault(name, []).append(Shape(kind, tuple(msgspec.json.decode(fields))))
    return {name: tuple(shapes) for name, shapes in found.items()}


def is_waiting(tenant_id: Any, run_id: Any) -> Any:
    """Whether a run waits for an event that has not come, as part of a statement."""
    return exists().where(
        waits.c.tenant_id == tenant_id, waits.c.run_id == run_id, waits.c.kind == "step", waits.c.met_by.is_(None)
    )
