"""A program: the steps of one automation version, compiled once and shared by all its runs."""

from collections.abc import Container, Iterator, Mapping
from typing import Any, Literal

from upshot.core.automations.action_shape import ActionShape
from upshot.core.automations.arguments import argument_template
from upshot.core.automations.circles import circles_of
from upshot.core.automations.document import (
    ActionStep,
    Automation,
    BranchStep,
    CallStep,
    DelayStep,
    ForEachStep,
    ParallelStep,
    WaitStep,
)
from upshot.core.automations.flow import reached
from upshot.core.automations.places import Steps, list_place, round_place
from upshot.core.automations.regions import Region, regions_of
from upshot.core.conditions import Condition, compile_condition
from upshot.core.flow import Asking
from upshot.core.journal import WHOLE
from upshot.core.templates import Template, compile_template
from upshot.core.waits import fields_of
from upshot.core.watches import Watching

Ending = Literal["goal", "exit"]


class Program:
    """An immutable compiled automation version: where to start, its steps, their templates and conditions."""

    __slots__ = (
        "asking",
        "at_most_once",
        "automation",
        "calls",
        "circles",
        "condition",
        "conditions",
        "endings",
        "entered",
        "forks",
        "handling",
        "keeps",
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
        wanted = automation.starts_when
        self.condition = compile_condition(wanted) if wanted is not None else None
        endings: tuple[tuple[Ending, dict[str, Any] | None], ...] = (
            ("goal", automation.goal),
            ("exit", automation.exit),
        )
        self.endings: dict[Ending, Condition] = {
            name: compile_condition(given, name) for name, given in endings if given is not None
        }
        """What ends a run in order when its next step would begin."""
        self.asking = Asking(automation.flow) if automation.flow is not None else None
        self.watching = Watching(automation) if automation.cancel_on else None
        self.forks = any(isinstance(step, ForEachStep | ParallelStep) for step in automation.steps)
        self.within: dict[str, Region] = regions_of(automation.steps, automation.on_failure) if self.forks else {}
        self.circles = circles_of(automation.steps, automation.on_failure, self.within)
        self.keeps = self.forks or self.circles is not None
        """Whether more than one outcome may follow from one."""
        self.steps = Steps(automation.steps, self.circles.around if self.circles is not None else ())
        self.templates: dict[str, Template] = {}
        self.conditions: dict[str, Condition] = {}
        self.matches: dict[str, Template] = {}
        self.calls: dict[str, Template] = {}
        """The data that each call hands on."""
        self._compile(automation, shapes)
        if automation.timeout is not None:
            self.templates[WHOLE] = compile_template(automation.timeout, "timeout")
        self.handling = reached(automation.on_failure, self.steps)
        self.at_most_once = frozenset(
            step.id for step in automation.steps if isinstance(step, ActionStep) and step.delivery == "at_most_once"
        )
        performed = [step.each if isinstance(step, ForEachStep) else step for step in automation.steps]
        self.waits = frozenset(
            step.id
            for step in performed
            if isinstance(step, WaitStep) or (isinstance(step, CallStep) and step.is_awaited)
        )
        self.entered: dict[str | None, Any] = {}
        self.reads_entity = frozenset(
            step_id
            for compiled in (self.templates, self.conditions, self.matches, self.calls)
            for step_id, part in compiled.items()
            if part.reads_entity
        )

    def _compile(self, automation: Automation, shapes: Mapping[str, ActionShape]) -> None:
        """The templates and conditions of its steps."""
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
                    self.templates[list_place(step_id)] = compile_template(step.items, f"steps[{index}].for_each")
                    if isinstance(each, CallStep):
                        self._compile_call(each, index)
                    else:
                        shape, at = shapes.get(each.action), f"steps[{index}].with"
                        self.templates[step_id] = argument_template(shape, each.arguments, at)
                case ParallelStep() if step.timeout is not None:
                    self.templates[step.id] = compile_template(step.timeout, f"steps[{index}].timeout")
                case WaitStep():
                    values = [step.match[field] for field in fields_of(step.match)]
                    self.matches[step.id] = compile_template(values, f"steps[{index}].match")
                    if step.timeout is not None:
                        self.templates[step.id] = compile_template(step.timeout, f"steps[{index}].timeout")
                case CallStep():
                    self._compile_call(step, index)
                case _:
                    pass

    def _compile_call(self, step: CallStep, index: int) -> None:
        self.calls[step.id] = compile_template(step.data, f"steps[{index}].with")
        if step.timeout is not None:
            self.templates[step.id] = compile_template(step.timeout, f"steps[{index}].timeout")

    def base(self, step_id: str) -> str:
        """The step, in the document, that this is a place of."""
        return self.steps.base(step_id) or step_id

    def place(self, step_id: str, rounds: Mapping[str, int]) -> str:
        """The place of a step of the document in the present round of its circle."""
        circle = self.circles.around.get(step_id) if self.circles is not None else None
        return step_id if circle is None else round_place(step_id, rounds.get(circle, 1))

    def loop_of(self, step_id: str) -> str | None:
        """The place of the `for_each` that this is an item, or the list, of."""
        item = self.steps.item_of(step_id)
        return item.step_id if item is not None else None

    def is_handling(self, step_id: str) -> bool:
        """Whether this is among the steps that a run takes when it has failed."""
        return bool(self.handling) and self.base(step_id) in self.handling

    def is_at_most_once(self, step_id: str) -> bool:
        """Whether this step is not done again when nobody knows how it ended."""
        return bool(self.at_most_once) and self.base(step_id) in self.at_most_once

    def is_call(self, step_id: str) -> bool:
        """Whether this step calls another automation."""
        return bool(self.calls) and self._is_of(step_id, self.calls)

    def is_wait(self, step_id: str) -> bool:
        """Whether this step waits for an event, or for the end of what it calls."""
        return bool(self.waits) and self._is_of(step_id, self.waits)

    def _is_of(self, step_id: str, steps: Container[str]) -> bool:
        """Whether this is one of these steps or, where that is a `for_each`, an item of it."""
        base = self.base(step_id)
        if base not in steps:
            return False
        item = self.steps.item_of(step_id)
        return item.index is not None if item is not None else not isinstance(self.steps[base], ForEachStep)

    def around(self, step_id: str, rounds: Mapping[str, int]) -> Iterator[str]:
        """The parallel steps and the `for_each` that this step is in, the innermost first."""
        loop = self.loop_of(step_id)
        if loop is not None:
            yield loop
        step_id = self.base(step_id)
        while (region := self.within.get(step_id)) is not None:
            step_id = region.parallel.id
            yield self.place(step_id, rounds)

    def template(self, step_id: str) -> Template:
        """What this step renders; every item of a `for_each` renders the same, and every round."""
        templates = self.templates
        return templates.get(step_id) or templates.get(self.steps.name_of(step_id)) or templates[self.base(step_id)]

    def needs_entity(self, step_id: str) -> bool:
        """Whether what this step renders or decides may read the entity."""
        return bool(self.reads_entity) and bool({self.steps.name_of(step_id), self.base(step_id)} & self.reads_entity)

    @property
    def has_limit(self) -> bool:
        """Whether a run of it may take only so long."""
        return self.automation.timeout is not None

    @property
    def first(self) -> str:
        """The id of the step a run starts with."""
        return self.automation.steps[0].id
