"""Workers, their leases, and what becomes of what a dead one held. A worker's id is made at its boot and never used again.

A worker holds runs (`active`) and events (`unmatched`) by its id. When its lease has run out, any other worker buries it:
what it held is free, and its row is gone, in one transaction.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from upshot.store.schema import active, unmatched, workers


class Worker(msgspec.Struct, frozen=True):
    """One worker process. `expires_at` is until when its lease holds; `queues` are the queues it serves; workers of one `place`
    see each other's process ids."""

    id: str
    host: str
    place: str
    pid: int
    queues: tuple[str, ...]
    concurrency: int
    started_at: int
    expires_at: int


class Buried(msgspec.Struct, frozen=True):
    """The ids of workers that were dead, and how many runs they held."""

    ids: tuple[str, ...]
    runs: int


def register(connection: Connection, worker: Worker) -> None:
    """Add this worker, or renew it."""
    row = {**msgspec.structs.asdict(worker), "queues": ",".join(worker.queues)}
    new = insert(workers).values(row)
    connection.execute(new.on_conflict_do_update(index_elements=["id"], set_={"expires_at": new.excluded.expires_at}))


def renew(connection: Connection, worker_id: str, expires_at: int) -> bool:
    """Hold the lease until `expires_at`; False when this worker was buried."""
    renewed = update(workers).where(workers.c.id == worker_id).values(expires_at=expires_at)
    return connection.execute(renewed).rowcount == 1


def every(connection: Connection) -> list[Worker]:
    """Every worker that is not buried, oldest first."""
    columns = [workers.c[name] for name in Worker.__struct_fields__]
    query = select(*columns).order_by(workers.c.started_at, workers.c.id)
    rows: list[dict[str, Any]] = [
        dict(zip(Worker.__struct_fields__, row, strict=True)) for row in connection.execute(query)
    ]
    return [msgspec.convert({**row, "queues": row["queues"].split(",")}, Worker) for row in rows]


def expire_others(connection: Connection, worker_id: str) -> None:
    """Say that every other worker is gone. Only for a caller who has proved it (the lock of an embedded file)."""
    connection.execute(update(workers).where(workers.c.id != worker_id).values(expires_at=0))


def bury_dead(connection: Connection, worker_id: str, now: int, known_dead: Sequence[str] = ()) -> "Buried":
    """Free what workers held whose lease has run out, or that are known to be dead, and remove them. Never the caller itself,
    which is alive."""
    is_dead = (workers.c.expires_at <= now) | workers.c.id.in_(known_dead)
    dead = select(workers.c.id).where(is_dead, workers.c.id != worker_id).with_for_update(skip_locked=True)
    gone = list(connection.execute(dead).scalars())
    if not gone:
        return Buried((), 0)
    number = free(connection, gone)
    connection.execute(delete(workers).where(workers.c.id.in_(gone)))
    return Buried(tuple(gone), number)


def free(connection: Connection, worker_ids: Sequence[str]) -> int:
    """What these workers hold is anybody's; how many runs that is."""
    of_runs, _ = (
        connection.execute(update(table).where(table.c.worker_id.in_(worker_ids)).values(worker_id=None)).rowcount
        for table in (active, unmatched)
    )
    return of_runs


def free_unowned(connection: Connection) -> int:
    """Free what is held in the name of workers that are nowhere registered; how much that was. Nothing should be: this is
    for what a restored backup or a hand in the database has left."""
    registered = select(workers.c.id)
    freed = 0
    for table in (active, unmatched):
        unowned = table.c.worker_id.is_not(None) & table.c.worker_id.not_in(registered)
        freed += connection.execute(update(table).where(unowned).values(worker_id=None)).rowcount
    return freed


def remove(connection: Connection, worker_id: str) -> None:
    """Take this worker off. It holds nothing any more."""
    connection.execute(delete(workers).where(workers.c.id == worker_id))


def number_alive(connection: Connection, now: int) -> int:
    """How many workers hold a lease."""
    return connection.execute(select(func.count()).where(workers.c.expires_at > now)).scalar_one()
