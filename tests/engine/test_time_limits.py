"""The time that a whole run may take."""

import asyncio
import threading

from tests.engine.conftest import Bench
from tests.engine.test_runs import statuses, step


def test_a_sleeping_run_fails_when_its_time_is_over(bench: Bench) -> None:
    bench.automation(step("first"), {"id": "nap", "delay": "3d"}, step("last"), timeout="1d")
    bench.happen()
    assert bench.run()["status"] == "waiting"
    bench.restart()
    bench.advance(86400 - 1)
    assert bench.run()["status"] == "waiting"
    bench.advance(1)
    run = bench.run()
    assert (run["status"], run["error"]["code"]) == ("failed", "run_timeout")
    assert statuses(run) == {"first": "completed", "nap": "cancelled", "last": "skipped"}
    bench.advance(10 * 86400)
    assert [step_id for step_id, _ in bench.calls] == ["first"]


def test_a_step_in_flight_is_let_go(bench: Bench) -> None:
    began = threading.Event()

    @bench.upshot.action("begin_and_hang")
    async def begin_and_hang(args: dict, context) -> None:
        began.set()
        await asyncio.Event().wait()

    bench.automation(step("stuck", "begin_and_hang", timeout_seconds=80000), timeout={"hours": 2})
    bench.upshot.emit("test/happened", {})
    assert began.wait(30)
    bench.advance(7200)
    assert (bench.run()["status"], bench.run()["error"]["code"]) == ("failed", "run_timeout")
    assert statuses(bench.run()) == {"stuck": "cancelled"}


def test_branches_are_let_go_and_the_automation_handles_it(bench: Bench) -> None:
    bench.automation(
        {"id": "both", "parallel": ["a", "b"], "next": None},
        {"id": "a", "delay": "3h", "next": None},
        {"id": "b", "delay": "4h", "next": None},
        step("sorry", next=None),
        timeout="1h",
        on_failure="sorry",
    )
    bench.happen()
    bench.advance(3600)
    run = bench.run()
    assert (run["status"], run["error"]["code"]) == ("failed", "run_timeout")
    assert [step_id for step_id, _ in bench.calls] == ["sorry"]
    bench.advance(5 * 3600)
    assert len(bench.run()["steps"]) == 4


def test_what_ends_in_time_has_no_limit_any_more(bench: Bench) -> None:
    bench.automation(step("only"), {"id": "nap", "delay": "30m"}, timeout="1h")
    bench.happen()
    bench.advance(1800)
    assert bench.run()["status"] == "completed"
    bench.advance(7200)
    assert bench.run()["status"] == "completed"


def test_a_retried_run_has_its_time_anew(bench: Bench) -> None:
    bench.automation({"id": "nap", "delay": "90m"}, step("last"), timeout="1h")
    bench.happen()
    bench.advance(3600)
    (letter,) = bench.upshot.dead_letters.page("default").items
    assert letter["code"] == "run_timeout"
    bench.upshot.dead_letters.retry("default", letter["id"])
    bench.advance(5)
    bench.advance(5)
    assert bench.run()["status"] == "waiting"
    bench.advance(3600)
    assert bench.run()["status"] == "failed"
