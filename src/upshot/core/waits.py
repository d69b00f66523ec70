"""What a run that waits for an event waits for: the event's name, and fields of it that must equal values of the run.

The fields and the values together are a key. An event is compared with all that wait for its name by one key for each list of
fields that is waited for, however many wait.
"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, cast

import msgspec

from upshot.core.errors import Refused
from upshot.core.facts import MISSING, Path, path_of
from upshot.core.path_text import parse_segments

_encode = msgspec.json.Encoder().encode

KEY_CHARACTERS_MAX: Final = 200
RUN_ENDED: Final = "system.run.ended"
"""The name under which the end of a run that was called is waited for; the key is that run's id."""
_OF_EVENT: Final = frozenset({"id", "name", "data", "ts", "entity"})

Fields = tuple[str, ...]
"""The paths that are compared, in order."""


class Unmatchable(ValueError):
    """A value that no event can equal."""


def field_path(text: str, at: str = "") -> Path:
    """The path into an event that this field means: `taskId` and `data.taskId` are the same, `entity.id` is the entity's.

    Raises:
        Refused: it is no path.
    """
    segments = parse_segments(text, at)
    if segments[0] == "event":
        segments = segments[1:]
    is_of_event = bool(segments) and segments[0] in _OF_EVENT and len(segments) > 1
    return path_of(("event", *segments) if is_of_event else ("event", "data", *segments), at)


@lru_cache(maxsize=4096)
def _path(text: str) -> Path:
    return field_path(text)


def fields_of(match: Mapping[str, Any]) -> Fields:
    """The fields of a match, in the order in which they are compared."""
    return tuple(sorted(match))


def key_of(fields: Sequence[str], values: Sequence[Any]) -> str:
    """The key of these values of these fields. Numbers are equal whatever they are written like.

    Raises:
        Unmatchable: a value is not there, or no text, number or truth value.
    """
    plain = [_plain(field, value) for field, value in zip(fields, values, strict=True)]
    text = _encode([fields, plain]).decode()
    return text if len(text) <= KEY_CHARACTERS_MAX else hashlib.sha256(text.encode()).hexdigest()


def _plain(field: str, value: Any) -> Any:
    if value is None or value is MISSING or value == "":
        raise Unmatchable(f"{field!r} must equal a value that is not there")
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str | int | float):
        return value
    raise Unmatchable(f"{field!r} must equal a text, a number or a truth value, not {value!r:.40}")


def event_key(fields: Fields, event: Mapping[str, Any]) -> str | None:
    """The key of an event (as conditions read it under `event`), None when it has no such fields."""
    facts = _Facts(cast("dict[str, Any]", event))
    try:
        return key_of(fields, [_path(field).read(cast("Any", facts)) for field in fields])
    except (Unmatchable, Refused):
        return None


class _Facts(msgspec.Struct, frozen=True):
    """All that a path into an event reads."""

    event: dict[str, Any]


def hint_of(key: str) -> str:
    """A text that the data of every event with this key holds, as JSON writes it; empty where none is known."""
    if not key.startswith("["):
        return ""
    fields, values = msgspec.json.decode(key, type=tuple[list[str], list[Any]])
    texts = [
        value
        for field, value in zip(fields, values, strict=True)
        if isinstance(value, str) and "data" in (str(_path(field).segments[0]), field.partition(".")[0])
    ]
    return _encode(max(texts, key=len)).decode()[1:-1] if texts else ""
