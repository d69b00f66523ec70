"""What each operator means: from an operand to a test of a value. What does not fit is false.

Only base operators are here; `not_x` is exactly NOT `x`. Operators on dates are in `date_meanings.py`. A test whose cost
grows with the facts spends steps of their meter before it does the work.
"""

import operator as python_operator
from collections.abc import Callable, Iterable
from math import isfinite
from typing import Any, Final, cast

from upshot.core.conditions.date_meanings import moment_test, reads_as_date
from upshot.core.conditions.model import PATTERN_CHARACTERS_MAX, SCANNED_CHARACTERS_MAX, Check, Options, Test
from upshot.core.conditions.operands import BadOperand, Relative
from upshot.core.conditions.patterns import compile_pattern
from upshot.core.conditions.values import (
    Number,
    deeply_equal,
    equality,
    form_of,
    is_empty,
    is_number,
    is_present,
    key_of_operand,
    keys_of_value,
    longest_equal,
    to_boolean,
    to_number,
)
from upshot.core.facts import MISSING, Facts, Path, previous_of
from upshot.core.work import text_weight, weight

Make = Callable[[Any, Options], Check]

_SHORT: Final = 400
"""Text up to so many characters costs no more than a comparison does anyway."""
_SCANNED_CHARACTERS_PER_STEP: Final = 100

ORDERINGS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "greater_than": python_operator.gt,
    "greater_than_or_equal": python_operator.ge,
    "less_than": python_operator.lt,
    "less_than_or_equal": python_operator.le,
}


def with_operand(make: Make, operand: Any, options: Options) -> Check:
    """The check of an operator; a `{ref}` operand is read anew each time, and false when it does not fit."""
    if not isinstance(operand, Path):
        return make(operand, options)

    def test(value: Any, facts: Facts) -> bool:
        actual = operand.read(facts)
        if not is_present(actual):
            return False
        facts.meter.spend(weight(actual))
        try:
            return make(actual, options).test(value, facts)
        except BadOperand:
            return False

    return Check(test)


def equals(operand: Any, options: Options) -> Check:
    """Equal after conversion to the operand's type, or to the declared one."""
    if isinstance(operand, Relative) or (options.type in ("date", "datetime") and operand.__class__ is str):
        return moment_test(operand, options, python_operator.eq)
    return _plain(equality(_declared(operand, options), ci=options.ci), _expected_type(operand))


def _declared(operand: Any, options: Options) -> Any:
    match options.type:
        case "number":
            converted = to_number(operand)
        case "boolean":
            converted = to_boolean(operand)
        case _:
            return operand
    if converted is None and operand is not None:
        raise BadOperand(f"this field is declared as a {options.type}; {operand!r} is not one")
    return converted


def _plain(test: Callable[[Any], bool], expects: str) -> Check:
    def of_value(value: Any, _facts: Facts) -> bool:
        return test(value)

    return Check(of_value, expects)


def _expected_type(operand: Any) -> str:
    if operand.__class__ is str:
        return "text"
    if operand.__class__ is bool:
        return "boolean"
    return "number" if is_number(operand) else "any"


def ordering(name: str) -> Make:
    """`greater_than` and its kin: numbers, dates, or text by code point when asked for."""
    compare = ORDERINGS[name]

    def make(operand: Any, options: Options) -> Check:
        if isinstance(operand, Relative):
            return moment_test(operand, options, compare)
        number = to_number(operand) if options.type in (None, "number") and not options.collation else None
        if number is not None:
            return Check(_number_test(compare, number), "number")
        if operand.__class__ is str and options.collation:
            form = form_of(ci=options.ci)
            return _plain(lambda value: value.__class__ is str and compare(form(value), form(operand)), "text")
        if options.type in (None, "date", "datetime") and reads_as_date(operand, options):
            return moment_test(operand, options, compare)
        message = 'needs a number or a date; to order text say "collation": "codepoint"'
        raise BadOperand(message)

    return make


