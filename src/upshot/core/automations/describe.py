"""An automation in words, for lists, confirmations and the command line."""

from typing import Any, Final, cast

import msgspec

from upshot.core.automations.document import (
    ActionStep,
    Automation,
    BranchStep,
    DelayStep,
    Step,
    StopStep,
)
from upshot.core.instants import DAY, HOUR, MINUTE, SECOND

_STEPS_SHOWN: Final = 8
_VALUE_CHARACTERS: Final = 60


def describe(automation: Automation) -> str:
    """One sentence: "When crm/appointment.created and total is above 100: create note, then draft email"."""
    when = f"When {automation.event}"
    if automation.condition is not None:
        words = condition_words(automation.condition)
        when += f" and {words}" if words else ""
    shown = [describe_step(step) for step in automation.steps[:_STEPS_SHOWN]]
    rest = len(automation.steps) - len(shown)
    if rest:
        shown.append(f"{rest} more step{'s' if rest > 1 else ''}")
    return f"{when}: {', then '.join(shown)}"


def describe_step(step: Step) -> str:
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
        case StopStep():
            return f"stop ({step.reason})" if step.reason else "stop"


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
        return f"until {fields['until']}"
    return " ".join(f"{amount} {unit if amount != 1 else unit[:-1]}" for unit, amount in fields.items())


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
