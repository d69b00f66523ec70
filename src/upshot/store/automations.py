"""Automations: the draft that is edited, the versions that were published, and the states they went through."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, delete, false, func, insert, or_, select, true, update

from upshot.core.automations.document import SCHEDULED
from upshot.core.queues import QUEUE
from upshot.core.segments import EVENTS, event_of
from upshot.core.strict_json import encode
from upshot.store.listing import contains
from upshot.store.schema import automation_states, automation_versions, automations


class Automation(msgspec.Struct, frozen=True, kw_only=True):
    """One automation. `draft` is a canonical document; `version` is the live version, None when never published.

    `draft_revision` grows with each save; `published_revision` is the one that was published last.
    """

    id: str
    name: str
    status: str
    priority: int
    version: int | None
    draft: dict[str, Any]
    draft_revision: int
    published_revision: int
    created_by: str
    created_at: int
    updated_at: int
    deleted_at: int | None


class Version(msgspec.Struct, frozen=True):
    """One published version. It never changes."""

    version: int
    document: dict[str, Any]
    published_at: int
    published_by: str


class StateAt(msgspec.Struct, frozen=True):
    """How an automation stood at an instant: its status, live version and that version's document."""

    automation_id: str
    name: str
    status: str
    version: int | None
    document: dict[str, Any] | None
    draft: dict[str, Any]


_NAMES = Automation.__struct_fields__
_COLUMNS = [automations.c[name] for name in _NAMES]
_PLACE = (automations.c.priority, automations.c.id)
SCAN_MAX = 2_000
"""Documents one page of a search looks into; the next page goes on."""


def _one(tenant_id: str, automation_id: str) -> Any:
    return (automations.c.tenant_id == tenant_id) & (automations.c.id == automation_id)


def create(connection: Connection, tenant_id: str, automation: Automation) -> None:
    """Keep this new automation."""
    connection.execute(insert(automations).values(tenant_id=tenant_id, **_row(automation)))


def save(connection: Connection, tenant_id: str, automation: Automation) -> None:
    """Write this automation over what is kept of it."""
    connection.execute(update(automations).where(_one(tenant_id, automation.id)).values(_row(automation)))


def read(connection: Connection, tenant_id: str, automation_id: str) -> Automation | None:
    """This automation, deleted or not."""
    row = connection.execute(select(*_COLUMNS).where(_one(tenant_id, automation_id))).one_or_none()
    return _automation(row) if row is not None else None


