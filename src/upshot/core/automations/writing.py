"""An Automation written back as its canonical document: `read(to_document(automation)) == automation`."""

from typing import Any

from upshot.core.automations.document import (
    ActionStep,
    Automation,
    BranchStep,
    DelayStep,
    Retries,
    Step,
    StopStep,
)

_NO_RETRIES = Retries()
_TIMEOUT_SECONDS = 60.0


def to_document(automation: Automation) -> dict[str, Any]:
    """The canonical document. What equals its default is left out, and so is a `next` to the step below."""
    document: dict[str, Any] = {"name": automation.name}
    if automation.description:
        document["description"] = automation.description
    below = [step.id for step in automation.steps[1:]]
    return document | {
        "trigger": _trigger(automation),
        "priority": automation.priority,
        "condition": automation.condition,
        "steps": [
            _step_document(step, following) for step, following in zip(automation.steps, [*below, None], strict=True)
        ],
    }


def _trigger(automation: Automation) -> dict[str, Any]:
    if automation.schedule is not None:
        return {"schedule": automation.schedule.document}
    return {"event": automation.event} if automation.event else {"manual": True}


def _step_document(step: Step, below: str | None) -> dict[str, Any]:
    document: dict[str, Any] = {"id": step.id}
    if step.name:
        document["name"] = step.name
    match step:
        case ActionStep():
            document |= {"action": step.action, "with": step.arguments} | _target(step.next, below) | _options(step)
        case DelayStep():
            document |= {"delay": step.delay} | _target(step.next, below)
        case BranchStep():
            document["branch"] = step.condition
            if step.if_true != below:
                document["if_true"] = step.if_true
            if step.if_false is not None:
                document["if_false"] = step.if_false
        case StopStep():
            document["stop"] = step.reason or True
    if step.note:
        document["note"] = step.note
    return document


def _target(target: str | None, below: str | None) -> dict[str, Any]:
    return {} if target == below else {"next": target}


def _options(step: ActionStep) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if step.on_error != "stop":
        options["on_error"] = step.on_error
    if step.retries != _NO_RETRIES:
        plain = Retries(step.retries.count)
        options["retries"] = (
            step.retries.count
            if step.retries == plain
            else {
                "count": step.retries.count,
                "backoff_seconds": step.retries.backoff_seconds,
                "backoff_max_seconds": step.retries.backoff_max_seconds,
            }
        )
    if step.timeout_seconds != _TIMEOUT_SECONDS:
        options["timeout_seconds"] = step.timeout_seconds
    return options
