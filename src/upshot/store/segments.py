"""Segments: what is kept of each, who is in them, and what stands on a type of entities when one of it is changed."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    Connection,
    bindparam,
    cast,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    true,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import insert as insert_or_leave

from upshot.store.listing import contains
from upshot.store.rows import BIGINT, INTEGER, TEXT, Prepared, Sent, key_in, rows
from upshot.store.schema import (
    automation_versions,
    automations,
    entities,
    entity_types,
    segment_members,
    segments,
    tenants,
)


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """One segment; instants are microseconds UTC. `condition` is canonical JSON text, None of one that is kept by hand.

    While its members are looked for, `place` is the last entity that was looked at, `begun_at` when that began, and `is_silent`
    says that nobody is told who joins and leaves by it. `due_at` is when there is something to do, None: never. A deleted one
    stays until nobody is in it any more."""

    id: str
    name: str
    description: str = ""
    entity_type: str
    kind: str
    condition: str | None = None
    follows_clock: bool = False
    revision: int = 1
    place: str | None = None
    is_silent: bool = False
    begun_at: int | None = None
    due_at: int | None = None
    computed_at: int | None = None
    created_by: str
    created_at: int
    updated_at: int
    deleted_at: int | None = None


class Standing(msgspec.Struct, frozen=True):
    """What the changes of an entity are held to: the fields that steps may set, per type where not all, and the segments."""

    allowed: dict[tuple[str, str], frozenset[str]]
    segments: "dict[tuple[str, str], list[Concerned]]"


class Concerned(msgspec.Struct, frozen=True):
    """A segment, as far as a change of an entity may concern it; `zone` is its tenant's."""

    id: str
    name: str
    entity_type: str
    condition: str | None
    is_under_way: bool
    is_silent: bool
    zone: str


Member = tuple[str, str, str]
"""Tenant, segment, entity."""

_NAMES = Segment.__struct_fields__
_COLUMNS = [segments.c[name] for name in _NAMES]
_is_there = segments.c.deleted_at.is_(None)


def create(connection: Connection, tenant_id: str, segment: Segment) -> None:
    """Keep this new segment."""
    connection.execute(insert(segments).values(tenant_id=tenant_id, **_row(segment)))


def save(connection: Connection, tenant_id: str, segment: Segment) -> None:
    """Write this segment, which is locked, over what is kept of it."""
    connection.execute(update(segments).where(_one(tenant_id, segment.id)).values(_row(segment)))


def remove(connection: Connection, tenant_id: str, segment_id: str) -> None:
    """Keep nothing of this segment; nobody is in it any more."""
    connection.execute(delete(segments).where(_one(tenant_id, segment_id)))


def read(connection: Connection, tenant_id: str, segment_id: str, *, is_locked: bool = False) -> Segment | None:
    """This segment, deleted ones too; locked, it stays as it is until the transaction ends."""
    query = select(*_COLUMNS).where(_one(tenant_id, segment_id))
    row = connection.execute(query.with_for_update() if is_locked else query).one_or_none()
    return _segment(row) if row is not None else None


def named(connection: Connection, tenant_id: str, name: str) -> Segment | None:
    """The segment of this name."""
    query = select(*_COLUMNS).where(segments.c.tenant_id == tenant_id, segments.c.name == name, _is_there)
    row = connection.execute(query).one_or_none()
    return _segment(row) if row is not None else None


def page(
    connection: Connection,
    tenant_id: str,
    after: str | None,
    limit: int,
    *,
    entity_type: str | None = None,
    search: str | None = None,
    entity_id: str | None = None,
) -> list[Segment]:
    """The tenant's segments by name, after the name `after`; those of a type, with a text in their name, or with this entity
    (of that type) in them."""
    query = select(*_COLUMNS).where(segments.c.tenant_id == tenant_id, _is_there).order_by(segments.c.name).limit(limit)
    if after is not None:
        query = query.where(segments.c.name > after)
    if entity_type is not None:
        query = query.where(segments.c.entity_type == entity_type)
    if search:
        query = query.where(contains(segments.c.name, search))
    if entity_id is not None:
        is_in = (segment_members.c.tenant_id == tenant_id) & (segment_members.c.entity_id == entity_id)
        query = query.where(segments.c.id.in_(select(segment_members.c.segment_id).where(is_in)))
    return [_segment(row) for row in connection.execute(query)]


def count(connection: Connection, tenant_id: str) -> int:
    """How many segments the tenant has."""
    query = select(func.count()).select_from(segments).where(segments.c.tenant_id == tenant_id, _is_there)
    return int(connection.execute(query).scalar_one())


