"""The full form: every leaf evaluated, with its value and where it came from, and who is to blame, in one sentence."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, cast

import msgspec

from upshot.core.conditions import moments
from upshot.core.conditions.compile import Fast, element_test, holds, items_of, leaves_of
from upshot.core.conditions.model import MATCHED_ITEMS_MAX, Group, Leaf, Node
from upshot.core.conditions.operands import Relative
from upshot.core.conditions.sentences import sentence
from upshot.core.conditions.values import is_number, is_present, to_boolean, to_number
from upshot.core.facts import MISSING, Facts, Path, of_element, previous_of
from upshot.core.instants import to_text
from upshot.core.local_time import zone_or_utc
from upshot.core.work import COMPARISON_STEPS_MAX, Meter, Overloaded, Undecided

Explanation = dict[str, Any]
Error = dict[str, str]

_SHOWN_CHARACTERS_MAX: Final = 500
_SHOWN_ITEMS_MAX: Final = 20
_SHOWN_DEPTH_MAX: Final = 3
_SHOWN_BITS_MAX: Final = 4_000
_SHOWN_STEPS: Final = 2_000
_CHANGES: Final = frozenset({"changed", "changed_from", "changed_to", "increased", "decreased"})


def explain(root: Group, decide: Fast, facts: Facts) -> Explanation:
    """`{result, error?, now, tz, tree, blame, text}`: the answer, every comparison with its values, and who is to blame.

    Without an answer `result` is false, `error` is `{code, message}`, and in the tree the results that are not known are
    null. It never raises, and its work is bounded.
    """
    facts.meter.restart()
    tree = _explain(root, facts, Meter())
    result, error = _decided(decide, facts)
    tree["result"] = None if error is not None else result
    reasons = _reasons(root, tree) if error is None else _undecided(root, tree)
    return {
        "result": result,
        **({"error": error} if error is not None else {}),
        "now": to_text(facts.now),
        "tz": facts.zone,
        "tree": tree,
        "blame": [] if result else [node["id"] for _, node, _ in reasons],
        "text": sentence(result=tree["result"], reasons=reasons),
    }


def _decided(decide: Fast, facts: Facts) -> tuple[bool, Error | None]:
    facts.meter.restart()
    try:
        return decide(facts), None
    except (Undecided, Overloaded) as reason:
        return False, _error(reason)


def _error(reason: Undecided | Overloaded) -> Error:
    return {"code": reason.code, "message": reason.message}


def _explain(node: Node, facts: Facts, aside: Meter) -> Explanation:
    """`aside` meters what is shown of the items of lists, so that showing them takes nothing from deciding."""
    return _explain_leaf(node, facts, aside) if isinstance(node, Leaf) else _explain_group(node, facts, aside)


def _explain_group(group: Group, facts: Facts, aside: Meter) -> Explanation:
    children = [_explain(child, facts, aside) for child in group.children]
    results = [child["result"] for child in children]
    stops_at = group.combinator == "or"
    met = stops_at if stops_at in results else None if None in results else not stops_at
    explanation: Explanation = {"id": group.id, "op": group.combinator}
    if group.negated:
        explanation["not"] = True
    return {**explanation, "result": None if met is None else met is not group.negated, "children": children}


def _explain_leaf(leaf: Leaf, facts: Facts, aside: Meter) -> Explanation:
    value, source, missing_at = leaf.path.explain(facts)
    explanation: Explanation = {"id": leaf.id, "path": leaf.path.text, "op": leaf.operator.name}
    if "value" in leaf.document and leaf.elements is None:
        explanation["expected"] = leaf.document["value"]
        resolved = _resolved(leaf, facts)
        if resolved is not None:
            explanation["expected_value"] = resolved
    if value is MISSING:
        explanation |= {"state": "missing", "missing_at": missing_at}
    else:
        explanation |= {"actual": bounded(value), "source": source}
        if value is None:
            explanation["state"] = "null"
        elif not _is_of(value, leaf):
            explanation |= {"state": "type_mismatch", "expects": leaf.check.expects}
    if leaf.operator.name in _CHANGES:
        explanation |= _explain_previous(leaf, value, facts)
    if leaf.elements is not None:
        explanation |= _explain_items(leaf, value, facts, aside)
    try:
        return {**explanation, "result": holds(leaf, value, facts)}
    except (Undecided, Overloaded) as reason:
        return {**explanation, "state": "error", "error": _error(reason), "result": None}


def _explain_previous(leaf: Leaf, value: Any, facts: Facts) -> Explanation:
    if previous_of(facts) is None:
        state = {} if value is MISSING else {"state": "no_previous"}
        return {**state, "previous_state": "unknown"}
    before = leaf.path.previous(facts)
    return {"previous_state": "missing"} if before is MISSING else {"previous": bounded(before)}


def _explain_items(leaf: Leaf, value: Any, facts: Facts, aside: Meter) -> Explanation:
    """How many items there are and meet it, and the first of them explained, as far as the work is allowed."""
    elements = cast("Group", leaf.elements)
    items = items_of(value) or []
    apart = msgspec.structs.replace(facts, meter=aside)
    explanation: Explanation = {
        "match": leaf.document["match"],
        "items": len(items),
        "children": _explain_first(elements, items, apart),
    }
    met = element_test(elements)
    with suppress(Undecided, Overloaded):
        explanation["items_met"] = aside.compare(lambda: sum(met(item, apart) for item in items))
    if not items:
        explanation["vacuous"] = True
    if isinstance(value, list) and len(cast("list[Any]", value)) > MATCHED_ITEMS_MAX:
        explanation["items_cut"] = True
    return explanation


def _explain_first(elements: Group, items: list[Any], apart: Facts) -> list[Explanation]:
    steps = min(_SHOWN_STEPS * (1 + sum(1 for _ in leaves_of(elements))), COMPARISON_STEPS_MAX)
    explained: list[Explanation] = []
    with suppress(Overloaded):
        for item in items[:_SHOWN_ITEMS_MAX]:
            apart.meter.spend(steps)
            explained.append(_explain(elements, of_element(apart, item), apart.meter))
    return explained


def _is_of(value: Any, leaf: Leaf) -> bool:
    match leaf.check.expects:
        case "number":
            return to_number(value) is not None
        case "text":
            return isinstance(value, str)
        case "boolean":
            return to_boolean(value) is not None
        case "date":
            zone = zone_or_utc(leaf.options.tz or "UTC")
            return moments.read_moment(value, zone, epoch=leaf.options.type == "datetime") is not None
        case "list":
            return isinstance(value, list)
        case "text or list":
            return isinstance(value, str | list)
        case _:
            return True


def _resolved(leaf: Leaf, facts: Facts) -> Any:
    """What a `{ref}` or relative operand stood for; None for literals."""
    if leaf.operand.__class__ is tuple:
        ends = [_resolved_one(operand, leaf, facts) for operand in leaf.operand]
        return ends if any(end is not None for end in ends) else None
    return _resolved_one(leaf.operand, leaf, facts)


def _resolved_one(operand: Any, leaf: Leaf, facts: Facts) -> Any:
    if isinstance(operand, Path):
        value = operand.read(facts)
        return bounded(value) if is_present(value) else None
    if isinstance(operand, Relative):
        zone = zone_or_utc(leaf.options.tz or facts.zone)
        try:
            moment = operand.resolve(facts, zone, leaf.options.week_start)
        except Undecided:
            return None
        if moment is None:
            return None
        return moment.local.date().isoformat() if moment.instant is None else to_text(moment.instant)
    return None


def bounded(value: Any, depth: int = _SHOWN_DEPTH_MAX) -> Any:
    """The value, cut to what an explanation may hold: 500 characters of text, 20 items, three levels, 1,200 digits."""
    if isinstance(value, str):
        return value if len(value) <= _SHOWN_CHARACTERS_MAX else value[:_SHOWN_CHARACTERS_MAX] + "..."
    if isinstance(value, list):
        items = cast("list[Any]", value)
        return [bounded(item, depth - 1) for item in items[:_SHOWN_ITEMS_MAX]] if depth else f"{len(items)} items"
    if isinstance(value, dict):
        entries = list(cast("dict[str, Any]", value).items())
        return (
            {key: bounded(item, depth - 1) for key, item in entries[:_SHOWN_ITEMS_MAX]}
            if depth
            else f"{len(entries)} fields"
        )
    if isinstance(value, int) and value.bit_length() > _SHOWN_BITS_MAX:
        return "a huge number"
    return value if value is None or isinstance(value, bool) or is_number(value) else str(value)


Reason = tuple[Node, Explanation, bool]
"""A leaf (or an empty group), its explanation, and whether it had to be true (False: false) for the whole to turn."""


def _reasons(node: Node, explanation: Explanation, *, wanted: bool | None = None) -> list[Reason]:
    """The fewest leaves that made the node so: the false children of a failing AND, all of a failing OR; NOT swaps."""
    wanted = (not explanation["result"]) if wanted is None else wanted
    if isinstance(node, Leaf):
        return [(node, explanation, wanted)]
    inner_wanted = wanted is not node.negated
    met = not inner_wanted
    pairs = list(zip(node.children, explanation["children"], strict=True))
    if (node.combinator == "and") is not met:
        pairs = [(child, told) for child, told in pairs if told["result"] is met]
    if not pairs:
        return [(node, explanation, wanted)]
    return [reason for child, told in pairs for reason in _reasons(child, told, wanted=inner_wanted)]


def _undecided(node: Node, explanation: Explanation) -> list[Reason]:
    """The comparisons without an answer that left the whole without one."""
    if isinstance(node, Leaf):
        return [(node, explanation, True)]
    pairs = zip(node.children, explanation["children"], strict=True)
    found = [reason for child, told in pairs if told["result"] is None for reason in _undecided(child, told)]
    return found or [(node, explanation, True)]


Explain = Callable[[Facts], Explanation]
