"""What a run does, step by step, through the public surface."""

from typing import Any

import pytest

from tests.engine.conftest import Bench


def step(step_id: str, action: str = "note", **more: Any) -> dict[str, Any]:
    return {"id": step_id, "action": action, "with": more.pop("arguments", {}), **more}


def statuses(run: dict[str, Any]) -> dict[str, str]:
    return {step["id"]: step["status"] for step in run["steps"]}


def test_steps_run_in_order_and_read_what_came_before(bench: Bench) -> None:
    bench.automation(
        step("first", arguments={"who": "{{ member.name }}"}),
        step("second", arguments={"again": "{{ steps.first.output.noted.who }}", "event": "{{ event.name }}"}),
    )
    bench.happen({"member": {"name": "Ada"}})
    assert bench.calls == [("first", {"who": "Ada"}), ("second", {"again": "Ada", "event": "test/happened"})]
    assert bench.run()["status"] == "completed"
    assert statuses(bench.run()) == {"first": "completed", "second": "completed"}


def test_a_false_condition_starts_nothing_and_is_explained(bench: Bench) -> None:
    condition = {"field": "total", "operator": "greater_than", "value": 100}
    automation_id = bench.automation(step("one"), condition=condition)
    event_id = bench.happen({"total": 80})
    assert bench.runs() == []
    (explained,) = bench.upshot.events.explain("default", event_id)["automations"]
    assert (explained["automation_id"], explained["outcome"]) == (automation_id, "condition_false")
    assert "80" in explained["reason"]


def test_an_id_that_was_accepted_before_starts_nothing_again(bench: Bench) -> None:
    bench.automation(step("one"))
    assert bench.happen(id="order-1") == bench.happen(id="order-1") == "order-1"
    assert len(bench.runs()) == 1


def test_automations_of_one_event_start_highest_priority_first(bench: Bench) -> None:
    bench.automation(step("low"), priority=1)
    bench.automation(step("high"), priority=10)
    bench.automation(step("middle"))
    bench.happen()
    assert [step_id for step_id, _ in bench.calls] == ["high", "middle", "low"]


def test_a_step_that_raises_fails_its_run_and_says_why(bench: Bench) -> None:
    bench.automation(step("bad", "raise"), step("never"))
    bench.happen()
    run = bench.run()
    assert run["status"] == "failed"
    assert run["error"]["step_id"] == "bad"
    assert "it broke" in run["error"]["message"]
    assert bench.calls == [("bad", {})]


def test_a_run_that_goes_on_past_a_failure_is_partial(bench: Bench) -> None:
    bench.automation(step("bad", "raise", on_error="continue"), step("after"))
    bench.happen()
    assert bench.run()["status"] == "partial"
    assert statuses(bench.run()) == {"bad": "failed", "after": "completed"}


@pytest.mark.parametrize(
    ("action", "code"), [("raise_for_good", "permanent"), ("junk", "bad_output"), ("hang", "timeout")]
)
def test_what_an_action_does_wrong_is_its_steps_outcome(bench: Bench, action: str, code: str) -> None:
    bench.automation(step("bad", action, timeout_seconds=0.05))
    bench.happen()
    assert bench.run()["status"] == "failed"
    assert bench.run()["error"]["code"] == code
    bench.automation(step("fine"), trigger={"event": "test/other"})
    bench.upshot.emit("test/other", {})
    bench.settle()
    assert ("fine", {}) in bench.calls


def test_a_failed_attempt_is_tried_again_with_backoff_and_the_same_key(bench: Bench) -> None:
    bench.automation(
        step("flaky", "raise_until", arguments={"attempt": 3}, retries={"count": 3, "backoff_seconds": 10})
    )
    bench.happen()
    assert bench.run()["status"] == "waiting"
    bench.advance(7)
    assert len(bench.calls) == 1, "the first wait is at least 7.5 s"
    bench.advance(6)
    assert len(bench.calls) == 2
    bench.advance(30)
    run = bench.run()
    assert run["status"] == "completed"
    (flaky,) = run["steps"]
    assert flaky["output"] == 3
    assert [attempt["status"] for attempt in flaky["attempts"]] == ["failed", "failed", "completed"]
    assert len({attempt["idempotency_key"] for attempt in flaky["attempts"]}) == 1


