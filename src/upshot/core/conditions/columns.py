"""The columns of a `MatchIndex`: for one path, which conjuncts (bits of an int) a value leaves standing.

A conjunct owns one bit. Each slot answers a mask of the bits its atoms allow; bits without an atom in the slot are
always allowed. Common keys keep a ready mask; rare ones keep their positions, so that memory stays small with many
distinct keys.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable
from math import isfinite
from typing import Any, Final, Literal

from upshot.core.conditions.values import keys_of_value, to_number
from upshot.core.facts import MISSING

_RARE_MAX: Final = 8
_STEPS_MAX: Final = 256

MISSING_STATE, NULL_STATE, PRESENT_STATE = 0, 1, 2

Side = Literal["low", "high"]
Slot = Callable[[Any], int | None]
"""From a value to the mask of bits left standing; None for all of them."""


def bits_at(positions: Iterable[int]) -> int:
    """The int with these bits set."""
    mask = 0
    for position in positions:
        mask |= 1 << position
    return mask


class ColumnBuilder:
    """Collects the atoms of one path, then makes its slots. `add_*` answer False when the bit's slot is taken."""

    def __init__(self, read: Callable[[Any], Any]) -> None:
        self.read = read
        self.bits: set[int] = set()
        self._equal: dict[bool, dict[Any, list[int]]] = {False: defaultdict(list), True: defaultdict(list)}
        self._unequal: dict[bool, dict[Any, list[int]]] = {False: defaultdict(list), True: defaultdict(list)}
        self._low: dict[tuple[Any, bool], list[int]] = defaultdict(list)
        self._high: dict[tuple[Any, bool], list[int]] = defaultdict(list)
        self._not_low: dict[tuple[Any, bool], list[int]] = defaultdict(list)
        self._not_high: dict[tuple[Any, bool], list[int]] = defaultdict(list)
        self._refused_states: tuple[set[int], set[int], set[int]] = (set(), set(), set())
        self._taken: set[tuple[str, int]] = set()

    def add_keys(self, bit: int, keys: Iterable[Any], *, ci: bool, positive: bool) -> bool:
        """The value must equal one of the keys, or none of them."""
        if not positive:
            for key in keys:
                self._unequal[ci][key].append(bit)
        elif self._take(f"equal {ci}", bit):
            for key in set(keys):
                self._equal[ci][key].append(bit)
        else:
            return False
        self.bits.add(bit)
        return True

    def add_bound(self, bit: int, side: Side, bound: Any, *, strict: bool, positive: bool) -> bool:
        """The value must be a number beyond a bound, or must not be."""
        if positive and not self._take(side, bit):
            return False
        table = (
            (self._low if side == "low" else self._high)
            if positive
            else (self._not_low if side == "low" else self._not_high)
        )
        table[bound, strict].append(bit)
        self.bits.add(bit)
        return True

    def add_states(self, bit: int, allowed: Iterable[int]) -> bool:
        """The value must be in one of these states."""
        for state in {MISSING_STATE, NULL_STATE, PRESENT_STATE} - set(allowed):
            self._refused_states[state].add(bit)
        self.bits.add(bit)
        return True

    def _take(self, slot: str, bit: int) -> bool:
        if (slot, bit) in self._taken:
            return False
        self._taken.add((slot, bit))
        return True

    def slots(self, everything: int) -> list[Slot]:
        """The slots of this column; `everything` has the bit of each conjunct."""
        made: list[Slot] = []
        if any(self._refused_states):
            made.append(_state_slot(self._refused_states, everything))
        for ci in (False, True):
            if self._equal[ci]:
                made.append(_required_keys_slot(self._equal[ci], everything, ci=ci))
            if self._unequal[ci]:
                made.append(_refused_keys_slot(self._unequal[ci], everything, ci=ci))
        for side, table in (("low", self._low), ("high", self._high)):
            if table:
                made.append(_required_bound_slot(_Bounds(table, is_low=side == "low"), table, everything))
        for side, table in (("low", self._not_low), ("high", self._not_high)):
            if table:
                made.append(_refused_bound_slot(_Bounds(table, is_low=side == "low"), everything))
        return made


def _state_slot(refused: tuple[set[int], set[int], set[int]], everything: int) -> Slot:
    missing, null, present = (everything ^ bits_at(bits) for bits in refused)

    def allowed(value: Any) -> int:
        return missing if value is MISSING else null if value is None else present

    return allowed


class _Keyed:
    """Positions by key: a ready mask for common keys, positions for rare ones."""

    def __init__(self, table: dict[Any, list[int]]) -> None:
        self.masks = {key: bits_at(bits) for key, bits in table.items() if len(bits) > _RARE_MAX}
        self.rare = {key: tuple(bits) for key, bits in table.items() if len(bits) <= _RARE_MAX}
        self.numbers = any(key.__class__ is int or key.__class__ is float for key in table)

    def find(self, value: Any, *, ci: bool) -> int:
        """The bits whose key this value equals."""
        mask = 0
        for key in keys_of_value(value, ci=ci, numbers=self.numbers):
            mask |= self.masks.get(key, 0)
            for bit in self.rare.get(key, ()):
                mask |= 1 << bit
        return mask


def _required_keys_slot(table: dict[Any, list[int]], everything: int, *, ci: bool) -> Slot:
    keyed = _Keyed(table)
    free = everything & ~bits_at(bit for bits in table.values() for bit in bits)
    return lambda value: keyed.find(value, ci=ci) | free


def _refused_keys_slot(table: dict[Any, list[int]], everything: int, *, ci: bool) -> Slot:
    keyed = _Keyed(table)

    def allowed(value: Any) -> int | None:
        refused = keyed.find(value, ci=ci)
        return everything & ~refused if refused else None

    return allowed


class _Bounds:
    """Sorted bounds, with the union of everything passed kept at most 256 times on the way."""

    def __init__(self, table: dict[tuple[Any, bool], list[int]], *, is_low: bool) -> None:
        self.is_low = is_low
        # A low bound is passed by v >= bound unless strict; of equal bounds the lenient one is passed first.
        # High bounds are kept in the same ascending order and passed from the end.
        self.keys = sorted((bound, strict if is_low else not strict) for bound, strict in table)
        in_order = self.keys if is_low else self.keys[::-1]
        self.positions = [tuple(table[bound, flag if is_low else not flag]) for bound, flag in in_order]
        self.step = max(1, len(self.keys) // _STEPS_MAX)
        self.unions = [0]
        union = 0
        for place, bits in enumerate(self.positions, 1):
            union |= bits_at(bits)
            if place % self.step == 0:
                self.unions.append(union)

    def passed(self, value: Any) -> int:
        """The bits whose bound this value is beyond; none when it is no number."""
        number: Any = to_number(value) if value.__class__ is str else value
        if number.__class__ is not int and (number.__class__ is not float or not isfinite(number)):
            return 0
        if self.is_low:
            count = bisect_right(self.keys, (number, False))
        else:
            count = len(self.keys) - bisect_left(self.keys, (number, True))
        kept = count // self.step
        mask = self.unions[kept]
        for bits in self.positions[kept * self.step : count]:
            for bit in bits:
                mask |= 1 << bit
        return mask


def _required_bound_slot(bounds: _Bounds, table: dict[tuple[Any, bool], list[int]], everything: int) -> Slot:
    free = everything & ~bits_at(bit for bits in table.values() for bit in bits)
    return lambda value: bounds.passed(value) | free


def _refused_bound_slot(bounds: _Bounds, everything: int) -> Slot:
    def allowed(value: Any) -> int | None:
        refused = bounds.passed(value)
        return everything & ~refused if refused else None

    return allowed
