"""The heart: given what has been kept, what should happen next?

    start(program)                  -> state, command
    apply(program, state, outcome) -> state, command

Both are pure. A run that lost its memory is brought back by folding `apply` over its journal in kept order, and gets the
same state and the same command as the run that never stopped.
"""

from collections.abc import Iterable
from typing import Any, cast

import msgspec

from upshot.core.automations.document import ActionStep, BranchStep, DelayStep, Step, StopStep
from upshot.core.commands import Command, Finish, RunStep, Sleep, StepError
from upshot.core.journal import Outcome
from upshot.core.program import Program


class State(msgspec.Struct, frozen=True, gc=False):
    """Where a run stands: the step it waits for (None when it is over) and whether a failed step was passed over."""

    open_step: str | None = None
    has_failures: bool = False


class OutOfOrder(ValueError):
    """An outcome for a step that was not open: the journal and the program disagree. Never swallowed."""


def start(program: Program) -> tuple[State, Command]:
    """The state and first command of a new run."""
    return _enter(program, State(), program.first)


def apply(program: Program, state: State, outcome: Outcome) -> tuple[State, Command]:
    """The state and command after one more kept outcome.

    Raises:
        OutOfOrder: the outcome is not the open step's.
    """
    if outcome.step_id != state.open_step:
        raise OutOfOrder(f"an outcome of step {outcome.step_id!r} arrived while {state.open_step!r} was open")
    step = program.steps[outcome.step_id]
    if outcome.status in {"completed", "skipped"}:
        return _enter(program, state, _next_of(step, outcome))
    if isinstance(step, ActionStep) and step.on_error == "continue":
        return _enter(program, msgspec.structs.replace(state, has_failures=True), step.next)
    error = outcome.error or StepError("unknown", "The step ended without a known outcome.", outcome.step_id)
    return State(None, has_failures=True), Finish("failed", error)


def resume(program: Program, journal: Iterable[Outcome]) -> tuple[State, Command]:
    """The state and command of a run whose kept outcomes are `journal`: a fold of `apply`."""
    state, command = start(program)
    for outcome in journal:
        state, command = apply(program, state, outcome)
    return state, command


def _next_of(step: Step, outcome: Outcome) -> str | None:
    match step:
        case BranchStep():
            decided = cast("dict[str, Any]", outcome.output or {})
            return step.if_true if decided.get("result") else step.if_false
        case ActionStep() | DelayStep():
            return step.next
        case StopStep():
            return None


def _enter(program: Program, state: State, step_id: str | None) -> tuple[State, Command]:
    step = program.steps[step_id] if step_id is not None else None
    if step is None or isinstance(step, StopStep):
        return State(None, state.has_failures), Finish("partial" if state.has_failures else "completed")
    command = Sleep(step.id) if isinstance(step, DelayStep) else RunStep(step.id)
    return State(step.id, state.has_failures), command
