"""Entities: read as conditions see them, and changed in batches."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, select, true
from sqlalchemy import delete as sql_delete
from sqlalchemy.dialects.postgresql import insert

from upshot.core.dates import days_of
from upshot.core.entities import Change, Entity, Operation, change
from upshot.core.errors import Refused
from upshot.core.instants import to_text
from upshot.core.strict_json import encode
from upshot.store.database import Overtaken
from upshot.store.rows import BIGINT, INTEGER, TEXT, Prepared, Sent, key_in, rows
from upshot.store.schema import entities, entity_dates

Key = tuple[str, str, str]
"""Tenant, type, id."""

_COLUMNS = (
    ("tenant_id", TEXT),
    ("type", TEXT),
    ("id", TEXT),
    ("fields", TEXT),
    ("tags", TEXT),
    ("revision", INTEGER),
    ("created_at", BIGINT),
    ("updated_at", BIGINT),
)
_keys = rows(("tenant_id", TEXT), ("type", TEXT), ("id", TEXT))
_in_keys = key_in([entities.c.tenant_id, entities.c.type, entities.c.id], _keys, ["tenant_id", "type", "id"])
_key = (entities.c.tenant_id, entities.c.type, entities.c.id)
_select = select(*(entities.c[name] for name, _ in _COLUMNS)).where(_in_keys)
_read = Prepared(_select)
_read_to_change = Prepared(_select.order_by(*_key).with_for_update())  # everybody locks in the same order
_new = rows(*_COLUMNS)
_insert_base = insert(entities).from_select([name for name, _ in _COLUMNS], select(*_new.c).where(true()))
_insert = Prepared(_insert_base.on_conflict_do_nothing().returning(entities.c.id))
_update = Sent(
    _insert_base.on_conflict_do_update(
        index_elements=["tenant_id", "type", "id"],
        set_={name: _insert_base.excluded[name] for name in ("fields", "tags", "revision", "updated_at")},
    )
)
_delete = Sent(sql_delete(entities).where(_in_keys))
_DATE = ("tenant_id", "type", "field", "on_day", "entity_id")
_date_rows = rows(*((name, TEXT) for name in _DATE))
_insert_dates = Sent(
    insert(entity_dates).from_select(list(_DATE), select(*_date_rows.c).where(true())).on_conflict_do_nothing()
)
_delete_dates = Sent(
    sql_delete(entity_dates).where(key_in([entity_dates.c[name] for name in _DATE], _date_rows, _DATE))
)


class Wanted(msgspec.Struct, frozen=True):
    """One change that somebody wants. Those of one `owner` are kept together or not at all."""

    owner: int
    tenant_id: str
    operation: Operation


def read(connection: Connection, keys: Sequence[Key]) -> dict[Key, Entity]:
    """These entities, those that exist."""
    return _entities(_read(connection, keys))


def read_to_change(connection: Connection, keys: Sequence[Key]) -> dict[Key, Entity]:
    """These entities, those that exist, which nobody else changes until the transaction ends."""
    return _entities(_read_to_change(connection, sorted(keys)))


def _entities(stored: Iterable[Any]) -> dict[Key, Entity]:
    found: dict[Key, Entity] = {}
    for row in stored:
        found[row[0], row[1], row[2]] = entity_of(row[1:])
    return found


def entity_of(row: Sequence[Any]) -> Entity:
    """The entity of a row: type, id, fields, tags, revision and when it was created and changed."""
    type_, id_, fields, tags, revision, created_at, updated_at = row
    return Entity(
        type=type_,
        id=id_,
        fields=msgspec.json.decode(fields),
        tags=tuple(msgspec.json.decode(tags)),
        revision=revision,
        created_at=created_at,
        updated_at=updated_at,
    )


def read_roots(connection: Connection, keys: Sequence[Key]) -> dict[Key, dict[str, Any]]:
    """These entities as conditions and templates read them: fields, with id, type, tags and updated_at beside them."""
    return {key: as_root(entity) for key, entity in read(connection, keys).items()}


def as_root(entity: Entity) -> dict[str, Any]:
    """An entity as conditions and templates read it."""
    beside = {
        "id": entity.id,
        "type": entity.type,
        "tags": list(entity.tags),
        "created_at": to_text(entity.created_at),
        "updated_at": to_text(entity.updated_at),
    }
    return {**entity.fields, **beside}


def as_output(entity: Entity) -> dict[str, Any]:
    """An entity as a step's output and the API show it."""
    return {
        "type": entity.type,
        "id": entity.id,
        "fields": entity.fields,
        "tags": list(entity.tags),
        "revision": entity.revision,
        "created_at": to_text(entity.created_at),
        "updated_at": to_text(entity.updated_at),
    }


