"""A condition, read: a tree of leaves and groups, and the published limits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from upshot.core.conditions.catalogue import Operator
from upshot.core.facts import Facts, Path

DEPTH_MAX: Final = 8
LEAVES_MAX: Final = 200
LIST_MAX: Final = 1_000
PATTERN_CHARACTERS_MAX: Final = 500
SCANNED_CHARACTERS_MAX: Final = 10_000
TEXT_CHARACTERS_MAX: Final = 10_000
OPERAND_DEPTH_MAX: Final = 16
MATCH_DEPTH_MAX: Final = 2
MATCHED_ITEMS_MAX: Final = 1_000
CONJUNCTS_MAX: Final = 64

Test = Callable[[Any, Facts], bool]
"""Whether a value, or `MISSING`, meets an operator.

Raises:
    Undecided: there is no answer: it would need a date beyond the calendar, or too much work.
    Overloaded: the facts' meter is spent.
"""


class Check(NamedTuple):
    """A test, and what it can be true of: `any`, `number`, `text`, `date`, `list`, `boolean` or `text or list`."""

    test: Test
    expects: str = "any"


@dataclass(frozen=True, slots=True)
class Options:
    """What a leaf says beside field, operator and value. `week_start` is 1 for Monday to 7 for Sunday."""

    ci: bool = False
    require_present: bool = False
    bounds: str = "[]"
    collation: str | None = None
    tz: str | None = None
    week_start: int = 1
    type: str | None = None


@dataclass(frozen=True, slots=True)
class Leaf:
    """One comparison. `check` decides the base operator; `negated` turns it round."""

    id: str
    path: Path
    operator: Operator
    check: Check
    options: Options
    document: dict[str, Any]
    operand: Any = None
    elements: "Group | None" = None

    @property
    def negated(self) -> bool:
        """Whether the operator is NOT of its base."""
        return self.operator.negates is not None


@dataclass(frozen=True, slots=True)
class Group:
    """Leaves and groups joined by `and` or `or`, then turned round when `negated`."""

    id: str
    combinator: str
    negated: bool = False
    children: "tuple[Node, ...]" = ()


Node = Leaf | Group


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled condition. `fast` and `explain` always agree, and neither ever raises on JSON facts.

    `decide` is `fast` with its third answer: it raises `Undecided`, where `fast` is false, and `Overloaded`.
    """

    document: dict[str, Any]
    root: Group
    paths: frozenset[str]
    reads_entity: bool
    decide: Callable[[Facts], bool]
    fast: Callable[[Facts], bool]
    explain: Callable[[Facts], dict[str, Any]]
    warnings: tuple[str, ...] = field(default=())


Types = Mapping[str, str]
"""Declared types by path: `text`, `number`, `boolean`, `date`, `datetime`, `list`, `object`."""
