"""Joining or leaving a segment as a trigger: `{"segment": "VIP", "on": "joined"}`, and its other spellings."""

from typing import Any, Final

from upshot.core.automations.fields import ABSENT, Fields, Findings, as_object

KINDS: Final = {
    "segment": None,
    "segment_joined": "joined",
    "joined_segment": "joined",
    "member_joined_segment": "joined",
    "segment_left": "left",
    "left_segment": "left",
    "member_left_segment": "left",
}
"""The types of triggers that mean a segment, and the side that their name says."""
_SIDES: Final = {"joined": "joined", "join": "joined", "entered": "joined", "left": "left", "leave": "left"}

Conditions = list[tuple[Any, str]]


def read_segment_trigger(
    fields: Fields, kind: Any, kind_path: str, findings: Findings, *, imported: bool
) -> tuple[dict[str, Any], Conditions]:
    """The canonical trigger, and the conditions that the given one itself holds, with their paths."""
    said = KINDS.get(kind.lower()) if isinstance(kind, str) else None
    if kind is not ABSENT and (not isinstance(kind, str) or kind.lower() not in KINDS):
        findings.problem(kind_path, f'a trigger with a segment is of type "segment", not {kind!r}', "not_available")
    conditions = [fields.take_first_set("conditions"), fields.take_first_set("condition")]
    inner, inner_path = fields.take_first_set("config")
    given = as_object(inner)
    holder = Fields(given, inner_path, findings) if given is not None else fields
    segment, segment_path = holder.take_first_set("segment", "segment_name", "name")
    side, side_path = holder.take_first_set("on", "event")
    if given is not None:
        holder.refuse_rest(("segment", "on"))
    fields.leave_out(("id", "created_at", "updated_at") if imported else (), "left out: the engine keeps its own")
    fields.refuse_rest(("segment", "on"))
    findings.came_from("trigger.segment", segment_path)
    findings.came_from("trigger.on", side_path)
    read = _SIDES.get(side.lower(), side) if isinstance(side, str) else side
    if said is not None:
        findings.note(kind_path, f'read as "on": "{said}"')
        if read not in (ABSENT, said):
            findings.problem(side_path, f"says otherwise than the type {kind!r}; keep one", "mismatch")
        read = said
    trigger = {"segment": "" if segment is ABSENT else segment, "on": "joined" if read is ABSENT else read}
    return trigger, [(value, path) for value, path in conditions if value is not ABSENT]
