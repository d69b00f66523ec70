"""When each automation with a schedule is due next. A row is locked where it is read to be started, and moved on in the same
transaction that keeps what it starts: so each occurrence is started once, whoever else tries.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, select, true
from sqlalchemy.dialects.postgresql import insert

from upshot.store.rows import BIGINT, INTEGER, TEXT, Prepared, Sent, key_in, rows
from upshot.store.schema import automation_versions, automations, runs, schedules, tenants, unmatched

Key = tuple[str, str]
"""Tenant and automation."""


class Due(msgspec.Struct, frozen=True):
    """A schedule that is due, with the document of its version and what its tenant says of itself."""

    tenant_id: str
    automation_id: str
    version: int
    occurrence_at: int | None
    last_at: int | None
    last_event_id: str | None
    skipped_at: int | None
    skipped_why: str | None
    sweep_at: int | None
    sweep_after: str | None
    document: str
    tenant_status: str
    tenant_settings: str

    @property
    def key(self) -> Key:
        """Tenant and automation."""
        return self.tenant_id, self.automation_id


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """How a schedule stands. Without `occurrence_at` nothing more is due. While the entities of an occurrence, `sweep_at`, are
    gone through, `sweep_after` is the place of the last one."""

    tenant_id: str
    automation_id: str
    version: int
    occurrence_at: int | None
    due_at: int | None
    last_at: int | None = None
    last_event_id: str | None = None
    skipped_at: int | None = None
    skipped_why: str | None = None
    sweep_at: int | None = None
    sweep_after: str | None = None


_NAMES = Kept.__struct_fields__
_of_version = (
    (automation_versions.c.tenant_id == schedules.c.tenant_id)
    & (automation_versions.c.automation_id == schedules.c.automation_id)
    & (automation_versions.c.version == schedules.c.version)
)
_next_due = Prepared(select(func.min(schedules.c.due_at)).where(schedules.c.due_at.is_not(None)))
_due = Prepared(
    select(
        *(schedules.c[name] for name in _NAMES if name != "due_at"),
        automation_versions.c.document,
        tenants.c.status,
        tenants.c.settings,
    )
    .join(automation_versions, _of_version)
    .join(tenants, tenants.c.id == schedules.c.tenant_id)
    .where(schedules.c.due_at.is_not(None), schedules.c.due_at <= bindparam("now", type_=BIGINT))
    .order_by(schedules.c.due_at)
    .limit(bindparam("number", type_=INTEGER))
    .with_for_update(skip_locked=True, of=schedules)
)
_WHOLE = tuple((name, TEXT if name.endswith(("_id", "_why", "_after")) else BIGINT) for name in _NAMES)
_whole = rows(*_WHOLE)
_insert = insert(schedules).from_select([name for name, _ in _WHOLE], select(*_whole.c).where(true()))
_put = Sent(
    _insert.on_conflict_do_update(
        index_elements=["tenant_id", "automation_id"],
        set_={name: _insert.excluded[name] for name in _NAMES if name not in ("tenant_id", "automation_id")},
    )
)
_causes = rows(("tenant_id", TEXT), ("event_id", TEXT), ("automation_id", TEXT))
_unmatched_causes = Prepared(
    select(unmatched.c.tenant_id, unmatched.c.event_id).where(
        key_in([unmatched.c.tenant_id, unmatched.c.event_id], _causes, ["tenant_id", "event_id"])
    )
)
_unfinished = Prepared(
    select(runs.c.tenant_id, runs.c.event_id, runs.c.id).where(
        key_in(
            [runs.c.tenant_id, runs.c.event_id, runs.c.automation_id],
            _causes,
            ["tenant_id", "event_id", "automation_id"],
        ),
        runs.c.finished_at.is_(None),
    )
)


def next_due(connection: Connection) -> int | None:
    """When the next schedule is due; None when none ever is."""
    (due_at,) = _next_due(connection).fetchone()
    return due_at


def due(connection: Connection, now: int, limit: int) -> list[Due]:
    """Schedules that are due, those that wait longest first, locked until the transaction ends; not those that another
    transaction has locked."""
    return [Due(*row) for row in _due(connection, now=now, number=limit)]


def put(connection: Connection, kept: Sequence[Kept]) -> None:
    """Keep that these schedules stand so."""
    _put(connection, kept)


def unfinished(connection: Connection, causes: Sequence[tuple[str, str, str]]) -> dict[tuple[str, str], str | None]:
    """Of these `(tenant, event, automation)` those whose run is not over, by tenant and event: the run's id, None while the
    event waits to be matched."""
    if not causes:
        return {}
    found: dict[tuple[str, str], str | None] = {(row[0], row[1]): None for row in _unmatched_causes(connection, causes)}
    found.update({(row[0], row[1]): row[2] for row in _unfinished(connection, causes)})
    return found


# --- what people see and change -----------------------------------------------------------------------------------------


def read(connection: Connection, tenant_id: str, automation_id: str) -> Kept | None:
    """How the schedule of this automation stands, if it has one; locked until the transaction ends, when that writes."""
    query = select(*(schedules.c[name] for name in _NAMES)).where(_one(tenant_id, automation_id))
    row = connection.execute(query.with_for_update()).one_or_none()
    return Kept(*row) if row is not None else None


def remove(connection: Connection, tenant_id: str, automation_id: str) -> None:
    """This automation has no schedule any more."""
    connection.execute(delete(schedules).where(_one(tenant_id, automation_id)))


class Listed(msgspec.Struct, frozen=True):
    """A schedule as it is listed. `document` is its version's, as text."""

    kept: Kept
    name: str
    status: str
    document: str


def page(connection: Connection, tenant_id: str, after: str | None, limit: int) -> list[Listed]:
    """The schedules of a tenant in the order of their automations' creation, beginning after that of automation `after`."""
    query = (
        select(
            *(schedules.c[name] for name in _NAMES),
            automations.c.name,
            automations.c.status,
            automation_versions.c.document,
        )
        .join(automation_versions, _of_version)
        .join(
            automations,
            (automations.c.tenant_id == schedules.c.tenant_id) & (automations.c.id == schedules.c.automation_id),
        )
        .where(schedules.c.tenant_id == tenant_id)
        .order_by(schedules.c.automation_id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(schedules.c.automation_id > after)
    return [Listed(Kept(*row[: len(_NAMES)]), *row[len(_NAMES) :]) for row in connection.execute(query)]


def _one(tenant_id: str, automation_id: str) -> Any:
    return (schedules.c.tenant_id == tenant_id) & (schedules.c.automation_id == automation_id)
