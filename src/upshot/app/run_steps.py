"""The steps of a run as a page shows them: what is kept, what goes on now, and what is yet to come."""

from typing import Any

import msgspec

from upshot.app.event_shapes import error_of
from upshot.core import advance, statuses
from upshot.core.automations.document import ActionStep, BranchStep, DelayStep, Step, StopStep
from upshot.core.automations.fields import as_object
from upshot.core.commands import StepError
from upshot.core.instants import SECOND, to_text
from upshot.core.journal import Outcome
from upshot.core.program import Program
from upshot.store.run_pages import AttemptRow, RunRow, StepRow, TimerRow

Shown = dict[str, Any]


def steps_shown(
    run: RunRow,
    program: Program | None,
    journal: list[StepRow],
    earlier: list[AttemptRow],
    timer: TimerRow | None,
    *,
    is_held: bool,
) -> tuple[list[Shown], str | None]:
    """The steps, those that happened first and in their order; and the step where the run stands, None when it is over."""
    tried: dict[str, list[AttemptRow]] = {}
    for attempt in earlier:
        tried.setdefault(attempt.step_id, []).append(attempt)
    shown = [_kept(run, step, program, tried.get(step.step_id, [])) for step in journal]
    kept = {step.step_id for step in journal}
    is_over = run.status in statuses.RUN_OVER
    current = None if is_over else open_step(program, journal, timer)
    if current is not None and current not in kept:
        shown.append(_open(run, current, program, tried.get(current, []), timer, is_held=is_held))
        kept.add(current)
    for step_id, attempts in tried.items():  # a run that was cancelled between two attempts
        if step_id not in kept:
            shown.append(_waiting(run, step_id, program, "cancelled", attempts, None))
            kept.add(step_id)
    left = [step.id for step in (program.automation.steps if program is not None else ()) if step.id not in kept]
    end = _end(program, journal) if run.status in {"completed", "partial"} else None
    if end in left:
        left.remove(end)
        shown.append(_waiting(run, end, program, "completed", [], None))
    shown.extend(_waiting(run, step_id, program, "skipped" if is_over else "pending", [], None) for step_id in left)
    return shown, current


def _end(program: Program | None, journal: list[StepRow]) -> str | None:
    """The stop step that ended the run. It does nothing, so nothing is kept of it."""
    if program is None:
        return None
    target: str | None = program.first
    if journal:
        last = _outcome(journal[-1])
        match _step(program, last.step_id):
            case BranchStep() as step:
                target = step.if_true if (as_object(last.output) or {}).get("result") else step.if_false
            case ActionStep() | DelayStep() as step:
                target = step.next
            case _:
                return None
    return target if target is not None and isinstance(_step(program, target), StopStep) else None


def open_step(program: Program | None, journal: list[StepRow], timer: TimerRow | None) -> str | None:
    """The step where a run stands that kept this journal; None when it is over, or cannot be told."""
    if timer is not None:
        return timer.step_id
    if program is None:
        return None
    try:
        return advance.resume(program, [_outcome(step) for step in journal])[0].open_step
    except (advance.OutOfOrder, KeyError):
        return None


def _outcome(step: StepRow) -> Outcome:
    output = msgspec.json.decode(step.output) if step.output is not None else None
    error = msgspec.json.decode(step.error, type=StepError) if step.error is not None else None
    return Outcome(step.step_id, step.status, output, error)


def _kept(run: RunRow, step: StepRow, program: Program | None, earlier: list[AttemptRow]) -> Shown:
    output = _json(step.output)
    last: Shown = {
        "attempt": step.attempt,
        "status": step.status,
        **_times(step.started_at, step.finished_at),
        "input": _json(step.input),
        "output": output,
        "error": _error(step.error),
        "log": _json(step.log) or [],
        "idempotency_key": _idempotency_key(run, step.step_id),
    }
    explanation = (as_object(output) or {}).get("explanation") if step.kind == "branch" else None
    started_at = earlier[0].started_at if earlier else step.started_at
    return {
        "id": step.step_id,
        "kind": step.kind,
        "action": _action(program, step.step_id),
        "status": step.status,
        "attempts": [*(_attempt(run, attempt) for attempt in earlier), last],
        "input": last["input"],
        "output": output,
        "error": last["error"],
        "started_at": to_text(started_at),
        "finished_at": to_text(step.finished_at),
        "due_at": None,
        "explanation": explanation,
    }


def _open(
    run: RunRow,
    step_id: str,
    program: Program | None,
    earlier: list[AttemptRow],
    timer: TimerRow | None,
    *,
    is_held: bool,
) -> Shown:
    if timer is not None:
        return _waiting(run, step_id, program, "waiting", earlier, timer)
    return _waiting(run, step_id, program, "running" if is_held else "ready", earlier, None)


def _waiting(
    run: RunRow, step_id: str, program: Program | None, status: str, earlier: list[AttemptRow], timer: TimerRow | None
) -> Shown:
    started_at = earlier[0].started_at if earlier else timer.set_at if timer is not None else None
    return {
        "id": step_id,
        "kind": kind_of(program, step_id),
        "action": _action(program, step_id),
        "status": status,
        "attempts": [_attempt(run, attempt) for attempt in earlier],
        "input": None,
        "output": None,
        "error": None,
        "started_at": to_text(started_at) if started_at is not None else None,
        "finished_at": None,
        "due_at": to_text(timer.due_at) if timer is not None else None,
        "explanation": None,
    }


def _attempt(run: RunRow, attempt: AttemptRow) -> Shown:
    return {
        "attempt": attempt.attempt,
        "status": "failed",
        **_times(attempt.started_at, attempt.finished_at),
        "input": _json(attempt.input),
        "output": None,
        "error": _error(attempt.error),
        "log": _json(attempt.log) or [],
        "idempotency_key": _idempotency_key(run, attempt.step_id),
    }


def _times(started_at: int, finished_at: int) -> Shown:
    return {
        "started_at": to_text(started_at),
        "finished_at": to_text(finished_at),
        "duration_seconds": (finished_at - started_at) / SECOND,
    }


def _error(text: str | None) -> dict[str, str] | None:
    error = error_of(text)
    return {"code": error["code"], "message": error["message"]} if error is not None else None


def _idempotency_key(run: RunRow, step_id: str) -> str:
    return f"{run.id}:{step_id}"


def _json(text: str | None) -> Any:
    return msgspec.json.decode(text) if text is not None else None


def _step(program: Program | None, step_id: str) -> Step | None:
    return program.steps.get(step_id) if program is not None else None


def _action(program: Program | None, step_id: str) -> str | None:
    step = _step(program, step_id)
    return step.action if isinstance(step, ActionStep) else None


def kind_of(program: Program | None, step_id: str) -> str:
    """The kind of a step, as the journal keeps it."""
    match _step(program, step_id):
        case BranchStep():
            return "branch"
        case DelayStep():
            return "delay"
        case ActionStep() | None:
            return "action"
        case _:
            return "stop"
