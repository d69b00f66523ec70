"""Where a run can be taken up: the places it stands at, what may stand in for a step's own output, and where another run, or
another version, may go on from what was kept."""

from collections.abc import Iterable, Sequence
from typing import Any

from upshot.core import advance
from upshot.core.automations.document import BranchStep, ForEachStep, ParallelStep, SplitStep, kind_of
from upshot.core.automations.fields import as_list, as_object
from upshot.core.automations.limits import ITEMS_MAX
from upshot.core.commands import Keep
from upshot.core.journal import WHOLE, Outcome
from upshot.core.program import Program
from upshot.core.state import State

KeptOutcome = tuple[Outcome, str]
"""An outcome, and the kind its step had when it was kept."""


def state_after(program: Program, kept: Iterable[KeptOutcome]) -> State | None:
    """Where a run of this program stands that kept these outcomes, perhaps under another version; None if it could not have."""
    state: State | None = advance.start(program)[0]
    for one in kept:
        state = _after(program, state, one) if state is not None else None
    return state


def _after(program: Program, state: State, kept: KeptOutcome) -> State | None:
    outcome, kind = kept
    try:
        if outcome.step_id != WHOLE and kind_of(program.steps[outcome.step_id]) != kind:
            return None
        return advance.apply(program, state, outcome)[0]
    except (advance.OutOfOrder, KeyError, IndexError, TypeError):  # it has no such step, or the step has no such way
        return None


def outlasts(outcome: Outcome, failed: str) -> bool:
    """Whether what was kept after the step that failed a run stays so when the run is retried: steps that handled the failure
    do, the failure itself, what failed with it and what was cancelled because of it do not."""
    passed_on = outcome.error is not None and outcome.error.step_id == failed
    return not (passed_on or outcome.step_id == failed or outcome.status == "cancelled")


def places(program: Program, state: State) -> tuple[str, ...]:
    """The open steps that something is yet to be done for or waited for: without those that are about to be closed."""
    closing = {c.outcome.step_id for c in advance.pending(program, state) if isinstance(c, Keep)}
    left = frozenset(state.open) - closing
    return tuple(
        step_id
        for step_id in state.open
        if step_id in left and all(each in left for each in program.around(step_id, state.rounds))
    )


def is_around_others(program: Program, step_id: str) -> bool:
    """Whether this step is one that others are open inside of."""
    return program.loop_of(step_id) is None and isinstance(program.steps[step_id], ParallelStep | ForEachStep)


def substitute_problem(program: Program, step_id: str, output: Any) -> str | None:
    """Why this cannot stand in for the output of this step, None when it can."""
    given, step = as_object(output) or {}, program.steps[step_id]
    item = program.steps.item_of(step_id)
    if isinstance(step, BranchStep) and not isinstance(given.get("result"), bool):
        return 'is {"result": true} or {"result": false} for a branch'
    if isinstance(step, SplitStep):
        path = given.get("path")
        if isinstance(path, bool) or not isinstance(path, int) or not 0 <= path < len(step.paths):
            return f'is {{"path": a number from 0 to {len(step.paths) - 1}}} for this split'
    if item is not None and item.index is None:
        items = as_list(given.get("items"))
        if items is None or len(items) > ITEMS_MAX:
            return f'is {{"items": a list of at most {ITEMS_MAX:,}}} for the list of a for_each'
    return None


def kept_before(program: Program, kept: Sequence[KeptOutcome], step_id: str) -> int | None:
    """How many of these outcomes come before this step, so that a run which has kept them stands at it; None when it never
    does. Of a parallel step or a `for_each`: before any of what is inside; of others: as many as possible."""
    state: State | None = advance.start(program)[0]
    found: int | None = None
    for at in range(len(kept) + 1):
        if state is None:
            return found
        if step_id in places(program, state):
            found = at
            if is_around_others(program, step_id):
                return found
        elif found is not None:
            return found
        if at < len(kept):
            state = _after(program, state, kept[at])
    return found