def names(connection: Connection, tenant_id: str, ids: Sequence[str]) -> dict[str, str]:
    """The names of these automations."""
    query = select(automations.c.id, automations.c.name).where(
        automations.c.tenant_id == tenant_id, automations.c.id.in_(ids)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def is_named(connection: Connection, tenant_id: str, name: str) -> bool:
    """Whether an automation that is not deleted has this name."""
    named = (automations.c.name == name) & automations.c.deleted_at.is_(None)
    query = select(automations.c.id).where(automations.c.tenant_id == tenant_id, named).limit(1)
    return connection.execute(query).first() is not None


class Named(msgspec.Struct, frozen=True):
    """An automation as others refer to it."""

    id: str
    name: str
    status: str
    version: int | None
    is_deleted: bool


def named(connection: Connection, tenant_id: str, texts: Sequence[str]) -> list[Named]:
    """The automations that have one of these as their id or name, deleted or not, in the order of their creation."""
    is_meant = or_(automations.c.id.in_(texts), automations.c.name.in_(texts))
    query = (
        select(
            automations.c.id,
            automations.c.name,
            automations.c.status,
            automations.c.version,
            automations.c.deleted_at.is_not(None),
        )
        .where(automations.c.tenant_id == tenant_id, is_meant)
        .order_by(automations.c.id)
    )
    return [Named(row[0], row[1], row[2], row[3], bool(row[4])) for row in connection.execute(query)]


def live_with(connection: Connection, tenant_id: str, text: str) -> list[tuple[str, str, dict[str, Any]]]:
    """The id, name and live document of each active automation in whose live document this text stands."""
    query = (
        select(automations.c.id, automations.c.name, automation_versions.c.document)
        .join(
            automation_versions,
            (automation_versions.c.tenant_id == automations.c.tenant_id)
            & (automation_versions.c.automation_id == automations.c.id)
            & (automation_versions.c.version == automations.c.version),
        )
        .where(
            automations.c.tenant_id == tenant_id,
            automations.c.status == "active",
            automations.c.deleted_at.is_(None),
            contains(automation_versions.c.document, text),
        )
        .order_by(automations.c.id)
    )
    return [(row[0], row[1], msgspec.json.decode(row[2])) for row in connection.execute(query)]


def of_names(connection: Connection, tenant_id: str, names: Sequence[str]) -> list[Automation]:
    """The automations of these names that are not deleted, oldest first."""
    query = (
        select(*_COLUMNS)
        .where(automations.c.tenant_id == tenant_id, automations.c.deleted_at.is_(None), automations.c.name.in_(names))
        .order_by(automations.c.id)
    )
    return [_automation(row) for row in connection.execute(query)]


class Wanted(msgspec.Struct, frozen=True):
    """Which automations are wanted; of those that are deleted only they. `texts` are parts of the draft's JSON text: of what
    holds them `is_wanted` is asked."""

    status: str | None = None
    is_deleted: bool = False
    texts: tuple[str, ...] = ()
    is_wanted: Callable[[dict[str, Any]], bool] | None = None


class Page(msgspec.Struct, frozen=True):
    """Automations in order. `next_after` is where the next page begins, None when there is none."""

    automations: list[Automation]
    next_after: tuple[int, str] | None


def page(
    connection: Connection, tenant_id: str, after: tuple[int, str] | None, limit: int, wanted: Wanted | None = None
) -> Page:
    """Automations: the highest priority first, then in the order of creation, beginning after the
    one of priority and id `after`. A page that looks into the documents goes through a bounded number of them and may be
    short, or empty, with more to come."""
    asked = wanted or Wanted()
    if asked.is_wanted is None:
        found = [
            _automation(row) for row in connection.execute(_in_order(_COLUMNS, tenant_id, after, asked, limit + 1))
        ]
        first = found[:limit]
        return Page(first, (first[-1].priority, first[-1].id) if len(found) > limit else None)
    window = _in_order(_COLUMNS, tenant_id, after, asked, SCAN_MAX).subquery()
    columns = [window.c[name] for name in _NAMES]
    order = (window.c.priority.desc(), window.c.id)
    may = (
        select(*columns).where(and_(true(), *(contains(window.c.draft, text) for text in asked.texts))).order_by(*order)
    )
    kept: list[Automation] = []
    for row in connection.execute(may):
        one = _automation(row)
        if not asked.is_wanted(one.draft):
            continue
        if len(kept) == limit:
            return Page(kept, (kept[-1].priority, kept[-1].id))
        kept.append(one)
    places: Any = connection.execute(_in_order(_PLACE, tenant_id, after, asked, SCAN_MAX)).all()
    return Page(kept, (places[-1][0], places[-1][1]) if len(places) == SCAN_MAX else None)


def labels(connection: Connection, tenant_id: str) -> tuple[set[str], set[str]]:
    """The folders and the tags that automations which are not deleted have."""
    has_any = or_(contains(automations.c.draft, '"folder":'), contains(automations.c.draft, '"tags":'))
    query = _in_order((automations.c.draft,), tenant_id, None, Wanted(), SCAN_MAX).where(has_any)
    drafts = [msgspec.json.decode(row[0]) for row in connection.execute(query)]
    folders = {draft["folder"] for draft in drafts if "folder" in draft}
    return folders, {tag for draft in drafts for tag in draft.get("tags", ())}


def _in_order(columns: Sequence[Any], tenant_id: str, after: tuple[int, str] | None, wanted: Wanted, limit: int) -> Any:
    """The columns of up to so many wanted automations, in order."""
    deleted_at = automations.c.deleted_at
    query: Any = (
        select(*columns)
        .where(
            automations.c.tenant_id == tenant_id, deleted_at.is_not(None) if wanted.is_deleted else deleted_at.is_(None)
        )
        .order_by(automations.c.priority.desc(), automations.c.id)
        .limit(limit)
    )
    if after is not None:
        priority, last_id = after
        below = automations.c.priority < priority
        query = query.where(or_(below, and_(automations.c.priority == priority, automations.c.id > last_id)))
    return query.where(automations.c.status == wanted.status) if wanted.status is not None else query


def count_by_status(connection: Connection, tenant_id: str) -> dict[str, int]:
    """How many automations that are not deleted stand in each status."""
    query = (
        select(automations.c.status, func.count())
        .where(automations.c.tenant_id == tenant_id, automations.c.deleted_at.is_(None))
        .group_by(automations.c.status)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


# --- versions and states ------------------------------------------------------------------------------------------------


def add_version(connection: Connection, tenant_id: str, automation_id: str, version: Version) -> None:
    """Keep one more published version."""
    row = {
        "tenant_id": tenant_id,
        "automation_id": automation_id,
        "version": version.version,
        "document": encode(version.document),
        "published_at": version.published_at,
        "published_by": version.published_by,
        "queue": version.document.get("queue", QUEUE),
    }
    connection.execute(insert(automation_versions).values(row))


def versions(
    connection: Connection, tenant_id: str, automation_id: str, before: int | None, limit: int
) -> list[Version]:
    """The published versions, newest first, beginning before version `before`."""
    query = _versions_of(tenant_id, automation_id).order_by(automation_versions.c.version.desc()).limit(limit)
    if before is not None:
        query = query.where(automation_versions.c.version < before)
    return [_version(row) for row in connection.execute(query)]


def version(connection: Connection, tenant_id: str, automation_id: str, number: int) -> Version | None:
    """One published version."""
    query = _versions_of(tenant_id, automation_id).where(automation_versions.c.version == number)
    row = connection.execute(query).one_or_none()
    return _version(row) if row is not None else None


def live_version(
    connection: Connection, tenant_id: str, automation_id: str
) -> tuple[int | None, dict[str, Any] | None] | None:
    """The live version and its document (both None when it was never published); None when there is no such automation."""
    query = (
        select(automations.c.version, automation_versions.c.document)
        .outerjoin(
            automation_versions,
            (automation_versions.c.tenant_id == automations.c.tenant_id)
            & (automation_versions.c.automation_id == automations.c.id)
            & (automation_versions.c.version == automations.c.version),
        )
        .where(_one(tenant_id, automation_id), automations.c.deleted_at.is_(None))
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return row[0], msgspec.json.decode(row[1]) if row[1] is not None else None


def mark_state(
    connection: Connection, tenant_id: str, automation_id: str, at: int, status: str, version: int | None
) -> None:
    """Remember that from `at` on the automation stood so; of two marks of one instant the later one counts."""
    same = (
        (automation_states.c.tenant_id == tenant_id)
        & (automation_states.c.automation_id == automation_id)
        & (automation_states.c.at == at)
    )
    connection.execute(delete(automation_states).where(same))
    row = {"tenant_id": tenant_id, "automation_id": automation_id, "at": at, "status": status, "version": version}
    connection.execute(insert(automation_states).values(row))


def states_at(connection: Connection, tenant_id: str, event_name: str, at: int, limit: int) -> list[StateAt]:
    """How the automations stood at `at` that listened to `event_name` then or, never published, would; highest priority
    first, then in the order of creation."""
    latest = (
        select(automation_states.c.automation_id, func.max(automation_states.c.at).label("at"))
        .where(automation_states.c.tenant_id == tenant_id, automation_states.c.at <= at)
        .group_by(automation_states.c.automation_id)
        .subquery()
    )
    state, kept = automation_states.alias("state"), automation_versions.alias("kept")
    joined = (
        automations.join(latest, latest.c.automation_id == automations.c.id)
        .join(
            state,
            (state.c.tenant_id == automations.c.tenant_id)
            & (state.c.automation_id == automations.c.id)
            & (state.c.at == latest.c.at),
        )
        .outerjoin(
            kept,
            (kept.c.tenant_id == automations.c.tenant_id)
            & (kept.c.automation_id == automations.c.id)
            & (kept.c.version == state.c.version),
        )
    )
    document = func.coalesce(kept.c.document, automations.c.draft)
    wanted = automations.c.id == event_name.removeprefix(SCHEDULED)
    if not event_name.startswith(SCHEDULED):
        is_of_segment = contains(document, '"segment":') if event_name in EVENTS.values() else false()
        wanted = or_(contains(document, encode({"event": event_name})[1:-1]), is_of_segment)
    query = (
        select(
            automations.c.id, automations.c.name, state.c.status, state.c.version, kept.c.document, automations.c.draft
        )
        .select_from(joined)
        .where(automations.c.tenant_id == tenant_id, wanted)
        .order_by(automations.c.priority.desc(), automations.c.id)
    )
    found: list[StateAt] = []
    for row in connection.execute(query):
        written = msgspec.json.decode(row[4]) if row[4] is not None else None
        draft = msgspec.json.decode(row[5])
        if (event_of((written or draft)["trigger"]) or event_name) != event_name:
            continue
        found.append(StateAt(row[0], row[1], row[2], row[3], written, draft))
        if len(found) == limit:
            break
    return found


def _versions_of(tenant_id: str, automation_id: str) -> Any:
    columns = [automation_versions.c[name] for name in Version.__struct_fields__]
    return select(*columns).where(
        automation_versions.c.tenant_id == tenant_id, automation_versions.c.automation_id == automation_id
    )


def _version(row: Any) -> Version:
    return Version(row[0], msgspec.json.decode(row[1]), row[2], row[3])


def _row(automation: Automation) -> dict[str, Any]:
    return {**{name: getattr(automation, name) for name in _NAMES}, "draft": encode(automation.draft)}


def _automation(row: Any) -> Automation:
    values = dict(zip(_NAMES, row, strict=True))
    values["draft"] = msgspec.json.decode(values["draft"])
    return Automation(**values)
