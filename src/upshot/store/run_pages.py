"""Reading runs: lists, one run with all its steps, and the last run of each automation."""

from collections.abc import Sequence
from typing import Any, cast

import msgspec
from sqlalchemy import Connection, Select, func, literal, select, tuple_

from upshot.core import statuses
from upshot.core.journal import WHOLE
from upshot.store.listing import SCAN_MAX, rarely
from upshot.store.schema import active, attempts, automations, events, runs, steps, timers


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """One run with the names of what it belongs to. `event_source_id` is the id the host gave its event."""

    id: str
    automation_id: str
    automation_name: str | None
    version: int
    event_id: str
    event_source_id: str | None
    event_name: str | None
    entity_type: str | None
    entity_id: str | None
    status: str
    test: bool
    facts: str | None
    created_at: int
    finished_at: int | None
    error: str | None
    reason: str | None
    replay_id: str | None


class TimerRow(msgspec.Struct, frozen=True):
    """What a run waits for."""

    run_id: str
    step_id: str
    kind: str
    set_at: int
    due_at: int


class StepRow(msgspec.Struct, frozen=True):
    """One kept outcome. JSON fields are text."""

    step_id: str
    kind: str
    status: str
    attempt: int
    started_at: int
    finished_at: int
    input: str | None
    output: str | None
    error: str | None
    log: str | None


class AttemptRow(msgspec.Struct, frozen=True):
    """One failed attempt that was followed by another. JSON fields are text."""

    step_id: str
    attempt: int
    started_at: int
    finished_at: int
    input: str | None
    error: str | None
    log: str | None


class Page(msgspec.Struct, frozen=True):
    """Runs in order. `next_before` is where the next page begins, None when there is none."""

    runs: list[RunRow]
    next_before: str | None


class Filter(msgspec.Struct, frozen=True):
    """Which runs are wanted. `event_id` is the engine's own id."""

    event_id: str | None = None
    event_name: str | None = None
    automation_id: str | None = None
    status: str | None = None
    entity: tuple[str, str] | None = None
    replay_id: str | None = None


_COLUMNS = (
    runs.c.id,
    runs.c.automation_id,
    automations.c.name,
    runs.c.version,
    runs.c.event_id,
    events.c.source_id,
    events.c.name,
    runs.c.entity_type,
    runs.c.entity_id,
    runs.c.status,
    runs.c.test,
    runs.c.facts,
    runs.c.created_at,
    runs.c.finished_at,
    runs.c.error,
    runs.c.reason,
    runs.c.replay_id,
)
_TROUBLE = frozenset({"failed", "partial", "cancelled"})


def page(connection: Connection, tenant_id: str, before: str | None, limit: int, wanted: Filter) -> Page:
    """The tenant's runs, newest first, beginning before the run `before`. A page that looks for an event's name looks
    through a bounded number of runs and may be short, or empty, with more to come."""
    keys = _ordered(tenant_id, wanted)
    if before is not None:
        keys = keys.where(runs.c.id < before)
    if wanted.event_name is None:
        found = _rows(connection, _joined().where(_in(tenant_id, keys.limit(limit + 1))))
        return Page(found[:limit], found[limit - 1].id if len(found) > limit else None)
    window = keys.limit(SCAN_MAX).subquery()
    query = _joined().where(_in(tenant_id, select(window.c.id)), events.c.name == wanted.event_name)
    found = _rows(connection, query.limit(limit + 1))
    if len(found) > limit:
        return Page(found[:limit], found[limit - 1].id)
    number, last = connection.execute(select(func.count(), func.min(window.c.id))).one()
    return Page(found, last if number == SCAN_MAX else None)


def read(connection: Connection, tenant_id: str, run_id: str) -> RunRow | None:
    """One run."""
    found = _rows(connection, _joined().where(runs.c.tenant_id == tenant_id, runs.c.id == run_id))
    return found[0] if found else None


def batch(
    connection: Connection, tenant_id: str, wanted: Filter, statuses_: Sequence[str], after: str, until: int, limit: int
) -> list[str]:
    """The ids of the wanted runs of these statuses that were created up to `until`, in order, beginning after the run
    `after`."""
    query = _of_batch(tenant_id, wanted, statuses_, after, until).order_by(runs.c.id).limit(limit)
    return list(connection.execute(query).scalars())


