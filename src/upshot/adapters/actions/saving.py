"""What actions find wrong with an automation that is being saved, beyond what the schemas of their arguments say.

Only what no placeholder will change is looked at: all of a step's arguments, when none of them holds one, and each URL
that requests would go to. The same checks are made again when the step runs.
"""

from collections.abc import Iterator
from typing import Any, cast

from upshot.adapters.outbound_policy import OutboundPolicy, check_url
from upshot.core.action import Action, ActionRegistry
from upshot.core.automations.arguments import argument_template
from upshot.core.automations.document import ActionStep, Automation, ForEachStep
from upshot.core.errors import Problem, Refused
from upshot.core.templates import compile_template

DESTINATION = "x-outbound"
"""Marks, in an action's schema, the argument that is where a request goes."""


def save_problems(automation: Automation, actions: ActionRegistry, policy: OutboundPolicy) -> list[Problem]:
    """What would fail every run, with paths like `steps[2].with.url`. `automation` was read with these actions."""
    problems: list[Problem] = []
    for index, step in enumerate(automation.steps):
        performed = step.each if isinstance(step, ForEachStep) else step
        action = actions.get(performed.action) if isinstance(performed, ActionStep) else None
        if action is not None and isinstance(performed, ActionStep):
            problems += _step_problems(action, performed.arguments, policy, f"steps[{index}].with")
    return problems


def _step_problems(action: Action, arguments: dict[str, Any], policy: OutboundPolicy, at: str) -> Iterator[Problem]:
    if action.check is not None:
        wrong = action.check(arguments)
        yield from (Problem(f"{at}.{problem.path}", problem.message, problem.code) for problem in wrong)
        if wrong:
            return
    if argument_template(action.shape, arguments, at).is_constant:
        try:
            action.validate(arguments)
        except Refused as refused:
            for problem in refused.problems:
                dot = "." if problem.path and not problem.path.startswith("[") else ""
                yield Problem(f"{at}{dot}{problem.path}", problem.message, problem.code)
            return
    properties = cast("dict[str, Any]", action.schema.get("properties") or {})
    for name, shape in properties.items():
        url = arguments.get(name)
        if isinstance(shape, dict) and DESTINATION in shape and isinstance(url, str) and _is_constant(url):
            try:
                check_url(url, policy, f"{at}.{name}")
            except Refused as refused:
                yield from refused.problems


def _is_constant(value: Any) -> bool:
    return compile_template(value).is_constant
