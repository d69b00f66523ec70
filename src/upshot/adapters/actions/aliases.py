"""Other names for actions: what a pack calls `create_note` is `create_entity` with some arguments already given."""

from typing import Any, Final

from upshot.adapters.actions.arguments import Arguments, reader
from upshot.core.action import Action, ActionContext
from upshot.core.errors import PermanentError
from upshot.core.facts import Facts
from upshot.core.templates import compile_template

DELAY: Final = "delay"


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
    that are nothing but its placeholder.

    Raises:
        Refused: `schema` is no schema, or `with_` holds a bad template.
    """
    read, template = reader(schema), compile_template(with_, "with")

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


def _without_gaps(template: Any, filled: Any) -> Any:
    """What was filled in, without the fields that a placeholder left empty. A null inside an argument stays."""
    if isinstance(template, dict) and isinstance(filled, dict):
        kept: dict[str, Any] = {}
        for name, value in template.items():  # pyright: ignore[reportUnknownVariableType] -- JSON
            if not (isinstance(value, str) and filled[name] is None):
                kept[name] = _without_gaps(value, filled[name])
        return kept
    return filled  # pyright: ignore[reportUnknownVariableType] -- JSON