def number_left(
    connection: Connection, tenant_id: str, wanted: Filter, statuses_: Sequence[str], after: str, until: int
) -> int:
    """How many `batch` would give in all."""
    query = _of_batch(tenant_id, wanted, statuses_, after, until)
    return connection.execute(select(func.count()).select_from(query.subquery())).scalar() or 0


def _of_batch(tenant_id: str, wanted: Filter, statuses_: Sequence[str], after: str, until: int) -> Select[Any]:
    query = select(runs.c.id).where(runs.c.tenant_id == tenant_id, runs.c.id > after, runs.c.created_at <= until)
    if set(statuses_) <= _TROUBLE:
        listed = [literal(name, literal_execute=True) for name in ("failed", "partial", "cancelled")]
        query = query.where(runs.c.status.in_(listed))
    elif not set(statuses_) & statuses.RUN_OVER:  # what is unfinished is found in the small table
        unfinished = select(active.c.run_id).where(active.c.tenant_id == tenant_id, active.c.run_id > after)
        query = query.where(runs.c.id.in_(unfinished))
    query = query.where(runs.c.status.in_(list(statuses_)))
    if wanted.event_name is not None:
        named = select(events.c.id).where(events.c.tenant_id == tenant_id, events.c.name == wanted.event_name)
        query = query.where(runs.c.event_id.in_(named))
    if wanted.event_id is not None:
        query = query.where(runs.c.event_id == wanted.event_id)
    if wanted.automation_id is not None:
        query = query.where(runs.c.automation_id == wanted.automation_id)
    if wanted.status is not None:
        query = query.where(runs.c.status == wanted.status)
    if wanted.entity is not None:
        query = query.where(runs.c.entity_type == wanted.entity[0], runs.c.entity_id == wanted.entity[1])
    if wanted.replay_id is not None:
        query = query.where(runs.c.replay_id == wanted.replay_id)
    return query


def status(connection: Connection, tenant_id: str, run_id: str) -> str | None:
    """The status of this run, None when there is no such run."""
    return connection.execute(select(runs.c.status).where(runs.c.tenant_id == tenant_id, runs.c.id == run_id)).scalar()


def of_event(connection: Connection, tenant_id: str, event_id: str, limit: int) -> list[RunRow]:
    """The runs that this event started, in the order they were created."""
    keys = _ordered(tenant_id, Filter(event_id=event_id)).limit(limit)
    return sorted(_rows(connection, _joined().where(_in(tenant_id, keys))), key=lambda run: run.id)


def ended_by(connection: Connection, tenant_id: str, event_id: str, limit: int) -> list[RunRow]:
    """The runs that this event ended, in the order they were created."""
    keys = select(runs.c.id).where(runs.c.tenant_id == tenant_id, runs.c.ended_by == event_id).order_by(runs.c.id)
    return sorted(_rows(connection, _joined().where(_in(tenant_id, keys.limit(limit)))), key=lambda run: run.id)


