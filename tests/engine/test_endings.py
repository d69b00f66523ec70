"""Goals and exits: a run ends where its next step would begin."""

from typing import Any

import pytest

from tests.engine.conftest import Bench
from tests.engine.test_runs import statuses, step
from upshot.core.errors import Refused

PAID = {"field": "entity.paid", "operator": "is_true"}
LEFT = {"field": "customer.left", "operator": "is_true"}
NAP = {"id": "nap", "delay": "3d"}


def customer(bench: Bench, **fields: Any) -> None:
    bench.upshot.entities.replace("default", "customer", "c1", fields=fields)


def happen(bench: Bench) -> None:
    about = {"type": "customer", "id": "c1"}
    bench.upshot.events.accept("default", [{"name": "test/happened", "data": {"n": 1}, "entity": about}])
    bench.settle()


def begun(bench: Bench, **endings: Any) -> None:
    customer(bench, paid=False, left=False)
    bench.automation(step("first"), NAP, step("remind"), **endings)
    happen(bench)


def called(bench: Bench) -> list[str]:
    return [step_id for step_id, _ in bench.calls]


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [({"paid": True}, "completed", "goal_met"), ({"paid": False, "left": True}, "cancelled", "exit_met")],
)
def test_a_run_ends_where_its_next_step_would_begin(
    bench: Bench, fields: dict[str, Any], status: str, code: str
) -> None:
    begun(bench, goal=PAID, exit=LEFT)
    customer(bench, **fields)
    bench.restart()
    bench.advance(3 * 86400)
    run = bench.run()
    assert (run["status"], run["reason"]["code"], run["error"]) == (status, code, None)
    assert ("paid" if code == "goal_met" else "left") in run["reason"]["message"]
    assert statuses(run)["first"] == "completed"
    assert statuses(run)["remind"] in {"skipped", "cancelled"}
    assert called(bench) == ["first"]


def test_the_goal_comes_before_the_exit(bench: Bench) -> None:
    begun(bench, goal=PAID, exit=LEFT)
    customer(bench, paid=True, left=True)
    bench.advance(3 * 86400)
    assert bench.run()["reason"]["code"] == "goal_met"


def test_what_holds_neither_goes_on(bench: Bench) -> None:
    begun(bench, goal=PAID, exit=LEFT)
    bench.advance(3 * 86400)
    assert (bench.run()["status"], bench.run()["reason"]) == ("completed", None)
    assert called(bench) == ["first", "remind"]


def test_what_holds_at_once_performs_nothing(bench: Bench) -> None:
    bench.automation(step("first"), goal={"field": "n", "operator": "greater_than", "value": 5})
    bench.happen({"n": 6})
    assert (bench.run()["status"], bench.run()["reason"]["code"]) == ("completed", "goal_met")
    assert called(bench) == []


def test_the_outputs_of_its_steps_may_be_the_goal(bench: Bench) -> None:
    goal = {"field": "steps.first.output.noted.n", "operator": "equals", "value": 1}
    bench.automation(step("first", arguments={"n": 1}), step("second"), goal=goal)
    bench.happen({})
    assert (bench.run()["status"], called(bench)) == ("completed", ["first"])


def test_branches_begin_no_step_and_timers_are_gone(bench: Bench) -> None:
    customer(bench, paid=False)
    bench.automation(
        {"id": "both", "parallel": ["short", "long"], "next": None},
        {"id": "short", "delay": "1h"},
        step("after", next=None),
        {"id": "long", "delay": "2d", "next": None},
        goal=PAID,
    )
    happen(bench)
    customer(bench, paid=True)
    bench.advance(3600)
    assert (bench.run()["status"], bench.run()["reason"]["code"]) == ("completed", "goal_met")
    bench.advance(3 * 86400)
    assert called(bench) == []


def test_a_run_that_deals_with_its_failure_goes_on(bench: Bench) -> None:
    bench.automation(
        step("first", "raise_for_good", next=None),
        step("sorry", next=None),
        on_failure="sorry",
        exit={"field": "steps.first.error", "operator": "is_not_empty"},
    )
    bench.happen({})
    assert (bench.run()["status"], called(bench)) == ("failed", ["first", "sorry"])


def test_a_called_run_that_ends_early_is_over_for_its_caller(bench: Bench) -> None:
    callee = bench.upshot.automations.create(
        "default",
        {
            "name": "callee",
            "trigger": {"manual": True},
            "steps": [step("work")],
            "status": "active",
            "goal": {"field": "done", "operator": "is_true"},
        },
    )["id"]
    bench.automation({"id": "ask", "call": callee, "with": {"done": True}}, step("last"))
    bench.happen({})
    assert sorted(run["status"] for run in bench.runs()) == ["completed", "completed"]
    assert called(bench) == ["last"]


@pytest.mark.parametrize("name", ["goal", "exit"])
def test_bad_ones_are_refused_at_their_path(bench: Bench, name: str) -> None:
    for wrong in ({"field": "n", "operator": "no such"}, {"field": "", "operator": "is_true"}, 5):
        with pytest.raises(Refused) as refused:
            bench.automation(step("first"), **{name: wrong})
        assert refused.value.problems[0].path.startswith(name)
