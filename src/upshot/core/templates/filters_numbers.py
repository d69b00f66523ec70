"""Filters over numbers. A text that reads as a number is one; anything else is refused with a sentence."""

import math
import re
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from upshot.core.templates.errors import RenderFailure
from upshot.core.templates.values import to_number

Number = int | float

_WHOLE: Final = re.compile(r"\s*[+-]?[0-9]{1,19}\s*")
_DECIMAL: Final = re.compile(r"\s*[+-]?(?:[0-9]{1,40}\.?[0-9]{0,40}|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?\s*")


def number_of(value: Any, name: str) -> Number:
    """The number a value is or reads as."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return to_number(value)
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return to_number(int(value))
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return to_number(float(value))
    shown = "nothing" if value is None else f"{value!r:.40}"
    raise RenderFailure(f"{name!r} needs a number, not {shown}")


def to_whole(value: Any, name: str) -> int:
    """The whole number a value is or reads as; a fraction is refused."""
    number = number_of(value, name)
    if number != int(number):
        raise RenderFailure(f"{name!r} needs a whole number, not {number}")
    return int(number)


def plus(value: Any, other: Any) -> Number:
    """The sum."""
    return to_number(_exact(number_of(value, "plus"), number_of(other, "plus"), lambda a, b: a + b))


def minus(value: Any, other: Any) -> Number:
    """The difference."""
    return to_number(_exact(number_of(value, "minus"), number_of(other, "minus"), lambda a, b: a - b))


def times(value: Any, other: Any) -> Number:
    """The product."""
    return to_number(_exact(number_of(value, "times"), number_of(other, "times"), lambda a, b: a * b))


def divided_by(value: Any, other: Any) -> Number:
    """The quotient; between whole numbers, rounded down."""
    left, right = number_of(value, "divided_by"), number_of(other, "divided_by")
    if right == 0:
        raise RenderFailure("'divided_by' zero")
    if isinstance(left, int) and isinstance(right, int):
        return left // right
    return to_number(left / right)


def modulo(value: Any, other: Any) -> Number:
    """The remainder."""
    left, right = number_of(value, "modulo"), number_of(other, "modulo")
    if right == 0:
        raise RenderFailure("'modulo' zero")
    return to_number(left % right)


def round_to(value: Any, places: Any = 0) -> Number:
    """Rounded to `places` decimals, halves away from zero."""
    number, places = (
        number_of(value, "round"),
        min(max(to_whole(places, "round"), 0), 15),
    )
    if isinstance(number, int):
        return number
    rounded = Decimal(repr(number)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP) if abs(number) < 1e12 else None
    if rounded is None:
        return number if places else int(to_number(int(number)))
    return float(rounded) if places else int(rounded)


def ceil(value: Any) -> int:
    """Rounded up to a whole number."""
    return int(to_number(math.ceil(number_of(value, "ceil"))))


def floor(value: Any) -> int:
    """Rounded down to a whole number."""
    return int(to_number(math.floor(number_of(value, "floor"))))


def absolute(value: Any) -> Number:
    """Without its sign."""
    return to_number(abs(number_of(value, "abs")))


def at_least(value: Any, bound: Any) -> Number:
    """The value, or the bound when that is greater."""
    return max(number_of(value, "at_least"), number_of(bound, "at_least"))


def at_most(value: Any, bound: Any) -> Number:
    """The value, or the bound when that is smaller."""
    return min(number_of(value, "at_most"), number_of(bound, "at_most"))


def _exact(left: Number, right: Number, operation: Callable[[Any, Any], Any]) -> Number:
    # Decimal arithmetic on the written digits, so that 0.1 + 0.2 is 0.3 in a message about money.
    if isinstance(left, int) and isinstance(right, int):
        return operation(left, right)
    try:
        return float(operation(Decimal(repr(left)), Decimal(repr(right))))
    except (ArithmeticError, OverflowError) as error:
        raise RenderFailure("a number is too large") from error


FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "plus": plus,
    "minus": minus,
    "times": times,
    "divided_by": divided_by,
    "modulo": modulo,
    "round": round_to,
    "ceil": ceil,
    "floor": floor,
    "abs": absolute,
    "at_least": at_least,
    "at_most": at_most,
}
