"""JSON values: their conversion to the type an operand asks for, and comparison afterwards, strictly. Nothing raises.

A boolean is not a number. A text converts to a number when it is written like one, to a boolean when it is `true` or
`false`; nothing converts to text. Text compares in NFC, and with case unless folded.
"""

import math
import re
from collections.abc import Callable
from typing import Any, Final, cast
from unicodedata import is_normalized, normalize

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?\Z")
_NUMBER_CHARACTERS_MAX: Final = 400

Number = int | float


def nfc(text: str) -> str:
    """The text in Unicode normal form C."""
    return text if text.isascii() or is_normalized("NFC", text) else normalize("NFC", text)


def folded(text: str) -> str:
    """The text for comparison without case."""
    return text.lower() if text.isascii() else normalize("NFC", normalize("NFC", text).casefold())


def form_of(*, ci: bool) -> Callable[[str], str]:
    """How text is brought into the form in which it compares."""
    return folded if ci else nfc


def to_number(value: Any) -> Number | None:
    """The finite number a value is or is written as; None for anything else, booleans included."""
    kind = value.__class__
    if kind is int:
        return value
    if kind is float:
        return value if math.isfinite(value) else None
    return _read_number(value) if kind is str else None


def _read_number(text: str) -> Number | None:
    if len(text) > _NUMBER_CHARACTERS_MAX or not _NUMBER.match(text):
        return None
    if text.isdigit() or (text[0] == "-" and text[1:].isdigit()):
        return int(text)
    value = float(text)
    return value if math.isfinite(value) else None


def to_boolean(value: Any) -> bool | None:
    """The boolean a value is or is written as."""
    if value is True or value == "true":
        return True
    return False if value is False or value == "false" else None


def is_number(value: Any) -> bool:
    """Whether this is a JSON number."""
    return value.__class__ is int or (value.__class__ is float and math.isfinite(value))


def deeply_equal(value: Any, operand: Any, form: Callable[[str], str] = nfc) -> bool:
    """Whether two JSON values are equal, type by type; lists in order."""
    try:
        return _equal(value, operand, form)
    except RecursionError:  # deeper than any accepted JSON
        return False


def _equal(value: Any, operand: Any, form: Callable[[str], str]) -> bool:
    kind = operand.__class__
    if kind is str:
        return value.__class__ is str and form(value) == form(operand)
    if kind is list:
        return (
            value.__class__ is list
            and len(value) == len(operand)
            and all(_equal(mine, theirs, form) for mine, theirs in zip(value, operand, strict=True))
        )
    if kind is dict:
        return (
            value.__class__ is dict
            and value.keys() == operand.keys()
            and all(_equal(value[key], item, form) for key, item in operand.items())
        )
    if kind is bool or operand is None:
        return value is operand
    return value.__class__ is not bool and is_number(value) and bool(value == operand)


def equality(operand: Any, *, ci: bool = False) -> Callable[[Any], bool]:
    """The test `value equals operand`, where the operand's type decides the conversion."""
    if operand.__class__ is str:
        return _equal_text(form_of(ci=ci)(operand), ci=ci)
    if operand.__class__ is bool:
        return lambda value: value is operand or (value.__class__ is str and to_boolean(value) is operand)
    if is_number(operand):
        return _equal_number(operand)
    form = form_of(ci=ci)
    return lambda value: deeply_equal(value, operand, form)


def longest_equal(wanted: str) -> int:
    """Text longer than this equals `wanted` in no form: composing and folding shorten at most eight to one."""
    return 8 * len(wanted) + 8


def _equal_text(wanted: str, *, ci: bool) -> Callable[[Any], bool]:
    longest = longest_equal(wanted)
    if ci:
        return lambda value: value.__class__ is str and len(value) <= longest and folded(value) == wanted

    def test(value: Any) -> bool:
        if value.__class__ is not str:
            return False
        return value == wanted or (not value.isascii() and len(value) <= longest and nfc(value) == wanted)

    return test


def _equal_number(wanted: Number) -> Callable[[Any], bool]:
    def test(value: Any) -> bool:
        kind = value.__class__
        if kind is int or kind is float:
            return value == wanted
        return kind is str and _read_number(value) == wanted

    return test


def is_present(value: Any) -> bool:
    """Whether there is a value: not missing (which is no JSON value) and not null."""
    return value is not None and value.__class__ in _JSON_KINDS


_JSON_KINDS: Final = frozenset({str, int, float, bool, list, dict})


def is_empty(value: Any) -> bool:
    """Whether there is nothing, or an empty text, list or object."""
    return not is_present(value) or (value.__class__ in _SIZED and len(value) == 0)


_SIZED: Final = frozenset({str, list, dict})


def kind_of(value: Any) -> str:
    """The value's type in the words of an explanation."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case dict():
            return "an object"
        case _:
            return "missing"


TRUE_KEY: Final = ("is", True)
FALSE_KEY: Final = ("is", False)
_AS_BOOLEAN: Final = {True: ("as", True), False: ("as", False)}
_NULL_KEY: Final = ("is", None)


def keys_of_value(value: Any, *, ci: bool, numbers: bool) -> tuple[Any, ...]:
    """Every `key_of_operand` that this value equals; numbers written as text only when `numbers` asks for them."""
    kind = value.__class__
    if kind is str:
        text = form_of(ci=ci)(value)
        if value in ("true", "false"):
            return text, _AS_BOOLEAN[value == "true"]
        number = _read_number(value) if numbers else None
        return (text,) if number is None else (text, number)
    if kind is int or kind is float:
        return (value,)
    if kind is bool:
        return _AS_BOOLEAN[value], (TRUE_KEY if value else FALSE_KEY)
    return (_NULL_KEY,) if value is None else ()


def key_of_operand(operand: Any, *, ci: bool) -> Any:
    """The key of an operand of `equals`, or None when equality with it is not by key (lists and objects)."""
    kind = operand.__class__
    if kind is str:
        return form_of(ci=ci)(operand)
    if kind is bool:
        return _AS_BOOLEAN[operand]
    if operand is None:
        return _NULL_KEY
    return operand if is_number(operand) else None


def shown(value: Any) -> str:
    """A value in a sentence, at most about 80 characters."""
    if isinstance(value, str):
        return f'"{_short(value)}"'
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list):
        items = cast("list[Any]", value)
        inside = ("a list" if isinstance(item, list) else shown(item) for item in items[:5])
        return "[" + ", ".join(inside) + (", ..." if len(items) > 5 else "") + "]"
    if isinstance(value, dict):
        return "an object"
    return _short(repr(value)) if not isinstance(value, int) or value.bit_length() < 200 else "a huge number"


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:80] + "..."
