"""Replays: what each is to start, and how far it has come. Its place is moved on in the transaction that makes its runs, and
only from where that transaction found it: so no event is taken twice and none is passed over, whoever else tries.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, bindparam, func, insert, literal_column, select, update

from upshot.core.queues import QUEUE
from upshot.core.replays import DROPPED, Counts
from upshot.store.rows import BIGINT, INTEGER, TEXT, Prepared, Sent, key_in, rows
from upshot.store.schema import automation_versions, automations, flow_outcomes, replays, runs, tenants, unmatched


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """One replay: the events of a window (accepted from `since` on and before `until`), of one entity or all, that meet
    `condition` (canonical JSON text), over one version of an automation. It starts `per_minute` runs in a minute and
    `runs_max` in all; `with_dropped` says whether it starts what flow control dropped. `place` is the last event it looked at,
    `due_at` when it may go on, `total` how many events there were when it began."""

    id: str
    automation_id: str
    version: int
    since: int
    until: int
    entity_type: str | None = None
    entity_id: str | None = None
    condition: str | None = None
    per_minute: int
    runs_max: int | None = None
    with_dropped: bool = False
    status: str = "running"
    reason: str | None = None
    place: str = ""
    due_at: int
    total: int
    counts: Counts = Counts()
    created_by: str
    created_at: int
    finished_at: int | None = None

    @property
    def entity(self) -> tuple[str, str] | None:
        """The entity it is about; None for all events."""
        if self.entity_type is None or self.entity_id is None:
            return None
        return self.entity_type, self.entity_id


class Due(msgspec.Struct, frozen=True):
    """A replay that may go on, with its version's document (None when that is gone) and queue, and what its tenant says of
    itself. Runs of its automation that ended before `pruned_until` may be kept no longer, where the automation is as old."""

    tenant_id: str
    replay: Replay
    document: str | None
    queue: str
    tenant_status: str
    tenant_settings: str
    pruned_until: int
    automation_since: int


_NAMES = Replay.__struct_fields__
_COLUMNS = [replays.c[name] for name in _NAMES]
_encode = msgspec.json.encode


def create(connection: Connection, tenant_id: str, replay: Replay) -> None:
    """Keep this new replay. There must be none of its automation under way."""
    connection.execute(insert(replays).values(tenant_id=tenant_id, **_row(replay)))


def read(connection: Connection, tenant_id: str, replay_id: str, *, is_locked: bool = False) -> Replay | None:
    """This replay; locked, it stays as it is until the transaction ends."""
    query = select(*_COLUMNS).where(_one(tenant_id, replay_id))
    row = connection.execute(query.with_for_update() if is_locked else query).one_or_none()
    return _replay(row) if row is not None else None


def under_way(connection: Connection, tenant_id: str, automation_id: str) -> Replay | None:
    """The replay of this automation that is not over, locked until the transaction ends, when that writes."""
    query = _of(tenant_id, automation_id).where(replays.c.status.in_(("running", "paused"))).with_for_update()
    row = connection.execute(query).one_or_none()
    return _replay(row) if row is not None else None


def page(connection: Connection, tenant_id: str, automation_id: str, before: str | None, limit: int) -> list[Replay]:
    """The replays of this automation, newest first, beginning before the replay `before`."""
    query = _of(tenant_id, automation_id).order_by(replays.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(replays.c.id < before)
    return [_replay(row) for row in connection.execute(query)]


def save(connection: Connection, tenant_id: str, replay: Replay) -> None:
    """Write this replay, which is locked, over what is kept of it."""
    connection.execute(update(replays).where(_one(tenant_id, replay.id)).values(_row(replay)))


# --- going on -----------------------------------------------------------------------------------------------------------

_is_running = replays.c.status == "running"
_next_due = Prepared(select(func.min(replays.c.due_at)).where(_is_running))
_due = Prepared(
    select(
        replays.c.tenant_id,
        *_COLUMNS,
        automation_versions.c.document,
        func.coalesce(automation_versions.c.queue, literal_column(f"'{QUEUE}'")),
        tenants.c.status,
        tenants.c.settings,
        func.coalesce(tenants.c.runs_pruned_until, 0),
        automations.c.created_at,
    )
    .join(tenants, tenants.c.id == replays.c.tenant_id)
    .join(automations, (automations.c.tenant_id == replays.c.tenant_id) & (automations.c.id == replays.c.automation_id))
    .outerjoin(
        automation_versions,
        (automation_versions.c.tenant_id == replays.c.tenant_id)
        & (automation_versions.c.automation_id == replays.c.automation_id)
        & (automation_versions.c.version == replays.c.version),
    )
    .where(_is_running, replays.c.due_at <= bindparam("now", type_=BIGINT))
    .order_by(replays.c.due_at)
    .limit(bindparam("number", type_=INTEGER))
    .with_for_update(skip_locked=True, of=replays)
)
_keys = rows(("tenant_id", TEXT), ("id", TEXT))
_put_off = Sent(
    update(replays)
    .where(key_in([replays.c.tenant_id, replays.c.id], _keys, ["tenant_id", "id"]))
    .values(due_at=bindparam("until", type_=BIGINT))
)


def next_due(connection: Connection) -> int | None:
    """When the next replay may go on; None when none is running."""
    (due_at,) = _next_due(connection).fetchone()
    return due_at


def take(connection: Connection, now: int, until: int, limit: int) -> list[Due]:
    """Replays that are due, those that wait longest first: they are the taker's to go on with up to the instant `until`. Not
    those that another transaction has locked."""
    found = _due(connection, now=now, number=limit).fetchall()
    taken = [Due(row[0], _replay(row[1:-6]), *row[-6:]) for row in found]
    if taken:
        _put_off(connection, [(one.tenant_id, one.replay.id) for one in taken], until=until)
    return taken


_events = rows(("tenant_id", TEXT), ("event_id", TEXT), ("automation_id", TEXT))
_EVENT = ("tenant_id", "event_id", "automation_id")
_started = Prepared(
    select(runs.c.event_id).where(key_in([runs.c.tenant_id, runs.c.event_id, runs.c.automation_id], _events, _EVENT))
)
_controlled = Prepared(
    select(flow_outcomes.c.event_id, flow_outcomes.c.outcome).where(
        key_in([flow_outcomes.c[name] for name in _EVENT], _events, _EVENT)
    )
)
_waiting = Prepared(
    select(unmatched.c.event_id).where(
        key_in([unmatched.c.tenant_id, unmatched.c.event_id], _events, ["tenant_id", "event_id"])
    )
)


def handled(connection: Connection, tenant_id: str, automation_id: str, event_ids: Sequence[str]) -> dict[str, str]:
    """Of these events those that the automation has acted on, or may yet: `already`; `dropped` where flow control or the
    breaker decided that they start nothing; `waiting` to be matched."""
    asked = [(tenant_id, event_id, automation_id) for event_id in event_ids]
    if not asked:
        return {}
    found = {row[0]: "dropped" if row[1] in DROPPED else "already" for row in _controlled(connection, asked)}
    found.update({row[0]: "waiting" for row in _waiting(connection, asked)})
    found.update({row[0]: "already" for row in _started(connection, asked)})
    return found


def _of(tenant_id: str, automation_id: str) -> Select[Any]:
    query: Any = select(*_COLUMNS)
    return query.where(replays.c.tenant_id == tenant_id, replays.c.automation_id == automation_id)


def _one(tenant_id: str, replay_id: str) -> Any:
    return (replays.c.tenant_id == tenant_id) & (replays.c.id == replay_id)


def _row(replay: Replay) -> dict[str, Any]:
    named = {name: getattr(replay, name) for name in _NAMES}
    return {**named, "with_dropped": int(replay.with_dropped), "counts": _encode(replay.counts).decode()}


def _replay(row: Any) -> Replay:
    named: dict[str, Any] = dict(zip(_NAMES, row, strict=True))
    named["counts"] = msgspec.json.decode(named["counts"], type=Counts)
    named["with_dropped"] = bool(named["with_dropped"])
    return Replay(**named)
