"""Actions that stand over a delay: the step of such an action is a delay step."""

import re
from typing import Any, Final, cast

from upshot.core.automations.action_shape import ActionShape
from upshot.core.automations.durations import UNIT_NAMES
from upshot.core.automations.fields import ABSENT

_LONE_ARGUMENT: Final = re.compile(r"\s*\{\{\s*([A-Za-z_]\w*)\s*\}\}\s*")


def delay_of(shape: ActionShape | None, arguments: Any) -> Any:
    """The delay that an action step with these arguments means; ABSENT when its action is no delay.

    The alias's `with_` is the delay, each `{{ argument }}` in it replaced by that argument as its author wrote it.
    Without `with_`, an argument named after a unit is that unit, and the alias's only argument is seconds.
    """
    if shape is None or shape.over != "delay":
        return ABSENT
    given = cast("dict[str, Any]", arguments) if isinstance(arguments, dict) else {}
    if shape.with_:
        return {unit: _filled(value, given) for unit, value in shape.with_.items()}
    units = {UNIT_NAMES.get(name, name): value for name, value in given.items()}
    if len(units) == 1 and not set(units) <= set(UNIT_NAMES.values()):
        return {"seconds": next(iter(units.values()))}
    return units


def _filled(value: Any, arguments: dict[str, Any]) -> Any:
    match = _LONE_ARGUMENT.fullmatch(value) if isinstance(value, str) else None
    return arguments.get(match.group(1)) if match else value
