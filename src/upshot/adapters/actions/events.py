"""Emitting an event from a step: it is accepted in the transaction that keeps the step."""

from typing import Final

from upshot.adapters.actions.arguments import ENTITY_ID, ENTITY_TYPE, Arguments, form, reader
from upshot.core.action import Action, ActionContext, EmitEvent, StoreEffect
from upshot.core.entities import check_key
from upshot.core.errors import Problem, Refused
from upshot.core.events import EntityRef

RESERVED_PREFIX: Final = "system."

EMIT: Final = form(
    {
        "name": {
            "type": "string",
            "title": "Event",
            "description": "The name of the event to emit.",
            "format": "event-type",
            "minLength": 1,
            "maxLength": 200,
            "examples": ["crm/message.drafted"],
            "x-on-missing": "fail",
        },
        "data": {
            "type": "object",
            "title": "Data",
            "description": "What the event says.",
            "default": {},
            "examples": [{"patientId": "{{ appointment.patientId }}"}],
        },
        "entity": {
            "type": "object",
            "title": "Entity",
            "description": "Whom or what the event is about.",
            "properties": {"type": ENTITY_TYPE, "id": ENTITY_ID},
            "required": ["type", "id"],
            "additionalProperties": False,
        },
    },
    required=["name"],
)

_read = reader(EMIT)


def read_event(arguments: Arguments) -> EmitEvent:
    """The event to emit.

    Raises:
        Refused: names each argument that will not do.
    """
    given = _read(arguments)
    name, entity = given["name"], given.get("entity")
    problems: list[Problem] = []
    if not name.isprintable() or name != name.strip():
        problems.append(Problem("name", "is printable characters without space around them", "bad_name"))
    elif name.startswith(RESERVED_PREFIX):
        said = f"names that begin with {RESERVED_PREFIX!r} are kept for the engine"
        problems.append(Problem("name", said, "reserved_name"))
    if entity is not None:
        found = check_key(entity["type"], entity["id"])
        problems += [Problem(f"entity.{problem.path}", problem.message, problem.code) for problem in found]
    if problems:
        raise Refused(problems)
    return EmitEvent(name, given["data"], None if entity is None else EntityRef(entity["type"], entity["id"]))


def emit_event(event: EmitEvent, context: ActionContext) -> StoreEffect:
    """The event is caused by this step: chains of causes that grow too long are stopped."""
    context.log(f"Emits {event.name}")
    return StoreEffect((event,))


ACTIONS: Final = (
    Action(
        name="emit_event",
        title="Emit an event",
        description="Say that something happened; other automations may listen for it.",
        schema=EMIT,
        validate=read_event,
        perform=emit_event,
        kind="store",
        emits="{name}",
        icon="radio",
    ),
)
