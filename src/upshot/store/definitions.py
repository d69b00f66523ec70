"""The active automations of a tenant, and the revision that tells when they changed."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from upshot.core.errors import NotFound
from upshot.core.watches import Shape
from upshot.store import waits
from upshot.store.rows import TEXT, Prepared, rows
from upshot.store.schema import active, automation_versions, automations, event_types, runs, tenants


class ActiveVersion(msgspec.Struct, frozen=True):
    """The live version of one active automation. `document` is canonical JSON text."""

    automation_id: str
    version: int
    document: str


class DeclaredType(msgspec.Struct, frozen=True):
    """An event type as it is kept; `schema` and `entity` are JSON text."""

    name: str
    schema: str | None
    entity: str | None
    on_invalid: str


class Definitions(msgspec.Struct, frozen=True):
    """What a tenant's events are checked against and matched with. Automations stand in the order of their creation."""

    tenant_id: str
    revision: int
    status: str
    settings: dict[str, Any]
    active: list[ActiveVersion]
    event_types: list[DeclaredType]
    awaited: dict[str, tuple[Shape, ...]]


_tenants = rows(("id", TEXT))
_read_revisions = Prepared(
    select(tenants.c.id, tenants.c.definitions_revision).where(tenants.c.id.in_(select(_tenants.c.id)))
)


def revisions(connection: Connection, tenant_ids: Sequence[str]) -> dict[str, int]:
    """The present definitions revision of each of these tenants."""
    return {row[0]: row[1] for row in _read_revisions(connection, [(tenant_id,) for tenant_id in tenant_ids])}


def load(connection: Connection, tenant_id: str) -> Definitions:
    """All active automations and event types of this tenant with their revision, in one consistent view.

    Raises:
        NotFound: there is no such tenant.
    """
    of_tenant = select(tenants.c.definitions_revision, tenants.c.status, tenants.c.settings)
    found = connection.execute(of_tenant.where(tenants.c.id == tenant_id)).one_or_none()
    if found is None:
        raise NotFound("tenant", tenant_id)
    live = (
        select(automations.c.id, automation_versions.c.version, automation_versions.c.document)
        .join(
            automation_versions,
            (automation_versions.c.tenant_id == automations.c.tenant_id)
            & (automation_versions.c.automation_id == automations.c.id)
            & (automation_versions.c.version == automations.c.version),
        )
        .where(
            automations.c.tenant_id == tenant_id, automations.c.status == "active", automations.c.deleted_at.is_(None)
        )
        .order_by(automations.c.id)
    )
    declared = select(event_types.c.name, event_types.c.schema, event_types.c.entity, event_types.c.on_invalid).where(
        event_types.c.tenant_id == tenant_id
    )
    return Definitions(
        tenant_id,
        found[0],
        found[1],
        msgspec.json.decode(found[2]),
        [ActiveVersion(*row) for row in connection.execute(live)],
        [DeclaredType(*row) for row in connection.execute(declared)],
        waits.expected(connection, tenant_id),
    )


class VersionInUse(msgspec.Struct, frozen=True):
    """A version that starts runs, or that an unfinished run stands on."""

    tenant_id: str
    automation_id: str
    version: int
    name: str
    document: str


def versions_in_use(connection: Connection) -> list[VersionInUse]:
    """Every version that a worker must be able to run."""
    live = select(automations.c.tenant_id, automations.c.id, automations.c.version).where(
        automations.c.status == "active", automations.c.deleted_at.is_(None), automations.c.version.is_not(None)
    )
    driven = select(runs.c.tenant_id, runs.c.automation_id, runs.c.version).join(
        active, (active.c.tenant_id == runs.c.tenant_id) & (active.c.run_id == runs.c.id)
    )
    used = live.union(driven).subquery()
    version = automation_versions.c
    query = (
        select(version.tenant_id, version.automation_id, version.version, automations.c.name, version.document)
        .join(
            used,
            (used.c.tenant_id == version.tenant_id)
            & (used.c.id == version.automation_id)
            & (used.c.version == version.version),
        )
        .join(automations, (automations.c.tenant_id == version.tenant_id) & (automations.c.id == version.automation_id))
        .order_by(version.tenant_id, version.automation_id, version.version)
    )
    return [VersionInUse(*row) for row in connection.execute(query)]
