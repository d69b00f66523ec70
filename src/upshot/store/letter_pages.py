"""Reading dead letters: lists, groups of one fingerprint, and one letter."""

from typing import Any, cast

import msgspec
from sqlalchemy import Connection, Select, and_, func, or_, select

from upshot.store.schema import automations, dead_letters, events


class LetterRow(msgspec.Struct, frozen=True, kw_only=True):
    """One dead letter with the names of what it belongs to. `event_source_id` is the id the host gave its event."""

    id: str
    kind: str
    noun_id: str
    code: str
    error: str
    fingerprint: str
    strikes: int
    epoch: int
    automation_id: str | None
    automation_name: str | None
    step_id: str | None
    version: int | None
    event_id: str | None
    event_source_id: str | None
    event_name: str | None
    status: str
    who: str | None
    why: str | None
    replay_id: str | None
    created_at: int
    last_at: int
    updated_at: int


class Filter(msgspec.Struct, frozen=True):
    """Which letters are wanted."""

    kind: str | None = None
    status: str | None = None
    fingerprint: str | None = None
    automation_id: str | None = None


class Group(msgspec.Struct, frozen=True):
    """Letters of one fingerprint: how many, since when, and the latest of them."""

    fingerprint: str
    number: int
    first_at: int
    last_at: int
    latest: LetterRow


Place = tuple[int, str]
"""Where a page begins: the instant and id (or fingerprint) of the last one before it."""

_own = dead_letters.c
_JOINED = {
    "automation_name": automations.c.name,
    "event_source_id": events.c.source_id,
    "event_name": func.coalesce(_own.event_name, events.c.name),
}
_COLUMNS = [
    _JOINED[name].label(name) if name in _JOINED else dead_letters.c[name] for name in LetterRow.__struct_fields__
]


def page(connection: Connection, tenant_id: str, after: Place | None, limit: int, wanted: Filter) -> list[LetterRow]:
    """The tenant's letters, those that failed last first."""
    query = _wanted(_joined(), tenant_id, wanted).order_by(_own.last_at.desc(), _own.id.desc())
    if after is not None:
        at, letter_id = after
        query = query.where(or_(_own.last_at < at, and_(_own.last_at == at, _own.id < letter_id)))
    return [_row(row) for row in connection.execute(query.limit(limit))]


def read(connection: Connection, tenant_id: str, letter_id: str, *, is_locked: bool = False) -> LetterRow | None:
    """One letter; locked, nobody else moves it until the transaction ends."""
    query = _joined().where(_own.tenant_id == tenant_id, _own.id == letter_id)
    row = connection.execute(query.with_for_update(of=dead_letters) if is_locked else query).one_or_none()
    return _row(row) if row is not None else None


def groups(connection: Connection, tenant_id: str, after: Place | None, limit: int, wanted: Filter) -> list[Group]:
    """The tenant's letters by fingerprint, the group that failed last first."""
    last = func.max(_own.last_at)
    columns = (_own.fingerprint, func.count(), func.min(_own.created_at), last, func.max(_own.id))
    query = _wanted(cast("Select[Any]", select(*columns)), tenant_id, wanted).group_by(_own.fingerprint)
    if after is not None:
        at, print_ = after
        query = query.having(or_(last < at, and_(last == at, _own.fingerprint < print_)))
    query = query.order_by(last.desc(), _own.fingerprint.desc()).limit(limit)
    found = [tuple(row) for row in connection.execute(query)]
    ids = [letter_id for *_, letter_id in found]
    shown = _joined().where(_own.tenant_id == tenant_id, _own.id.in_(ids))
    latest = {row.id: row for row in map(_row, connection.execute(shown))}
    return [Group(name, number, first, at, latest[letter_id]) for name, number, first, at, letter_id in found]


def batch(
    connection: Connection, tenant_id: str, fingerprint: str, after: str, until: int, limit: int
) -> list[LetterRow]:
    """The next open letters of this fingerprint that failed up to `until`, in the order of their ids. They are
    locked: nobody else moves them until the transaction ends."""
    query = _of_bulk(_joined(), tenant_id, fingerprint, after, until).order_by(_own.id).limit(limit)
    return [_row(row) for row in connection.execute(query.with_for_update(of=dead_letters))]


def number_left(connection: Connection, tenant_id: str, fingerprint: str, after: str, until: int) -> int:
    """How many `batch` would give in all."""
    query = cast("Select[Any]", select(func.count())).select_from(dead_letters)
    return connection.execute(_of_bulk(query, tenant_id, fingerprint, after, until)).scalar() or 0


def replayed_as(connection: Connection, tenant_id: str, event_id: str) -> str | None:
    """The letter that this event is the replay of."""
    query = select(_own.id).where(_own.tenant_id == tenant_id, _own.replay_id == event_id)
    return connection.execute(query).scalar()


def _of_bulk(query: Select[Any], tenant_id: str, fingerprint: str, after: str, until: int) -> Select[Any]:
    return query.where(
        _own.tenant_id == tenant_id,
        _own.fingerprint == fingerprint,
        _own.status == "open",
        _own.id > after,
        _own.last_at <= until,
    )


def _wanted(query: Select[Any], tenant_id: str, wanted: Filter) -> Select[Any]:
    query = query.where(_own.tenant_id == tenant_id)
    for column in ("kind", "status", "fingerprint", "automation_id"):
        value = getattr(wanted, column)
        if value is not None:
            query = query.where(_own[column] == value)
    return query


def _joined() -> Select[Any]:
    joined = dead_letters.outerjoin(
        automations, (automations.c.tenant_id == _own.tenant_id) & (automations.c.id == _own.automation_id)
    ).outerjoin(events, (events.c.tenant_id == _own.tenant_id) & (events.c.id == _own.event_id))
    return cast("Select[Any]", select(*_COLUMNS)).select_from(joined)


def _row(row: Any) -> LetterRow:
    return LetterRow(**dict(zip(LetterRow.__struct_fields__, row, strict=True)))
