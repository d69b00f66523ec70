"""Writing a line into the run's log: for a first automation, and to see what a placeholder comes to."""

from typing import Any, Final

from upshot.adapters.actions.arguments import Arguments, form, reader
from upshot.core.action import Action, ActionContext

LOG: Final = form(
    {
        "message": {
            "type": "string",
            "title": "Line",
            "description": "What to write.",
            "maxLength": 500,
            "examples": ["Booked by {{ patient.firstName }}"],
        }
    },
    required=["message"],
)


async def log(arguments: Arguments, context: ActionContext) -> dict[str, Any]:
    """Write the line."""
    context.log(arguments["message"])
    return {"message": arguments["message"]}


ACTIONS: Final = (
    Action(
        name="log",
        title="Write a log line",
        description="Write a line into this run's log. Nothing else happens.",
        schema=LOG,
        validate=reader(LOG),
        perform=log,
        icon="scroll-text",
    ),
)
