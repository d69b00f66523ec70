"""The heart: given what has been kept, what should happen next?

    start(program)                  -> state, commands
    apply(program, state, outcome) -> state, commands

Both are pure. A run that lost its memory is brought back by folding `apply` over its journal in kept order, and gets the
same state and the same commands as the run that never stopped.

A run has one open place until a parallel step opens several. That step is open itself until its join is decided; then
`Keep` closes it, and each step of its branches that is still open is kept as `cancelled`.
"""

from collections.abc import Iterable
from typing import Any, Final, cast

import msgspec

from upshot.core.automations.document import (
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
from upshot.core.automations.limits import ROUNDS_IN_ALL_MAX, ROUNDS_MAX
from upshot.core.automations.places import item_place, list_place, round_place
from upshot.core.automations.regions import Region
from upshot.core.commands import Await, Command, Commands, Finish, Keep, RunStep, Sleep, StepError
from upshot.core.journal import WHOLE, Outcome
from upshot.core.program import Program
from upshot.core.state import Joining, Looping, State

_WORKED: Final = frozenset({"completed", "skipped"})
_LATE: Final = {
    "timeout": "Its branches did not join in time.",
    "wait": "No such event came in time.",
    "call": "The run that it called was not over in time. It goes on.",
}
"""What the timers of these kinds have to say."""


class OutOfOrder(ValueError):
    """An outcome for a step that was not open: the journal and the program disagree. Never swallowed."""


def start(program: Program) -> tuple[State, Commands]:
    """The state and first commands of a new run."""
    return _entered(program, program.first)


def apply(program: Program, state: State, outcome: Outcome) -> tuple[State, Commands]:
    """The state after one more kept outcome, and the commands that follow from it.

    Raises:
        OutOfOrder: the outcome's step is not open.
    """
    step_id = outcome.step_id
    if step_id == WHOLE:
        return _out_of_time(program, state, outcome)
    if step_id not in state.open:
        if state.handling is None and program.is_handling(step_id):
            return msgspec.structs.replace(state, done=(*state.done, outcome)), ()
        raise OutOfOrder(f"an outcome of step {step_id!r} arrived while {', '.join(state.open) or 'nothing'} was open")
    step = program.steps[step_id]
    is_plain = len(state.open) == 1 and not state.has_failures and not state.done and program.circles is None
    if is_plain and outcome.status in _WORKED:
        return _entered(program, next_of(step, outcome))
    walk = _Walk(program, state)
    walk.close(step, outcome)
    return walk.result()


def settle(program: Program, state: State, commands: Commands) -> tuple[State, Commands, list[Outcome]]:
    """Carry out every `Keep` among these commands: the state, the commands that are left, and what is to be kept, in order."""
    kept: list[Outcome] = []
    keeps = [command for command in commands if isinstance(command, Keep)]
    others = [command for command in commands if not isinstance(command, Keep)]
    while keeps:
        outcome = keeps.pop(0).outcome
        if outcome.step_id not in state.open:
            continue  # what was kept before has closed it already
        state, following = apply(program, state, outcome)
        kept.append(outcome)
        keeps[:0] = [command for command in following if isinstance(command, Keep)]
        others += [command for command in following if not isinstance(command, Keep)]
    return state, still_wanted(state, others), kept


def still_wanted(state: State, commands: Iterable[Command]) -> Commands:
    """Those of these commands that the state still wants: for steps that are open, or the end."""
    if state.ending is not None and not state.open:
        return (state.ending,)
    return tuple(c for c in commands if isinstance(c, RunStep | Sleep | Await) and c.step_id in state.open)


def resume(program: Program, journal: Iterable[Outcome]) -> tuple[State, Commands]:
    """The state of a run whose kept outcomes are `journal`, a fold of `apply`, and the command of every open place."""
    state, commands = start(program)
    for outcome in journal:
        state, commands = apply(program, state, outcome)
    return state, pending(program, state) if program.forks or state.done else commands


def pending(program: Program, state: State) -> Commands:
    """The command of every open place, those that close one first."""
    if state.ending is not None:
        return tuple(_cancelled(step_id) for step_id in state.open) or (state.ending,)
    loops = {looping.step_id for looping in state.loops}
    joins = loops | {joining.step_id for joining in state.joins}
    decided = {joining.step_id: keep for joining in state.joins if (keep := _decided(program, joining)) is not None}
    decided |= {looping.step_id: keep for looping in state.loops for keep in _ended(looping)}
    keeps: list[Command] = []
    others: list[Command] = []
    for step_id in state.open:
        around = list(program.around(step_id, state.rounds))
        if around and around[0] not in joins:
            keeps.append(_cancelled(step_id))
        elif not all(each in joins and each not in decided for each in around):
            continue  # it is cancelled when the step around it is closed
        elif step_id in decided:
            keeps.append(decided[step_id])
        elif step_id in state.spent:
            keeps.append(_spent(step_id))
        elif step_id not in loops:
            others += _command(program.steps[step_id])
    return (*keeps, *others)


def fired(step_id: str, kind: str) -> Outcome:
    """What the timer of a delay, or of the timeout of a parallel step, of a wait or of a call, comes to."""
    if kind in _LATE:
        return Outcome(step_id, "failed", error=StepError("timeout", _LATE[kind], step_id))
    return Outcome(step_id, "completed")


def next_of(step: Step, outcome: Outcome) -> str | None:
    """Where a path goes on after this outcome of a step that worked; None for its end."""
    match step:
        case BranchStep():
            chosen = cast("dict[str, Any]", outcome.output or {})
            return step.if_true if chosen.get("result") else step.if_false
        case SplitStep():
            place: int = cast("dict[str, Any]", outcome.output)["path"]
            return step.paths[place].next
        case StopStep():
            return None
        case _:
            return step.next


def out_of_time() -> Outcome:
    """What the time limit of a run comes to."""
    return Outcome(WHOLE, "failed", error=StepError("run_timeout", "The run took longer than it may.", WHOLE))


def _out_of_time(program: Program, state: State, outcome: Outcome) -> tuple[State, Commands]:
    """The run fails where it stands: whatever is open is let go, and has no outcome."""
    over = State(has_failures=True, handling=state.handling, done=state.done, repeated=state.repeated)
    walk = _Walk(program, over)
    walk.fail(outcome.error or _unknown_error(WHOLE))
    return walk.result()


def _entered(program: Program, target: str | None) -> tuple[State, Commands]:
    """What entering this step leads to when nothing else is open and nothing failed. It is the same each time."""
    found = program.entered.get(target)
    if found is None:
        walk = _Walk(program, State())
        walk.enter(target, None, None)
        found = program.entered[target] = walk.result()
    return found


def _command(step: Step) -> Commands:
    match step:
        case DelayStep():
            return (Sleep(step.id),)
        case WaitStep() | CallStep(is_awaited=True):
            return (Await(step.id),)
        case ParallelStep():
            return (Sleep(step.id),) if step.timeout is not None else ()
        case _:
            return (RunStep(step.id),)


def _has_way_out(step: CallStep | ParallelStep | WaitStep) -> bool:
    """Whether its path goes on, or ends in order, when its time is over."""
    return step.on_timeout is not None or (isinstance(step, CallStep | WaitStep) and step.ends_on_timeout)


def _cancelled(step_id: str) -> Keep:
    return Keep(Outcome(step_id, "cancelled"))


def _decided(program: Program, joining: Joining) -> Keep | None:
    """The outcome of a parallel step whose join is met or can never be met any more."""
    step = cast("ParallelStep", program.steps[joining.step_id])
    output = {"joined": list(joining.arrived), "failed": list(joining.failed)}
    if len(joining.arrived) >= step.needed:
        return Keep(Outcome(step.id, "completed", output))
    if len(step.branches) - len(joining.failed) < step.needed:
        return Keep(Outcome(step.id, "failed", output, joining.error))
    return None


def _ended(looping: Looping) -> list[Keep]:
    """The outcome of a `for_each` whose items are all done, or of which one has failed."""
    output = {"count": max(looping.total, 0), "failed": looping.failed}
    if looping.error is not None:
        return [Keep(Outcome(looping.step_id, "failed", output, looping.error))]
    return [Keep(Outcome(looping.step_id, "completed", output))] if looping.ended == looping.total else []


def _spent(step_id: str) -> Keep:
    said = f"The steps went round too often: {ROUNDS_MAX:,} times in one circle, or {ROUNDS_IN_ALL_MAX:,} times in all."
    return Keep(Outcome(step_id, "failed", error=StepError("too_many_rounds", said, step_id)))


def _unknown_error(step_id: str) -> StepError:
    return StepError("unknown", "The step ended without a known outcome.", step_id)


class _Walk:
    """One outcome on its way through the graph."""

    def __init__(self, program: Program, state: State) -> None:
        self._program = program
        self._open = list(state.open)
        self._joins = {joining.step_id: joining for joining in state.joins}
        self._loops = {looping.step_id: looping for looping in state.loops}
        self._has_failures, self._ending, self._handling = state.has_failures, state.ending, state.handling
        self._done = {outcome.step_id: outcome for outcome in state.done}
        self._rounds, self._repeated, self._spent = dict(state.rounds), state.repeated, list(state.spent)
        self._passing: list[Outcome] = []
        self._keeps: list[Command] = []
        self._begun: list[Command] = []

    def result(self) -> tuple[State, Commands]:
        """The state it came to, and the commands."""
        while self._passing:
            outcome = self._passing.pop()
            self.close(self._program.steps[outcome.step_id], outcome)
        joins, loops, done = tuple(self._joins.values()), tuple(self._loops.values()), tuple(self._done.values())
        went_round = self._rounds, self._repeated, tuple(self._spent)
        state = State(
            tuple(self._open), self._has_failures, joins, self._ending, self._handling, loops, done, *went_round
        )
        if self._ending is not None and not self._open:
            return state, (self._ending,)
        return state, (*self._keeps, *self._begun)

    def close(self, step: Step, outcome: Outcome) -> None:
        """This open step has its outcome."""
        program = self._program
        self._open.remove(step.id)
        opened = self._joins.pop(step.id, None) or self._loops.pop(step.id, None)
        is_spent = step.id in self._spent
        if is_spent:
            self._spent.remove(step.id)
        if self._ending is not None:
            return
        if opened is not None:
            inside = (each for each in self._open if next(program.around(each, self._rounds), None) == step.id)
            self._keeps += [_cancelled(each) for each in inside]
        loop = program.loop_of(step.id) if self._loops else None
        base = program.base(step.id)
        region = program.within.get(base)
        if outcome.status == "cancelled":
            return
        if loop is not None:
            self._looped(self._loops[loop], step, outcome)
        elif is_spent:
            self._failed_for_good(outcome.error or _unknown_error(step.id), region)
        elif outcome.status in _WORKED:
            self.enter(next_of(step, outcome), region, base)
        else:
            self._failed(step, outcome, region, base)

    def _looped(self, looping: Looping, step: Step, outcome: Outcome) -> None:
        """The list of a `for_each` was read, or one of its items is done."""
        loop = cast("ForEachStep", self._program.steps[looping.step_id])
        worked = outcome.status in _WORKED
        goes_on = not isinstance(step, ForEachStep) and loop.each.on_error == "continue"
        if not worked and not goes_on:
            error = outcome.error or _unknown_error(step.id)
            self._loops[loop.id] = looping = msgspec.structs.replace(looping, error=error)
            self._keeps.extend(_ended(looping))
            return
        if isinstance(step, ForEachStep):
            items = cast("list[Any]", cast("dict[str, Any]", outcome.output)["items"])
            looping = Looping(loop.id, len(items))
        else:
            self._has_failures = self._has_failures or not worked
            failed = looping.failed + (not worked)
            looping = Looping(loop.id, looping.total, looping.begun, looping.ended + 1, failed)
        begun = min(looping.total, looping.ended + loop.concurrency)
        for index in range(looping.begun, begun):
            self._begin(item_place(loop.id, index))
        self._loops[loop.id] = looping = msgspec.structs.replace(looping, begun=begun)
        self._keeps.extend(_ended(looping))

    def enter(self, target: str | None, region: Region | None, before: str | None) -> None:
        """A path comes from one step to another, or to the end of its branch."""
        if region is not None and target in (None, region.parallel.next):
            self._arrived(region)
            return
        step = self._program.steps[target] if target is not None else None
        if step is None or isinstance(step, StopStep):
            self._end(self._handling or Finish("partial" if self._has_failures else "completed"))
            return
        place = self._round(before, step.id)
        if place in self._done or place in self._spent or not isinstance(step, ForEachStep):
            self._begin(place)
        else:
            self._open.append(place)
            self._loops[place] = Looping(place)
            self._begin(list_place(place))
        if isinstance(step, ParallelStep) and place not in self._done and place not in self._spent:
            self._joins[place] = Joining(place)
            for head in step.branches:
                if self._ending is None:
                    self.enter(head, Region(step, head), step.id)

    def _round(self, before: str | None, step_id: str) -> str:
        """The place of a step that the path comes to, in the present round or in one that begins with it."""
        circles = self._program.circles
        circle = circles.around.get(step_id) if circles is not None else None
        if circles is None or circle is None:
            return step_id
        if not circles.begins(before, step_id):
            return self._program.place(step_id, self._rounds)
        number = self._rounds[circle] = self._rounds.get(circle, 0) + 1
        self._repeated += number > 1
        place = round_place(step_id, number)
        if number > ROUNDS_MAX or self._repeated > ROUNDS_IN_ALL_MAX:
            self._spent.append(place)
        return place

    def _begin(self, step_id: str) -> None:
        """This place is open: it is begun or, if it is done already, passed."""
        self._open.append(step_id)
        done = self._done.get(step_id)
        if done is not None:
            self._passing.append(done)
        elif step_id in self._spent:
            self._keeps.append(_spent(step_id))
        else:
            self._begun += _command(self._program.steps[step_id])

    def _failed(self, step: Step, outcome: Outcome, region: Region | None, base: str) -> None:
        error = outcome.error or _unknown_error(step.id)
        is_late = error.code == "timeout" and error.step_id == step.id
        if is_late and isinstance(step, CallStep | ParallelStep | WaitStep) and _has_way_out(step):
            self.enter(step.on_timeout, region, base)
            return
        self._has_failures = True
        target: str | None = getattr(step, "on_failure", None)
        if target is not None:
            self.enter(target, region, base)
        elif getattr(step, "on_error", "stop") == "continue":
            self.enter(next_of(step, outcome), region, base)
        else:
            self._failed_for_good(error, region)

    def _failed_for_good(self, error: StepError, region: Region | None) -> None:
        """A path cannot go on: its branch fails or, where it is in none, the run."""
        self._has_failures = True
        if region is None:
            self.fail(error)
            return
        joining = self._joins[self._program.place(region.parallel.id, self._rounds)]
        failed = (*joining.failed, region.head)
        self._join(msgspec.structs.replace(joining, failed=failed, error=error))

    def fail(self, error: StepError) -> None:
        """The run fails; once, it takes the steps that handle that first."""
        if self._handling is None and self._program.automation.on_failure is not None:
            self._handling = Finish("failed", error)
            self.enter(self._program.automation.on_failure, None, None)
        else:
            self._end(self._handling or Finish("failed", error))

    def _arrived(self, region: Region) -> None:
        joining = self._joins[self._program.place(region.parallel.id, self._rounds)]
        self._join(msgspec.structs.replace(joining, arrived=(*joining.arrived, region.head)))

    def _join(self, joining: Joining) -> None:
        self._joins[joining.step_id] = joining
        decided = _decided(self._program, joining)
        if decided is not None:
            self._keeps.append(decided)

    def _end(self, ending: Finish) -> None:
        self._ending = ending
        self._begun.clear()
        self._keeps = [_cancelled(step_id) for step_id in self._open]
