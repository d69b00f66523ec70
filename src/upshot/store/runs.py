"""Runs from their creation to their end, and the small `active` table that says who drives each.

`active` holds one row per unfinished run: the worker that drives it and the epoch of that hold. Every write for a run is
made only when worker and epoch still match (`held`), so a worker that lost its hold writes nothing.
"""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, bindparam, case, delete, func, select, true, update
from sqlalchemy.dialects.postgresql import insert

from upshot.core.commands import Reason
from upshot.core.flow import Ask
from upshot.core.queues import QUEUE
from upshot.core.watches import Watch
from upshot.store import waits
from upshot.store.fair import Share, Waiting
from upshot.store.rows import BIGINT, INTEGER, TEXT, Prepared, Sent, key_in, rows
from upshot.store.schema import active, runs, steps
from upshot.store.waits import Wait

Key = tuple[str, str]
"""Tenant and run id."""

_encode = msgspec.json.Encoder().encode

PAUSED = 2
"""`active.parked` of a run that is paused. 1: it sleeps until a timer; 0: it is ready, or driven."""


class NewRun(msgspec.Struct, frozen=True, gc=False):
    """A run to create: one automation version, started by one event."""

    tenant_id: str
    id: str
    automation_id: str
    version: int
    event_id: str
    entity_type: str | None
    entity_id: str | None
    priority: int
    test: bool
    facts: str | None
    worker_id: str | None
    queue: str = QUEUE
    asked: dict[str, Ask] | None = None
    """What flow control asks of its event; None where the automation has none."""
    place: str | None = None
    """The key under which it has one of the places of its automation."""
    waits_for: str | None = None
    """The key of the place that it waits for."""
    entry: str | None = None
    """The entity whose re-entry it stands in the way of."""
    replay_id: str | None = None
    """The replay that started it."""
    watches: tuple[Watch, ...] = ()
    """What it watches for from the moment it is made."""

    def waits(self, now: int) -> list[Wait]:
        """Its watches as they are kept from `now` on."""
        return waits.waits_of(self.tenant_id, self.id, self.watches, now, test=self.test)


_RUN = (
    ("tenant_id", TEXT),
    ("id", TEXT),
    ("automation_id", TEXT),
    ("version", INTEGER),
    ("event_id", TEXT),
    ("entity_type", TEXT),
    ("entity_id", TEXT),
    ("priority", INTEGER),
    ("test", INTEGER),
    ("facts", TEXT),
    ("status", TEXT),
)
_new = rows(*_RUN)
_insert_runs = Prepared(
    insert(runs)
    .from_select(
        [*(name for name, _ in _RUN), "created_at"],
        select(*_new.c, bindparam("now", type_=BIGINT)).where(true()),
    )
    .on_conflict_do_nothing()
)
_WHOLE = (*_RUN, *((name, TEXT) for name in ("place", "waits_for", "entry", "replay_id")))
_whole = rows(*_WHOLE)
_insert_whole = Prepared(
    insert(runs)
    .from_select(
        [*(name for name, _ in _WHOLE), "created_at"],
        select(*_whole.c, bindparam("now", type_=BIGINT)).where(true()),
    )
    .on_conflict_do_nothing()
)
_BORN = (("tenant_id", TEXT), ("run_id", TEXT), ("priority", INTEGER), ("worker_id", TEXT), ("queue", TEXT))
_born = rows(*_BORN)
_insert_active = Sent(insert(active).from_select([name for name, _ in _BORN], select(*_born.c).where(true())))


def create(connection: Connection, new: Sequence[NewRun], now: int) -> set[str]:
    """Create these runs, each held by its worker or, without one, ready for any; the ids of those that did not exist
    (there is one run per event and automation)."""
    if any(run.asked is not None or run.replay_id is not None for run in new):
        listed = [(*_row(run), run.place, run.waits_for, run.entry, run.replay_id) for run in new]
        number = _insert_whole(connection, listed, now=now).rowcount
    else:
        number = _insert_runs(connection, [_row(run) for run in new], now=now).rowcount
    made = {run.id for run in new}
    if number < len(new):  # no two runs have one id, so those that are there are those that were made
        made = {row[0] for row in _there.all(connection, [(run.tenant_id, run.id) for run in new])}
    born = [(r.tenant_id, r.id, r.priority, r.worker_id, r.queue) for r in new if r.id in made]
    if born:
        _insert_active(connection, born)
    waits.add(connection, [wait for run in new if run.watches and run.id in made for wait in run.waits(now)])
    return made


def _row(run: NewRun) -> tuple[Any, ...]:
    return (
        run.tenant_id,
        run.id,
        run.automation_id,
        run.version,
        run.event_id,
        run.entity_type,
        run.entity_id,
        run.priority,
        int(run.test),
        run.facts,
        "running" if run.worker_id else "pending",
    )


