"""What starts an automation, in every understood spelling: an event, a change of an entity, or a
schedule."""

from typing import Any, Final

from upshot.core.automations.fields import ABSENT, Fields, Findings, as_object
from upshot.core.automations.import_change import read_change
from upshot.core.automations.import_schedule import NAMES as SCHEDULE_NAMES
from upshot.core.automations.import_schedule import read_schedule_fields
from upshot.core.automations.import_segment import KINDS as SEGMENT_KINDS
from upshot.core.automations.import_segment import read_segment_trigger

NOT_YET: Final = frozenset({"interval", "webhook", "date", "date_relative", "database"})
"""Kinds of triggers that come later."""

_EVENT_NAMES: Final = (
    "event",
    "event_name",
    "event_type",
    "trigger_event",
    "trigger_type",
    "on",
)
_EVENT_KINDS: Final = frozenset({"event", "on_event", "event_received"})
_SCHEDULE_KINDS: Final = frozenset({"schedule", "scheduled", "cron", "recurring", "time"})

Trigger = dict[str, Any]


def read_trigger(fields: Fields, findings: Findings, *, imported: bool) -> tuple[Trigger, list[tuple[Any, str]]]:
    """The canonical trigger and the conditions that the given one itself holds, with their paths."""
    trigger, path = fields.take_with_path("trigger")
    event, event_path = fields.take_with_path(*_EVENT_NAMES)
    if trigger in (ABSENT, None) and event is ABSENT:
        schedule = read_schedule_fields(fields, findings)
        if schedule is not None:
            return {"schedule": schedule}, []
    fields.refuse(SCHEDULE_NAMES, "says when beside what `trigger` says; keep one", "unknown_field")
    given = as_object(trigger)
    if given is not None:
        if event is not ABSENT:
            findings.problem(event_path, "says the same as `trigger`; keep one", "unknown_field")
        return _read_object(Fields(given, path, findings), findings, imported=imported)
    return {"event": _plain_event(trigger, path, event, event_path, findings)}, []


def _plain_event(trigger: Any, path: str, event: Any, event_path: str, findings: Findings) -> Any:
    if trigger in (ABSENT, None):
        findings.came_from("trigger.event", event_path if event is not ABSENT else "trigger.event")
        if isinstance(event, str):
            findings.note(event_path, 'read as "trigger": {"event": ...}')
        elif event is not ABSENT:
            findings.problem(event_path, "must be the name of an event", "wrong_type")
        return "" if event is ABSENT else event
    if event is not ABSENT:
        findings.problem(event_path, "says the same as `trigger`; keep one", "unknown_field")
    if isinstance(trigger, str):
        findings.came_from("trigger.event", path)
        findings.note(path, 'read as "trigger": {"event": ...}')
        return trigger
    findings.came_from("trigger.event", path)
    findings.problem(path, 'must be the name of an event, {"event": name} or {"schedule": {...}}', "wrong_type")
    return ""


def _read_object(fields: Fields, findings: Findings, *, imported: bool) -> tuple[Trigger, list[tuple[Any, str]]]:
    kind, kind_path = fields.take_first_set("type")
    schedule = read_schedule_fields(fields, findings, is_wanted=_is_schedule(kind))
    if schedule is not None:
        if isinstance(kind, str) and not _is_schedule(kind):
            findings.problem(
                kind_path, f'a trigger with a schedule is of type "schedule", not {kind!r}', "not_available"
            )
        fields.leave_out(("id", "created_at", "updated_at") if imported else (), "left out: the engine keeps its own")
        conditions = [fields.take_first_set("conditions"), fields.take_first_set("condition")]
        fields.refuse_rest(("schedule",))
        return {"schedule": schedule}, [(value, path) for value, path in conditions if value is not ABSENT]
    if isinstance(kind, str) and kind.lower() == "manual":
        fields.refuse_rest(("type",))
        findings.came_from("trigger.manual", kind_path)
        return {"manual": True}, []
    manual, manual_path = fields.take_first_set("manual")
    if manual is not ABSENT and kind is ABSENT:
        fields.refuse_rest(("manual",))
        findings.came_from("trigger.manual", manual_path)
        return {"manual": manual}, []
    change, change_path = fields.take_first_set("change")
    if change is not ABSENT:
        if kind is not ABSENT:
            findings.problem(kind_path, "says the same as `change`; keep one", "unknown_field")
        fields.refuse_rest(("change",))
        return read_change(change, change_path, findings)
    if (isinstance(kind, str) and kind.lower() in SEGMENT_KINDS) or "segment" in fields:
        return read_segment_trigger(fields, kind, kind_path, findings, imported=imported)
    inner, inner_path = fields.take_first_set("config")
    given = as_object(inner)
    if given is not None:
        config = Fields(given, inner_path, findings)
        event, event_path = config.take_first_set("event", "event_name", "event_type", "name")
        config.refuse_rest(("event",))
    else:
        event, event_path = fields.take_first_set("event", "event_name", "event_type", "name")
    conditions = [
        fields.take_first_set("conditions"),
        fields.take_first_set("condition"),
    ]
    fields.leave_out(
        ("id", "created_at", "updated_at") if imported else (),
        "left out: the engine keeps its own",
    )
    fields.refuse_rest(("event",))
    named = _named_event(event, event_path, kind, kind_path, findings)
    return {"event": named}, [(value, path) for value, path in conditions if value is not ABSENT]


def _is_schedule(kind: Any) -> bool:
    return isinstance(kind, str) and kind.lower() in _SCHEDULE_KINDS


def _named_event(event: Any, event_path: str, kind: Any, kind_path: str, findings: Findings) -> Any:
    if kind is not ABSENT:
        findings.came_from("trigger.event", kind_path)
    if isinstance(kind, str) and kind.lower() in NOT_YET:
        findings.problem(
            kind_path,
            f"a trigger of type {kind!r} is not available yet; use an event",
            "not_available",
        )
        return ""
    if kind is not ABSENT and not isinstance(kind, str):
        findings.problem(kind_path, "must be a text", "wrong_type")
        return ""
    if event is not ABSENT:
        findings.came_from("trigger.event", event_path)
        if isinstance(kind, str) and kind.lower() not in _EVENT_KINDS:
            findings.problem(
                kind_path,
                f'a trigger of type {kind!r} is not known; with an event, it is "event"',
                "not_available",
            )
        elif isinstance(kind, str):
            findings.note(kind_path, "left out: an event is named by itself")
        return event
    if isinstance(kind, str) and kind.lower() not in _EVENT_KINDS:
        findings.note(kind_path, "read as the name of the event")
        return kind
    findings.came_from("trigger.event", event_path)
    return ""
