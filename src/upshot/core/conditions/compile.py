"""The fast form: one closure per node, which stops at the first answer."""

from collections.abc import Callable, Iterator
from typing import Any

from upshot.core.conditions.model import MATCHED_ITEMS_MAX, Check, Group, Leaf, Node
from upshot.core.conditions.operands import Relative
from upshot.core.conditions.values import is_present
from upshot.core.facts import MISSING, Facts, Path, of_element

Fast = Callable[[Facts], bool]


def fast_of(node: Node) -> Fast:
    """The closure that answers whether this node holds for some facts. It never raises."""
    return _fast_leaf(node) if isinstance(node, Leaf) else _fast_group(node)


def holds(leaf: Leaf, value: Any, facts: Facts) -> bool:
    """Whether a leaf holds, given its field's value: what `negated` and `require_present` mean is said here alone."""
    if leaf.options.require_present and not is_present(value):
        return False
    return leaf.check.test(value, facts) is not leaf.negated


def _fast_leaf(leaf: Leaf) -> Fast:
    read, test = leaf.path.read, leaf.check.test
    if leaf.options.require_present:
        return lambda facts: holds(leaf, read(facts), facts)
    if leaf.negated:
        return lambda facts: not test(read(facts), facts)
    return lambda facts: test(read(facts), facts)


def _fast_group(group: Group) -> Fast:
    tests = tuple(fast_of(child) for child in group.children)
    stops_at = group.combinator == "or"
    if len(tests) == 1:
        only = tests[0]
        return (lambda facts: not only(facts)) if group.negated else only
    at_stop, at_end = stops_at is not group.negated, stops_at is group.negated

    def fast_and(facts: Facts) -> bool:
        for test in tests:
            if not test(facts):
                return at_stop
        return at_end

    def fast_or(facts: Facts) -> bool:
        for test in tests:
            if test(facts):
                return at_stop
        return at_end

    return fast_or if stops_at else fast_and


def items_of(value: Any) -> list[Any] | None:
    """The elements a `match` looks at: those of a list, at most the first 1,000; none for nothing; None for no list."""
    if value is MISSING or value is None:
        return []
    return value[:MATCHED_ITEMS_MAX] if value.__class__ is list else None


def elements_check(mode: str, n: int, fast: Fast) -> Check:
    """The check of `match`: how many elements meet the sub-tree. `none` is exactly NOT `some`."""

    def some(items: list[Any], facts: Facts) -> bool:
        return any(fast(of_element(facts, item)) for item in items)

    def every(items: list[Any], facts: Facts) -> bool:
        return all(fast(of_element(facts, item)) for item in items)

    def counted(items: list[Any], facts: Facts) -> bool:
        count = sum(fast(of_element(facts, item)) for item in items)
        return count >= n if mode == "at_least" else count <= n if mode == "at_most" else count == n

    meets = {"some": some, "none": some, "all": every}.get(mode, counted)
    turned = mode == "none"

    def test(value: Any, facts: Facts) -> bool:
        items = items_of(value)
        return turned if items is None else meets(items, facts) is not turned

    return Check(test, "list")


def leaves_of(node: Node) -> Iterator[Leaf]:
    """Every leaf below a node, in document order, those inside a `match` included."""
    if isinstance(node, Group):
        for child in node.children:
            yield from leaves_of(child)
        return
    yield node
    if node.elements is not None:
        yield from leaves_of(node.elements)


def paths_of(leaf: Leaf) -> Iterator[Path]:
    """The paths a leaf reads: its field, and those its operand refers to."""
    yield leaf.path
    operands: tuple[Any, ...] = leaf.operand if leaf.operand.__class__ is tuple else (leaf.operand,)
    for operand in operands:
        if isinstance(operand, Path):
            yield operand
        elif isinstance(operand, Relative) and isinstance(operand.base, Path):
            yield operand.base
