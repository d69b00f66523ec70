"""How much work conditions may cost. Counted, never timed: the same condition on the same facts always ends the same way.

A step is about half a microsecond: one comparison with an item of a list, or some dozens of characters of text.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

COMPARISON_STEPS_MAX: Final = 200_000
"""What one comparison may cost, about a tenth of a second. Beyond it the comparison is undecided."""
EVENT_STEPS_MAX: Final = 2_000_000
"""What all conditions asked about one event may cost together, about a second. Beyond it the event is not matched."""
_ASCII_CHARACTERS: Final = 4096
_CHARACTERS: Final = 64

Answer = TypeVar("Answer")


class Undecided(Exception):
    """A comparison has no answer on these facts, neither yes nor no. NOT of it has none either."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Overloaded(Exception):
    """The conditions asked together cost more than they may."""

    code = "too_much_work"
    message = f"its comparisons need more than {EVENT_STEPS_MAX:,} steps of work together"

    def __init__(self) -> None:
        super().__init__(self.message)


class Meter:
    """Counts the steps of one evaluation. Not thread-safe: facts are read by one thread at a time."""

    __slots__ = ("_is_comparing", "left")

    def __init__(self) -> None:
        self.left = EVENT_STEPS_MAX
        self._is_comparing = False

    def restart(self) -> None:
        """Everything may be spent again."""
        self.left = EVENT_STEPS_MAX

    def spend(self, steps: int) -> None:
        """Count the steps of work about to be done.

        Raises:
            Undecided: they are more than one comparison may cost.
            Overloaded: there are not so many left.
        """
        if steps > COMPARISON_STEPS_MAX and not self._is_comparing:
            raise _too_much()
        self.left -= steps
        if self.left < 0:
            raise Overloaded

    def compare(self, ask: Callable[[], Answer]) -> Answer:
        """The answer of a comparison that asks others, of each item of a list: all of them cost as one.

        Raises:
            Undecided: it costs more than one comparison may.
            Overloaded: there was less than that left.
        """
        if self._is_comparing:
            return ask()
        before = self.left
        self.left = allowed = min(before, COMPARISON_STEPS_MAX)
        self._is_comparing = True
        try:
            return ask()
        except Overloaded:
            if allowed < COMPARISON_STEPS_MAX:
                raise
            raise _too_much() from None
        finally:
            self._is_comparing = False
            self.left = before - min(allowed - self.left, before)


def _too_much() -> Undecided:
    return Undecided(Overloaded.code, f"it needs more than {COMPARISON_STEPS_MAX:,} steps of work")


def weight(value: Any) -> int:
    """The steps that reading a JSON value through costs."""
    if value.__class__ is str:
        return text_weight(value)
    if value.__class__ is not list and value.__class__ is not dict:
        return 1
    steps = 0
    waiting: list[Any] = [value]
    while waiting:
        part = waiting.pop()
        kind = part.__class__
        if kind is dict:
            waiting.extend(cast("dict[str, Any]", part).values())
        elif kind is list:
            waiting.extend(cast("list[Any]", part))
        elif kind is str:
            steps += len(part) // _CHARACTERS
        steps += 1
    return steps


def text_weight(text: str) -> int:
    """The steps that looking through a text costs; text beyond ASCII must be brought into one form first."""
    return 1 + len(text) // (_ASCII_CHARACTERS if text.isascii() else _CHARACTERS)
