"""Steps that go round: which circles are refused, what each round is called, and where they end."""

from typing import Any

import pytest

from tests.core.automations.catalogue import ACTIONS, document
from tests.core.automations.test_parallel import FACTS, act
from upshot.core import advance
from upshot.core.automations import describe, dry_run, examine, normalise, read, to_document
from upshot.core.automations.circles import circles_of
from upshot.core.automations.limits import ROUNDS_IN_ALL_MAX, ROUNDS_MAX
from upshot.core.automations.regions import regions_of
from upshot.core.commands import Finish, Keep, RunStep, Sleep
from upshot.core.journal import Outcome
from upshot.core.program import Program

PAID = {"field": "paid", "operator": "is_true"}
REMIND: list[dict[str, Any]] = [
    act("remind"),
    {"id": "nap", "delay": "3d"},
    {"id": "paid?", "branch": PAID, "if_true": "thank", "if_false": "remind"},
    act("thank"),
]


def nap(step_id: str, **more: Any) -> dict[str, Any]:
    return {"id": step_id, "delay": "1h", **more}


def wait(step_id: str, **more: Any) -> dict[str, Any]:
    return {"id": step_id, "wait_for_event": "x/y", **more}


def program(*steps: dict[str, Any], **more: Any) -> Program:
    return Program(read(document(*steps, **more), actions=ACTIONS))


@pytest.mark.parametrize(
    "steps",
    [
        REMIND,
        [nap("a", next="a")],
        [act("a"), wait("b", next="a")],
        [act("a"), wait("b", timeout="1d", on_timeout="a")],
        [act("a", on_failure="nap"), act("b", next=None), nap("nap", next="a")],
        [
            {"id": "p", "parallel": ["x", "y"], "next": "z"},
            act("x", next=None),
            act("y", next=None),
            nap("z", next="p"),
        ],
        [
            {"id": "p", "parallel": ["x", "y"], "next": None},
            act("x"),
            nap("n"),
            {"id": "b", "branch": PAID, "if_true": None, "if_false": "x"},
            act("y", next=None),
        ],
        [{"id": "each", "for_each": ["a"], "action": "anything"}, nap("n", next="each")],
    ],
)
def test_a_circle_with_a_delay_or_a_wait_is_taken(steps: list[dict[str, Any]]) -> None:
    given = document(*steps)
    assert examine(given, actions=ACTIONS)[1] == []
    canonical, notes = normalise(given, actions=ACTIONS)
    assert (normalise(canonical, actions=ACTIONS), notes) == ((canonical, []), [])
    automation = read(canonical, actions=ACTIONS)
    assert read(to_document(automation), actions=ACTIONS) == automation
    assert "then again from" in describe(automation)


@pytest.mark.parametrize(
    ("steps", "path", "way"),
    [
        ([act("a", next="a")], "steps[0].next", "a -> a"),
        ([act("a"), {"id": "b", "delay": "0s", "next": "a"}], "steps[1].next", "a -> b -> a"),
        ([wait("a", on_failure="a", next=None)], "steps[0].on_failure", "a -> a"),
        ([wait("a", timeout="0s", on_timeout="a", next=None)], "steps[0].on_timeout", "a -> a"),
        (
            [{"id": "p", "parallel": ["x", "y"], "next": "p"}, nap("x", next=None), nap("y", next=None)],
            "steps[0].next",
            "p -> p",
        ),
        (
            [
                {"id": "a", "branch": PAID, "if_true": "b", "if_false": "c"},
                nap("b", next="c"),
                act("c", next="a"),
            ],
            "steps[2].next",
            "a -> c -> a",
        ),
    ],
)
def test_a_way_round_that_does_not_sleep_is_refused(steps: list[dict[str, Any]], path: str, way: str) -> None:
    problems = examine(document(*steps), actions=ACTIONS)[1]
    assert (path, "cycle") in [(problem.path, problem.code) for problem in problems]
    assert any(way in problem.message for problem in problems)


@pytest.mark.parametrize("wanted", ["remind:2", "nap:17", "thank:2"])
def test_no_step_has_the_id_of_a_later_round(wanted: str) -> None:
    steps = [*REMIND, act(wanted)]
    problems = examine(document(*steps), actions=ACTIONS)[1]
    taken = [("steps[4].id", "duplicate_id")] if wanted != "thank:2" else []
    assert [(problem.path, problem.code) for problem in problems] == taken


