"""What an event type says of its events' data: the JSON Schema it meets, and the entity it is about.

A schema is a tenant's own text, so everything about it is bounded: its size, its depth, what its references unfold to,
and its patterns, which run in linear time. Nothing is ever fetched.
"""

import re
from collections.abc import Iterator
from typing import Any, Final, cast

import jsonschema_rs
import msgspec

from upshot.core.entities import check_key
from upshot.core.errors import Problem, Refused
from upshot.core.events import EntityRef
from upshot.core.schema_bounds import DIALECTS, schema_problems
from upshot.core.strict_json import join_path

PROBLEMS_MAX: Final = 50
PATTERN_BYTES_MAX: Final = 500_000
INDEX_DIGITS_MAX: Final = 4
MESSAGE_MAX: Final = 300

_PATH = re.compile(r"[^\s.\[\]\"']+(?:\.[^\s.\[\]\"']+)*")
_ID_MAX = 200


class PayloadSchema:
    """A compiled JSON Schema."""

    __slots__ = ("_validator", "document")

    def __init__(self, document: dict[str, Any], validator: jsonschema_rs.Validator) -> None:
        self.document, self._validator = document, validator

    def problems(self, data: Any, at: str = "") -> list[Problem]:
        """What is wrong with `data`, each with its dotted path and code `schema_<keyword>`; at most 50 problems.

        Messages never hold the data itself. `data` is JSON (see `strict_json`).
        """
        if self._validator.is_valid(data):
            return []
        found: list[Problem] = []
        for error in self._validator.iter_errors(data):
            found.extend(_read(error, at))
            if len(found) >= PROBLEMS_MAX:
                break
        return found[:PROBLEMS_MAX]


def compile_schema(schema: Any, at: str = "schema") -> PayloadSchema:
    """Check and compile a JSON Schema (2020-12 unless `$schema` says 2019-09 or draft-07).

    Raises:
        Refused: it is no schema, or is over a limit (64 KiB, depth 32, 2,000 parts once references are followed); it
            refers outside itself or to itself; or a pattern cannot run in linear time (backreferences, lookaround).
    """
    problems = schema_problems(schema, at)
    if problems:
        raise Refused(problems)
    document = cast("dict[str, Any]", schema)
    kind = getattr(jsonschema_rs, DIALECTS[document.get("$schema", "")])
    try:
        validator: jsonschema_rs.Validator = kind(
            document,
            validate_formats=True,
            offline=True,
            mask="this value",
            pattern_options=jsonschema_rs.RegexOptions(size_limit=PATTERN_BYTES_MAX),
        )
    except jsonschema_rs.ValidationError as error:
        path = _joined(at, error.instance_path)
        raise Refused.at(path, f"is not valid JSON Schema: {_short(error.message)}", "bad_schema") from error
    except ValueError as error:
        raise Refused.at(at, f"is not valid JSON Schema: {_short(str(error))}", "bad_schema") from error
    return PayloadSchema(document, validator)


class EntityBinding(msgspec.Struct, frozen=True):
    """Which entity an event type's events are about: `id` is the dotted path in the data where its id is found."""

    type: str
    id: str

    def entity_of(self, data: Any) -> EntityRef | None:
        """The entity these data are about; None when the path leads to nothing that could be an id."""
        for part in self.id.split("."):
            if isinstance(data, dict):
                data = cast("dict[str, Any]", data).get(part)
            elif isinstance(data, list) and part.isdigit() and len(part) <= INDEX_DIGITS_MAX:
                items = cast("list[Any]", data)
                data = items[int(part)] if int(part) < len(items) else None
            else:
                return None
        if isinstance(data, int) and not isinstance(data, bool):
            return EntityRef(self.type, str(data))
        if isinstance(data, str) and 0 < len(data) <= _ID_MAX and data.isprintable() and data == data.strip():
            return EntityRef(self.type, data)
        return None


def read_binding(document: Any, at: str = "entity") -> EntityBinding:
    """The binding that `{"type": "patient", "id": "appointment.patientId"}` says.

    Raises:
        Refused: it is not of that form.
    """
    form = 'is {"type": "patient", "id": "appointment.patientId"}: an entity type and a path in the data'
    try:
        given = msgspec.convert(document, dict[str, str])
    except msgspec.ValidationError:
        raise Refused.at(at, form, "bad_binding") from None
    if given.keys() != {"type", "id"}:
        raise Refused.at(at, form, "bad_binding")
    problems = [Problem(join_path(at, "type"), p.message, p.code) for p in check_key(given["type"], "x")]
    if len(given["id"]) > _ID_MAX or not _PATH.fullmatch(given["id"]):
        said = "is a dotted path in the event's data, like appointment.patientId"
        problems.append(Problem(join_path(at, "id"), f"{given['id'][:80]!r} {said}", "bad_path"))
    if problems:
        raise Refused(problems)
    return EntityBinding(given["type"], given["id"])


def _read(error: jsonschema_rs.ValidationError, at: str) -> Iterator[Problem]:
    path, kind = _joined(at, error.instance_path), error.kind
    code = f"schema_{kind.name}"
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.Required):
        yield Problem(join_path(path, kind.property), "is required", code)
    elif isinstance(
        kind,
        jsonschema_rs.ValidationErrorKind.AdditionalProperties
        | jsonschema_rs.ValidationErrorKind.UnevaluatedProperties,
    ):
        for name in kind.unexpected:
            yield Problem(join_path(path, name), "is not a field the schema knows", code)
    else:
        yield Problem(path, _short(error.message).removeprefix("this value "), code)


def _joined(at: str, path: list[str | int]) -> str:
    for key in path:
        at = join_path(at, key)
    return at


def _short(message: str) -> str:
    first = message.split("\n", 1)[0]
    return first if len(first) <= MESSAGE_MAX else first[: MESSAGE_MAX - 3] + "..."