def types(connection: Connection, tenant_id: str, *, is_dynamic: bool = False) -> dict[str, str]:
    """The type of the entities of each of the tenant's segments, by its name; of those with a condition, when `is_dynamic`."""
    query = select(segments.c.name, segments.c.entity_type).where(segments.c.tenant_id == tenant_id, _is_there)
    if is_dynamic:
        query = query.where(segments.c.condition.is_not(None))
    return {row[0]: row[1] for row in connection.execute(query)}


def used_in(
    connection: Connection, tenant_id: str, name: str
) -> list[tuple[str, dict[str, Any], dict[str, Any] | None]]:
    """The name, draft and live document of each automation in which this text stands as that of a segment."""
    text = f'"segment":{msgspec.json.encode(name).decode()}'
    live = automation_versions
    query = (
        select(automations.c.name, automations.c.draft, live.c.document)
        .outerjoin(
            live,
            (live.c.tenant_id == automations.c.tenant_id)
            & (live.c.automation_id == automations.c.id)
            & (live.c.version == automations.c.version),
        )
        .where(
            automations.c.tenant_id == tenant_id,
            automations.c.deleted_at.is_(None),
            or_(contains(automations.c.draft, text), contains(live.c.document, text)),
        )
        .order_by(automations.c.id)
    )
    decode = msgspec.json.decode
    return [(row[0], decode(row[1]), decode(row[2]) if row[2] else None) for row in connection.execute(query)]


# --- members ------------------------------------------------------------------------------------------------------------

_members = segment_members
_members_key = ("tenant_id", "segment_id", "entity_id")
_new = rows(*((name, TEXT) for name in _members_key), ("joined_at", BIGINT))
_join = Sent(
    insert_or_leave(_members)
    .from_select([*_members_key, "joined_at"], select(*_new.c).where(true()))
    .on_conflict_do_nothing()
)
_gone = rows(*((name, TEXT) for name in _members_key))
_leave = Sent(delete(_members).where(key_in([_members.c[name] for name in _members_key], _gone, _members_key)))
_of = rows(("tenant_id", TEXT), ("entity_id", TEXT))
_of_entities = Prepared(
    select(_members.c.tenant_id, _members.c.segment_id, _members.c.entity_id).where(
        key_in([_members.c.tenant_id, _members.c.entity_id], _of, ["tenant_id", "entity_id"])
    )
)
_given = {name: bindparam(name, type_=TEXT) for name in ("tenant_id", "segment_id", "after_id", "last_id")}
_number = bindparam("number", type_=INTEGER)
_of_segment = (
    select(_members.c.entity_id, _members.c.joined_at)
    .where(
        _members.c.tenant_id == _given["tenant_id"],
        _members.c.segment_id == _given["segment_id"],
        _members.c.entity_id > _given["after_id"],
    )
    .order_by(_members.c.entity_id)
)
_page_of_members = Prepared(_of_segment.limit(_number))
_members_up_to = Prepared(_of_segment.where(_members.c.entity_id <= _given["last_id"]))


def join(connection: Connection, members: Sequence[Member], now: int) -> None:
    """These are members from now on."""
    if members:
        _join(connection, [(*member, now) for member in sorted(members)])


def leave(connection: Connection, members: Sequence[Member]) -> None:
    """These are members no more."""
    if members:
        _leave(connection, sorted(members))


def of_entities(connection: Connection, keys: Sequence[tuple[str, str]]) -> set[Member]:
    """What these entities (tenant and id) are members of."""
    return set(_of_entities(connection, sorted(keys)))


def members(connection: Connection, tenant_id: str, segment_id: str, after: str, number: int) -> list[tuple[str, int]]:
    """Members of this segment with the instants they joined at, in the order of their ids."""
    found = _page_of_members(connection, tenant_id=tenant_id, segment_id=segment_id, after_id=after, number=number)
    return [(row[0], row[1]) for row in found]


def members_between(connection: Connection, tenant_id: str, segment_id: str, after: str, last: str | None) -> set[str]:
    """The members after one id and up to another (None: to the end)."""
    asked = {"tenant_id": tenant_id, "segment_id": segment_id, "after_id": after}
    if last is not None:
        return {row[0] for row in _members_up_to(connection, **asked, last_id=last)}
    return {row[0] for row in _page_of_members(connection, **asked, number=2_147_483_647)}


