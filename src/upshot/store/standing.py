"""How runs stand, and what people change of it: runs are put on hold, and let go on. In `active.parked`, beside 0 (ready, or
driven) and 1 (asleep until a timer), 2 says that the run is paused: nobody claims it and no timer wakes it.

Who drives a run at the moment it is paused keeps its hold until the step in flight is kept, and then lets go.
"""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, delete, exists, literal_column, select, update

from upshot.store.rows import TEXT, Prepared, key_in, rows
from upshot.store.schema import active, runs, timers

Key = tuple[str, str]


class Standing(msgspec.Struct, frozen=True):
    """How one run stands: its status; whether a worker drives it and a timer is set for it."""

    status: str
    automation_id: str
    test: bool
    is_driven: bool
    has_timer: bool


_keys = rows(("tenant_id", TEXT), ("run_id", TEXT))
_own = key_in([active.c.tenant_id, active.c.run_id], _keys, ["tenant_id", "run_id"])
_lock = Prepared(select(active.c.run_id).where(_own).order_by(active.c.tenant_id, active.c.run_id).with_for_update())
_is_timed = exists().where(timers.c.tenant_id == runs.c.tenant_id, timers.c.run_id == runs.c.id)
_read = Prepared(
    select(runs.c.id, runs.c.status, runs.c.automation_id, runs.c.test, active.c.worker_id, _is_timed)
    .select_from(runs.outerjoin(active, (active.c.tenant_id == runs.c.tenant_id) & (active.c.run_id == runs.c.id)))
    .where(key_in([runs.c.tenant_id, runs.c.id], _keys, ["tenant_id", "run_id"]))
)


def lock(connection: Connection, keys: Sequence[Key]) -> dict[str, Standing]:
    """How each of these runs stands. Those that are not over stay so until the transaction ends."""
    ordered = sorted(keys)
    _lock(connection, ordered).fetchall()
    return {
        run_id: Standing(status, automation_id, bool(test), worker_id is not None, bool(has_timer))
        for run_id, status, automation_id, test, worker_id, has_timer in _read(connection, ordered)
    }


_hold_back = Prepared(update(active).where(_own).values(parked=literal_column("2")))
_ready_again = Prepared(update(active).where(_own).values(parked=literal_column("0")))
_asleep_again = Prepared(update(active).where(_own).values(parked=literal_column("1")))
_AGAIN: dict[str, Prepared] = {"running": _ready_again, "pending": _ready_again, "waiting": _asleep_again}
_of_run = key_in([runs.c.tenant_id, runs.c.id], _keys, ["tenant_id", "run_id"])
_STATUS = {
    status: Prepared(update(runs).where(_of_run).values(status=literal_column(f"'{status}'")))
    for status in ("paused", *_AGAIN)
}


def hold_back(connection: Connection, keys: Sequence[Key]) -> None:
    """Pause these runs, which are locked."""
    _hold_back(connection, keys)
    _STATUS["paused"](connection, keys)


def let_go_on(connection: Connection, keys: Sequence[Key], status: str) -> None:
    """Let these paused runs, which are locked, go on: `running` with the worker that drives them, `waiting` for their timer, or
    `pending`, for any worker."""
    _AGAIN[status](connection, keys)
    _STATUS[status](connection, keys)


_release_paused = Prepared(update(active).where(_own, active.c.parked == 2).values(worker_id=None))
_clear_timers = Prepared(
    delete(timers).where(key_in([timers.c.tenant_id, timers.c.run_id], _keys, ["tenant_id", "run_id"]))
)


def release_paused(connection: Connection, keys: Sequence[Key]) -> None:
    """Those of these runs that are paused are driven by nobody from now on."""
    if keys:
        _release_paused(connection, keys)


def clear_timers(connection: Connection, keys: Sequence[Key]) -> None:
    """Remove every timer of these runs."""
    _clear_timers(connection, keys)


def moved_to(standing: Standing) -> str:
    """What a paused run that stands so becomes when it goes on."""
    if standing.is_driven:
        return "running"
    return "waiting" if standing.has_timer else "pending"