_keys = rows(("tenant_id", TEXT), ("run_id", TEXT))
_held_keys = rows(("tenant_id", TEXT), ("run_id", TEXT), ("epoch", INTEGER))
_active_key = [active.c.tenant_id, active.c.run_id]
_held_here = (  # a join: for three columns of which an index has two, SQLite lists what `key_in` gives twice
    select(active.c.run_id, active.c.parked)
    .join_from(_held_keys, active, and_(*(active.c[name] == _held_keys.c[name] for name in ("tenant_id", "run_id"))))
    .where(
        active.c.epoch == _held_keys.c.epoch,
        active.c.worker_id.is_not_distinct_from(bindparam("worker_id")),  # by `=` all it holds would be looked up
    )
    .order_by(active.c.tenant_id, active.c.run_id)
    .with_for_update(of=active)
)
_held = Prepared(_held_here)
_locked = _held_here.subquery("locked")
_held_number = Prepared(select(func.count()).select_from(_locked).where(_locked.c.parked == 0))


def held(connection: Connection, keys: Sequence[tuple[str, str, int]], worker_id: str) -> dict[str, bool]:
    """Of these `(tenant, run, epoch)`, the runs that this worker still holds, each with whether somebody paused it meanwhile.
    They stay so until the transaction ends."""
    (number,) = _held_number(connection, keys, worker_id=worker_id).fetchone()
    if number == len(keys):  # as nearly always
        return dict.fromkeys((key[1] for key in keys), False)
    return {row[0]: row[1] != 0 for row in _held(connection, keys, worker_id=worker_id)}


_held_elsewhere = Prepared(
    select(active.c.run_id).where(
        key_in(_active_key, _keys, ["tenant_id", "run_id"]), active.c.worker_id != bindparam("worker_id")
    )
)


def held_elsewhere(connection: Connection, keys: Sequence[Key], worker_id: str) -> set[str]:
    """Of these runs, those that another worker holds."""
    return {row[0] for row in _held_elsewhere(connection, keys, worker_id=worker_id)}


_runs_in_keys = key_in([runs.c.tenant_id, runs.c.id], _keys, ["tenant_id", "run_id"])
_active_in_keys = key_in(_active_key, _keys, ["tenant_id", "run_id"])
_set_finished = Sent(
    update(runs)
    .where(_runs_in_keys)
    .values(
        status=bindparam("status"),
        finished_at=bindparam("now"),
        error=bindparam("error"),
        reason=bindparam("reason"),
        ended_by=bindparam("ended_by"),
    )
)
_set_status = Sent(update(runs).where(_runs_in_keys).values(status=bindparam("status")))
_let_go = Sent(delete(active).where(_active_in_keys))
_park = Sent(update(active).where(_active_in_keys).values(worker_id=None, parked=1))
_release = Sent(update(active).where(_active_in_keys).values(worker_id=None))
_one_less = case((active.c.strikes > 0, active.c.strikes - 1), else_=0)
_release_without_strike = Sent(update(active).where(_active_in_keys).values(worker_id=None, strikes=_one_less))


def finish(
    connection: Connection,
    keys: Sequence[Key],
    status: str,
    now: int,
    error: str | None = None,
    *,
    reason: Reason | None = None,
    ended_by: str | None = None,
) -> None:
    """End these runs, all with this final status, error, reason and the event that ended them."""
    told = _encode(reason).decode() if reason is not None else None
    _set_finished(connection, keys, status=status, now=now, error=error, reason=told, ended_by=ended_by)
    _let_go(connection, keys)


def park(connection: Connection, keys: Sequence[Key]) -> None:
    """Nobody drives these runs until a timer wakes them."""
    _park(connection, keys)
    _set_status(connection, keys, status="waiting")


def release_all(connection: Connection, worker_id: str) -> None:
    """Hand back everything this worker holds, in order: no strike, however often a process is restarted."""
    mine = update(active).where(active.c.worker_id == worker_id)
    connection.execute(mine.values(worker_id=None, strikes=_one_less))


def release_held(
    connection: Connection, keys: Sequence[tuple[str, str, int]], worker_id: str, *, is_strike: bool = True
) -> None:
    """Hand those of these `(tenant, run, epoch)` that this worker still holds back, ready for any worker. When it is not
    the run that hindered its driving, the claim was no strike."""
    still = held(connection, keys, worker_id)
    release = _release if is_strike else _release_without_strike
    release(connection, [(tenant_id, run_id) for tenant_id, run_id, _ in keys if run_id in still])


def release(connection: Connection, keys: Collection[Key]) -> None:
    """Hand these runs back, ready for any worker of their queue."""
    _release_without_strike(connection, sorted(keys))


_lock_parked = Prepared(
    select(active.c.tenant_id, active.c.run_id, active.c.queue, active.c.epoch)
    .where(_active_in_keys, active.c.parked == 1)
    .order_by(active.c.tenant_id, active.c.run_id)
    .with_for_update()
)


def lock_parked(connection: Connection, keys: Sequence[Key]) -> dict[Key, tuple[str, int]]:
    """Lock those of these runs that sleep; the queue and the epoch of each. Whoever changes a run's life locks it here first,
    and in this order, so that no two wait for each other."""
    return {(row[0], row[1]): (row[2], row[3]) for row in _lock_parked.all(connection, keys)}


