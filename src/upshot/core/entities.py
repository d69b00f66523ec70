"""Entities and how they change: an entity before, an operation, and the change it makes. Pure.

Every change that changes something is also an event (`patient.created`, `.updated`, `.deleted`) whose data is
`{"patient": {fields..., "id"}, "previous": {...} or null, "changed": [names], "tags": [...]}`.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, cast

import msgspec

from upshot.core.errors import Problem, Refused
from upshot.core.strict_json import encode, join_path

FIELDS_BYTES_MAX: Final = 262_144
FIELDS_MAX: Final = 1_000
FIELD_NAME_MAX: Final = 200
TAGS_MAX: Final = 200
TAG_MAX: Final = 100
ID_MAX: Final = 200

RESERVED_FIELDS: Final = frozenset({"id", "type", "tags", "created_at", "updated_at", "revision"})
"""What an entity has beside its fields; a field of such a name could not be told from it in a condition."""
RESERVED_TYPES: Final = frozenset({"previous", "changed", "tags"})
"""What stands beside the entity in the data of a change event."""

_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")


class Entity(msgspec.Struct, frozen=True, kw_only=True):
    """One thing events are about. `revision` grows by one with each change; instants are microseconds UTC."""

    type: str
    id: str
    fields: dict[str, Any]
    tags: tuple[str, ...] = ()
    revision: int = 1
    created_at: int = 0
    updated_at: int = 0


class CreateEntity(msgspec.Struct, frozen=True):
    """A new entity. Refused when one of that type and id is there."""

    type: str
    id: str
    fields: dict[str, Any]
    tags: tuple[str, ...] = ()


class ReplaceEntity(msgspec.Struct, frozen=True):
    """These fields and tags and no others, whether or not the entity is there (PUT). `tags=None` keeps its tags."""

    type: str
    id: str
    fields: dict[str, Any]
    tags: tuple[str, ...] | None = None


class PatchEntity(msgspec.Struct, frozen=True):
    """A JSON merge patch (RFC 7396) on the fields: objects merge, null removes, all else replaces.

    With `is_limited` only the fields that the entity's type allows steps to set may be named.
    """

    type: str
    id: str
    fields: dict[str, Any]
    tags: tuple[str, ...] | None = None
    is_limited: bool = False


class AddTag(msgspec.Struct, frozen=True):
    """The entity has this tag afterwards."""

    type: str
    id: str
    tag: str


class RemoveTag(msgspec.Struct, frozen=True):
    """The entity does not have this tag afterwards."""

    type: str
    id: str
    tag: str


class JoinSegment(msgspec.Struct, frozen=True):
    """The entity is in this segment, which is kept by hand, afterwards. It is not changed itself."""

    type: str
    id: str
    segment: str


class LeaveSegment(msgspec.Struct, frozen=True):
    """The entity is not in this segment, which is kept by hand, afterwards. It is not changed itself."""

    type: str
    id: str
    segment: str


class DeleteEntity(msgspec.Struct, frozen=True):
    """The entity is gone afterwards."""

    type: str
    id: str


Operation = CreateEntity | ReplaceEntity | PatchEntity | AddTag | RemoveTag | JoinSegment | LeaveSegment | DeleteEntity

Kind = Literal["created", "updated", "deleted", "unchanged"]


class Change(msgspec.Struct, frozen=True):
    """What an operation came to. `after` is the entity afterwards (of a deletion: as it was last).

    `event_name` is None when nothing changed; then `data` is empty and there is nothing to write.
    """

    kind: Kind
    after: Entity
    event_name: str | None = None
    data: dict[str, Any] = {}

    @property
    def is_deletion(self) -> bool:
        """Whether the entity is gone."""
        return self.kind == "deleted"


def change(
    before: Entity | None, operation: Operation, now: int, *, allowed_fields: frozenset[str] | None = None
) -> Change:
    """What `operation` makes of `before` (None: there is no such entity).

    `allowed_fields` are those a limited patch may name; None allows all.

    Raises:
        Refused: every fault of the operation with its path (`fields.status`, `tag`, ...); codes `conflict` when an
            entity to create is there, `not_found` when one to change is not, `field_not_allowed`.
    """
    problems = check_key(operation.type, operation.id)
    if problems:
        raise Refused(problems)
    match operation:
        case CreateEntity():
            if before is not None:
                raise Refused.at("id", f"{_called(operation)} exists already; update it instead", "conflict")
            return _put(None, operation, operation.fields, operation.tags, now)
        case ReplaceEntity():
            present_tags = () if before is None else before.tags
            return _put(before, operation, operation.fields, _or_else(operation.tags, present_tags), now)
        case PatchEntity():
            present = _present(before, operation)
            if operation.is_limited:
                raise_unless_allowed(operation.fields, allowed_fields, operation.type)
            fields = cast("dict[str, Any]", _merged(present.fields, operation.fields))
            return _put(present, operation, fields, _or_else(operation.tags, present.tags), now)
        case AddTag():
            present = _present(before, operation)
            return _put(present, operation, present.fields, (*present.tags, operation.tag), now)
        case RemoveTag():
            present = _present(before, operation)
            kept = tuple(tag for tag in present.tags if tag != operation.tag)
            return _put(present, operation, present.fields, kept, now)
        case JoinSegment() | LeaveSegment():
            return Change("unchanged", _present(before, operation))
        case DeleteEntity():
            present = _present(before, operation)
            return _changed("deleted", present, present, [])


def check_key(type_: str, id_: str) -> list[Problem]:
    """What is wrong with an entity's type and id."""
    problems: list[Problem] = []
    if not _TYPE.fullmatch(type_):
        said = "an entity type is a letter and up to 63 letters, digits, '_', '-' or '.', like message_draft"
        problems.append(Problem("type", f"{type_[:80]!r}: {said}", "bad_type"))
    elif type_ in RESERVED_TYPES:
        problems.append(Problem("type", f"{type_!r} means something else in change events; choose another", "bad_type"))
    if not _is_name(id_, ID_MAX):
        said = f"an entity id is 1 to {ID_MAX} visible characters without space around them"
        problems.append(Problem("id", f"{id_[:80]!r}: {said}", "bad_id"))
    return problems


