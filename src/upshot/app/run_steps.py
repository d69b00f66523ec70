"""The steps of a run as a page shows them: what is kept, what goes on now, and what is yet to come."""

from collections import Counter
from typing import Any

import msgspec

from upshot.app.event_shapes import error_of
from upshot.app.run_paths import explain_paths
from upshot.core import advance, statuses
from upshot.core.automations.document import ActionStep, ParallelStep, Step, StopStep, kind_of
from upshot.core.automations.fields import as_object
from upshot.core.commands import StepError
from upshot.core.instants import SECOND, to_text
from upshot.core.journal import WHOLE, Outcome
from upshot.core.program import Program
from upshot.store.run_pages import AttemptRow, RunRow, StepRow, TimerRow

Shown = dict[str, Any]
ITEMS_SHOWN = 100
"""How many items of one `for_each` are shown that worked."""
TROUBLE_SHOWN = 1_000
"""How many of its others are."""
ROUNDS_SHOWN = 50
"""How many of the latest rounds of a circle are shown in full; of earlier ones, what did not work."""


def steps_shown(
    run: RunRow,
    program: Program | None,
    journal: list[StepRow],
    earlier: list[AttemptRow],
    timers: list[TimerRow],
    *,
    is_held: bool,
) -> tuple[list[Shown], str | None]:
    """The steps, those that happened first and in their order; and the step where the run stands, None when it is over."""
    tried: dict[str, list[AttemptRow]] = {}
    journal_shown = [step for step in journal if step.step_id != WHOLE]  # the run's error tells it
    base = program.base if program is not None else str
    for attempt in (attempt for attempt in earlier if attempt.step_id != WHOLE):
        tried.setdefault(attempt.step_id, []).append(attempt)
    shown = [_kept(run, step, program, tried.get(step.step_id, [])) for step in _without_many(journal_shown, program)]
    kept = {step.step_id for step in journal_shown}
    is_over = run.status in statuses.RUN_OVER
    waiting = {timer.step_id: timer for timer in timers}
    opened = [] if is_over else _open_steps(program, journal, timers)
    for step_id in opened:
        if step_id not in kept:
            shown.append(_open(run, step_id, program, tried.get(step_id, []), waiting.get(step_id), is_held=is_held))
            kept.add(step_id)
    for step_id in _let_go(run, program, journal):
        if step_id not in kept:
            shown.append(_waiting(run, step_id, program, "cancelled", tried.get(step_id, []), None))
            kept.add(step_id)
    for step_id, attempts in tried.items():  # a run whose program cannot be read here
        if step_id not in kept:
            shown.append(_waiting(run, step_id, program, "cancelled", attempts, None))
            kept.add(step_id)
    come_to = {base(step_id) for step_id in kept}
    left = [step.id for step in (program.automation.steps if program is not None else ()) if step.id not in come_to]
    end = _end(program, journal) if run.status in {"completed", "partial"} else None
    if end in left:
        left.remove(end)
        shown.append(_waiting(run, end, program, "completed", [], None))
    shown.extend(_waiting(run, step_id, program, "skipped" if is_over else "pending", [], None) for step_id in left)
    if program is not None:
        about = f"{run.entity_type}:{run.entity_id}" if run.entity_type is not None else "this run"
        explain_paths(shown, program, {base(step.step_id): outcome_of(step) for step in journal_shown}, about)
    return shown, timers[0].step_id if timers and not is_over else next(iter(opened), None)


def _without_many(journal: list[StepRow], program: Program | None) -> list[StepRow]:
    """The journal without those of a long list's items that worked like a hundred before them, or did not like a thousand, its
    output counts them all; and without what worked in all but the latest rounds."""
    if program is None or not program.keeps:
        return journal
    rounds = [program.steps.round_of(step.step_id) for step in journal]
    latest: dict[str, int] = {}
    for step, number in zip(journal, rounds, strict=True):
        latest[program.base(step.step_id)] = number
    seen: Counter[tuple[str, bool]] = Counter()
    shown: list[StepRow] = []
    for step, number in zip(journal, rounds, strict=True):
        loop, worked = program.loop_of(step.step_id), step.status == "completed"
        seen[loop or "", worked] += 1
        is_late = number > latest[program.base(step.step_id)] - ROUNDS_SHOWN
        is_many = loop is not None and seen[loop, worked] > (ITEMS_SHOWN if worked else TROUBLE_SHOWN)
        if not is_many and (is_late or not worked):
            shown.append(step)
    return shown


