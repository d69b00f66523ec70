"""The document of an automation on the wire: what the core's own tables say that it may hold, in JSON Schema.

A field that the core learns and that has no words here fails when this module is read.
"""

from typing import Any, Final

from upshot.core.automations.cancel_on import FIELDS as CANCEL_FIELDS
from upshot.core.automations.flow_control import FIELDS as FLOW_FIELDS
from upshot.core.automations.flow_control import REENTRY
from upshot.core.automations.steps import STEP_COMMON, STEP_FIELDS
from upshot.core.queues import QUEUE as OWN
from upshot.core.queues import QUEUE_CHARACTERS_MAX, QUEUE_PATTERN

Schema = dict[str, Any]

STEP_WORDS: Final = {
    "id": "Its name among the steps.",
    "name": "What people call it.",
    "note": "What people should know of it.",
    "action": "The name of an action of the catalogue.",
    "with": "The arguments of the action, or the data that a call hands on; texts may hold placeholders.",
    "next": "The step after it, null for the end; the one below it if left out.",
    "on_error": "`stop`, `continue` or `retry`.",
    "retries": "How often it is tried again: a number, or `{count, backoff_seconds}`.",
    "timeout_seconds": "How long one attempt may take.",
    "on_failure": "The step to go on with when it failed for good.",
    "delivery": "`at_least_once` or `at_most_once`.",
    "branch": "A condition.",
    "if_true": "The step to go to when the condition holds.",
    "if_false": "The step to go to when it does not.",
    "call": "The automation that is called, by id or name.",
    "await": "Whether a call waits for the end of the run that it starts.",
    "timeout": "How long it waits at most, as delays are written.",
    "on_timeout": "The step to go to when that time is over.",
    "delay": "How long, or until when, the run sleeps.",
    "for_each": "A list, or the placeholder that gives it; the action or call is done for each item.",
    "concurrency": "How many items at once.",
    "limit": "How many items at most.",
    "parallel": "The first steps of the branches.",
    "join": "`all`, `any`, or how many branches must have ended.",
    "split": "The paths, each with its `weight` and `next`.",
    "stop": "true, or why the run ends here.",
    "wait_for_event": "The name of the event that it waits for.",
    "match": "What the fields of that event must equal.",
}
TRIGGER_WORDS: Final = {
    "event": "The name of an event.",
    "segment": "The name of a segment that entities join or leave.",
    "on": "Of a segment: `joined` or `left`.",
    "schedule": 'When it is due: `{"daily": "09:00"}`, a cron line, a recurrence rule, one time.',
    "manual": "true: people start it by hand, and nothing else does.",
    "change": "A change of an entity or of one of its fields; it becomes the event and the condition that it means.",
}


def _object(fields: tuple[str, ...], words: dict[str, str], **more: Any) -> Schema:
    return {"type": "object", "properties": {name: {"description": words[name]} for name in fields}, **more}


STEPS: Final[list[Schema]] = [
    _object((*STEP_COMMON, *fields), STEP_WORDS, title=f"Step: {kind}", required=[kind])
    for kind, fields in STEP_FIELDS.items()
]
"""A step of each kind."""
STEP: Final[Schema] = {"anyOf": STEPS}
TRIGGER: Final[Schema] = _object(tuple(TRIGGER_WORDS), TRIGGER_WORDS, title="Trigger", description="What starts it.")
FLOW: Final[Schema] = {
    "type": "object",
    "description": "How many runs it starts, and when: its controls by name, and `reentry`.",
    "properties": {
        **{
            name: {"type": "object", "properties": {field: {} for field in fields}}
            for name, fields in FLOW_FIELDS.items()
        },
        "reentry": {"description": f"One of {', '.join(REENTRY)}."},
    },
}
CANCEL_ON: Final[Schema] = {
    "type": "array",
    "maxItems": 20,
    "items": _object(CANCEL_FIELDS, {"event": "The name of the event.", "match": STEP_WORDS["match"]}),
    "description": 'The events that cancel a run under way: `[{"event": "order/cancelled", "match": {...}}]`.',
}
QUEUE: Final[Schema] = {
    "type": "string",
    "pattern": QUEUE_PATTERN,
    "maxLength": QUEUE_CHARACTERS_MAX,
    "default": OWN,
    "description": "The queue of its runs: workers that serve it drive them.",
}
