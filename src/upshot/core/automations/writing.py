"""An Automation written back as its canonical document: `read(to_document(automation)) == automation`."""

from typing import Any

from upshot.core.automations.document import (
    ActionStep,
    Automation,
    BranchStep,
    CallStep,
    DelayStep,
    ForEachStep,
    ParallelStep,
    Retries,
    SplitPath,
    SplitStep,
    Step,
    StopStep,
    WaitStep,
)
from upshot.core.automations.limits import ITEMS_MAX
from upshot.core.queues import QUEUE
from upshot.core.segments import LEFT

_NO_RETRIES = Retries()
_TIMEOUT_SECONDS = 60.0


def to_document(automation: Automation) -> dict[str, Any]:
    """The canonical document. What equals its default is left out, and so is a `next` to the step below."""
    document: dict[str, Any] = {"name": automation.name}
    if automation.description:
        document["description"] = automation.description
    below = [step.id for step in automation.steps[1:]]
    if automation.on_failure is not None:
        document["on_failure"] = automation.on_failure
    if automation.flow is not None:
        document["flow"] = automation.flow.document
    if automation.queue != QUEUE:
        document["queue"] = automation.queue
    if automation.timeout is not None:
        document["timeout"] = automation.timeout
    if automation.cancel_on:
        document["cancel_on"] = [{"event": one.event, "match": one.match} for one in automation.cancel_on]
    if automation.goal is not None:
        document["goal"] = automation.goal
    if automation.exit is not None:
        document["exit"] = automation.exit
    if automation.folder:
        document["folder"] = automation.folder
    if automation.tags:
        document["tags"] = list(automation.tags)
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
    if automation.segment:
        return {"segment": automation.segment, "on": "left" if automation.event == LEFT else "joined"}
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
            document |= _branch(step, below)
        case ParallelStep():
            document |= {"parallel": list(step.branches)} | _join(step) | {"next": step.next}
        case ForEachStep():
            document |= _for_each(step, below)
        case SplitStep():
            document["split"] = [_path(path) for path in step.paths]
        case WaitStep():
            document |= _wait(step) | _target(step.next, below)
        case CallStep():
            document |= _call(step) | _target(step.next, below)
        case StopStep():
            document["stop"] = step.reason or True
    if step.note:
        document["note"] = step.note
    return document


def _target(target: str | None, below: str | None) -> dict[str, Any]:
    return {} if target == below else {"next": target}


def _branch(step: BranchStep, below: str | None) -> dict[str, Any]:
    if_true = {"if_true": step.if_true} if step.if_true != below else {}
    if_false = {"if_false": step.if_false} if step.if_false is not None else {}
    return {"branch": step.condition, **if_true, **if_false}


def _join(step: ParallelStep) -> dict[str, Any]:
    given = {
        "join": step.join if step.join != "all" else None,
        "timeout": step.timeout,
        "on_timeout": step.on_timeout,
        "on_failure": step.on_failure,
    }
    return {name: value for name, value in given.items() if value is not None}


def _for_each(step: ForEachStep, below: str | None) -> dict[str, Any]:
    each = step.each
    document: dict[str, Any] = {"for_each": step.items}
    if isinstance(each, CallStep):
        document |= _call(each)
    else:
        document |= {"action": each.action, "with": each.arguments} | _options(each)
    document |= {"concurrency": step.concurrency} if step.concurrency > 1 else {}
    document |= {"limit": step.limit} if step.limit != ITEMS_MAX else {}
    document |= _target(step.next, below)
    return document | ({"on_failure": step.on_failure} if step.on_failure is not None else {})


def _wait(step: WaitStep) -> dict[str, Any]:
    given = {"timeout": step.timeout, "on_timeout": step.on_timeout, "on_failure": step.on_failure}
    kept = {name: value for name, value in given.items() if value is not None}
    ends = {"on_timeout": None} if step.ends_on_timeout else {}
    return {"wait_for_event": step.event, "match": step.match, **kept, **ends}


def _call(step: CallStep) -> dict[str, Any]:
    given = {"timeout": step.timeout, "on_timeout": step.on_timeout, "on_failure": step.on_failure}
    kept = {name: value for name, value in given.items() if value is not None}
    waits = {} if step.is_awaited else {"await": False}
    ends = {"on_timeout": None} if step.ends_on_timeout else {}
    on_error = {"on_error": step.on_error} if step.on_error != "stop" else {}
    return {"call": step.automation, "with": step.data, **waits, **kept, **ends, **on_error}


def _path(path: SplitPath) -> dict[str, Any]:
    return ({"name": path.name} if path.name else {}) | {"weight": path.weight, "next": path.next}


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
    if step.on_failure is not None:
        options["on_failure"] = step.on_failure
    if step.delivery != "at_least_once":
        options["delivery"] = step.delivery
    return options