def test_retries_end(bench: Bench) -> None:
    bench.automation(step("bad", "raise", retries={"count": 2, "backoff_seconds": 1}))
    bench.happen()
    for _ in range(5):
        bench.advance(10)
    assert len(bench.calls) == 3
    assert bench.run()["status"] == "failed"


def test_a_delay_sleeps_until_its_instant_and_not_before(bench: Bench) -> None:
    bench.automation(step("before"), {"id": "nap", "delay": "24h"}, step("after"))
    bench.happen()
    assert bench.run()["status"] == "waiting"
    bench.advance(24 * 3600 - 1)
    assert [step_id for step_id, _ in bench.calls] == ["before"]
    bench.advance(1)
    assert [step_id for step_id, _ in bench.calls] == ["before", "after"]
    assert bench.run()["status"] == "completed"


def test_a_sleeping_run_survives_a_restart(bench: Bench) -> None:
    bench.automation(step("before"), {"id": "nap", "delay": "30d"}, step("after", arguments={"x": "{{ n }}"}))
    bench.happen({"n": 7})
    bench.restart()
    bench.advance(30 * 86400)
    assert bench.calls == [("before", {}), ("after", {"x": 7})]
    assert bench.run()["status"] == "completed"


def test_a_delay_may_come_from_the_event(bench: Bench) -> None:
    bench.automation({"id": "nap", "delay": {"seconds": "{{ wait }}"}}, step("after"))
    bench.happen({"wait": 90})
    bench.advance(89)
    assert bench.calls == []
    bench.advance(1)
    assert bench.calls == [("after", {})]


@pytest.mark.parametrize(("vip", "path"), [(True, "gift"), (False, "card")])
def test_a_branch_chooses_its_path_and_keeps_why(bench: Bench, vip: bool, path: str) -> None:
    bench.automation(
        {
            "id": "is vip?",
            "branch": {"field": "vip", "operator": "is_true"},
            "if_true": "gift",
            "if_false": "card",
        },
        step("gift", next=None),
        step("card"),
    )
    bench.happen({"vip": vip})
    assert [step_id for step_id, _ in bench.calls] == [path]
    branch = next(s for s in bench.run()["steps"] if s["id"] == "is vip?")
    assert branch["output"]["result"] is vip


def test_a_cancelled_run_starts_no_further_step(bench: Bench) -> None:
    bench.automation(step("before"), {"id": "nap", "delay": "1h"}, step("after"))
    bench.happen()
    bench.upshot.runs.cancel("default", bench.run()["id"], actor="tester")
    bench.advance(7200)
    assert bench.run()["status"] == "cancelled"
    assert [step_id for step_id, _ in bench.calls] == ["before"]


def test_a_run_by_hand_ignores_the_condition_and_starts_nothing_else(bench: Bench) -> None:
    never = {"field": "never", "operator": "exists"}
    automation_id = bench.automation(step("one", arguments={"n": "{{ n }}"}), condition=never)
    bench.automation(step("other"))
    started = bench.upshot.runs.start_by_hand("default", automation_id, {"n": 1}, test=True, actor="tester")
    bench.settle()
    assert bench.calls == [("one", {"n": 1})]
    run = bench.run()
    assert (run["id"], run["status"], run["test"]) == (started["run_id"], "completed", True)


def test_a_run_finishes_on_the_version_it_started_with(bench: Bench) -> None:
    automation_id = bench.automation({"id": "nap", "delay": "1h"}, step("old"))
    bench.happen()
    document = {"name": "test", "trigger": {"event": "test/happened"}, "steps": [step("new")], "status": "active"}
    bench.upshot.automations.save("default", automation_id, document)
    bench.advance(3600)
    assert [step_id for step_id, _ in bench.calls] == ["old"]
    bench.happen()
    assert [step_id for step_id, _ in bench.calls] == ["old", "new"]


def test_the_counts_tell_what_happened(bench: Bench) -> None:
    bench.automation(step("fine"))
    bench.automation(step("bad", "raise"))
    bench.automation({"id": "nap", "delay": "1h"})
    bench.happen()
    counted = bench.upshot.stats.get("default")["runs"]
    assert {status: n for status, n in counted.items() if n} == {"completed": 1, "failed": 1, "waiting": 1}
