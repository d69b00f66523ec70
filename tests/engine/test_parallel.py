"""Parallel steps: several places of one run are open at once, and join."""

import asyncio
from typing import Any

import pytest

from tests.engine.conftest import Bench
from tests.engine.test_runs import statuses, step


def parallel(*heads: str, **more: Any) -> dict[str, Any]:
    return {"id": "both", "parallel": list(heads), "next": "after", **more}


def test_branches_run_at_once_and_join(bench: Bench) -> None:
    arrived = asyncio.Event()

    @bench.upshot.action("first_waits")
    async def first_waits(args: dict, context) -> str:
        await arrived.wait()
        return "first"

    @bench.upshot.action("second_lets")
    async def second_lets(args: dict, context) -> str:
        arrived.set()
        return "second"

    bench.automation(
        parallel("a", "b"),
        step("a", "first_waits", next="after"),
        step("b", "second_lets"),
        step(
            "after",
            arguments={"a": "{{ steps.a.output }}", "joined": "{{ steps.both.output.joined | sort | join: ',' }}"},
        ),
    )
    bench.happen()
    assert bench.run()["status"] == "completed"
    assert bench.calls == [("after", {"a": "first", "joined": "a,b"})]
    assert statuses(bench.run()) == dict.fromkeys(("both", "a", "b", "after"), "completed")


def test_a_run_waits_only_when_every_branch_waits_and_has_a_timer_for_each(bench: Bench) -> None:
    bench.automation(
        parallel("short", "long"),
        {"id": "short", "delay": "1h"},
        step("mail", next="after"),
        {"id": "long", "delay": "2h"},
        step("after"),
    )
    bench.happen()
    run = bench.run()
    assert run["status"] == "waiting"
    assert [s["id"] for s in run["steps"] if s["status"] == "waiting"] == ["both", "short", "long"]
    assert run["current_step"] == "short"
    bench.restart()
    bench.advance(3600)
    assert [step_id for step_id, _ in bench.calls] == ["mail"]
    assert bench.run()["status"] == "waiting"
    bench.advance(3600)
    assert [step_id for step_id, _ in bench.calls] == ["mail", "after"]
    assert bench.run()["status"] == "completed"


def test_branches_whose_delays_are_over_at_once_both_go_on(bench: Bench) -> None:
    bench.automation(
        parallel("x", "y"),
        {"id": "x", "delay": "1h", "next": "after"},
        {"id": "y", "delay": "1h"},
        step("after"),
    )
    bench.happen()
    bench.advance(3600)
    assert bench.run()["status"] == "completed"
    assert [step_id for step_id, _ in bench.calls] == ["after"]


@pytest.mark.parametrize("join", ["any", 1])
def test_the_losers_of_a_join_are_cancelled(bench: Bench, join: Any) -> None:
    bench.automation(
        parallel("quick", "hangs", "sleeps", join=join),
        step("quick", next="after"),
        step("hangs", "hang", next="after"),
        {"id": "sleeps", "delay": "1d"},
        step("after"),
    )
    bench.happen()
    run = bench.run()
    assert run["status"] == "completed"
    assert statuses(run) == {
        "quick": "completed", "both": "completed", "hangs": "cancelled", "sleeps": "cancelled", "after": "completed",
    }  # fmt: skip
    bench.advance(2 * 86400)
    assert bench.run()["status"] == "completed"


def test_two_of_three(bench: Bench) -> None:
    bench.automation(
        parallel("a", "b", "c", join=2),
        {"id": "a", "delay": "1h", "next": "after"},
        {"id": "b", "delay": "2h", "next": "after"},
        {"id": "c", "delay": "3h"},
        step("after"),
    )
    bench.happen()
    bench.advance(3600)
    assert bench.calls == []
    bench.advance(3600)
    assert bench.run()["status"] == "completed"
    assert statuses(bench.run())["c"] == "cancelled"


def test_a_failed_branch_of_all_fails_the_run_and_cancels_the_others(bench: Bench) -> None:
    bench.automation(
        parallel("bad", "sleeps"), step("bad", "raise", next="after"), {"id": "sleeps", "delay": "1d"}, step("after")
    )
    bench.happen()
    run = bench.run()
    assert run["status"] == "failed"
    assert run["error"]["step_id"] == "bad"
    assert statuses(run) == {"bad": "failed", "both": "failed", "sleeps": "cancelled", "after": "skipped"}
    bench.advance(2 * 86400)
    assert bench.run()["status"] == "failed"


def test_a_join_that_can_still_be_met_outlives_a_failed_branch_and_the_run_is_partial(bench: Bench) -> None:
    bench.automation(
        parallel("bad", "nap", join="any"),
        step("bad", "raise", next="after"),
        {"id": "nap", "delay": "1h"},
        step("after"),
    )
    bench.happen()
    assert bench.run()["status"] == "waiting"
    bench.advance(3600)
    assert bench.run()["status"] == "partial"


