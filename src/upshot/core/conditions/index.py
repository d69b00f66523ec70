"""MatchIndex: which of thousands of conditions hold for one event, without asking each of them.

Every condition becomes at most 64 conjuncts; each conjunct owns one bit of a Python int. Per path a column answers
which bits a value leaves standing (`columns.py`); what the columns cannot decide is asked of the few conjuncts that
survive. A condition with too many conjuncts is one bit that no column constrains, so that it is always asked.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from upshot.core.conditions.atoms import add_atom
from upshot.core.conditions.columns import ColumnBuilder, Slot
from upshot.core.conditions.compile import Fast, all_of, fast_of, leaves_of, paths_of
from upshot.core.conditions.disjunctive import Literal, conjuncts
from upshot.core.conditions.model import Condition
from upshot.core.facts import Facts
from upshot.core.work import Undecided

_FEW: Final = 12
"""So few survivors are asked directly rather than through the columns that are left."""
_COSTLY: Final = frozenset({"match", "regex", "contains", "contains_any", "contains_all"})
_BITS_OF_BYTE: Final = tuple(tuple(bit for bit in range(8) if byte >> bit & 1) for byte in range(256))
_set_bytes = re.compile(rb"[^\0]").finditer


class Found(NamedTuple):
    """The keys whose conditions hold, and those of which it could not be decided, with the reason."""

    keys: list[str]
    undecided: dict[str, str]


class _Conjunct(NamedTuple):
    key: str
    residual: Fast | None
    whole: Fast | None
    steps: int


class _Column(NamedTuple):
    read: Callable[[Facts], object]
    slots: list[Slot]


class MatchIndex:
    """An index over `(key, rank, condition)`; a condition of None always holds. Build a new one on change."""

    def __init__(self, entries: Sequence[tuple[str, int, Condition | None]]) -> None:
        self.reads_entity = any(condition is not None and condition.reads_entity for _, _, condition in entries)
        self._conjuncts: list[_Conjunct] = []
        builders: dict[str, ColumnBuilder] = {}
        for key, _, condition in sorted(entries, key=lambda entry: entry[1]):
            self._add(key, condition, builders)
        self._everything = (1 << len(self._conjuncts)) - 1
        ordered = sorted(builders.values(), key=lambda column: -len(column.bits))
        self._columns = [_Column(column.read, column.slots(self._everything)) for column in ordered if column.bits]

    def match(self, facts: Facts) -> list[str]:
        """The keys of `find`, lowest rank first, in the given order within a rank.

        Raises:
            Overloaded: the conditions that must be asked cost too much together.
        """
        return self.find(facts).keys

    def find(self, facts: Facts) -> Found:
        """The keys whose conditions hold, and those left undecided.

        Raises:
            Overloaded: the conditions that must be asked cost too much together.
        """
        facts.meter.restart()
        standing = self._everything
        left = len(self._columns)
        decided = True
        for read, slots in self._columns:
            value = read(facts)
            for slot in slots:
                allowed = slot(value)
                if allowed is not None:
                    standing &= allowed
            left -= 1
            if left and standing.bit_count() <= _FEW:
                decided = False
                break
        return self._survivors(standing, facts, decided=decided) if standing else Found([], {})

    def _survivors(self, standing: int, facts: Facts, *, decided: bool) -> Found:
        """Ask what the columns did not decide. The bits of one key lie side by side, so it is answered once."""
        matched: list[str] = []
        undecided: dict[str, str] = {}
        spend = facts.meter.spend
        latest: str | None = None
        all_conjuncts = self._conjuncts
        for found in _set_bytes(standing.to_bytes((standing.bit_length() + 7) // 8, "little")):
            first, asked_steps = found.start() * 8, 0
            for bit in _BITS_OF_BYTE[found[0][0]]:
                key, residual, whole, steps = all_conjuncts[first + bit]
                if key is latest:
                    continue
                asked = residual if decided else whole
                if asked is not None:
                    asked_steps += steps
                    try:
                        if not asked(facts):
                            continue
                    except Undecided as reason:
                        undecided[key] = reason.message
                        continue
                matched.append(key)
                latest = key
            spend(asked_steps)
        for key in undecided.keys() & set(matched) if undecided else ():
            del undecided[key]
        return Found(matched, undecided)

    def _add(self, key: str, condition: Condition | None, builders: dict[str, ColumnBuilder]) -> None:
        if condition is None:
            self._conjuncts.append(_Conjunct(key, None, None, 0))
            return
        decide, steps = condition.decide, sum(1 for _ in leaves_of(condition.root))
        alternatives = conjuncts(condition.root)
        if alternatives is None:
            self._conjuncts.append(_Conjunct(key, decide, decide, steps))
            return
        for alternative in alternatives:
            bit = len(self._conjuncts)
            undecided = [literal for literal in alternative if not _indexed(literal, bit, builders)]
            self._conjuncts.append(_Conjunct(key, _all_of(undecided), decide, steps))


def _indexed(literal: Literal, bit: int, builders: dict[str, ColumnBuilder]) -> bool:
    path = literal.leaf.path
    column = builders.get(path.text)
    if column is None:
        column = builders[path.text] = ColumnBuilder(path.read)
    return add_atom(column, bit, literal)


def _all_of(literals: list[Literal]) -> Fast | None:
    if not literals:
        return None
    cheapest_first = sorted(
        literals, key=lambda literal: (literal.leaf.operator.base in _COSTLY, len(list(paths_of(literal.leaf))))
    )
    tests = tuple((fast_of(leaf), positive) for leaf, positive in cheapest_first)
    if len(tests) == 1 and tests[0][1]:
        return tests[0][0]
    return all_of(tests)