def test_what_goes_round_together_is_one_circle() -> None:
    steps = read(
        document(
            act("first"),
            {"id": "p", "parallel": ["x", "y"], "next": "n"},
            act("x"),
            nap("m"),
            {"id": "w", "branch": PAID, "if_true": None, "if_false": "x"},
            {"id": "y", "branch": PAID, "if_true": "z", "if_false": None},
            act("z", next=None),
            nap("n"),
            {"id": "b", "branch": PAID, "if_true": "p", "if_false": "q"},
            nap("q"),
            {"id": "r", "branch": PAID, "if_true": "q", "if_false": "b"},
        ),
        actions=ACTIONS,
    ).steps
    circles = circles_of(steps, None, regions_of(steps, None))
    assert circles is not None
    assert circles.on == {**dict.fromkeys("pnbqr", "p"), "x": "x", "m": "x", "w": "x"}
    assert circles.around == {**circles.on, "y": "p", "z": "p"}
    assert circles.back == {("w", "x"), ("b", "p"), ("r", "q"), ("r", "b")}
    assert circles.begins("first", "p")
    assert circles.begins("p", "x")
    assert not circles.begins("p", "n")
    assert circles_of(steps[:1], None, {}) is None


def go(made: Program, *statuses: str, paid_in: int = 3) -> tuple[list[str], advance.State, advance.Commands]:
    """The places that a run comes to, until nothing is left or the statuses are used up."""
    state, commands, journal = *advance.start(made), list[Outcome]()
    given = iter(statuses)
    while isinstance(command := commands[0], RunStep | Sleep | Keep):
        if isinstance(command, Keep):
            outcome = command.outcome
        else:
            output = {"result": len(journal) >= 3 * paid_in - 1}
            outcome = Outcome(command.step_id, next(given, "completed"), output)
        journal.append(outcome)
        state, commands = advance.apply(made, state, outcome)
        if len(journal) % 97 == 1:
            assert advance.resume(made, journal) == (state, commands)
    assert advance.resume(made, journal) == (state, commands)
    return [outcome.step_id for outcome in journal], state, commands


def test_each_round_has_places_of_its_own() -> None:
    places, _, commands = go(program(*REMIND))
    assert places == [
        *("remind", "nap", "paid?", "remind:2", "nap:2", "paid?:2", "remind:3", "nap:3", "paid?:3", "thank")
    ]
    assert commands == (Finish("completed"),)


def test_a_circle_goes_round_so_often_and_then_fails_whatever_its_steps_say_of_errors() -> None:
    endless = [act("a", on_error="continue"), nap("b", next="a")]
    places, state, commands = go(program(*endless), paid_in=ROUNDS_MAX * 2)
    assert len(places) == 2 * ROUNDS_MAX + 1
    assert places[-1] == f"a:{ROUNDS_MAX + 1}"
    (end,) = commands
    assert isinstance(end, Finish)
    assert (end.status, end.error and end.error.code) == ("failed", "too_many_rounds")
    assert state.open == ()


def test_a_run_goes_round_so_often_in_all_its_circles() -> None:
    count = ROUNDS_IN_ALL_MAX // (ROUNDS_MAX - 1) + 1
    steps: list[dict[str, Any]] = []
    for number in range(count):
        after = f"a{number + 1}" if number + 1 < count else None
        steps.append(nap(f"a{number}"))
        steps.append({"id": f"b{number}", "branch": PAID, "if_true": f"a{number}", "if_false": after})
    made = program(*steps)
    state, commands = advance.start(made)
    rounds = 0
    while isinstance(command := commands[0], RunStep | Sleep):
        goes_on = made.steps.round_of(command.step_id) < ROUNDS_MAX
        rounds += isinstance(command, Sleep)
        state, commands = advance.apply(made, state, Outcome(command.step_id, "completed", {"result": goes_on}))
    assert isinstance(command, Keep)
    assert command.outcome.error is not None
    assert command.outcome.error.code == "too_many_rounds"
    assert state.repeated == ROUNDS_IN_ALL_MAX + 1


def test_the_steps_that_handle_a_failure_may_go_round_too() -> None:
    made = program(act("a", next=None), *REMIND, on_failure="remind")
    places, _, commands = go(made, "failed", paid_in=2)
    assert places == ["a", "remind", "nap", "paid?", "remind:2", "nap:2", "paid?:2", "thank"]
    assert isinstance(commands[0], Finish)
    assert commands[0].status == "failed"


def test_a_dry_run_shows_three_rounds_and_says_that_there_are_more() -> None:
    tried = dry_run(read(document(*REMIND), actions=ACTIONS), FACTS, actions=ACTIONS)["steps"]
    assert [step["id"] for step in tried[:9]] == [
        *("remind", "nap", "paid?", "remind:2", "nap:2", "paid?:2", "remind:3", "nap:3", "paid?:3")
    ]
    assert [step["step_id"] for step in tried] == [*["remind", "nap", "paid?"] * 3, "thank"]
    assert "go round again from 'remind'" in tried[8]["text"]
    assert tried[9]["would"] == "skip"
    assert tried[7]["due_at"] > tried[4]["due_at"] > tried[1]["due_at"]