def _number_test(compare: Callable[[Any, Any], bool], operand: Number) -> Test:
    def test(value: Any, _facts: Facts) -> bool:
        kind = value.__class__
        if kind is int or (kind is float and isfinite(value)):
            return compare(value, operand)
        number = to_number(value) if kind is str else None
        return number is not None and compare(number, operand)

    return test


def between(low: Any, high: Any, options: Options) -> Check:
    """Within two ends; `bounds` says whether each end belongs."""
    lower = ordering("greater_than_or_equal" if options.bounds[0] == "[" else "greater_than")
    upper = ordering("less_than_or_equal" if options.bounds[1] == "]" else "less_than")
    above, below = with_operand(lower, low, options), with_operand(upper, high, options)

    def test(value: Any, facts: Facts) -> bool:
        return above.test(value, facts) and below.test(value, facts)

    return Check(test, above.expects)


def one_of(operand: Any, options: Options) -> Check:
    """Equal to one element."""
    items = _list(operand)
    if options.type in ("date", "datetime"):
        checks = [equals(item, options) for item in items]
        return _any_of([check.test for check in checks], "date")
    items = [_declared(item, options) for item in items]
    ci = options.ci
    keys = frozenset(key for item in items if (key := key_of_operand(item, ci=ci)) is not None)
    others = [equality(item, ci=ci) for item in items if key_of_operand(item, ci=ci) is None]
    numbers = any(is_number(item) for item in items)
    longest = max((longest_equal(key) for key in keys if key.__class__ is str), default=_SHORT)

    def test(value: Any, _facts: Facts) -> bool:
        if value.__class__ is str and len(value) > longest:
            return False
        return any(key in keys for key in keys_of_value(value, ci=ci, numbers=numbers)) or any(
            other(value) for other in others
        )

    kinds = {_expected_type(item) for item in items}
    return Check(test, kinds.pop() if len(kinds) == 1 else "any")


def contains(operand: Any, options: Options) -> Check:
    """A part of a text, or an element of a list."""
    return Check(_contains_test([operand], options, any), "text or list")


def _contains_test(operands: list[Any], options: Options, joined: Callable[[Iterable[bool]], bool]) -> Test:
    form = form_of(ci=options.ci)
    equalities = [equality(operand, ci=options.ci) for operand in operands]
    parts = [form(operand) if operand.__class__ is str else None for operand in operands]
    asked = max(len(operands), 1)

    def test(value: Any, facts: Facts) -> bool:
        if value.__class__ is str:
            if asked > 1 or len(value) > _SHORT:
                facts.meter.spend(text_weight(value) * asked)
            text = form(value)
            return joined(part is not None and part in text for part in parts)
        if value.__class__ is not list:
            return False
        facts.meter.spend(weight(value) * asked)
        return joined(any(map(is_equal, value)) for is_equal in equalities)

    return test


def contains_any(operand: Any, options: Options) -> Check:
    """At least one of the operands is in the text or list."""
    return Check(_contains_test(_list(operand), options, any), "text or list")


def _any_of(tests: list[Test], expects: str) -> Check:
    def of_any(value: Any, facts: Facts) -> bool:
        return any(test(value, facts) for test in tests)

    return Check(of_any, expects)


def contains_all(operand: Any, options: Options) -> Check:
    """Every one of the operands is in the text or list; true of any text or list when there are none."""
    return Check(_contains_test(_list(operand), options, all), "text or list")


def _list(operand: Any) -> list[Any]:
    if not isinstance(operand, list):
        message = "needs a list of values"
        raise BadOperand(message)
    return cast("list[Any]", operand)


def starts_with(operand: Any, options: Options) -> Check:
    """The text begins with the operand."""
    return _edge_check(operand, options, str.startswith)


def ends_with(operand: Any, options: Options) -> Check:
    """The text ends with the operand."""
    return _edge_check(operand, options, str.endswith)


