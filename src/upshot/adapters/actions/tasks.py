"""Tasks for people: for now an entity of type `task`."""

from typing import Any, Final

from upshot.adapters.actions.arguments import FIELDS, Arguments, form, kept_beside, reader
from upshot.adapters.actions.stable_ids import made_id
from upshot.core.action import Action, ActionContext, ChangeEntity, StoreEffect
from upshot.core.entities import CreateEntity

CREATE: Final = form(
    {
        "title": {
            "type": "string",
            "title": "Title",
            "description": "What there is to do, in one line.",
            "minLength": 1,
            "maxLength": 300,
            "examples": ["Call {{ patient.firstName }}"],
            "x-on-missing": "fail",
            "x-context": "text",
        },
        "description": {"type": "string", "title": "Description", "format": "textarea", "maxLength": 10_000},
        "assignee": {
            "type": "string",
            "title": "Assignee",
            "description": "Who does it; nobody yet when left out.",
            "maxLength": 200,
            "examples": ["reception"],
        },
        "priority": {"enum": ["low", "normal", "high", "urgent"], "title": "Priority", "default": "normal"},
        "due_at": {
            "type": "string",
            "title": "Due",
            "description": "An instant like 2026-11-21T09:00:00Z.",
            "format": "date-time",
        },
        "fields": {**FIELDS, "title": "More fields", "description": "Whatever else to keep with the task."},
    },
    required=["title"],
    takes_others=True,
)


def create_task(arguments: Arguments, context: ActionContext) -> StoreEffect:
    """An open task. The arguments of its own win over `fields`; arguments of other names are kept with it."""
    own: dict[str, Any] = {name: value for name, value in arguments.items() if name != "fields"}
    fields = {**kept_beside(CREATE, arguments), **own, "status": "open"}
    context.log(f"Opens the task {arguments['title']!r}")
    return StoreEffect((ChangeEntity(CreateEntity("task", made_id(context), fields)),))


ACTIONS: Final = (
    Action(
        name="create_task",
        title="Create a task",
        description="Put work on a person's list. Arguments of other names are kept as its fields.",
        schema=CREATE,
        validate=reader(CREATE),
        perform=create_task,
        kind="store",
        emits="task.created",
        icon="list-todo",
    ),
)
