"""Reading a placeholder's path: the facts' own rules, and `.size`, `.first`, `.last` where no field has that name."""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final, cast

from upshot.core.errors import Refused
from upshot.core.facts import MISSING, Facts, Path, path_of

PLAIN_PATH: Final = re.compile(
    r"[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*|\.[0-9]{1,6}|\[[0-9]{1,6}\]|\[\"[^\"\[\]]*\"\]|\['[^'\[\]]*'\])*"
)
"""What is read without Liquid. Anything else, filters first of all, goes through it."""

_LITERALS: Final = frozenset({"true", "false", "nil", "null", "empty", "blank"})
_SPECIAL: Final = frozenset({"size", "first", "last"})
_PIECE: Final = re.compile(
    r"(?P<word>[A-Za-z_][\w-]*)|\.?\[?(?P<index>[0-9]+)\]?|\[\"(?P<double>[^\"]*)\"\]|\['(?P<single>[^']*)'\]|\."
)

Read = Callable[[Facts], Any]


def is_plain_path(expression: str) -> bool:
    """True for a path that needs nothing of Liquid."""
    return PLAIN_PATH.fullmatch(expression) is not None and expression not in _LITERALS


def segments_of(expression: str) -> tuple[str | int, ...]:
    """The segments of a plain path."""
    segments: list[str | int] = []
    for match in _PIECE.finditer(expression):
        kind = match.lastgroup
        if kind == "index":
            segments.append(int(match.group("index")))
        elif kind is not None:
            segments.append(match.group(kind))
    return tuple(segments)


def known_segments(segments: Sequence[object]) -> tuple[str | int, ...]:
    """The segments up to the first one that is only known at render."""
    known: list[str | int] = []
    for segment in segments:
        if not isinstance(segment, str | int):
            break
        known.append(segment)
    return tuple(known)


def compile_read(segments: Sequence[str | int]) -> tuple[Path, Read]:
    """The path, and the function that reads it from facts: a JSON value, or MISSING.

    Raises:
        Refused: the path is not one.
    """
    path = path_of(segments)
    if _SPECIAL.isdisjoint(segments[1:]):
        return path, path.read
    return path, lambda facts: _read_special(facts, tuple(segments))


def read_segments(facts: Facts, segments: tuple[object, ...]) -> Any:
    """The value at a path whose segments may come from data; MISSING when there is none, or it is no path."""
    if not all(isinstance(segment, str | int) for segment in segments):
        return MISSING
    return _read_special(facts, cast("tuple[str | int, ...]", segments))


def _read_special(facts: Facts, segments: tuple[str | int, ...]) -> Any:
    value = _read(facts, segments)
    if value is not MISSING or _SPECIAL.isdisjoint(segments[1:]):
        return value
    at = next(index for index, segment in enumerate(segments) if index and segment in _SPECIAL)
    value = _read(facts, segments[:at])
    for segment in segments[at:]:
        value = _step(value, segment)
    return value


def _read(facts: Facts, segments: tuple[str | int, ...]) -> Any:
    path = _path(segments)
    return MISSING if path is None else path.read(facts)


@lru_cache(maxsize=4096)
def _path(segments: tuple[str | int, ...]) -> Path | None:
    try:
        return path_of(segments)
    except Refused:
        return None


def _step(value: Any, segment: str | int) -> Any:
    if isinstance(value, dict) and isinstance(segment, str):
        fields = cast("dict[str, Any]", value)
        return fields.get(segment, len(fields) if segment == "size" else MISSING)
    if isinstance(value, str):
        return len(value) if segment == "size" else MISSING
    if not isinstance(value, list):
        return MISSING
    items = cast("list[Any]", value)
    if segment == "size":
        return len(items)
    index = {"first": 0, "last": -1}.get(segment) if isinstance(segment, str) else segment
    return items[index] if index is not None and -len(items) <= index < len(items) else MISSING
