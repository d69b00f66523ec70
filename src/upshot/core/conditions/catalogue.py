"""Every operator: its title, operand, suited types, words and spellings. The UI holds no list of its own."""

from dataclasses import dataclass
from typing import Any, Final, Literal

from upshot.core.conditions.spellings import ALIASES, SYMBOLS, snake_case

OperandKind = Literal[
    "none", "value", "number", "text", "pattern", "list", "range", "date", "duration", "weekdays", "times", "group"
]

_ANY: Final = ("text", "number", "boolean", "date", "list", "object")
_ORDERED: Final = ("number", "date", "text")
_SCALAR: Final = ("text", "number", "boolean")
_SIZED: Final = ("text", "list", "object")
_TEXT: Final = ("text",)
_TEXT_OR_LIST: Final = ("text", "list")
_NUMBER: Final = ("number",)
_BOOLEAN: Final = ("boolean",)
_DATE: Final = ("date",)
_LIST: Final = ("list",)


@dataclass(frozen=True)
class Operator:
    """One operator. `needs` completes "was 80, needs ..."; `negates` names the operator this one is exactly NOT of."""

    name: str
    title: str
    operand: OperandKind
    types: tuple[str, ...]
    needs: str
    negates: str | None = None

    @property
    def symbols(self) -> tuple[str, ...]:
        """Its spellings in signs."""
        return SYMBOLS.get(self.name, ())

    @property
    def aliases(self) -> tuple[str, ...]:
        """Its other spellings in words."""
        return tuple(ALIASES.get(self.name, "").split())

    @property
    def base(self) -> str:
        """The operator that decides: itself, or the one it negates."""
        return self.negates or self.name


_OPERATORS: Final = (
    Operator("equals", "is", "value", _ANY, "{value}"),
    Operator("not_equals", "is not", "value", _ANY, "anything but {value}", "equals"),
    Operator("greater_than", "is greater than", "value", _ORDERED, "greater than {value}"),
    Operator("greater_than_or_equal", "is at least", "value", _ORDERED, "at least {value}"),
    Operator("less_than", "is less than", "value", _ORDERED, "less than {value}"),
    Operator("less_than_or_equal", "is at most", "value", _ORDERED, "at most {value}"),
    Operator("between", "is between", "range", _ORDERED, "between {value}"),
    Operator("not_between", "is not between", "range", _ORDERED, "outside {value}", "between"),
    Operator("in", "is one of", "list", _SCALAR, "one of {value}"),
    Operator("not_in", "is none of", "list", _SCALAR, "none of {value}", "in"),
    Operator("contains", "contains", "value", _TEXT_OR_LIST, "to contain {value}"),
    Operator("not_contains", "does not contain", "value", _TEXT_OR_LIST, "not to contain {value}", "contains"),
    Operator("contains_any", "contains any of", "list", _TEXT_OR_LIST, "to contain any of {value}"),
    Operator("contains_all", "contains all of", "list", _TEXT_OR_LIST, "to contain all of {value}"),
    Operator("contains_none", "contains none of", "list", _TEXT_OR_LIST, "to contain none of {value}", "contains_any"),
    Operator("starts_with", "starts with", "text", _TEXT, "to start with {value}"),
    Operator("not_starts_with", "does not start with", "text", _TEXT, "not to start with {value}", "starts_with"),
    Operator("ends_with", "ends with", "text", _TEXT, "to end with {value}"),
    Operator("not_ends_with", "does not end with", "text", _TEXT, "not to end with {value}", "ends_with"),
    Operator("regex", "matches pattern", "pattern", _TEXT, "to match the pattern {value}"),
    Operator("not_regex", "does not match pattern", "pattern", _TEXT, "not to match the pattern {value}", "regex"),
    Operator("exists", "has a value", "none", _ANY, "a value"),
    Operator("not_exists", "has no value", "none", _ANY, "no value", "exists"),
    Operator("is_null", "is null", "none", _ANY, "null"),
    Operator("is_missing", "is missing", "none", _ANY, "to be missing"),
    Operator("is_empty", "is empty", "none", _SIZED, "to be empty"),
    Operator("not_empty", "is not empty", "none", _SIZED, "not to be empty", "is_empty"),
    Operator("is_true", "is true", "none", _BOOLEAN, "true"),
    Operator("is_false", "is false", "none", _BOOLEAN, "false"),
    Operator("length_equals", "has length", "number", _TEXT_OR_LIST, "a length of {value}"),
    Operator("length_greater_than", "is longer than", "number", _TEXT_OR_LIST, "a length greater than {value}"),
    Operator("length_less_than", "is shorter than", "number", _TEXT_OR_LIST, "a length less than {value}"),
    Operator("match", "has items where", "group", _LIST, "{value}"),
    Operator("changed", "changed", "none", _ANY, "a change"),
    Operator("changed_from", "changed from", "value", _ANY, "a change from {value}"),
    Operator("changed_to", "changed to", "value", _ANY, "a change to {value}"),
    Operator("increased", "increased", "none", _NUMBER, "an increase"),
    Operator("decreased", "decreased", "none", _NUMBER, "a decrease"),
    Operator("before", "is before", "date", _DATE, "before {value}"),
    Operator("after", "is after", "date", _DATE, "after {value}"),
    Operator("on_or_before", "is on or before", "date", _DATE, "on or before {value}"),
    Operator("on_or_after", "is on or after", "date", _DATE, "on or after {value}"),
    Operator("on_day", "is on the day", "date", _DATE, "the day of {value}"),
    Operator("same_day_of_year", "is an anniversary of", "date", _DATE, "the same day of the year as {value}"),
    Operator("within_last", "is within the last", "duration", _DATE, "within the last {value}"),
    Operator("within_next", "is within the next", "duration", _DATE, "within the next {value}"),
    Operator("more_than_ago", "is longer ago than", "duration", _DATE, "more than {value} ago"),
    Operator("more_than_ahead", "is further ahead than", "duration", _DATE, "more than {value} ahead"),
    Operator("weekday_in", "is on a", "weekdays", _DATE, "{value}"),
    Operator("time_between", "is at a time between", "times", _DATE, "a time between {value}"),
)

