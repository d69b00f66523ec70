"""A program: the steps of one automation version, compiled once and shared by all its runs."""

from collections.abc import Iterator, Mapping
from typing import Any

from upshot.core.automations.action_shape import ActionShape
from upshot.core.automations.arguments import argument_template
from upshot.core.automations.document import (
    ActionStep,
    Automation,
    BranchStep,
    CallStep,
    DelayStep,
    ForEachStep,
    ParallelStep,
    Step,
    WaitStep,
)
from upshot.core.automations.flow import reached
from upshot.core.automations.places import Steps, list_place, place_of
from upshot.core.automations.regions import Region, regions_of
from upshot.core.conditions import Condition, compile_condition
from upshot.core.flow import Asking
from upshot.core.journal import WHOLE
from upshot.core.templates import Template, compile_template
from upshot.core.waits import fields_of
from upshot.core.watches import Watching


class Program:
    """An immutable compiled automation version: where to start, its steps, their templates and conditions."""

    __slots__ = (
        "asking",
        "at_most_once",
        "automation",
        "calls",
        "condition",
        "conditions",
        "entered",
        "forks",
        "handling",
        "matches",
        "reads_entity",
        "steps",
        "templates",
        "waits",
        "watching",
        "within",
    )

    def __init__(self, automation: Automation, actions: Mapping[str, ActionShape] | None = None) -> None:
        """Compile it. `actions` say which arguments must not be left blank, and how values are written in them."""
        shapes = actions or {}
        self.automation = automation
        wanted = automation.condition
        self.condition = compile_condition(wanted) if wanted is not None else None
        self.asking = Asking(automation.flow) if automation.flow is not None else None
        self.watching = Watching(automation) if automation.cancel_on else None
        self.steps: Mapping[str, Step] = Steps((step.id, step) for step in automation.steps)
        self.templates: dict[str, Template] = {}
        self.conditions: dict[str, Condition] = {}
        self.matches: dict[str, Template] = {}
        self.calls: dict[str, Template] = {}
        """The data that each call hands on."""
        for index, step in enumerate(automation.steps):
            match step:
                case ActionStep():
                    shape, at = shapes.get(step.action), f"steps[{index}].with"
                    self.templates[step.id] = argument_template(shape, step.arguments, at)
                case DelayStep():
                    self.templates[step.id] = compile_template(step.delay, f"steps[{index}].delay")
                case BranchStep():
                    self.conditions[step.id] = compile_condition(step.condition, f"steps[{index}].branch")
                case ForEachStep(id=step_id, each=each):
                    shape, at = shapes.get(each.action), f"steps[{index}].with"
                    self.templates[list_place(step_id)] = compile_template(step.items, f"steps[{index}].for_each")
                    self.templates[step_id] = argument_template(shape, each.arguments, at)
                case ParallelStep() if step.timeout is not None:
                    self.templates[step.id] = compile_template(step.timeout, f"steps[{index}].timeout")
                case WaitStep():
                    values = [step.match[field] for field in fields_of(step.match)]
                    self.matches[step.id] = compile_template(values, f"steps[{index}].match")
                    if step.timeout is not None:
                        self.templates[step.id] = compile_template(step.timeout, f"steps[{index}].timeout")
                case CallStep():
                    self.calls[step.id] = compile_template(step.data, f"steps[{index}].with")
                    if step.timeout is not None:
                        self.templates[step.id] = compile_template(step.timeout, f"steps[{index}].timeout")
                case _:
                    pass
        if automation.timeout is not None:
            self.templates[WHOLE] = compile_template(automation.timeout, "timeout")
        self.forks = any(isinstance(step, ForEachStep | ParallelStep) for step in automation.steps)
        self.within: dict[str, Region] = regions_of(automation) if self.forks else {}
        self.handling = reached(automation.on_failure, self.steps)
        self.at_most_once = frozenset(
            step.id for step in automation.steps if isinstance(step, ActionStep) and step.delivery == "at_most_once"
        )
        self.waits = frozenset(
            step.id
            for step in automation.steps
            if isinstance(step, WaitStep) or (isinstance(step, CallStep) and step.is_awaited)
        )
        self.entered: dict[str | None, Any] = {}
        self.reads_entity = frozenset(
            step_id
            for compiled in (self.templates, self.conditions, self.matches, self.calls)
            for step_id, part in compiled.items()
            if part.reads_entity
        )

    def loop_of(self, step_id: str) -> str | None:
        """The `for_each` that this is a place of."""
        if step_id in self.steps:
            return None
        place = place_of(step_id)
        return place.step_id if place is not None else None

    def is_handling(self, step_id: str) -> bool:
        """Whether this is among the steps that a run takes when it has failed."""
        return bool(self.handling) and (self.loop_of(step_id) or step_id) in self.handling

    def around(self, step_id: str) -> Iterator[str]:
        """The parallel steps and the `for_each` that this step is in, the innermost first."""
        loop = self.loop_of(step_id)
        if loop is not None:
            yield loop
            step_id = loop
        while (region := self.within.get(step_id)) is not None:
            step_id = region.parallel.id
            yield step_id

    def template(self, step_id: str) -> Template:
        """What this step renders; every item of a `for_each` renders the same."""
        return self.templates.get(step_id) or self.templates[self.loop_of(step_id) or step_id]

    def needs_entity(self, step_id: str) -> bool:
        """Whether what this step renders or decides may read the entity."""
        return step_id in self.reads_entity or (self.forks and (self.loop_of(step_id) or "") in self.reads_entity)

    @property
    def has_limit(self) -> bool:
        """Whether a run of it may take only so long."""
        return self.automation.timeout is not None

    @property
    def first(self) -> str:
        """The id of the step a run starts with."""
        return self.automation.steps[0].id
