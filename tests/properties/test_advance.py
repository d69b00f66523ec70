"""A run brought back from its journal is the run that never stopped, wherever it was cut."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from upshot.core import advance
from upshot.core.automations.document import (
    ActionStep,
    Automation,
    BranchStep,
    DelayStep,
    OnError,
    Step,
    StopStep,
)
from upshot.core.commands import Finish, Sleep, StepError
from upshot.core.journal import Outcome
from upshot.core.program import Program

ALWAYS: dict[str, Any] = {"combinator": "and", "rules": []}


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Any acyclic program of up to eight steps: targets lie ahead."""
    count = draw(st.integers(1, 8))
    steps: list[Step] = []
    for place in range(count):
        ahead = st.one_of(st.none(), st.integers(place + 1, count - 1).map(str)) if place + 1 < count else st.none()
        kind = draw(st.sampled_from(["action", "branch", "delay", "stop"]))
        match kind:
            case "action":
                on_error: OnError = draw(st.sampled_from(("stop", "continue")))
                steps.append(ActionStep(str(place), "log", {}, draw(ahead), on_error=on_error))
            case "branch":
                steps.append(BranchStep(str(place), ALWAYS, draw(ahead), draw(ahead)))
            case "delay":
                steps.append(DelayStep(str(place), "1h", draw(ahead)))
            case _:
                steps.append(StopStep(str(place)))
    return Program(Automation("any", "any/event", 5, None, tuple(steps)))


def outcome_of(program: Program, step_id: str, *, works: bool) -> Outcome:
    if isinstance(program.steps[step_id], BranchStep):
        return Outcome(step_id, "completed", {"result": works})
    if isinstance(program.steps[step_id], DelayStep) or works:
        return Outcome(step_id, "completed", {"n": 1})
    return Outcome(step_id, "failed", error=StepError("raised", "it broke", step_id))


@given(programs(), st.lists(st.booleans(), min_size=8, max_size=8))
def test_a_fold_of_the_journal_is_the_run_that_never_stopped(program: Program, luck: list[bool]) -> None:
    state, command = advance.start(program)
    journal: list[Outcome] = []
    while not isinstance(command, Finish):
        assert advance.resume(program, journal) == (state, command)
        assert isinstance(command, Sleep) == isinstance(program.steps[command.step_id], DelayStep)
        journal.append(outcome_of(program, command.step_id, works=luck[len(journal)]))
        state, command = advance.apply(program, state, journal[-1])
    assert advance.resume(program, journal) == (state, command)
    assert len({outcome.step_id for outcome in journal}) == len(journal), "a step ran twice"
    failed = [outcome for outcome in journal if outcome.status == "failed"]
    expected = "completed" if not failed else "failed" if command.error is not None else "partial"
    assert command.status == expected


@given(programs())
def test_an_outcome_of_a_step_that_is_not_open_is_never_swallowed(program: Program) -> None:
    state, _ = advance.start(program)
    stranger = Outcome("no such step", "completed")
    try:
        advance.apply(program, state, stranger)
    except advance.OutOfOrder as error:
        assert "no such step" in str(error)
    else:
        raise AssertionError("the journal and the program disagreed and nobody was told")
