"""A change of an entity as a trigger: `{"change": {"type": "patient", "field": "status", "to": "discharged"}}`. Entity changes
are events already, so it is read as the event and the condition that it means, and shown, tried and explained like any other.
"""

from typing import Any, Final

from upshot.core.automations.fields import ABSENT, Fields, Findings, as_object
from upshot.core.entities import check_key
from upshot.core.errors import Refused
from upshot.core.path_text import Segment, parse_segments, write_segments

KINDS: Final = ("created", "updated", "deleted")
_FORM: Final = 'is an object like {"type": "patient", "field": "status", "from": "admitted", "to": "discharged"}'

Conditions = list[tuple[Any, str]]


def read_change(value: Any, path: str, findings: Findings) -> tuple[dict[str, Any], Conditions]:
    """The canonical trigger, and the condition that the field's change is, with its path."""
    given = as_object(value)
    findings.came_from("trigger.event", path)
    if given is None:
        findings.problem(path, _FORM, "wrong_type")
        return {"event": ""}, []
    fields = Fields(given, path, findings)
    type_, type_path = fields.take_with_path("type", "entity_type", "entity")
    kind, kind_path = fields.take_with_path("kind")
    segments = _read_field(fields, findings)
    before, before_path = fields.take_with_path("from")
    after, after_path = fields.take_with_path("to")
    fields.refuse_rest(("type", "kind", "field", "from", "to"))
    if not isinstance(type_, str) or check_key(type_, "any"):
        findings.problem(type_path, "is the type of an entity, like patient", "bad_type")
        return {"event": ""}, []
    if kind is not ABSENT and kind not in KINDS:
        findings.problem(kind_path, f"is one of {', '.join(KINDS)}", "bad_option")
        return {"event": ""}, []
    name = "updated" if kind is ABSENT else kind
    for bound, bound_path in ((before, before_path), (after, after_path)):
        if bound is not ABSENT and segments is None:
            findings.problem(bound_path, "is a value of `field`, which is not named", "required")
    if segments is not None and name != "updated":
        findings.problem(f"{path}.field", "changes only when an entity is updated", "bad_option")
    findings.note(path, f"read as the event {type_}.{name}" + (" and a condition" if segments else ""))
    if segments is None:
        return {"event": f"{type_}.{name}"}, []
    return {"event": f"{type_}.{name}"}, [(_condition(type_, segments, before, after), path)]


def _read_field(fields: Fields, findings: Findings) -> tuple[Segment, ...] | None:
    field, path = fields.take_with_path("field")
    if field is ABSENT:
        return None
    try:
        return parse_segments(field if isinstance(field, str) else "", path)
    except Refused as refused:
        findings.problems.extend(refused.problems)
        return None


def _condition(type_: str, segments: tuple[Segment, ...], before: Any, after: Any) -> dict[str, Any]:
    field = write_segments((type_, *segments))
    rules: list[dict[str, Any]] = []
    if before is not ABSENT:
        rules.append({"field": field, "operator": "changed_from", "value": before})
    if after is not ABSENT:
        rules.append({"field": field, "operator": "changed_to", "value": after})
    return {"combinator": "and", "rules": rules or [{"field": field, "operator": "changed"}]}