def member_counts(connection: Connection, tenant_id: str, ids: Sequence[str]) -> dict[str, int]:
    """How many members each of these segments has; those with none are left out."""
    query = (
        select(_members.c.segment_id, func.count())
        .where(_members.c.tenant_id == tenant_id, _members.c.segment_id.in_(ids))
        .group_by(_members.c.segment_id)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


# --- what stands on the types of entities -------------------------------------------------------------------------------

_types = rows(("tenant_id", TEXT), ("type", TEXT))
_none = cast(literal_column("NULL"), TEXT)
_zero = cast(literal_column("0"), INTEGER)
_standing = Prepared(
    union_all(
        select(
            *(entity_types.c.tenant_id, entity_types.c.name, entity_types.c.allowed_fields),
            *(_none.label("id"), _none.label("named"), _none.label("condition")),
            *(_zero.label("is_under_way"), _zero.label("is_silent"), _none.label("settings")),
        ).where(
            entity_types.c.allowed_fields.is_not(None),
            key_in([entity_types.c.tenant_id, entity_types.c.name], _types, ["tenant_id", "type"]),
        ),
        select(
            *(segments.c.tenant_id, segments.c.entity_type, _none),
            *(segments.c.id, segments.c.name, segments.c.condition),
            *(segments.c.place.is_not(None).cast(INTEGER), segments.c.is_silent, tenants.c.settings),
        )
        .join(tenants, tenants.c.id == segments.c.tenant_id)
        .where(_is_there, key_in([segments.c.tenant_id, segments.c.entity_type], _types, ["tenant_id", "type"])),
    )
)


def standing(connection: Connection, types_: Sequence[tuple[str, str]]) -> Standing:
    """What stands on these types of entities (tenant and type), by one statement."""
    allowed: dict[tuple[str, str], frozenset[str]] = {}
    found: dict[tuple[str, str], list[Concerned]] = {}
    for tenant_id, type_, listed, id_, name, condition, is_under_way, is_silent, settings in _standing(
        connection, sorted(types_)
    ):
        if id_ is None:
            allowed[tenant_id, type_] = frozenset(msgspec.json.decode(listed))
        else:
            zone = str(msgspec.json.decode(settings).get("zone") or "UTC")
            one = Concerned(id_, name, type_, condition, bool(is_under_way), bool(is_silent), zone)
            found.setdefault((tenant_id, type_), []).append(one)
    return Standing(allowed, found)


# --- finding members ----------------------------------------------------------------------------------------------------


class Due(msgspec.Struct, frozen=True):
    """A segment with something to do, and what its tenant says of itself."""

    tenant_id: str
    segment: Segment
    tenant_status: str
    tenant_settings: str


_next_due = Prepared(select(func.min(segments.c.due_at)).where(segments.c.due_at.is_not(None)))
_due = Prepared(
    select(segments.c.tenant_id, *_COLUMNS, tenants.c.status, tenants.c.settings)
    .join(tenants, tenants.c.id == segments.c.tenant_id)
    .where(segments.c.due_at <= bindparam("now", type_=BIGINT))
    .order_by(segments.c.due_at)
    .limit(_number)
    .with_for_update(skip_locked=True, of=segments)
)
_keys = rows(("tenant_id", TEXT), ("id", TEXT))
_put_off = Sent(
    update(segments)
    .where(key_in([segments.c.tenant_id, segments.c.id], _keys, ["tenant_id", "id"]))
    .values(due_at=bindparam("until", type_=BIGINT))
)
_ids = rows(("tenant_id", TEXT), ("type", TEXT), ("id", TEXT))
_lock_revisions = Prepared(
    select(entities.c.id, entities.c.revision)
    .where(key_in([entities.c.tenant_id, entities.c.type, entities.c.id], _ids, ["tenant_id", "type", "id"]))
    .order_by(entities.c.tenant_id, entities.c.type, entities.c.id)
    .with_for_update()
)


def next_due(connection: Connection) -> int | None:
    """When there is next something to do for a segment; None when never."""
    (due_at,) = _next_due(connection).fetchone()
    return due_at


def take(connection: Connection, now: int, until: int, limit: int) -> list[Due]:
    """Segments with something to do, those that wait longest first: they are the taker's up to the instant `until`. Not those
    that another transaction has locked."""
    found = _due(connection, now=now, number=limit).fetchall()
    taken = [Due(row[0], _segment(row[1:-2]), *row[-2:]) for row in found]
    if taken:
        _put_off(connection, [(one.tenant_id, one.segment.id) for one in taken], until=until)
    return taken


def lock_revisions(connection: Connection, tenant_id: str, type_: str, ids: Sequence[str]) -> dict[str, int]:
    """The present revisions of these entities, those that exist, which nobody else changes until the transaction ends."""
    return dict(_lock_revisions(connection, [(tenant_id, type_, id_) for id_ in sorted(ids)]).fetchall())


def _one(tenant_id: str, segment_id: str) -> Any:
    return (segments.c.tenant_id == tenant_id) & (segments.c.id == segment_id)


def _row(segment: Segment) -> dict[str, Any]:
    named = {name: getattr(segment, name) for name in _NAMES}
    return {**named, "follows_clock": int(segment.follows_clock), "is_silent": int(segment.is_silent)}


def _segment(row: Any) -> Segment:
    named: dict[str, Any] = dict(zip(_NAMES, row, strict=True))
    named["follows_clock"], named["is_silent"] = bool(named["follows_clock"]), bool(named["is_silent"])
    return Segment(**named)
