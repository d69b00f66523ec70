"""How runs stand, and what people change of it: runs are put on hold, and let go on. A paused run (`active.parked` is 2) is
claimed by nobody, and its timers wait.

Who drives a run at the moment it is paused keeps its hold until the steps in flight are kept, and then lets go.
"""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, delete, literal, literal_column, select, update

from upshot.store.rows import TEXT, Prepared, Sent, key_in, rows
from upshot.store.runs import PAUSED
from upshot.store.schema import active, runs, timers

Key = tuple[str, str]


class Standing(msgspec.Struct, frozen=True):
    """How one run stands: its status, and whether a worker drives it."""

    status: str
    automation_id: str
    test: bool
    is_driven: bool


_keys = rows(("tenant_id", TEXT), ("run_id", TEXT))
_own = key_in([active.c.tenant_id, active.c.run_id], _keys, ["tenant_id", "run_id"])
_of_run = key_in([runs.c.tenant_id, runs.c.id], _keys, ["tenant_id", "run_id"])
_lock = Prepared(select(active.c.run_id).where(_own).order_by(active.c.tenant_id, active.c.run_id).with_for_update())
_read = Prepared(
    select(runs.c.id, runs.c.status, runs.c.automation_id, runs.c.test, active.c.worker_id)
    .select_from(runs.outerjoin(active, (active.c.tenant_id == runs.c.tenant_id) & (active.c.run_id == runs.c.id)))
    .where(_of_run)
)


def lock(connection: Connection, keys: Sequence[Key]) -> dict[str, Standing]:
    """How each of these runs stands. Those that are not over stay so until the transaction ends."""
    ordered = sorted(keys)
    _lock(connection, ordered).fetchall()
    return {
        run_id: Standing(status, automation_id, bool(test), worker_id is not None)
        for run_id, status, automation_id, test, worker_id in _read(connection, ordered)
    }


_how = Prepared(select(active.c.parked).where(_own))


def is_paused(connection: Connection, key: Key) -> bool:
    """Whether this run is paused now."""
    found = _how(connection, [key]).fetchone()
    return found is not None and found[0] == PAUSED


_STATUS = {
    status: Prepared(update(runs).where(_of_run).values(status=literal_column(f"'{status}'")))
    for status in ("paused", "running", "pending")
}
_hold_back = Sent(update(active).where(_own).values(parked=literal_column(str(PAUSED))))
_forget_look = Sent(
    delete(timers).where(
        key_in([timers.c.tenant_id, timers.c.run_id], _keys, ["tenant_id", "run_id"]),
        timers.c.step_id
        == select(literal("version ").concat(runs.c.version))
        .where(runs.c.tenant_id == timers.c.tenant_id, runs.c.id == timers.c.run_id)
        .scalar_subquery(),
    )
)
_let_go_on = Sent(update(active).where(_own).values(parked=literal_column("0"), strikes=literal_column("0")))
_release_paused = Sent(
    update(active).where(_own, active.c.parked == literal_column(str(PAUSED))).values(worker_id=literal_column("NULL"))
)


def hold_back(connection: Connection, keys: Sequence[Key]) -> None:
    """Pause these runs, which are locked. One that waits for a release that can drive it is looked at when it goes on."""
    _hold_back(connection, keys)
    _forget_look(connection, keys)
    _STATUS["paused"](connection, keys)


def let_go_on(connection: Connection, keys: Sequence[Key], status: str) -> None:
    """Let these paused or sleeping runs, which are locked, go on: `running` with the worker that drives them, or `pending`, for
    any worker. Whoever takes one finds its timers, and lets it sleep until the next of them."""
    _let_go_on(connection, keys)
    _STATUS[status](connection, keys)


def release_paused(connection: Connection, keys: Sequence[Key]) -> None:
    """Those of these runs that are paused are driven by nobody from now on."""
    if keys:
        _release_paused(connection, keys)
