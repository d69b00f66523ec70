"""The limits on a template, and the budget that one render may use up.

Every limit is checked as the work is done, not only at block edges: an empty loop body, a filter chain and a comparison
of two long values all pay.
"""

from typing import Any, Final, cast

from upshot.core.templates.errors import RenderFailure

SOURCE_CHARACTERS_MAX: Final = 20_480
OUTPUT_CHARACTERS_MAX: Final = 262_144
EXPRESSION_CHARACTERS_MAX: Final = 1_000
FILTERS_IN_CHAIN_MAX: Final = 20
LOGICAL_WORDS_MAX: Final = 30
BRACKETS_MAX: Final = 16
BLOCK_NESTING_MAX: Final = 10
VALUE_NESTING_MAX: Final = 32
LOOP_ITERATIONS_MAX: Final = 1_000
LIST_ITEMS_MAX: Final = 10_000
WORK_MAX: Final = 4_000_000
INTEGER_MAX: Final = 2**63 - 1

_STEP_COST: Final = 40
_NODE_COST: Final = 20


class Budget:
    """What is left of one render: characters and items it may still read or make, loop iterations it may still take."""

    __slots__ = ("_sizes", "iterations", "work")

    def __init__(self) -> None:
        self.work = WORK_MAX
        self.iterations = LOOP_ITERATIONS_MAX
        self._sizes: dict[int, tuple[int, Any]] = {}

    def charge(self, value: Any) -> None:
        """Pay for reading or making `value`: its length, through all its depth."""
        self.work -= _STEP_COST + self._size(value)
        if self.work < 0:
            raise RenderFailure(f"it does too much work (over {WORK_MAX:,} characters read or made)")

    def take_iteration(self, nodes: int) -> None:
        """Pay for one turn of a loop with so many nodes in its body."""
        self.iterations -= 1
        if self.iterations < 0:
            raise RenderFailure(f"its loops take more than {LOOP_ITERATIONS_MAX:,} turns in all")
        self.work -= nodes * _NODE_COST
        self.charge(None)

    def _size(self, value: Any) -> int:
        if isinstance(value, str):
            return len(value)
        if not isinstance(value, list | tuple | dict):
            return 0
        container = cast("object", value)
        known = self._sizes.get(id(container))
        if known is None:
            # The value is kept beside its size, so that its id cannot be given to another one during this render.
            known = self._sizes[id(container)] = (_deep_size(container), container)
        return known[0]


def _deep_size(value: Any) -> int:
    total = 0
    stack: list[Any] = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            total += len(item)
        elif isinstance(item, dict | list | tuple):
            parts = cast("dict[str, Any]", item).values() if isinstance(item, dict) else cast("list[Any]", item)
            total += len(parts) * 8
            stack.extend(parts)
        else:
            total += 8
    return total
