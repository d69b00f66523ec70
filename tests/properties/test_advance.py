"""A run brought back from its journal is the run that never stopped, wherever it was cut and whatever came first."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tests.properties.programs import forked_programs, outcome_of, programs
from upshot.core import advance, continuing
from upshot.core.automations.document import DelayStep
from upshot.core.commands import Await, Finish, Keep, Sleep
from upshot.core.journal import Outcome
from upshot.core.program import Program

OUTCOMES_MAX = 40
"""So many outcomes of one run are looked at: it may go round for longer."""


@given(programs(), st.lists(st.booleans(), min_size=OUTCOMES_MAX, max_size=OUTCOMES_MAX))
def test_a_fold_of_the_journal_is_the_run_that_never_stopped(program: Program, luck: list[bool]) -> None:
    state, (command,) = advance.start(program)
    journal: list[Outcome] = []
    while not isinstance(command, Finish):
        if len(journal) == OUTCOMES_MAX:
            return
        assert advance.resume(program, journal) == (state, (command,))
        assert not isinstance(command, Keep)
        assert isinstance(command, Sleep) == isinstance(program.steps[command.step_id], DelayStep)
        assert isinstance(command, Await) == program.is_wait(command.step_id)
        journal.append(outcome_of(program, command.step_id, works=luck[len(journal)]))
        state, (command,) = advance.apply(program, state, journal[-1])
    assert advance.resume(program, journal) == (state, (command,))
    assert len({outcome.step_id for outcome in journal}) == len(journal), "a step ran twice"
    failed = [outcome for outcome in journal if outcome.status == "failed"]
    expected = "completed" if not failed else "failed" if command.error is not None else "partial"
    assert command.status == expected


@given(forked_programs(), st.data())
def test_any_interleaving_of_branches_folds_to_the_same_run(program: Program, data: st.DataObject) -> None:
    state, commands, journal = advance.settle(program, *advance.start(program))
    issued: Counter[str] = Counter()
    while not isinstance(end := commands[0] if commands else None, Finish):
        if len(journal) >= OUTCOMES_MAX:
            return
        issued.update(c.step_id for c in commands if not isinstance(c, Finish | Keep))
        assert advance.resume(program, journal)[0] == state
        assert set(issued) >= {c.step_id for c in _work(advance.pending(program, state))}, "an open step was forgotten"
        works = data.draw(st.booleans())
        chosen = data.draw(st.sampled_from(sorted(c.step_id for c in _work(advance.pending(program, state)))))
        first = outcome_of(program, chosen, works=works)
        state, commands = advance.apply(program, state, first)
        journal.append(first)
        healed = advance.settle(program, *advance.resume(program, journal))
        state, commands, kept = advance.settle(program, state, commands)
        journal += kept
        assert healed[0] == state, "a crash before what follows at once is kept comes to another state"
        assert {(k.step_id, k.status) for k in healed[2]} == {(k.step_id, k.status) for k in kept}
    assert state.open == ()
    assert advance.resume(program, journal) == (state, (end,))
    assert len({outcome.step_id for outcome in journal}) == len(journal), "a step was kept twice"
    assert max(issued.values(), default=1) == 1, "a step was begun twice"


def _work(commands: advance.Commands) -> list[advance.RunStep | Sleep | Await]:
    return [c for c in commands if isinstance(c, advance.RunStep | Sleep | Await)]


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


@given(forked_programs(), st.data())
def test_a_run_whose_time_is_over_fails_wherever_it_stands(program: Program, data: st.DataObject) -> None:
    state, commands, journal = advance.settle(program, *advance.start(program))
    for _ in range(data.draw(st.integers(0, 4))):
        open_steps = sorted(c.step_id for c in _work(advance.pending(program, state)))
        if not open_steps:
            return
        outcome = outcome_of(program, data.draw(st.sampled_from(open_steps)), works=data.draw(st.booleans()))
        state, commands, kept = advance.settle(program, *advance.apply(program, state, outcome))
        journal += [outcome, *kept]
    if commands and isinstance(commands[0], Finish):
        return
    was_handling = state.handling is not None
    journal.append(advance.out_of_time())
    state, commands = advance.resume(program, journal)
    if program.automation.on_failure is None or was_handling:
        (end,) = commands
        assert isinstance(end, Finish)
        assert end.status == "failed"
        assert state.open == ()
    else:
        assert state.handling is not None
        assert state.handling.error is not None
        assert state.handling.error.code == "run_timeout"
        assert advance.apply(program, advance.resume(program, journal[:-1])[0], journal[-1])[0] == state


@given(forked_programs(), st.data())
def test_what_handled_a_failure_is_not_begun_again_however_often_the_run_is_retried(
    program: Program, data: st.DataObject
) -> None:
    journal: list[Outcome] = []
    for _ in range(3):
        stays = {outcome.step_id for outcome in journal}
        state, commands, kept = advance.settle(program, *advance.resume(program, journal))
        journal += kept
        while not isinstance(end := commands[0] if commands else None, Finish):
            if len(journal) >= 2 * OUTCOMES_MAX:
                return
            open_steps = sorted(c.step_id for c in _work(advance.pending(program, state)))
            assert stays.isdisjoint(open_steps), "what is kept was begun again"
            outcome = outcome_of(program, data.draw(st.sampled_from(open_steps)), works=data.draw(st.booleans()))
            state, commands, kept = advance.settle(program, *advance.apply(program, state, outcome))
            journal += [outcome, *kept]
            assert advance.resume(program, journal)[0] == state
        assert len({outcome.step_id for outcome in journal}) == len(journal), "a step was kept twice"
        if end.status != "failed":
            return
        assert end.error is not None
        at = [outcome.step_id for outcome in journal].index(end.error.step_id or "")
        stay = [outcome for outcome in journal[at:] if continuing.outlasts(outcome, journal[at].step_id)]
        assert all(program.is_handling(outcome.step_id) for outcome in stay)
        journal[at:] = stay