NOT_YET: Final = frozenset({"in_segment", "not_in_segment", "performed", "condition_ref", "expr"})
"""Names of the language that this release knows and refuses."""

BY_NAME: Final = {operator.name: operator for operator in _OPERATORS}

DATE_BASES: Final = frozenset(
    {"before", "after", "on_or_before", "on_or_after", "on_day", "same_day_of_year", "within_last", "within_next"}
    | {"more_than_ago", "more_than_ahead", "weekday_in", "time_between"}
)
"""Operators that read their field as a date."""

_SPELLINGS: Final = {
    spelling: operator for operator in _OPERATORS for spelling in (*operator.symbols, operator.name, *operator.aliases)
}


def find(spelling: str) -> Operator | None:
    """The operator of any known spelling: its name, a symbol, an alias, in any letter case or word style."""
    spelling = spelling.strip()
    return _SPELLINGS.get(spelling) or _SPELLINGS.get(snake_case(spelling))


def operators() -> list[dict[str, Any]]:
    """The catalogue of `GET /operators`, enough to build a condition builder from."""
    return [
        {
            "name": operator.name,
            "title": operator.title,
            "operand": operator.operand,
            "types": list(operator.types),
            "words": operator.needs,
            "symbols": list(operator.symbols),
            "aliases": list(operator.aliases),
            "negates": operator.negates,
            "options": _options(operator),
        }
        for operator in _OPERATORS
    ]


def _options(operator: Operator) -> list[str]:
    options = ["require_present"] if operator.negates and operator.base != "exists" else []
    if operator.base in {
        "equals",
        "in",
        "contains",
        "contains_any",
        "contains_all",
        "starts_with",
        "ends_with",
        "regex",
    }:
        options.append("ci")
    if operator.base == "between":
        options += ["bounds", "collation", "tz"]
    if operator.operand == "value" and operator.types == _ORDERED:
        options += ["collation", "tz"]
    if operator.base in DATE_BASES:
        options += ["tz", "week_start"]
    if operator.base == "match":
        options.append("match")
    return options
