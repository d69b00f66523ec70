"""Other names for actions: what a pack calls `create_note` is `create_entity` with some arguments already given."""

import re
from typing import Any, Final

from upshot.adapters.actions.arguments import Arguments, reader
from upshot.core.action import Action, ActionContext
from upshot.core.automations.action_shape import CONTEXT, contexts_of
from upshot.core.errors import PermanentError
from upshot.core.facts import Facts
from upshot.core.templates import ContextName, compile_template

DELAY: Final = "delay"

_LONE_ARGUMENT: Final = re.compile(r"\s*\{\{\s*([A-Za-z_]\w*)\s*\}\}\s*")


def alias(
    name: str,
    over: Action,
    with_: dict[str, Any],
    *,
    title: str,
    schema: dict[str, Any],
    description: str = "",
    icon: str | None = None,
    module: str = "upshot",
) -> Action:
    """An action that is `over` with the arguments `with_`, in which each `{{ argument }}` is the alias's own.

    `schema` is the form of the alias's arguments (see `form`). An argument that was left out leaves out the arguments
    that are nothing but its placeholder. One that becomes an argument of `over` as it is has that one's `x-context`.

    Raises:
        Refused: `schema` is no schema, or `with_` holds a bad template.
    """
    schema = _with_contexts(schema, over, with_)
    own, theirs = contexts_of(schema, name), contexts_of(over.schema, over.name)
    # What is handed on whole was written for its context already, as the alias's own argument.
    contexts: dict[str, ContextName] = {
        argument: context for argument, context in theirs.items() if own.get(_handed_on(with_.get(argument))) != context
    }
    read, template = reader(schema), compile_template(with_, "with", contexts=contexts)

    def validate(arguments: Arguments) -> Any:
        filled = template.render(Facts(data=read(arguments), event={}, now=0))
        return over.validate(_without_gaps(with_, filled))

    return Action(
        name=name,
        title=title,
        description=description,
        schema=schema,
        validate=validate,
        perform=over.perform,
        kind=over.kind,
        icon=icon or over.icon,
        module=module,
        over=over.name,
        with_=with_,
        trial=over.trial,
    )


def delay_alias(
    name: str,
    with_: dict[str, Any] | None = None,
    *,
    title: str,
    schema: dict[str, Any],
    description: str = "",
    module: str = "upshot",
) -> Action:
    """An action that is a delay: a step with it becomes a delay step when its automation is read.

    `with_` is the delay (`{"seconds": "{{ seconds }}"}`).
    """

    def perform(_: Arguments, context: ActionContext) -> None:
        raise PermanentError(
            f"{name} is a delay and has nothing to perform; step {context.step_id!r} should be a delay."
        )

    return Action(
        name=name,
        title=title,
        description=description,
        schema=schema,
        validate=reader(schema),
        perform=perform,
        icon="clock",
        module=module,
        over=DELAY,
        with_=with_,
    )


def _handed_on(template: Any) -> str:
    """The argument whose placeholder is all of this template."""
    match = _LONE_ARGUMENT.fullmatch(template) if isinstance(template, str) else None
    return match.group(1) if match else ""


def _with_contexts(schema: dict[str, Any], over: Action, with_: dict[str, Any]) -> dict[str, Any]:
    """The schema in which each argument that is handed on whole has the context of what it becomes."""
    properties = dict(schema["properties"])
    for argument, context in contexts_of(over.schema, over.name).items():
        name = _handed_on(with_.get(argument))
        if name in properties:
            properties[name] = {CONTEXT: context, **properties[name]}
    return {**schema, "properties": properties}


def _without_gaps(template: Any, filled: Any) -> Any:
    """What was filled in, without the fields that a placeholder left empty. A null inside an argument stays."""
    if isinstance(template, dict) and isinstance(filled, dict):
        kept: dict[str, Any] = {}
        for name, value in template.items():  # pyright: ignore[reportUnknownVariableType] -- JSON
            if not (isinstance(value, str) and filled[name] is None):
                kept[name] = _without_gaps(value, filled[name])
        return kept
    return filled  # pyright: ignore[reportUnknownVariableType] -- JSON