def test_a_failed_parallel_run_goes_on_at_the_branch_that_failed(bench: Bench) -> None:
    fails = [True]

    @bench.upshot.action("once")
    async def once(args: dict, context) -> None:
        if fails.pop() if fails else False:
            raise RuntimeError("it broke")

    bench.automation(
        parallel("bad", "nap"), step("bad", "once", next="after"), {"id": "nap", "delay": "1h"}, step("after")
    )
    bench.happen()
    (letter,) = bench.upshot.dead_letters.page("default").items
    bench.upshot.dead_letters.retry("default", letter["id"])
    bench.settle()
    assert bench.run()["status"] == "waiting"
    bench.advance(3600)
    assert bench.run()["status"] == "completed"
    assert [s["status"] for s in bench.run()["steps"] if s["id"] == "bad"] == ["completed"]


@pytest.mark.parametrize(
    ("more", "status", "calls"), [({}, "failed", []), ({"on_timeout": "late"}, "completed", ["late"])]
)
def test_a_join_that_takes_too_long(bench: Bench, more: dict[str, Any], status: str, calls: list[str]) -> None:
    late = [step("late")] if more else []
    bench.automation(
        parallel("a", "b", timeout="1h", **more),
        {"id": "a", "delay": "2h", "next": "after"},
        {"id": "b", "delay": "30m"},
        step("after", next=None),
        *late,
    )
    bench.happen()
    bench.advance(1800)
    bench.advance(1800)
    run = bench.run()
    assert run["status"] == status
    assert [step_id for step_id, _ in bench.calls] == calls
    assert statuses(run)["both"] == "failed"
    assert statuses(run)["a"] == "cancelled"


def test_a_branch_is_retried_while_another_runs(bench: Bench) -> None:
    bench.automation(
        parallel("flaky", "nap"),
        step(
            "flaky", "raise_until", arguments={"attempt": 3}, retries={"count": 3, "backoff_seconds": 10}, next="after"
        ),
        {"id": "nap", "delay": "15s"},
        step("after"),
    )
    bench.happen()
    for _ in range(8):
        bench.advance(10)
    run = bench.run()
    assert run["status"] == "completed"
    flaky = next(s for s in run["steps"] if s["id"] == "flaky")
    assert [attempt["status"] for attempt in flaky["attempts"]] == ["failed", "failed", "completed"]


def test_a_stop_in_a_branch_ends_the_run(bench: Bench) -> None:
    bench.automation(
        parallel("nap", "maybe"),
        {"id": "nap", "delay": "1h", "next": "after"},
        {
            "id": "maybe",
            "branch": {"field": "n", "operator": "equals", "value": 1},
            "if_true": "stop",
            "if_false": None,
        },
        {"id": "stop", "stop": "enough"},
        step("after"),
    )
    bench.happen({"n": 1})
    assert bench.run()["status"] == "completed"
    assert statuses(bench.run())["nap"] == "cancelled"


def test_a_cancelled_run_with_several_timers_has_none_left(bench: Bench) -> None:
    bench.automation(
        parallel("x", "y"), {"id": "x", "delay": "1h", "next": "after"}, {"id": "y", "delay": "2h"}, step("after")
    )
    bench.happen()
    bench.upshot.runs.cancel("default", bench.run()["id"], actor="tester")
    bench.advance(3 * 3600)
    assert bench.run()["status"] == "cancelled"
    assert bench.calls == []


def test_parallel_steps_within_parallel_steps(bench: Bench) -> None:
    bench.automation(
        parallel("inner", "d", join="any"),
        {"id": "inner", "parallel": ["a", "b"], "next": "c"},
        {"id": "a", "delay": "1h", "next": "c"},
        {"id": "b", "delay": "2h", "next": None},
        step("c", next="after"),
        {"id": "d", "delay": "90m"},
        step("after"),
    )
    bench.happen()
    bench.advance(3600)
    bench.advance(1800)
    run = bench.run()
    assert run["status"] == "completed"
    assert statuses(run) == {
        "a": "completed", "d": "completed", "both": "completed", "inner": "cancelled", "b": "cancelled",
        "c": "skipped", "after": "completed",
    }  # fmt: skip


def test_a_split_takes_the_same_path_for_the_same_entity(bench: Bench) -> None:
    bench.upshot.event_types.put("default", "test/happened", entity={"type": "member", "id": "member"})
    bench.automation(
        {"id": "lot", "split": [{"weight": 1, "next": "a"}, {"weight": 1, "next": "b"}]},
        step("a", next=None),
        step("b"),
    )
    # The draw is of the automation's id, which is random: so many that not all of them take one path.
    members = [str(number) for number in range(40)]
    for member in members * 2:
        bench.happen({"member": member})
    taken = [step_id for step_id, _ in bench.calls]
    assert taken[:40] == taken[40:]
    assert set(taken) == {"a", "b"}
    lots = [s for run in bench.runs() for s in bench.upshot.runs.get("default", run["id"])["steps"] if s["id"] == "lot"]
    assert {s["kind"] for s in lots} == {"split"}
    assert {s["output"]["next"] for s in lots} == {"a", "b"}
