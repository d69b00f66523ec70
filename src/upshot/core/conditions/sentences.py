"""Explanations as one clear sentence: "Did not match: order.total was 80, needs greater than 100."."""

from typing import Any, Final, cast

from upshot.core.conditions.model import Group, Leaf, Node
from upshot.core.conditions.values import shown
from upshot.core.work import Overloaded

_REASONS_MAX: Final = 5
_LIST_SHOWN_MAX: Final = 5
_WEEKDAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


def sentence(*, result: bool | None, reasons: list[tuple[Node, dict[str, Any], bool]]) -> str:
    """The sentence of a whole explanation; a result of None is one that could not be decided."""
    told = [
        _clause(node, explanation, wanted=wanted, result=result) for node, explanation, wanted in reasons[:_REASONS_MAX]
    ]
    if len(reasons) > _REASONS_MAX:
        told.append(f"and {len(reasons) - _REASONS_MAX} more")
    head = {True: "Matched", False: "Did not match", None: "Could not be decided"}[result]
    return f"{head}: {'; '.join(told)}."


def _clause(node: Node, explanation: dict[str, Any], *, wanted: bool, result: bool | None) -> str:
    if result is None:
        return _undecided_clause(node, explanation)
    if isinstance(node, Group):
        return _group_clause(node, result=result)
    found = f"{node.path.text} {_found(explanation)}"
    if result:
        return found
    needs = _needs(node, explanation)
    return f"{found}, needs {needs}" if wanted else f"{found}, must not be: {needs}"


def _undecided_clause(node: Node, explanation: dict[str, Any]) -> str:
    if isinstance(node, Group):
        return Overloaded.message
    return f"{node.path.text} could not be compared, {explanation['error']['message']}"


def _group_clause(group: Group, *, result: bool) -> str:
    if result:
        return "there are no conditions" if group.combinator == "and" else "an empty group, turned round, always holds"
    return (
        "an empty group of alternatives never holds"
        if group.combinator == "or"
        else "an empty group, turned round, never holds"
    )


def _found(explanation: dict[str, Any]) -> str:
    actual = shown(explanation.get("actual"))
    match explanation.get("state"):
        case "missing":
            found = _found_missing(explanation)
        case "null":
            found = "was null"
        case "error":
            found = "could not be compared"
        case "type_mismatch":
            found = f"was {actual}, which is not {_article(explanation['expects'])}"
        case "no_previous":
            found = f"was {actual} with no earlier value known"
        case _ if "items_met" in explanation:
            found = f"had {explanation['items_met']} of {explanation['items']} items that meet it"
        case _ if "items" in explanation:
            found = f"had {explanation['items']} items"
        case _ if "previous" in explanation:
            found = f"went from {shown(explanation['previous'])} to {actual}"
        case _ if "previous_state" in explanation:
            found = f"went from nothing to {actual}"
        case _:
            found = f"was {actual}"
    return found


def _found_missing(explanation: dict[str, Any]) -> str:
    if "previous" in explanation:
        return f"went from {shown(explanation['previous'])} to nothing"
    if explanation.get("previous_state") == "unknown":
        return "has no value, and no earlier one is known"
    return "has no value"


def _article(kind: str) -> str:
    return {"text": "text", "text or list": "text or a list", "boolean": "true or false"}.get(kind, f"a {kind}")


def _needs(leaf: Leaf, explanation: dict[str, Any]) -> str:
    if leaf.elements is not None:
        match = leaf.document["match"]
        mode = {"some": "at least one", "at_least": "at least", "at_most": "at most"}.get(match["mode"], match["mode"])
        return " ".join(part for part in (mode, str(match.get("n", "")), "to meet it") if part)
    return leaf.operator.needs.format(value=_operand(leaf, explanation))


def _operand(leaf: Leaf, explanation: dict[str, Any]) -> str:
    document: Any = leaf.document.get("value")
    resolved = explanation.get("expected_value")
    match leaf.operator.operand:
        case "duration":
            plural = "" if document["n"] == 1 else "s"
            return f"{document['n']} {document['unit']}{plural}"
        case "weekdays":
            return _joined([_WEEKDAYS[day] for day in document], "or")
        case "times":
            return f"{document[0]} and {document[1]}"
        case "range":
            ends = cast("list[Any]", resolved) if isinstance(resolved, list) else [None, None]
            return " and ".join(_one(end, known) for end, known in zip(document, ends, strict=True))
        case "list" if isinstance(document, list):
            return _joined([shown(item) for item in cast("list[Any]", document)], "or")
        case _:
            return _one(document, resolved)


def _one(document: Any, resolved: Any) -> str:
    if isinstance(document, dict):
        name = _reference(cast("dict[str, Any]", document))
        if name is not None:
            return f"{name} ({shown(resolved)})" if resolved is not None else f"{name} (which has no value)"
    return shown(document)


def _reference(document: dict[str, Any]) -> str | None:
    if set(document) == {"ref"}:
        return str(document["ref"])
    if document.get("mode") != "relative":
        return None
    base: Any = document["base"]
    name = str(base["ref"] if base.__class__ is dict else base.replace("_", " "))
    if "offset" in document:
        count, unit = abs(document["offset"]), document["unit"]
        direction = "before" if document["offset"] < 0 else "after"
        name = f"{count} {unit}{'' if count == 1 else 's'} {direction} {name}"
    return name if "snap" not in document else f"{str(document['snap']).replace('_', ' ')}, {name}"


def _joined(items: list[str], word: str) -> str:
    if len(items) > _LIST_SHOWN_MAX:
        items = [*items[:_LIST_SHOWN_MAX], f"{len(items) - _LIST_SHOWN_MAX} more"]
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {word} {items[-1]}" if items else "nothing"