def apply(
    connection: Connection, wanted: Sequence[Wanted], now: int, allowed: Mapping[tuple[str, str], frozenset[str]]
) -> dict[int, list[Change | Refused]]:
    """Make these changes, each on what the earlier ones left; for each owner its answers in order. `allowed` are the fields
    that steps may set, by tenant and type, where not all.

    A refused change undoes the other changes of its owner; changes of other owners stand.

    Raises:
        Overtaken: another transaction created one of them meanwhile.
    """
    keys = sorted({(w.tenant_id, w.operation.type, w.operation.id) for w in wanted})
    present: dict[Key, Entity | None] = dict.fromkeys(keys)
    before_all = read_to_change(connection, keys)
    present.update(before_all)
    answers: dict[int, list[Change | Refused]] = {}
    touched: set[Key] = set()
    for owner, group in _by_owner(wanted).items():
        tentative = dict[Key, Entity | None]()
        answers[owner] = []
        for one in group:
            key = (one.tenant_id, one.operation.type, one.operation.id)
            before = tentative.get(key, present[key])
            try:
                made = change(before, one.operation, now, allowed_fields=allowed.get(key[:2]))
            except Exception as error:  # noqa: BLE001 - an operation of a host's making must not hurt those of others
                refused = error if isinstance(error, Refused) else Refused.at("", repr(error), "bad_operation")
                answers[owner].append(refused)
                tentative.clear()
                break
            answers[owner].append(made)
            tentative[key] = None if made.is_deletion else made.after
        present.update(tentative)
        touched.update(tentative)
    _write(connection, {key: present[key] for key in sorted(touched)}, before_all)
    return answers


def _by_owner(wanted: Sequence[Wanted]) -> dict[int, list[Wanted]]:
    groups: dict[int, list[Wanted]] = {}
    for one in wanted:
        groups.setdefault(one.owner, []).append(one)
    return groups


def _write(connection: Connection, touched: dict[Key, Entity | None], known: Mapping[Key, Entity]) -> None:
    """Write these, of which the `known` ones were there and are locked, and index their dates."""
    made = [_row(key, entity) for key, entity in touched.items() if entity is not None and key not in known]
    changed = [_row(key, entity) for key, entity in touched.items() if entity is not None and key in known]
    gone = [key for key, entity in touched.items() if entity is None]
    if made and len(_insert(connection, made).fetchall()) < len(made):
        raise Overtaken("an entity was created by another transaction")
    if changed:
        _update(connection, changed)
    if gone:
        _delete(connection, gone)
    before, after = ({row for key in touched for row in _dates(key, side.get(key))} for side in (known, touched))
    if before - after:
        _delete_dates(connection, sorted(before - after))
    if after - before:
        _insert_dates(connection, sorted(after - before))


def _dates(key: Key, entity: Entity | None) -> list[tuple[str, ...]]:
    if entity is None:
        return []
    tenant_id, type_, id_ = key
    return [(tenant_id, type_, name, day, id_) for name, day in days_of(entity.fields).items()]


def _row(key: Key, entity: Entity) -> tuple[Any, ...]:
    return (
        *key,
        encode(entity.fields),
        encode(list(entity.tags)),
        entity.revision,
        entity.created_at,
        entity.updated_at,
    )
