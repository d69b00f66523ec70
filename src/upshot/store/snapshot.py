"""What a whole installation is doing at one moment, for those who watch it: one consistent view over all tenants.

Cheap however long the history is: it reads the tables of what has yet to happen, by their indexes, and the kept counts.
"""

import shutil
from pathlib import Path
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, case, exists, func, select, text

from upshot.core.queues import HELD, THROTTLED
from upshot.store import counts
from upshot.store.postgresql import OF_OTHERS
from upshot.store.runs import PAUSED
from upshot.store.schema import (
    active,
    dead_letters,
    events,
    outbox,
    runs,
    steps,
    tenants,
    timers,
    unmatched,
    waits,
    workers,
)

KEPT_BACK: Final = {THROTTLED: "throttled", HELD: "held_by_concurrency"}
"""The queues of runs that wait for flow control, and what that says of their events."""
READY_LOOKED_AT: Final = 200
"""How many ready runs of a queue, oldest first, are asked since when they are ready."""


class Queue(msgspec.Struct, frozen=True):
    """Runs that are ready and that nobody drives: how many, and since when the oldest is."""

    ready: int
    oldest_at: int | None


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One moment. Instants are microseconds UTC by the engine's clock; None where there is nothing to tell.

    `counts` are the kept ones, by noun and status. `kept_back` are the runs that flow control keeps back, by what it says of
    them; `waits` the steps that wait for an event. `timers_overdue_at` is the earliest instant of a timer that is due;
    `open_letters_at` since when the oldest open dead letter is kept. On PostgreSQL there are `dead_rows` and the age of the
    oldest open transaction (seconds); on SQLite the bytes of its
    write-ahead log and of its disk.
    """

    at: int
    counts: dict[str, dict[str, int]]
    outbox_pending: int
    outbox_oldest_at: int | None
    unmatched: int
    unmatched_oldest_at: int | None
    queues: dict[str, Queue]
    kept_back: dict[str, int]
    held: int
    waits: int
    timers_overdue: int
    timers_overdue_at: int | None
    workers: int
    open_letters_at: int | None
    database_bytes: int
    wal_bytes: int | None = None
    disk_bytes: int | None = None
    disk_free_bytes: int | None = None
    dead_rows: int | None = None
    oldest_transaction_seconds: float | None = None


def read(connection: Connection, path: Path | None, now: int) -> Snapshot:
    """The snapshot of what this reading transaction sees; `path` is the SQLite file."""
    pending, untried_at = _outbox(connection)
    waiting = _number(connection, unmatched)
    is_paused = exists().where(
        active.c.tenant_id == timers.c.tenant_id, active.c.run_id == timers.c.run_id, active.c.parked == PAUSED
    )
    overdue, overdue_at = _one(
        connection, select(func.count(), func.min(timers.c.due_at)).where(timers.c.due_at <= now, ~is_paused)
    )
    kept, undriven = counts.by_status(connection, None), _undriven(connection)
    return Snapshot(
        at=now,
        counts=kept,
        outbox_pending=pending,
        outbox_oldest_at=untried_at,
        unmatched=waiting,
        unmatched_oldest_at=_unmatched_since(connection) if waiting else None,
        queues={
            name: Queue(n, _ready_since(connection, name)) for name, n in undriven.items() if name not in KEPT_BACK
        },
        kept_back={says: undriven.get(name, 0) for name, says in KEPT_BACK.items()},
        held=_number(connection, active, active.c.worker_id.is_not(None)),
        waits=_number(connection, waits, waits.c.kind == "step", waits.c.met_by.is_(None)),
        timers_overdue=overdue,
        timers_overdue_at=overdue_at,
        workers=_number(connection, workers, workers.c.expires_at > now),
        open_letters_at=_open_letters_at(connection) if kept.get("dead_letters", {}).get("open") else None,
        **(_sqlite(path) if path is not None else _postgresql(connection)),
    )


def _outbox(connection: Connection) -> tuple[int, int | None]:
    """How many rows are pending, and since when the oldest of them waits for the relay. One that was refused waits for its next
    attempt, and one of a suspended tenant until that is active: neither says that nobody relays."""
    suspended = select(tenants.c.id).where(tenants.c.status == "suspended")
    waits = outbox.c.error.is_(None) & outbox.c.tenant_id.not_in(suspended)
    query = select(func.count(), func.min(case((waits, outbox.c.created_at))))
    number, oldest_at = connection.execute(query.where(outbox.c.status == "pending")).one()
    return number, oldest_at


def _unmatched_since(connection: Connection) -> int | None:
    oldest = select(unmatched.c.tenant_id, unmatched.c.event_id).order_by(unmatched.c.event_id).limit(1).subquery()
    is_oldest = (events.c.tenant_id == oldest.c.tenant_id) & (events.c.id == oldest.c.event_id)
    return _first(connection, select(events.c.accepted_at).join(oldest, is_oldest))


_is_undriven = active.c.worker_id.is_(None) & (active.c.parked == 0)


def _undriven(connection: Connection) -> dict[str, int]:
    """How many runs of each queue nobody drives."""
    query = select(active.c.queue, func.count()).where(_is_undriven).group_by(active.c.queue)
    return {row[0]: row[1] for row in connection.execute(query)}


def _ready_since(connection: Connection, queue: str) -> int | None:
    """Since when the oldest of this queue is ready, as far as is kept: since it was created or, when it has gone on since,
    since its last kept step. When it was let go by flow control, resumed or retried stands in no row of it."""
    first = (
        select(active.c.tenant_id, active.c.run_id)
        .where(_is_undriven, active.c.queue == queue)
        .order_by(active.c.run_id)
        .limit(READY_LOOKED_AT)
        .subquery()
    )
    last_step = (
        select(func.max(steps.c.finished_at))
        .where(steps.c.tenant_id == first.c.tenant_id, steps.c.run_id == first.c.run_id)
        .scalar_subquery()
    )
    since = func.coalesce(last_step, runs.c.created_at).label("since")
    ready = (
        select(since).join(first, (runs.c.tenant_id == first.c.tenant_id) & (runs.c.id == first.c.run_id)).subquery()
    )
    return _first(connection, select(func.min(ready.c.since)))


def _open_letters_at(connection: Connection) -> int | None:
    """By one look into an index for each tenant."""
    oldest = (
        select(func.min(dead_letters.c.last_at))
        .where(dead_letters.c.tenant_id == tenants.c.id, dead_letters.c.status == "open")
        .scalar_subquery()
    )
    each = select(oldest.label("at")).subquery()
    return _first(connection, select(func.min(each.c.at)))


def _sqlite(path: Path) -> dict[str, Any]:
    wal, disk = path.with_name(f"{path.name}-wal"), shutil.disk_usage(path.parent)
    return {
        "database_bytes": path.stat().st_size,
        "wal_bytes": wal.stat().st_size if wal.exists() else 0,
        "disk_bytes": disk.total,
        "disk_free_bytes": disk.free,
    }


_server = text(
    "SELECT pg_database_size(current_database()), "  # noqa: S608 - only constants
    "(SELECT coalesce(sum(n_dead_tup), 0) FROM pg_stat_user_tables WHERE relname LIKE 'upshot\\_%'), "
    "(SELECT coalesce(max(extract(epoch FROM now() - xact_start)), 0) FROM pg_stat_activity "
    f"WHERE {OF_OTHERS})"
)


def _postgresql(connection: Connection) -> dict[str, Any]:
    bytes_, dead_rows, oldest = connection.execute(_server).one()
    return {"database_bytes": int(bytes_), "dead_rows": int(dead_rows), "oldest_transaction_seconds": float(oldest)}


def _one(connection: Connection, query: Select[*tuple[Any, ...]]) -> Any:
    return connection.execute(query).one()


def _first(connection: Connection, query: Select[Any]) -> int | None:
    return connection.execute(query).scalar()


def _number(connection: Connection, table: Any, *conditions: ColumnElement[bool]) -> int:
    return connection.execute(select(func.count()).select_from(table).where(*conditions)).scalar_one()