_lock = Prepared(
    select(active.c.tenant_id, active.c.run_id, active.c.queue, runs.c.status)
    .join(runs, (runs.c.tenant_id == active.c.tenant_id) & (runs.c.id == active.c.run_id))
    .where(_active_in_keys)
    .order_by(active.c.tenant_id, active.c.run_id)
    .with_for_update(of=active)
)


def lock(connection: Connection, keys: Sequence[Key]) -> dict[Key, tuple[str, str]]:
    """Lock those of these runs that are not over, whoever drives them; the queue and the status of each."""
    return {(row[0], row[1]): (row[2], row[3]) for row in _lock(connection, keys)}


_rouse = Sent(update(active).where(_active_in_keys, active.c.parked == 1).values(parked=0, strikes=0))


def rouse(connection: Connection, keys: Sequence[Key]) -> None:
    """Those of these runs that sleep are ready for any worker."""
    if keys:
        _rouse(connection, keys)


_take_over = Prepared(
    update(active)
    .where(_active_in_keys)
    .values(worker_id=bindparam("worker_id"), parked=0, epoch=active.c.epoch + 1, strikes=0)
    .returning(active.c.tenant_id, active.c.run_id, active.c.epoch)
)


def take_over(connection: Connection, keys: Sequence[Key], worker_id: str) -> dict[Key, int]:
    """Take these runs, which are locked, from whoever drives them; also those that sleep. The new epoch of each."""
    taken = {(row[0], row[1]): row[2] for row in _take_over(connection, keys, worker_id=worker_id)}
    _set_status(connection, list(taken), status="running")
    return taken


_wake = Sent(
    update(active)
    .where(_active_in_keys, active.c.parked == 1)
    .values(worker_id=bindparam("worker_id"), parked=0, epoch=active.c.epoch + 1, strikes=0)
)


def wake(connection: Connection, keys: Collection[Key], worker_id: str) -> None:
    """Take these runs, which sleep and are locked: the epoch of each is one more."""
    if keys:
        _wake(connection, sorted(keys), worker_id=worker_id)
        _set_status(connection, sorted(keys), status="running")


_kept_steps = (
    select(func.count())
    .select_from(steps)
    .where(steps.c.tenant_id == active.c.tenant_id, steps.c.run_id == active.c.run_id)
    .scalar_subquery()
)
_claim = Sent(
    update(active)
    .where(_active_in_keys)
    .values(
        worker_id=bindparam("worker_id"),
        epoch=active.c.epoch + 1,
        strikes=case((_kept_steps > active.c.progress, 1), else_=active.c.strikes + 1),
        progress=_kept_steps,
    )
)
_there = Prepared(select(runs.c.id).where(_runs_in_keys))
_read_claimed = Prepared(
    select(
        *(runs.c.tenant_id, runs.c.id, active.c.epoch, active.c.strikes),
        *(runs.c.status, runs.c.automation_id, runs.c.test),
    )
    .join_from(runs, active, (active.c.tenant_id == runs.c.tenant_id) & (active.c.run_id == runs.c.id))
    .where(_runs_in_keys)
)
_ready = Waiting(
    active,
    ready=lambda own: own.worker_id.is_(None) & (own.parked == 0) & (own.queue == bindparam("queue")),
    order=lambda own: (own.priority.desc(), own.run_id),
    taken=("tenant_id", "run_id"),
)


class Claimed(msgspec.Struct, frozen=True):
    """A run this worker now holds. `strikes` counts the claims since the run last kept a step; `was` is its status before."""

    tenant_id: str
    run_id: str
    epoch: int
    strikes: int
    was: str
    automation_id: str
    test: bool


def claim(connection: Connection, worker_id: str, queue: str, limit: int, after: str = "") -> Share[Claimed]:
    """Take runs of this queue that nobody drives: a share of each tenant after `after`; of one tenant the highest priority
    first, then the oldest. A claim is a strike. The rows are `Claimed`."""
    found = _ready.claim(connection, limit, after, queue=queue)
    if not found.rows:
        return found
    _claim(connection, found.rows, worker_id=worker_id)
    claimed = [
        Claimed(tenant_id, run_id, epoch, strikes, was, automation_id, bool(test))
        for tenant_id, run_id, epoch, strikes, was, automation_id, test in _read_claimed.all(connection, found.rows)
    ]
    _set_status(connection, found.rows, status="running")
    return found._replace(rows=claimed)


_holds = Prepared(
    select(active.c.tenant_id, active.c.run_id, active.c.epoch, active.c.parked).where(
        active.c.worker_id == bindparam("worker_id")
    )
)


def holds(connection: Connection, worker_id: str) -> dict[tuple[str, str, int], bool]:
    """The `(tenant, run, epoch)` that this worker holds, each with whether somebody paused it: then no step of it begins."""
    return {(row[0], row[1], row[2]): row[3] != 0 for row in _holds(connection, worker_id=worker_id)}
