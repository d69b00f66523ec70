"""The actions that change entities. The engine makes each change in the transaction that keeps its step."""

from typing import Final

from upshot.adapters.actions.arguments import ENTITY_ID, ENTITY_TYPE, FIELDS, TAGS, Arguments, form, reader
from upshot.adapters.actions.stable_ids import made_id
from upshot.core.action import Action, ActionContext, ChangeEntity, StoreEffect
from upshot.core.entities import (
    AddTag,
    CreateEntity,
    JoinSegment,
    LeaveSegment,
    Operation,
    PatchEntity,
    RemoveTag,
    raise_unless_allowed,
)
from upshot.core.errors import PermanentError, Refused
from upshot.core.segments import JOINED, LEFT, of_segment

_TAG: Final = {
    "type": "string",
    "title": "Tag",
    "minLength": 1,
    "maxLength": 100,
    "examples": ["vip"],
    "x-on-missing": "fail",
}

CREATE: Final = form(
    {
        "type": ENTITY_TYPE,
        "id": {
            **ENTITY_ID,
            "description": "Leave it out and Upshot makes one.",
            "examples": ["{{ appointment.id }}"],
        },
        "fields": FIELDS,
        "tags": TAGS,
    },
    required=["type"],
)
UPDATE: Final = form(
    {
        "type": ENTITY_TYPE,
        "id": ENTITY_ID,
        "fields": {**FIELDS, "description": "These are set, null removes one, the others stay.", "minProperties": 1},
        "allowed_fields": {
            "type": "array",
            "title": "Allowed fields",
            "description": "Set only these, whatever the fields above come to. Left out: all that the type allows.",
            "items": {"type": "string"},
        },
    },
    required=["type", "id", "fields"],
)
SEGMENT: Final = form(
    {
        "type": ENTITY_TYPE,
        "id": ENTITY_ID,
        "segment": {
            "type": "string",
            "title": "Segment",
            "description": "One that is kept by hand.",
            "minLength": 1,
            "maxLength": 100,
            "examples": ["VIP"],
            "x-on-missing": "fail",
        },
    },
    required=["type", "id", "segment"],
)
TAG: Final = form({"type": ENTITY_TYPE, "id": ENTITY_ID, "tag": _TAG}, required=["type", "id", "tag"])


def create_entity(arguments: Arguments, context: ActionContext) -> StoreEffect:
    """A new entity; without an id it gets one that belongs to this step of this run."""
    identity = arguments.get("id") or made_id(context)
    context.log(f"Creates {arguments['type']} {identity}")
    return _change(CreateEntity(arguments["type"], identity, arguments["fields"], tuple(arguments["tags"])))


def update_entity(arguments: Arguments, context: ActionContext) -> StoreEffect:
    """Set fields of an entity, if each of them is allowed.

    Raises:
        PermanentError: a field is not in `allowed_fields`; nothing is set, and the log says which.
    """
    type_, fields = arguments["type"], arguments["fields"]
    allowed = arguments.get("allowed_fields")
    try:
        raise_unless_allowed(fields, None if allowed is None else frozenset(allowed), type_)
    except Refused as refused:
        for problem in refused.problems:
            context.log(f"Refused {problem.path}: {problem.message}")
        raise PermanentError(f"Nothing was changed. {refused}") from refused
    context.log(f"Sets {', '.join(sorted(fields))} of {type_} {arguments['id']}")
    return _change(PatchEntity(type_, arguments["id"], fields, is_limited=True))


def add_tag(arguments: Arguments, context: ActionContext) -> StoreEffect:
    """The entity has the tag afterwards; that it had it already is fine."""
    context.log(f"Tags {arguments['type']} {arguments['id']} with {arguments['tag']}")
    return _change(AddTag(arguments["type"], arguments["id"], arguments["tag"]))


def remove_tag(arguments: Arguments, context: ActionContext) -> StoreEffect:
    """The entity does not have the tag afterwards; that it never had it is fine."""
    context.log(f"Takes the tag {arguments['tag']} from {arguments['type']} {arguments['id']}")
    return _change(RemoveTag(arguments["type"], arguments["id"], arguments["tag"]))


def add_to_segment(arguments: Arguments, context: ActionContext) -> StoreEffect:
    """The entity is in the segment afterwards; that it was in it already is fine."""
    context.log(f"Puts {arguments['type']} {arguments['id']} into {arguments['segment']}")
    return _change(JoinSegment(arguments["type"], arguments["id"], arguments["segment"]))


def remove_from_segment(arguments: Arguments, context: ActionContext) -> StoreEffect:
    """The entity is not in the segment afterwards; that it never was is fine."""
    context.log(f"Takes {arguments['type']} {arguments['id']} out of {arguments['segment']}")
    return _change(LeaveSegment(arguments["type"], arguments["id"], arguments["segment"]))


def _change(operation: Operation) -> StoreEffect:
    return StoreEffect((ChangeEntity(operation),))


ACTIONS: Final = (
    Action(
        name="create_entity",
        title="Create an entity",
        description="Make a patient, an order, a note: anything with a type and fields.",
        schema=CREATE,
        validate=reader(CREATE),
        perform=create_entity,
        kind="store",
        emits="{type}.created",
        icon="square-plus",
    ),
    Action(
        name="update_entity",
        title="Update an entity",
        description="Set fields of an entity. A field that steps may not set fails the step.",
        schema=UPDATE,
        validate=reader(UPDATE),
        perform=update_entity,
        kind="store",
        emits="{type}.updated",
        icon="square-pen",
    ),
    Action(
        name="add_tag",
        title="Add a tag",
        description="Put a tag on an entity.",
        schema=TAG,
        validate=reader(TAG),
        perform=add_tag,
        kind="store",
        emits="{type}.updated",
        icon="tag",
    ),
    Action(
        name="remove_tag",
        title="Remove a tag",
        description="Take a tag off an entity.",
        schema=TAG,
        validate=reader(TAG),
        perform=remove_tag,
        kind="store",
        emits="{type}.updated",
        icon="tag",
    ),
    Action(
        name="add_to_segment",
        title="Add to a segment",
        description="Put an entity into a segment that is kept by hand.",
        schema=SEGMENT,
        validate=reader(SEGMENT),
        perform=add_to_segment,
        kind="store",
        emits=of_segment(JOINED, "{segment}"),
        icon="tag",
    ),
    Action(
        name="remove_from_segment",
        title="Remove from a segment",
        description="Take an entity out of a segment that is kept by hand.",
        schema=SEGMENT,
        validate=reader(SEGMENT),
        perform=remove_from_segment,
        kind="store",
        emits=of_segment(LEFT, "{segment}"),
        icon="tag",
    ),
)
