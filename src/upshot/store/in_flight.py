"""Runs of an automation that are under way on versions other than its live one."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, case, delete, func, literal_column, select, update

from upshot.core.journal import WHOLE
from upshot.core.queues import WAITING
from upshot.store.queues import own_queue
from upshot.store.rows import INTEGER, TEXT, Prepared, Sent, key_in, rows
from upshot.store.schema import active, runs, timers

Key = tuple[str, str]

_own = bindparam("tenant_id", type_=TEXT)
_version = (  # by a look for each run that is not over, of which there are fewer than runs
    select(runs.c.version)
    .where(
        runs.c.tenant_id == active.c.tenant_id,
        runs.c.id == active.c.run_id,
        runs.c.automation_id == bindparam("automation_id", type_=TEXT),
    )
    .scalar_subquery()
)
_others = (active.c.tenant_id == _own) & (_version != bindparam("version", type_=INTEGER))
_count = Prepared(select(func.count()).select_from(active).where(_others))
_versions = select(_version.label("version")).where(active.c.tenant_id == _own).subquery()
_by_version = (
    select(_versions.c.version, func.count())
    .where(_versions.c.version.is_not(None))
    .group_by(_versions.c.version)
    .order_by(_versions.c.version.desc())
)
_batch = Prepared(
    select(active.c.run_id)
    .where(_others, active.c.run_id > bindparam("after", type_=TEXT))
    .order_by(active.c.run_id)
    .limit(bindparam("number", type_=INTEGER))
)


def number(connection: Connection, tenant_id: str, automation_id: str, version: int) -> int:
    """How many runs of this automation that are not over are on another version than this; with 0, how many there are."""
    given = {"tenant_id": tenant_id, "automation_id": automation_id, "version": version}
    return _count(connection, **given).fetchone()[0]


def by_version(connection: Connection, tenant_id: str, automation_id: str) -> dict[int, int]:
    """How many runs of this automation that are not over are on each version, the newest first."""
    given = {"tenant_id": tenant_id, "automation_id": automation_id}
    return {row[0]: row[1] for row in connection.execute(_by_version, given)}


def batch(
    connection: Connection, tenant_id: str, automation_id: str, version: int, after: str, limit: int
) -> list[str]:
    """The next of them, in the order of their ids, beginning after the run `after`."""
    given = {"tenant_id": tenant_id, "automation_id": automation_id, "version": version}
    return [row[0] for row in _batch(connection, **given, after=after, number=limit)]


_keys = rows(("tenant_id", TEXT), ("run_id", TEXT))
_set_version = Sent(
    update(runs)
    .where(key_in([runs.c.tenant_id, runs.c.id], _keys, ["tenant_id", "run_id"]))
    .values(version=bindparam("number"))
)
_queue = case(
    (active.c.queue.in_([literal_column(f"'{name}'") for name in sorted(WAITING)]), active.c.queue),
    else_=own_queue(active.c.tenant_id, active.c.run_id),
)
_go_on = Sent(
    update(active)
    .where(key_in([active.c.tenant_id, active.c.run_id], _keys, ["tenant_id", "run_id"]))
    .values(epoch=active.c.epoch + 1, queue=_queue)
)
_without_limit = Sent(
    delete(timers).where(
        key_in([timers.c.tenant_id, timers.c.run_id], _keys, ["tenant_id", "run_id"]),
        timers.c.step_id == literal_column(f"'{WHOLE}'"),
    )
)


def move(connection: Connection, keys: Sequence[Key], version: int, *, has_limit: bool) -> None:
    """Let these runs, which are locked and driven by nobody, go on on this version, in its queue. Whoever has them in memory
    has them in vain: their epoch is another. Without a time limit in that version they have none."""
    _set_version(connection, keys, number=version)
    _go_on(connection, keys)
    if not has_limit:
        _without_limit(connection, keys)
