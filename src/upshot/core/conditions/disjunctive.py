"""A condition as alternatives: a list of conjuncts, each a list of literals, with negations pushed to the leaves."""

from typing import Final, NamedTuple

from upshot.core.conditions.model import CONJUNCTS_MAX, Leaf, Node

_LITERALS_MAX: Final = 64


class Literal(NamedTuple):
    """A leaf that must hold, or must not."""

    leaf: Leaf
    positive: bool


Conjunct = tuple[Literal, ...]


def conjuncts(node: Node, *, limit: int = CONJUNCTS_MAX) -> list[Conjunct] | None:
    """The alternatives, of which one must hold wholly: none at all never hold. None when there are too many."""
    try:
        return _alternatives(node, positive=True, limit=limit)
    except _TooManyError:
        return None


class _TooManyError(Exception):
    pass


def _alternatives(node: Node, *, positive: bool, limit: int) -> list[Conjunct]:
    if isinstance(node, Leaf):
        return [(Literal(node, positive),)]
    positive = positive is not node.negated
    parts = [_alternatives(child, positive=positive, limit=limit) for child in node.children]
    return _product(parts, limit) if (node.combinator == "and") is positive else _union(parts, limit)


def _union(parts: list[list[Conjunct]], limit: int) -> list[Conjunct]:
    union = [conjunct for part in parts for conjunct in part]
    if len(union) > limit:
        raise _TooManyError
    return union


def _product(parts: list[list[Conjunct]], limit: int) -> list[Conjunct]:
    product: list[Conjunct] = [()]
    for part in parts:
        if len(product) * len(part) > limit:
            raise _TooManyError
        product = [(*left, *right) for left in product for right in part]
        if any(len(conjunct) > _LITERALS_MAX for conjunct in product):
            raise _TooManyError
    return product
