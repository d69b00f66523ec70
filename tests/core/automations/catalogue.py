"""The actions that these tests know, and the documents that several of them start from."""

from typing import Any

from upshot.core.automations import ActionShape


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


_TEXT = {"type": "string"}

ACTIONS = {
    shape.name: shape
    for shape in (
        ActionShape("create_note", _object(["patientId", "content"], patientId=_TEXT, content=_TEXT)),
        ActionShape(
            "draft_email",
            _object(
                ["to"],
                to=_TEXT,
                subject=_TEXT,
                body={"type": "string", "x-on-missing": "fail"},
                copies={"type": "integer"},
            ),
        ),
        ActionShape(
            "create_task", _object(["title"], title=_TEXT, priority={"enum": ["low", "high"]}, tags={"type": "array"})
        ),
        ActionShape("anything"),
        ActionShape("delay_seconds", _object(["seconds"], seconds={"type": "number"}), over="delay"),
        ActionShape(
            "wait_days", _object(["count"], count={"type": "number"}), over="delay", with_={"days": "{{ count }}"}
        ),
    )
}

NOTE = {"action": "create_note", "with": {"patientId": "{{ appointment.patientId }}", "content": "Booked"}}


def document(*steps: Any, **fields: Any) -> dict[str, Any]:
    """A valid document with these steps."""
    return {
        "name": "Booked",
        "trigger": {"event": "crm/appointment.created"},
        "priority": 5,
        "condition": None,
        "steps": list(steps) or [{"id": "note", **NOTE}],
        **fields,
    }
