"""Which literals the index can decide by itself, without calling their test."""

from typing import Any, Final

from upshot.core.conditions.columns import MISSING_STATE, NULL_STATE, PRESENT_STATE, ColumnBuilder, Side
from upshot.core.conditions.disjunctive import Literal
from upshot.core.conditions.model import Leaf
from upshot.core.conditions.operands import Relative
from upshot.core.conditions.values import FALSE_KEY, TRUE_KEY, key_of_operand, to_number
from upshot.core.facts import Path

_STATES: Final = {
    "exists": ({PRESENT_STATE}, {MISSING_STATE, NULL_STATE}),
    "is_null": ({NULL_STATE}, {MISSING_STATE, PRESENT_STATE}),
    "is_missing": ({MISSING_STATE}, {NULL_STATE, PRESENT_STATE}),
}
_BOUNDS: Final[dict[str, tuple[Side, bool]]] = {
    "greater_than": ("low", True),
    "greater_than_or_equal": ("low", False),
    "less_than": ("high", True),
    "less_than_or_equal": ("high", False),
}

_STRICT_KEYS: Final = {"is_true": TRUE_KEY, "is_false": FALSE_KEY}


def add_atom(column: ColumnBuilder, bit: int, literal: Literal) -> bool:
    """Give a literal to the column of its path. False: the index cannot decide it, and its test must be called."""
    leaf = literal.leaf
    if leaf.options.require_present:
        if not literal.positive:
            return False
        column.add_states(bit, {PRESENT_STATE})
    base = leaf.operator.base
    positive = literal.positive is not leaf.negated
    if base in _STATES:
        return column.add_states(bit, _STATES[base][not positive])
    if base in _BOUNDS:
        return _add_bound(column, bit, leaf, positive=positive)
    if base == "between":
        return positive and _add_between(column, bit, leaf)
    keys = _keys(leaf)
    return bool(keys) and column.add_keys(bit, keys, ci=leaf.options.ci, positive=positive)


def _keys(leaf: Leaf) -> list[Any] | None:
    """The keys one of which the value must equal, when equality with this leaf's operand is by key."""
    base, operand = leaf.operator.base, leaf.operand
    if base in _STRICT_KEYS:
        return None if leaf.options.ci else [_STRICT_KEYS[base]]
    items: list[Any]
    if base == "in" and operand.__class__ is list:
        items = operand
    elif base == "equals" and operand.__class__ not in (Path, Relative):
        items = [operand]
    else:
        return None
    if leaf.options.type is not None:
        return None
    keys = [key_of_operand(item, ci=leaf.options.ci) for item in items]
    return None if any(key is None for key in keys) else keys


def _bound_of(leaf: Leaf, operand: Any) -> int | float | None:
    if leaf.options.collation or leaf.options.type not in (None, "number"):
        return None
    return to_number(operand)


def _add_bound(column: ColumnBuilder, bit: int, leaf: Leaf, *, positive: bool) -> bool:
    bound = _bound_of(leaf, leaf.operand)
    side, strict = _BOUNDS[leaf.operator.base]
    return bound is not None and column.add_bound(bit, side, bound, strict=strict, positive=positive)


def _add_between(column: ColumnBuilder, bit: int, leaf: Leaf) -> bool:
    low, high = (_bound_of(leaf, operand) for operand in leaf.operand)
    if low is None or high is None:
        return False
    taken_low = column.add_bound(bit, "low", low, strict=leaf.options.bounds[0] == "(", positive=True)
    return column.add_bound(bit, "high", high, strict=leaf.options.bounds[1] == ")", positive=True) and taken_low