def count_by_event(connection: Connection, tenant_id: str, event_ids: Sequence[str]) -> dict[str, int]:
    """How many runs each of these events started."""
    query = (
        select(runs.c.event_id, func.count())
        .where(runs.c.tenant_id == tenant_id, runs.c.event_id.in_(event_ids))
        .group_by(runs.c.event_id)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def last_of_automations(
    connection: Connection, tenant_id: str, automation_ids: Sequence[str]
) -> dict[str, tuple[str, str, int]]:
    """The newest run of each of these automations: its id, status and creation. Their ids are read first: a server that keeps
    tenants apart looks nothing up by a value that a subquery computes, and would read all runs of the tenant instead."""
    newest = (
        select(runs.c.id)
        .where(runs.c.tenant_id == literal(tenant_id), runs.c.automation_id == automations.c.id)
        .order_by(runs.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    found = select(newest).where(automations.c.tenant_id == tenant_id, automations.c.id.in_(automation_ids))
    ids = [run_id for run_id in connection.execute(found).scalars() if run_id is not None]
    query = select(runs.c.automation_id, runs.c.id, runs.c.status, runs.c.created_at).where(
        runs.c.tenant_id == tenant_id, runs.c.id.in_(ids)
    )
    return {row[0]: (row[1], row[2], row[3]) for row in connection.execute(query)}


def timers_of(connection: Connection, tenant_id: str, run_ids: Sequence[str]) -> dict[str, list[TimerRow]]:
    """What each of these runs waits for, the next first."""
    columns = [timers.c[name] for name in TimerRow.__struct_fields__]
    of_runs = (timers.c.tenant_id == tenant_id, timers.c.run_id.in_(run_ids), timers.c.step_id != WHOLE)
    query = select(*columns).where(*of_runs)
    found: dict[str, list[TimerRow]] = {}
    for row in connection.execute(query.order_by(timers.c.due_at, timers.c.step_id)):
        found.setdefault(row[0], []).append(TimerRow(*row))
    return found


def steps_of(connection: Connection, tenant_id: str, run_id: str) -> list[StepRow]:
    """The run's kept outcomes, in kept order."""
    columns = [steps.c[name] for name in StepRow.__struct_fields__]
    query = select(*columns).where(steps.c.tenant_id == tenant_id, steps.c.run_id == run_id).order_by(steps.c.seq)
    return [StepRow(*row) for row in connection.execute(query)]


def number_of_steps(connection: Connection, tenant_id: str, run_ids: Sequence[str]) -> dict[str, int]:
    """How many outcomes each of these runs has kept; those without any are left out."""
    of_runs = (steps.c.tenant_id == tenant_id, steps.c.run_id.in_(run_ids))
    query = select(steps.c.run_id, func.count()).where(*of_runs).group_by(steps.c.run_id)
    return {row[0]: row[1] for row in connection.execute(query)}


def attempts_of(connection: Connection, tenant_id: str, run_id: str) -> list[AttemptRow]:
    """The run's earlier attempts, in order."""
    columns = [attempts.c[name] for name in AttemptRow.__struct_fields__]
    query = select(*columns).where(attempts.c.tenant_id == tenant_id, attempts.c.run_id == run_id)
    return [AttemptRow(*row) for row in connection.execute(query.order_by(attempts.c.step_id, attempts.c.attempt))]


def is_held(connection: Connection, tenant_id: str, run_id: str) -> bool:
    """Whether a worker drives this run now."""
    query = select(active.c.worker_id).where(active.c.tenant_id == tenant_id, active.c.run_id == run_id)
    return connection.execute(query).scalar() is not None


def _ordered(tenant_id: str, wanted: Filter) -> Select[Any]:
    """The ids of the wanted runs, newest first."""
    keys = select(runs.c.id).where(runs.c.tenant_id == tenant_id).order_by(runs.c.id.desc())
    if wanted.event_id is not None:
        keys = keys.where(rarely(runs.c.event_id == wanted.event_id))
    if wanted.automation_id is not None:
        keys = keys.where(rarely(runs.c.automation_id == wanted.automation_id))
    if wanted.entity is not None:
        entity_type, entity_id = wanted.entity
        keys = keys.where(rarely(runs.c.entity_type == entity_type), rarely(runs.c.entity_id == entity_id))
    if wanted.replay_id is not None:
        keys = keys.where(rarely(runs.c.replay_id == wanted.replay_id), runs.c.replay_id.is_not(None))
    if wanted.status is None:
        return keys
    if wanted.status in _TROUBLE:  # said as the partial index has it, so that it can be used
        listed = [literal(name, literal_execute=True) for name in ("failed", "partial", "cancelled")]
        return keys.where(rarely(runs.c.status == wanted.status), runs.c.status.in_(listed))
    keys = keys.where(runs.c.status == wanted.status)
    if wanted.status not in statuses.RUN_OVER:  # what is unfinished is found in the small table
        unfinished = select(active.c.tenant_id, active.c.run_id).where(active.c.tenant_id == tenant_id)
        return keys.where(tuple_(runs.c.tenant_id, runs.c.id).in_(unfinished))
    return keys


def _in(tenant_id: str, keys: Any) -> Any:
    return (runs.c.tenant_id == tenant_id) & runs.c.id.in_(keys)


def _joined() -> Select[Any]:
    joined = runs.outerjoin(
        automations, (automations.c.tenant_id == runs.c.tenant_id) & (automations.c.id == runs.c.automation_id)
    ).outerjoin(events, (events.c.tenant_id == runs.c.tenant_id) & (events.c.id == runs.c.event_id))
    query = cast("Select[Any]", select(*_COLUMNS))
    return query.select_from(joined).order_by(runs.c.id.desc())


def _rows(connection: Connection, query: Select[Any]) -> list[RunRow]:
    return [_row(row) for row in connection.execute(query)]


def _row(row: Any) -> RunRow:
    named: dict[str, Any] = dict(zip(RunRow.__struct_fields__, row, strict=True))
    named["test"] = bool(named["test"])
    return RunRow(**named)