def _end(program: Program | None, journal: list[StepRow]) -> str | None:
    """The stop step that ended the run. It does nothing, so nothing is kept of it."""
    if program is None:
        return None
    target: str | None = program.first
    if journal:
        last = outcome_of(next((step for step in reversed(journal) if step.status != "cancelled"), journal[-1]))
        step = _step(program, last.step_id)
        if step is None:
            return None
        target = advance.next_of(step, last)
    return target if target is not None and isinstance(_step(program, target), StopStep) else None


def _open_steps(program: Program | None, journal: list[StepRow], timers: list[TimerRow]) -> list[str]:
    """Where a run stands that kept this journal; the timers tell it too, where the program cannot be read here."""
    waiting = [timer.step_id for timer in timers]
    if program is None:
        return waiting
    try:
        is_open = advance.resume(program, [outcome_of(step) for step in journal])[0].open
    except (advance.OutOfOrder, KeyError):
        return waiting
    return [*is_open, *(step_id for step_id in waiting if step_id not in is_open)]


def _let_go(run: RunRow, program: Program | None, journal: list[StepRow]) -> list[str]:
    """What was open when the run's time was over, and when it was cancelled."""
    late = next((place for place, step in enumerate(journal) if step.step_id == WHOLE), None)
    let_go = _open_steps(program, journal[:late], []) if late is not None else []
    if run.status == "cancelled":
        let_go += _open_steps(program, journal, [])
    return let_go


def outcome_of(step: StepRow) -> Outcome:
    """A line of the journal as the core reads it."""
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
    earlier = [attempt for attempt in earlier if attempt.attempt < step.attempt]  # without the note that this one began
    started_at = earlier[0].started_at if earlier else step.started_at
    return {
        "id": step.step_id,
        **_where(program, step.step_id),
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
        "called_run": None,
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
    is_wait = program is not None and program.is_wait(step_id)
    if timer is not None or is_wait or isinstance(_step(program, step_id), ParallelStep):
        return _waiting(run, step_id, program, "waiting", earlier, timer)
    return _waiting(run, step_id, program, "running" if is_held else "ready", earlier, None)


def _waiting(
    run: RunRow, step_id: str, program: Program | None, status: str, earlier: list[AttemptRow], timer: TimerRow | None
) -> Shown:
    started_at = earlier[0].started_at if earlier else timer.set_at if timer is not None else None
    return {
        "id": step_id,
        **_where(program, step_id),
        "kind": _kind(program, step_id),
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
        "called_run": None,
    }


def _attempt(run: RunRow, attempt: AttemptRow) -> Shown:
    return {
        "attempt": attempt.attempt,
        "status": _attempt_status(run, attempt),
        **_times(attempt.started_at, attempt.finished_at),
        "input": _json(attempt.input),
        "output": None,
        "error": _error(attempt.error),
        "log": _json(attempt.log) or [],
        "idempotency_key": _idempotency_key(run, attempt.step_id),
    }


def _attempt_status(run: RunRow, attempt: AttemptRow) -> str:
    """An attempt without an error was begun, and nobody knows yet how it ends."""
    if attempt.error is not None:
        return "failed"
    return "unknown" if run.status in statuses.RUN_OVER else "running"


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
    return program.steps.find(step_id) if program is not None else None


def _where(program: Program | None, step_id: str) -> Shown:
    """Of which step of the document this is, in which round of its circle, and for which item of its list."""
    if program is None:
        return {"step_id": step_id, "round": 1, "item": None}
    item = program.steps.item_of(step_id)
    return {
        "step_id": program.base(step_id),
        "round": program.steps.round_of(step_id),
        "item": item.index if item is not None else None,
    }


def _action(program: Program | None, step_id: str) -> str | None:
    step = _step(program, step_id)
    return step.action if isinstance(step, ActionStep) else None


def _kind(program: Program | None, step_id: str) -> str:
    step = _step(program, step_id)
    return kind_of(step) if step is not None else "action"
