"""The queues that runs stand in: that of a run's version, those in which anything waits, those that nobody serves."""

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, func, literal_column, select

from upshot.core.queues import QUEUE, WAITING
from upshot.store.rows import Prepared
from upshot.store.schema import active, automation_versions, automations, runs


def own_queue(tenant_id: Any, run_id: Any) -> ColumnElement[str]:
    """The queue of a run's version, where it is nowhere kept: by two looks into indexes."""
    of_version = (
        (automation_versions.c.tenant_id == runs.c.tenant_id)
        & (automation_versions.c.automation_id == runs.c.automation_id)
        & (automation_versions.c.version == runs.c.version)
    )
    found = select(automation_versions.c.queue).select_from(runs.join(automation_versions, of_version))
    of_run = found.where(runs.c.tenant_id == tenant_id, runs.c.id == run_id).scalar_subquery()
    return func.coalesce(of_run, literal_column(f"'{QUEUE}'"))


def _next_queue(after: ColumnElement[Any]) -> ColumnElement[Any]:
    own = active.alias("w").c
    found = select(own.queue).where(own.worker_id.is_(None), own.parked == 0, own.queue > after)
    return found.order_by(own.queue).limit(1).scalar_subquery()


_first_queue = select(_next_queue(literal_column("''")).label("queue")).cte("queues", recursive=True)
_queues = _first_queue.union_all(select(_next_queue(_first_queue.c.queue)).where(_first_queue.c.queue.is_not(None)))
_ready_queues = Prepared(select(_queues.c.queue).where(_queues.c.queue.is_not(None)))


def ready_queues(connection: Connection) -> frozenset[str]:
    """The queues in which runs stand that are ready and that nobody drives: by one look into an index for each."""
    return frozenset(row[0] for row in _ready_queues(connection)) - WAITING


class Unserved(msgspec.Struct, frozen=True):
    """An active automation whose queue nobody serves."""

    tenant_id: str
    name: str
    queue: str


def unserved(connection: Connection, served: Collection[str], limit: int) -> list[Unserved]:
    """Active automations whose live version's queue is none of these, the oldest first."""
    live = (
        (automation_versions.c.tenant_id == automations.c.tenant_id)
        & (automation_versions.c.automation_id == automations.c.id)
        & (automation_versions.c.version == automations.c.version)
    )
    query = (
        select(automations.c.tenant_id, automations.c.name, automation_versions.c.queue)
        .join(automation_versions, live)
        .where(automations.c.status == "active", automations.c.deleted_at.is_(None))
        .where(automation_versions.c.queue.not_in(served))
        .order_by(automations.c.id)
        .limit(limit)
    )
    return [Unserved(*row) for row in connection.execute(query)]