def raise_unless_allowed(fields: Iterable[str], allowed: frozenset[str] | None, type_: str) -> None:
    """Hold a change made by a step to the fields it may set.

    Raises:
        Refused: names each refused field, code `field_not_allowed`.
    """
    if allowed is None:
        return
    listed = ", ".join(sorted(allowed)) or "none"
    refused = [
        Problem(
            join_path("fields", name),
            f"a step may not set this field of {type_}; allowed: {listed}",
            "field_not_allowed",
        )
        for name in fields
        if name not in allowed
    ]
    if refused:
        raise Refused(refused)


def _put(before: Entity | None, operation: Operation, fields: dict[str, Any], tags: Iterable[str], now: int) -> Change:
    kept_tags = tuple(dict.fromkeys(tags))
    problems = [*_fields_problems(fields), *_tags_problems(kept_tags, operation)]
    if problems:
        raise Refused(problems)
    if before is None:
        after = Entity(
            type=operation.type, id=operation.id, fields=fields, tags=kept_tags, created_at=now, updated_at=now
        )
        changed = [*fields, "tags"] if kept_tags else list(fields)
        return _changed("created", None, after, changed)
    changed = _differing(before.fields, fields)
    if kept_tags != before.tags:
        changed.append("tags")
    if not changed:
        return Change("unchanged", before)
    after = msgspec.structs.replace(
        before, fields=fields, tags=kept_tags, revision=before.revision + 1, updated_at=max(now, before.updated_at)
    )
    return _changed("updated", before, after, changed)


def _changed(kind: Kind, before: Entity | None, after: Entity, changed: list[str]) -> Change:
    data = {
        after.type: _shown(after),
        "previous": None if before is None else _previous(before),
        "changed": changed,
        "tags": list(after.tags),
    }
    return Change(kind, after, f"{after.type}.{kind}", data)


def _or_else(given: tuple[str, ...] | None, present: tuple[str, ...]) -> tuple[str, ...]:
    return present if given is None else given


def _shown(entity: Entity) -> dict[str, Any]:
    return {**entity.fields, "id": entity.id}


def _previous(entity: Entity) -> dict[str, Any]:
    return {**entity.fields, "id": entity.id, "tags": list(entity.tags)}


def _present(before: Entity | None, operation: Operation) -> Entity:
    if before is None:
        raise Refused.at("id", f"there is no {_called(operation)}; create it first", "not_found")
    return before


def _called(operation: Operation) -> str:
    return f"{operation.type} {operation.id!r}"


def _merged(target: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    given = cast("dict[str, Any]", patch)
    merged = dict(cast("dict[str, Any]", target)) if isinstance(target, dict) else {}
    for name, value in given.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merged(merged.get(name), value)
    return merged


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    differing = [name for name, value in after.items() if name not in before or not _is_same(before[name], value)]
    return differing + [name for name in before if name not in after]


def _is_same(a: Any, b: Any) -> bool:
    """Equality of JSON values: Python's, but true is not 1."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, dict) and isinstance(b, dict):
        one, other = cast("dict[str, Any]", a), cast("dict[str, Any]", b)
        return one.keys() == other.keys() and all(_is_same(value, other[name]) for name, value in one.items())
    if isinstance(a, list) and isinstance(b, list):
        left, right = cast("list[Any]", a), cast("list[Any]", b)
        return len(left) == len(right) and all(map(_is_same, left, right))
    return bool(a == b)


def _fields_problems(fields: dict[str, Any]) -> list[Problem]:
    if len(fields) > FIELDS_MAX:
        return [Problem("fields", f"{len(fields)} fields; at most {FIELDS_MAX}", "too_large")]
    problems: list[Problem] = []
    for name in fields:
        if name in RESERVED_FIELDS:
            said = "is what every entity has beside its fields; give it there, or choose another name"
            problems.append(Problem(join_path("fields", name), f"{name!r} {said}", "reserved_field"))
        elif not _is_name(name, FIELD_NAME_MAX):
            said = f"a field's name is 1 to {FIELD_NAME_MAX} visible characters"
            problems.append(Problem("fields", f"{name[:80]!r}: {said}", "bad_field"))
    try:
        size = len(encode(fields, at="fields").encode())
    except Refused as malformed:
        return [*problems, *malformed.problems]
    if size > FIELDS_BYTES_MAX:
        problems.append(Problem("fields", f"{size} bytes of JSON; at most {FIELDS_BYTES_MAX}", "too_large"))
    return problems


def _tags_problems(tags: tuple[str, ...], operation: Operation) -> list[Problem]:
    at = "tag" if isinstance(operation, AddTag | RemoveTag) else "tags"
    if len(tags) > TAGS_MAX:
        return [Problem(at, f"{len(tags)} tags; at most {TAGS_MAX}", "too_large")]
    said = f"a tag is 1 to {TAG_MAX} visible characters without space around them"
    return [Problem(at, f"{tag[:80]!r}: {said}", "bad_tag") for tag in tags if not _is_name(tag, TAG_MAX)]


def _is_name(text: str, most: int) -> bool:
    return 0 < len(text) <= most and text.isprintable() and text == text.strip()
