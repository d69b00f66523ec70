"""The fast form: one closure per node, which stops at the first answer."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from upshot.core.conditions.model import MATCHED_ITEMS_MAX, Check, Group, Leaf, Node, Test
from upshot.core.conditions.operands import Relative
from upshot.core.conditions.values import is_present
from upshot.core.facts import MISSING, Facts, Path, of_element
from upshot.core.work import Overloaded, Undecided

Fast = Callable[[Facts], bool]


def fast_of(node: Node) -> Fast:
    """The closure that answers whether this node holds for some facts.

    A comparison may have no answer. Then a group has one only if another of its children decides it, as in Kleene's logic.

    Raises:
        Undecided: (the closure) there is no answer.
        Overloaded: (the closure) the facts' meter is spent.
    """
    return _fast_leaf(node) if isinstance(node, Leaf) else _fast_group(node)


def total_of(decide: Fast) -> Fast:
    """A closure that never raises and counts its work afresh: false also where there is no answer."""

    def fast(facts: Facts) -> bool:
        facts.meter.restart()
        try:
            return decide(facts)
        except (Undecided, Overloaded):
            return False

    return fast


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
        waiting = iter(tests)
        try:
            for test in waiting:
                if not test(facts):
                    return at_stop
        except Undecided as undecided:
            return _despite(undecided, waiting, facts, stops_at=False, answer=at_stop)
        return at_end

    def fast_or(facts: Facts) -> bool:
        waiting = iter(tests)
        try:
            for test in waiting:
                if test(facts):
                    return at_stop
        except Undecided as undecided:
            return _despite(undecided, waiting, facts, stops_at=True, answer=at_stop)
        return at_end

    return fast_or if stops_at else fast_and


def _despite(undecided: Undecided, waiting: Iterator[Fast], facts: Facts, *, stops_at: bool, answer: bool) -> bool:
    """The answer of a group one of whose children has none: that of a later child which decides it alone."""
    for test in waiting:
        with suppress(Undecided):
            if test(facts) is stops_at:
                return answer
    raise undecided


def all_of(tests: Sequence[tuple[Fast, bool]]) -> Fast:
    """The closure that holds when each of the tests gives the answer beside it."""

    def fast(facts: Facts) -> bool:
        undecided: Undecided | None = None
        for test, wanted in tests:
            try:
                if test(facts) is not wanted:
                    return False
            except Undecided as met:
                undecided = met
        if undecided is not None:
            raise undecided
        return True

    return fast


def items_of(value: Any) -> list[Any] | None:
    """The elements a `match` looks at: those of a list, at most the first 1,000; none for nothing; None for no list."""
    if value is MISSING or value is None:
        return []
    return value[:MATCHED_ITEMS_MAX] if value.__class__ is list else None


def elements_check(mode: str, n: int, elements: Group) -> Check:
    """The check of `match`: how many elements meet the sub-tree. `none` is exactly NOT `some`.

    An element without an answer leaves the whole without one, unless those before it decided.
    """
    met = element_test(elements)

    def some(items: list[Any], facts: Facts) -> bool:
        return any(met(item, facts) for item in items)

    def every(items: list[Any], facts: Facts) -> bool:
        return all(met(item, facts) for item in items)

    def counted(items: list[Any], facts: Facts) -> bool:
        count = sum(met(item, facts) for item in items)
        return count >= n if mode == "at_least" else count <= n if mode == "at_most" else count == n

    meets = {"some": some, "none": some, "all": every}.get(mode, counted)
    turned = mode == "none"

    def test(value: Any, facts: Facts) -> bool:
        items = items_of(value)
        if items is None:
            return turned
        return facts.meter.compare(lambda: meets(items, facts)) is not turned

    return Check(test, "list")


def element_test(elements: Group) -> Test:
    """Whether one element meets the sub-tree. Each costs as many steps as the sub-tree has comparisons, and one."""
    fast, steps = fast_of(elements), 1 + sum(1 for _ in leaves_of(elements))

    def met(item: Any, facts: Facts) -> bool:
        facts.meter.spend(steps)
        return fast(of_element(facts, item))

    return met


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
