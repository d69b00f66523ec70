"""A canonical document read into an Automation, or every reason why not.

Everything is looked at before anything is refused: fields, ids, targets, cycles, conditions, templates, durations, and
each action's arguments against its schema as far as they are constant.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from upshot.core.automations.action_shape import ActionShape
from upshot.core.automations.cancel_on import read_cancel_on
from upshot.core.automations.document import Automation, Step
from upshot.core.automations.durations import limit_problems
from upshot.core.automations.fields import as_list, as_object
from upshot.core.automations.flow import flow_problems
from upshot.core.automations.flow_control import read_flow
from upshot.core.automations.labels import place_problems
from upshot.core.automations.limits import (
    DOCUMENT_BYTES_MAX,
    EVENT_NAME_CHARACTERS_MAX,
    NAME_CHARACTERS_MAX,
    NOTE_CHARACTERS_MAX,
    PRIORITY_DEFAULT,
    PRIORITY_MAX,
    PRIORITY_MIN,
    STEPS_MAX,
)
from upshot.core.automations.steps import read_step
from upshot.core.conditions import compile_condition
from upshot.core.errors import Problem, Refused
from upshot.core.field_problems import text_problems
from upshot.core.queues import QUEUE, queue_problems
from upshot.core.schedules import Schedule, read_schedule
from upshot.core.segments import event_of, segment_problems, starting_condition
from upshot.core.templates import has_template

FIELDS: Final = (
    "name",
    "description",
    "trigger",
    "condition",
    "priority",
    "steps",
    "on_failure",
    "flow",
    "queue",
    "timeout",
    "cancel_on",
    "goal",
    "exit",
    "folder",
    "tags",
    "status",
)
"""What a document may say."""
TRIGGERS: Final = {"event": ("event",), "segment": ("segment", "on"), "schedule": ("schedule",), "manual": ("manual",)}
"""What starts an automation, and what the trigger of each kind says."""


def read(document: Any, *, actions: Mapping[str, ActionShape] | None = None) -> Automation:
    """The automation of a canonical document. Without `actions`, names and arguments of actions are not checked.

    Raises:
        Refused: with every problem at once, each with its path and code.
    """
    automation, problems = examine(document, actions=actions)
    if automation is None:
        raise Refused(problems)
    return automation


def examine(
    document: Any, *, actions: Mapping[str, ActionShape] | None = None
) -> tuple[Automation | None, list[Problem]]:
    """The automation, or None and every problem."""
    given = as_object(document)
    if given is None:
        return None, [Problem("", "an automation is an object", "wrong_type")]
    try:
        size = len(msgspec.json.encode(given))
    except (TypeError, ValueError, RecursionError, OverflowError) as error:
        return None, [Problem("", f"is not JSON: {error}", "not_json")]
    if size > DOCUMENT_BYTES_MAX:
        return None, [
            Problem(
                "",
                f"is {size:,} bytes long; a document has at most {DOCUMENT_BYTES_MAX:,}",
                "too_large",
            )
        ]
    problems = _head_problems(given)
    schedule, schedule_problems = _read_schedule(given.get("trigger"))
    flow, controlling_problems = read_flow(given.get("flow"))
    cancel_on, cancelling_problems = read_cancel_on(given.get("cancel_on"))
    problems += [*schedule_problems, *controlling_problems, *cancelling_problems]
    if flow is not None and (as_object(given.get("trigger")) or {}).get("manual") is True:
        said = "controls nothing here: runs that people start take no notice of it; leave it out, or name an event"
        problems.append(Problem("flow", said, "bad_combination"))
    steps, step_problems = _read_steps(given.get("steps", []), given.get("on_failure"), actions)
    problems += step_problems
    if problems:
        return None, problems
    return Automation(
        name=given["name"],
        event=event_of(given["trigger"]),
        schedule=schedule,
        priority=given.get("priority", PRIORITY_DEFAULT),
        condition=given.get("condition"),
        steps=tuple(steps),
        description=given.get("description", ""),
        on_failure=given.get("on_failure"),
        flow=flow,
        timeout=given.get("timeout"),
        folder=given.get("folder", ""),
        tags=tuple(given.get("tags", ())),
        cancel_on=cancel_on,
        goal=given.get("goal"),
        exit=given.get("exit"),
        segment=given["trigger"].get("segment", ""),
        queue=given.get("queue", QUEUE),
    ), []


def _head_problems(given: dict[str, Any]) -> list[Problem]:
    problems = [
        Problem(
            str(name),
            f"is not a field of an automation; known are: {', '.join(FIELDS)}",
            "unknown_field",
        )
        for name in given
        if name not in FIELDS
    ]
    problems += text_problems(
        given.get("name", ""),
        "name",
        NAME_CHARACTERS_MAX,
        needed="an automation needs a name",
    )
    problems += text_problems(given.get("description", ""), "description", NOTE_CHARACTERS_MAX, lines=True)
    problems += place_problems(given.get("folder", ""), given.get("tags", []))
    problems += queue_problems(given.get("queue", QUEUE), "queue")
    problems += _trigger_problems(given.get("trigger"))
    priority = given.get("priority", PRIORITY_DEFAULT)
    if isinstance(priority, bool) or not isinstance(priority, int):
        problems.append(
            Problem(
                "priority",
                f"must be a whole number, not {priority!r:.40}",
                "wrong_type",
            )
        )
    elif not PRIORITY_MIN <= priority <= PRIORITY_MAX:
        problems.append(
            Problem(
                "priority",
                f"must be from {PRIORITY_MIN} to {PRIORITY_MAX}",
                "out_of_range",
            )
        )
    if not isinstance(given.get("on_failure"), str | None):
        problems.append(Problem("on_failure", "must be the id of a step", "wrong_type"))
    problems += _timeout_problems(given.get("timeout"))
    if given.get("status", "active") != "active":
        problems.append(Problem("status", 'must be "active", or left out for a draft', "bad_status"))
    for name in ("condition", "goal", "exit"):
        if given.get(name) is not None:
            problems += _condition_problems(given[name], name)
    if "segment" in (as_object(given.get("trigger")) or {}) and not problems:
        problems += _condition_problems(starting_condition(given["trigger"], given.get("condition")), "condition")
    return problems


def _condition_problems(value: Any, at: str) -> list[Problem]:
    try:
        compile_condition(value, at)
    except Refused as refused:
        return list(refused.problems)
    return []


def _timeout_problems(value: Any) -> list[Problem]:
    if value is None:
        return []
    if has_template(str(value)):
        return [Problem("timeout", "is the same for every run, without placeholders", "bad_duration")]
    return limit_problems(value, "timeout")


def _trigger_problems(value: Any) -> list[Problem]:
    needed = "an automation names the event that starts it, or a schedule"
    trigger = as_object(value) or {}
    if "segment" in trigger:
        return segment_problems(trigger)
    for alone in ("schedule", "manual"):
        if alone in trigger:
            others = [name for name in trigger if name != alone]
            problems = [
                Problem(f"trigger.{name}", f"does not stand beside `{alone}`", "unknown_field") for name in others
            ]
            if alone == "manual" and trigger["manual"] is not True:
                problems.append(Problem("trigger.manual", "is true, or left out", "wrong_type"))
            return problems
    if "event" not in trigger:
        return [Problem("trigger.event", needed, "required")]
    problems = [Problem(f"trigger.{name}", "is not known here", "unknown_field") for name in trigger if name != "event"]
    return problems + text_problems(trigger["event"], "trigger.event", EVENT_NAME_CHARACTERS_MAX, needed=needed)


def _read_schedule(value: Any) -> tuple[Schedule | None, list[Problem]]:
    trigger = as_object(value)
    if trigger is None or "schedule" not in trigger:
        return None, []
    return read_schedule(trigger["schedule"], "trigger.schedule")


def _read_steps(
    value: Any, on_failure: Any, actions: Mapping[str, ActionShape] | None
) -> tuple[list[Step], list[Problem]]:
    items = as_list(value)
    if items is None:
        return [], [Problem("steps", "must be a list of steps", "wrong_type")]
    if not items:
        return [], [Problem("steps", "an automation needs at least one step", "required")]
    if len(items) > STEPS_MAX:
        return [], [Problem("steps", f"has {len(items):,} steps; at most {STEPS_MAX:,}", "too_many")]
    problems: list[Problem] = []
    below = [*((as_object(item) or {}).get("id") for item in items[1:]), None]
    steps: list[Step] = []
    places: dict[str, str] = {}
    for index, item in enumerate(items):
        at = f"steps[{index}]"
        step = read_step(item, at, below[index], actions, problems)
        if step is None:
            continue
        if step.id in places:
            problems.append(
                Problem(
                    f"{at}.id",
                    f"{step.id!r} is also the id of {places[step.id]}",
                    "duplicate_id",
                )
            )
            continue
        places[step.id] = at
        steps.append(step)
    if len(steps) == len(items):
        problems += flow_problems(steps, places, on_failure if isinstance(on_failure, str) else None)
    return steps, problems
