"""The slow, exact pass of `strict_json`: find each fault and name its path."""

import json
import math
import re
from typing import Any, Final, cast

from upshot.core.errors import Problem

INTEGER_MIN: Final = -(2**63)
INTEGER_MAX: Final = 2**64 - 1
_PROBLEMS_MAX: Final = 20
_DIGITS_MAX: Final = 20
_SHOWN_MAX: Final = 80
_PLAIN_KEY = re.compile(r"[^\s.\[\]\"'\x00-\x1f\ud800-\udfff]+( +[^\s.\[\]\"'\x00-\x1f\ud800-\udfff]+)*\Z")


class _BadNumber:
    """Stands in for a number that was written but cannot be kept."""

    def __init__(self, problem: tuple[str, str]) -> None:
        self.problem = problem


class _Repeating(dict[str, Any]):
    """An object that was written with a repeated key."""

    repeated: str


def join_path(at: str, key: str | int) -> str:
    """The path of a child: `steps[2]`, `steps[2].with`, `with["a.b"]`."""
    if isinstance(key, int):
        return f"{at}[{key}]"
    if _PLAIN_KEY.match(key):
        return f"{at}.{key[:_SHOWN_MAX]}" if at else key[:_SHOWN_MAX]
    return f"{at}[{json.dumps(key[:_SHOWN_MAX])}]"


def problems_in_text(raw: bytes, at: str, max_depth: int) -> list[Problem]:
    """What is wrong with a JSON text; empty when nothing is."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        return [Problem(at, f"not UTF-8 at byte {error.start}", "json_encoding")]
    try:
        value = json.loads(
            text,
            object_pairs_hook=_read_object,
            parse_int=_read_int,
            parse_float=_read_float,
            parse_constant=_read_constant,
        )
    except RecursionError:
        return [_too_deep(at, max_depth)]
    except json.JSONDecodeError as error:
        return [Problem(at, f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}", "json_syntax")]
    return problems_in_value(value, at, max_depth)


def problems_in_value(value: Any, at: str, max_depth: int) -> list[Problem]:
    """What keeps a Python value from being JSON within the limits, in document order; at most 20 problems."""
    problems: list[Problem] = []
    _look(value, at, max_depth, problems)
    return problems


def _look(value: Any, at: str, depth_left: int, problems: list[Problem]) -> None:
    if len(problems) >= _PROBLEMS_MAX or value is None or isinstance(value, bool):
        return
    if isinstance(value, dict | list):
        _look_inside(cast("dict[Any, Any] | list[Any]", value), at, depth_left, problems)
        return
    found = _scalar_problem(value)
    if found:
        problems.append(Problem(at, *found))


def _look_inside(value: dict[Any, Any] | list[Any], at: str, depth_left: int, problems: list[Problem]) -> None:
    if depth_left <= 0:
        problems.append(_too_deep(at, None))
        return
    if isinstance(value, list):
        for index, item in enumerate(value):
            _look(item, join_path(at, index), depth_left - 1, problems)
        return
    if isinstance(value, _Repeating):
        problems.append(Problem(join_path(at, value.repeated), "this key is written twice", "json_duplicate_key"))
    for key, item in value.items():
        if not isinstance(key, str):
            problems.append(Problem(at, f"the key {_shown(key)} is not text", "json_type"))
            continue
        found = _string_problem(key)
        if found:
            problems.append(Problem(join_path(at, key), *found))
        _look(item, join_path(at, key), depth_left - 1, problems)


def _scalar_problem(value: object) -> tuple[str, str] | None:
    match value:
        case str():
            return _string_problem(value)
        case int():
            return None if INTEGER_MIN <= value <= INTEGER_MAX else _BIG_INTEGER
        case float():
            return None if math.isfinite(value) else (f"{value} is not a JSON number", "json_number")
        case _BadNumber():
            return value.problem
        case _:
            return (
                f"a {type(value).__name__} is not JSON; turn it into text, a number, a list or a dict first",
                "json_type",
            )


def _string_problem(text: str) -> tuple[str, str] | None:
    if "\x00" in text:
        return ("the text holds a NUL character, which databases cannot keep", "json_nul")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        return ("the text holds a lone surrogate, which is not a character", "json_surrogate")
    return None


_BIG_INTEGER = ("the whole number is beyond 64 bits; send it as text", "json_integer")


def _too_deep(at: str, max_depth: int | None) -> Problem:
    limit = "the limit" if max_depth is None else f"{max_depth} levels"
    return Problem(at, f"nested deeper than {limit}", "json_depth")


def _read_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) == len(pairs):
        return value
    repeating = _Repeating(value)
    seen: set[str] = set()
    repeating.repeated = next(key for key, _ in pairs if key in seen or seen.add(key))
    return repeating


def _read_int(text: str) -> int | _BadNumber:
    return _BadNumber(_BIG_INTEGER) if len(text) > _DIGITS_MAX else int(text)


def _read_float(text: str) -> float | _BadNumber:
    value = float(text)
    return value if math.isfinite(value) else _BadNumber((f"{_shown(text)} is too large for a number", "json_number"))


def _read_constant(text: str) -> _BadNumber:
    return _BadNumber((f"{text} is not a JSON number", "json_number"))


def _shown(value: object) -> str:
    text = repr(value) if not isinstance(value, str) else value
    return text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + "..."
