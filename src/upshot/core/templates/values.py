"""A value as text, the same for every way of rendering."""

import math
from collections.abc import Mapping
from typing import Any, cast

import msgspec

from upshot.core.facts import MISSING
from upshot.core.templates.errors import RenderFailure
from upshot.core.templates.limits import INTEGER_MAX

_encode = msgspec.json.encode


def to_text(value: Any) -> str:
    """The text of a JSON value: missing and null are blank (never "None"), lists and objects are JSON."""
    if isinstance(value, str):
        return value
    if value is None or value is MISSING:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(to_number(value))
    if isinstance(value, list | tuple | dict):
        try:
            return _encode(value).decode()
        except (TypeError, ValueError, RecursionError) as error:
            raise RenderFailure(f"the value cannot be written as JSON ({error})") from error
    return ""


def to_json(value: Any) -> Any:
    """The JSON value a lone placeholder gives; what is no JSON (an empty Liquid drop) is null."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return to_number(value)
    if isinstance(value, str):
        return str(value)
    return _plain(value) if isinstance(value, dict | list | tuple) else None


def _plain(value: Any) -> Any:
    """Copied, with texts that a filter marked as escaped made plain ones."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in cast("list[Any]", value)]
    return str(value) if isinstance(value, str) else value


def copied(value: Any) -> Any:
    """The same JSON value in lists and objects of its own, so that changing it does not change the facts."""
    if isinstance(value, dict):
        return {key: copied(item) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [copied(item) for item in cast("list[Any]", value)]
    return value


def to_number(value: float) -> int | float:
    """The number itself, if JSON and the store can hold it."""
    if isinstance(value, int):
        if abs(value) > INTEGER_MAX:
            raise RenderFailure("a whole number does not fit in 64 bits")
    elif not math.isfinite(value):
        raise RenderFailure("a number is not finite")
    return value


def is_blank(value: Any) -> bool:
    """Missing, null, or a Liquid variable that was not there (they are empty mappings, never dicts)."""
    return value is None or value is MISSING or (isinstance(value, Mapping) and not isinstance(value, dict))