def _edge_check(operand: Any, options: Options, has_edge: Callable[[str, str], bool]) -> Check:
    form = form_of(ci=options.ci)
    part = form(_text(operand))

    def test(value: Any, facts: Facts) -> bool:
        if value.__class__ is not str:
            return False
        if len(value) > _SHORT:
            facts.meter.spend(text_weight(value))
        return has_edge(form(value), part)

    return Check(test, "text")


def _text(operand: Any) -> str:
    if not isinstance(operand, str):
        message = "needs text"
        raise BadOperand(message)
    return operand


def regex(operand: Any, options: Options) -> Check:
    """The pattern is found in the first 10,000 characters. RE2: linear time, without lookaround and backreferences."""
    pattern = _text(operand)
    if len(pattern) > PATTERN_CHARACTERS_MAX:
        raise BadOperand(f"the pattern is over {PATTERN_CHARACTERS_MAX} characters", code="too_long")
    search = compile_pattern(pattern, ci=options.ci)

    def test(value: Any, facts: Facts) -> bool:
        if value.__class__ is not str:
            return False
        scanned = value[:SCANNED_CHARACTERS_MAX]
        if len(scanned) > _SHORT:
            facts.meter.spend(len(scanned) // _SCANNED_CHARACTERS_PER_STEP)
        return search(scanned.encode("utf-8", "replace")) is not None

    return Check(test, "text")


def length(compare: Callable[[Any, Any], bool]) -> Make:
    """Compares the length of a text or list; nothing and null have length 0."""

    def make(operand: Any, _options: Options) -> Check:
        wanted = to_number(operand)
        if wanted is None or wanted < 0:
            message = "needs a number, 0 or more"
            raise BadOperand(message)

        def test(value: Any, _facts: Facts) -> bool:
            if value.__class__ in (str, list):
                return compare(len(value), wanted)
            return not is_present(value) and compare(0, wanted)

        return Check(test, "text or list")

    return make


_WITHOUT_OPERAND: Final[dict[str, tuple[Callable[[Any], bool], str]]] = {
    "exists": (is_present, "any"),
    "is_null": (lambda value: value is None, "any"),
    "is_missing": (lambda value: value is MISSING, "any"),
    "is_empty": (is_empty, "any"),
    "is_true": (lambda value: value is True, "boolean"),
    "is_false": (lambda value: value is False, "boolean"),
}


def without_operand(name: str, path: Path) -> Check:
    """The operators that take none."""
    if name in _WITHOUT_OPERAND:
        return _plain(*_WITHOUT_OPERAND[name])
    if name == "changed":
        return Check(_changed_test(path))
    return Check(_moved_test(path, python_operator.gt if name == "increased" else python_operator.lt), "number")


def _changed_test(path: Path) -> Test:
    def test(value: Any, facts: Facts) -> bool:
        return previous_of(facts) is not None and not _same(path.previous(facts), value, facts)

    return test


def _same(before: Any, value: Any, facts: Facts) -> bool:
    facts.meter.spend(weight(before))
    return before is value if before is MISSING or value is MISSING else deeply_equal(before, value)


def _moved_test(path: Path, compare: Callable[[Any, Any], bool]) -> Test:
    def test(value: Any, facts: Facts) -> bool:
        before, after = to_number(path.previous(facts)), to_number(value)
        return before is not None and after is not None and compare(after, before)

    return test


def changed_from(path: Path) -> Make:
    """The value changed, and was equal to the operand."""

    def make(operand: Any, options: Options) -> Check:
        was = equals(operand, options).test

        def test(value: Any, facts: Facts) -> bool:
            before = path.previous(facts)
            return previous_of(facts) is not None and not _same(before, value, facts) and was(before, facts)

        return Check(test)

    return make


def changed_to(path: Path) -> Make:
    """The value changed, and is equal to the operand."""

    def make(operand: Any, options: Options) -> Check:
        check = equals(operand, options)

        def test(value: Any, facts: Facts) -> bool:
            if previous_of(facts) is None or _same(path.previous(facts), value, facts):
                return False
            return check.test(value, facts)

        return Check(test, check.expects)

    return make
