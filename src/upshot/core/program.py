"""A program: the steps of one automation version, compiled once and shared by all its runs."""

from collections.abc import Mapping

from upshot.core.automations.action_shape import ActionShape
from upshot.core.automations.arguments import argument_template
from upshot.core.automations.document import ActionStep, Automation, BranchStep, DelayStep, Step
from upshot.core.conditions import Condition, compile_condition
from upshot.core.templates import Template, compile_template


class Program:
    """An immutable compiled automation version: where to start, its steps, their templates and conditions."""

    __slots__ = ("automation", "condition", "conditions", "reads_entity", "steps", "templates")

    def __init__(self, automation: Automation, actions: Mapping[str, ActionShape] | None = None) -> None:
        """Compile it. `actions` say which arguments must not be left blank, and how values are written in them."""
        shapes = actions or {}
        self.automation = automation
        wanted = automation.condition
        self.condition = compile_condition(wanted) if wanted is not None else None
        self.steps: dict[str, Step] = {step.id: step for step in automation.steps}
        self.templates: dict[str, Template] = {}
        self.conditions: dict[str, Condition] = {}
        for index, step in enumerate(automation.steps):
            match step:
                case ActionStep():
                    shape, at = shapes.get(step.action), f"steps[{index}].with"
                    self.templates[step.id] = argument_template(shape, step.arguments, at)
                case DelayStep():
                    self.templates[step.id] = compile_template(step.delay, f"steps[{index}].delay")
                case BranchStep():
                    self.conditions[step.id] = compile_condition(step.condition, f"steps[{index}].branch")
                case _:
                    pass
        self.reads_entity = frozenset(
            step_id
            for compiled in (self.templates, self.conditions)
            for step_id, part in compiled.items()
            if part.reads_entity
        )

    @property
    def first(self) -> str:
        """The id of the step a run starts with."""
        return self.automation.steps[0].id
