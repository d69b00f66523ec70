"""An automation in words, for lists, confirmations and the command line."""

from typing import Any, Final, cast

import msgspec

from upshot.core.automations.circles import circles_of
from upshot.core.automations.document import (
    ActionStep,
    Automation,
    BranchStep,
    CallStep,
    DelayStep,
    ForEachStep,
    ParallelStep,
    SplitStep,
    Step,
    StopStep,
    WaitStep,
)
from upshot.core.automations.durations import UNITS
from upshot.core.automations.fields import as_object
from upshot.core.automations.flow_control import flow_words
from upshot.core.automations.regions import regions_of
from upshot.core.instants import DAY, HOUR, MINUTE, SECOND
from upshot.core.queues import QUEUE
from upshot.core.schedules import schedule_words
from upshot.core.segments import JOINED

_STEPS_SHOWN: Final = 8
_VALUE_CHARACTERS: Final = 60


def describe(automation: Automation) -> str:
    """One sentence: "When crm/appointment.created and total is above 100: create note, then draft email"."""
    when = f"When {automation.event}" if automation.event else "When it is run by hand"
    if automation.segment:
        who = "an entity joins" if automation.event == JOINED else "an entity leaves"
        when = f"When {who} the segment “{automation.segment}”"
    if automation.schedule is not None:
        words = schedule_words(automation.schedule)
        when = words[0].upper() + words[1:]
    if automation.condition is not None:
        words = condition_words(automation.condition)
        joined = "and" if automation.schedule is None else "if"
        when += f" {joined} {words}" if words else ""
    shown = [describe_step(step) for step in automation.steps[:_STEPS_SHOWN]]
    rest = len(automation.steps) - len(shown)
    if rest:
        shown.append(f"{rest} more step{'s' if rest > 1 else ''}")
    within = regions_of(automation.steps, automation.on_failure)
    circles = circles_of(automation.steps, automation.on_failure, within)
    if circles is not None:
        heads = dict.fromkeys(target for _, target in sorted(circles.back))
        shown.append(f"again from {' and from '.join(describe_step(automation.step(head)) for head in heads)}")
    limits = f" ({flow_words(automation.flow.document)})" if automation.flow is not None else ""
    cancels = " or ".join(event_words(one.event, one.match) for one in automation.cancel_on)
    until = f", cancelled by {cancels}" if cancels else ""
    if automation.goal is not None:
        until += f", until {condition_words(automation.goal)}"
    if automation.exit is not None:
        until += f", unless {condition_words(automation.exit)}"
    if automation.queue != QUEUE:
        until += f", in the queue {automation.queue}"
    return f"{when}{limits}: {', then '.join(shown)}{until}"


def describe_step(step: Step) -> str:  # noqa: PLR0911 - one return for each kind of step
    """One step as a phrase; its own name where it has one."""
    if step.name:
        return step.name
    match step:
        case ActionStep():
            return step.action.replace("_", " ")
        case BranchStep():
            return f"go on by whether {condition_words(step.condition)}"
        case DelayStep():
            return f"wait {delay_words(step.delay)}"
        case ParallelStep():
            until = {"all": "all of them end", "any": "one of them ends"}.get(
                str(step.join), f"{step.join} of them end"
            )
            most = f", at most {delay_words(step.timeout)}" if step.timeout is not None else ""
            return f"go along {len(step.branches)} branches at once until {until}{most}"
        case ForEachStep():
            return f"{describe_step(step.each)} for each of {value_words(step.items)}"
        case SplitStep():
            whole = sum(path.weight for path in step.paths)
            shares = [f"{100 * path.weight / whole:.3g} % {path.name or path.next or 'the end'}" for path in step.paths]
            return f"split by lot: {', '.join(shares)}"
        case WaitStep():
            return _wait_words(step)
        case CallStep():
            most = f", at most {delay_words(step.timeout)}" if step.timeout is not None else ""
            return f"call “{step.automation}”" + (f" and wait until it is over{most}" if step.is_awaited else "")
        case StopStep():
            return f"stop ({step.reason})" if step.reason else "stop"


def _wait_words(step: WaitStep) -> str:
    most = f", at most {delay_words(step.timeout)}" if step.timeout is not None else ""
    return f"wait for {event_words(step.event, step.match)}{most}"


def event_words(event: Any, match: Any) -> str:
    """An event by its name and the fields that are compared: "order/cancelled where orderId is {{ order.id }}"."""
    same = " and ".join(f"{field} is {value_words(value)}" for field, value in (as_object(match) or {}).items())
    return f"{event} where {same}" if same else str(event)


def condition_words(condition: Any) -> str:
    """A canonical condition as a phrase; nothing for one without rules."""
    if not isinstance(condition, dict):
        return ""
    fields = cast("dict[str, Any]", condition)
    rules = fields.get("rules")
    if fields.get("muted"):
        return ""
    if not isinstance(rules, list):
        return _leaf_words(fields)
    parts = [condition_words(rule) for rule in cast("list[Any]", rules)]
    combinator = f" {fields.get('combinator', 'and')} "
    words = combinator.join(
        part if " and " not in part and " or " not in part else f"({part})" for part in parts if part
    )
    return f"not ({words})" if fields.get("not") and words else words


def delay_words(delay: Any) -> str:
    """A delay as its author wrote it, in words."""
    if not isinstance(delay, dict):
        return str(delay)
    fields = cast("dict[str, Any]", delay)
    if "until" in fields:
        words = f"until {fields['until']}"
    elif "working" in fields:
        words = f"{delay_words(fields['working'])} of working time"
    else:
        words = " ".join(
            f"{amount} {unit if amount != 1 else unit[:-1]}" for unit, amount in fields.items() if unit in UNITS
        )
    anchor = next((f" {name} {fields[name]}" for name in ("before", "after") if name in fields), "")
    opening = as_object(fields.get("within")) or {}
    parts = [
        ("until " if anchor and "working" not in fields else "") + words + anchor,
        f"{'at' if words else 'until'} {fields['at']}" if "at" in fields else "",
        f"within {opening.get('from')}-{opening.get('to')}" if opening else "",
        f"({fields['zone']})" if "zone" in fields else "",
    ]
    return " ".join(part for part in parts if part)


def duration_words(microseconds: int) -> str:
    """A length of time in its two largest units: `1 day 2 hours`."""
    words: list[str] = []
    for unit, name in (
        (DAY, "day"),
        (HOUR, "hour"),
        (MINUTE, "minute"),
        (SECOND, "second"),
    ):
        amount, microseconds = divmod(microseconds, unit)
        if amount:
            words.append(f"{amount} {name}{'s' if amount > 1 else ''}")
    return " ".join(words[:2]) or "no time"


def _leaf_words(leaf: dict[str, Any]) -> str:
    operator = str(leaf.get("operator", "")).replace("_", " ")
    words = f"{leaf.get('field', '')} {operator}"
    return f"{words} {value_words(leaf['value'])}" if "value" in leaf else words


def value_words(value: Any) -> str:
    """A JSON value as a phrase, cut off when it is long."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        text = ", ".join(value_words(item) for item in cast("list[Any]", value)[:10])
    elif isinstance(value, dict):
        text = msgspec.json.encode(value).decode()
    else:
        text = "nothing" if value is None else str(value)
    return text if len(text) <= _VALUE_CHARACTERS else f"{text[:_VALUE_CHARACTERS]}..."
