"""What can be read and would never work: refused on save, and read all the same where a version of it is kept. And what is read
of steps that are not there: told to the author, refused by nobody."""

from collections.abc import Iterator, Mapping
from typing import Any

from upshot.core.automations.action_shape import ActionShape
from upshot.core.automations.document import (
    ActionStep,
    Automation,
    BranchStep,
    CallStep,
    DelayStep,
    ForEachStep,
    WaitStep,
)
from upshot.core.automations.gaps import texts_of
from upshot.core.conditions import compile_condition
from upshot.core.errors import Problem, Refused
from upshot.core.facts import compile_path
from upshot.core.strict_json import join_path
from upshot.core.templates import compile_template


def never_problems(automation: Automation) -> list[Problem]:
    """Events that nothing can be called, waits for what no step gives, and lists that are longer than they may be."""
    steps = {step.id for step in automation.steps}
    said = "no event can be called so: names are printable characters without space around them"
    wrong = [at for at, name in events_of(automation) if not name.isprintable() or name != name.strip()]
    problems = [Problem(at, said, "bad_name") for at in wrong]
    for index, step in enumerate(automation.steps):
        at = f"steps[{index}]"
        if isinstance(step, WaitStep):
            for field, value in step.match.items():
                said = [f"can never match: {unknown}" for _, unknown in _unknown(value, "", steps)]
                problems += [Problem(join_path(f"{at}.match", field), one, "never_matches") for one in said[:1]]
        elif isinstance(step, ForEachStep) and isinstance(step.items, list) and len(step.items) > step.limit:
            said = f"has {len(step.items):,} items; at most {step.limit:,}"
            problems.append(Problem(f"{at}.for_each", said, "too_many"))
    return problems


def events_of(automation: Automation) -> list[tuple[str, str]]:
    """The events that start it, that its steps wait for and that cancel its runs, each with the place that names it."""
    named = [("trigger.event", automation.event)] if automation.event else []
    named += [(f"cancel_on[{index}].event", one.event) for index, one in enumerate(automation.cancel_on)]
    waits = ((index, step) for index, step in enumerate(automation.steps) if isinstance(step, WaitStep))
    return [*named, *((f"steps[{index}].wait_for_event", step.event) for index, step in waits)]


def unknown_step_notes(automation: Automation, actions: Mapping[str, ActionShape]) -> list[tuple[str, str]]:
    """The place and the sentence of each placeholder and condition that reads a step which is not there."""
    steps = {step.id for step in automation.steps}
    notes: list[tuple[str, str]] = []
    for at, condition in _conditions(automation):
        notes += [(at, said) for said in _of_no_step(compile_condition(condition, at).paths, steps)]
    for at, value in _values(automation, actions):
        notes += _unknown(value, at, steps)
    return notes


def _conditions(automation: Automation) -> Iterator[tuple[str, dict[str, Any]]]:
    for index, step in enumerate(automation.steps):
        if isinstance(step, BranchStep):
            yield f"steps[{index}].branch", step.condition
    for name, condition in (("goal", automation.goal), ("exit", automation.exit)):
        if condition is not None:
            yield name, condition


def _values(automation: Automation, actions: Mapping[str, ActionShape]) -> Iterator[tuple[str, Any]]:
    """What may hold placeholders, without what a wait compares."""
    for index, step in enumerate(automation.steps):
        at = f"steps[{index}]"
        if isinstance(step, DelayStep):
            yield f"{at}.delay", step.delay
        if isinstance(step, ForEachStep):
            yield f"{at}.for_each", step.items
        performed = step.each if isinstance(step, ForEachStep) else step
        if isinstance(performed, ActionStep):
            shape = actions.get(performed.action)
            literal = shape.literals if shape is not None else frozenset[str]()
            yield f"{at}.with", {name: one for name, one in performed.arguments.items() if name not in literal}
        elif isinstance(performed, CallStep):
            yield f"{at}.with", performed.data
        if isinstance(performed, CallStep | WaitStep) and performed.timeout is not None:
            yield f"{at}.timeout", performed.timeout


def _unknown(value: Any, at: str, steps: set[str]) -> Iterator[tuple[str, str]]:
    """The place of each text in a value that reads a step which is not there, and the sentence."""
    for place, text in texts_of(value, at):
        try:
            paths = compile_template(text, place).paths
        except Refused:
            continue
        for said in _of_no_step(paths, steps):
            yield place, said


def _of_no_step(paths: frozenset[str], steps: set[str]) -> list[str]:
    """A sentence for each path into a step that is not there."""
    said: list[str] = []
    for text in sorted(paths):
        path = compile_path(text)
        if path.root == "steps" and path.segments and path.segments[0] not in steps:
            said.append(f"{text} is never there: no step has the id {path.segments[0]!r}")
    return said
