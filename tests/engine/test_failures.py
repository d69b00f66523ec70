"""Where a run goes when a step has failed: paths of the step, of the automation, and steps that are done at most once."""

import asyncio
from typing import Any

import pytest

from tests.engine.conftest import Bench
from tests.engine.test_runs import statuses, step
from upshot.store import journal


def called(bench: Bench) -> list[str]:
    return [step_id for step_id, _ in bench.calls]


def test_a_failed_step_goes_along_its_own_path_and_the_run_is_partial(bench: Bench) -> None:
    bench.automation(
        step("bad", "raise_for_good", on_failure="tell"),
        step("never", next=None),
        step("tell", arguments={"why": "{{ steps.bad.error.message }}", "code": "{{ steps.bad.error.code }}"}),
    )
    bench.happen()
    assert bench.run()["status"] == "partial"
    assert bench.calls[1:] == [("tell", {"why": "never", "code": "permanent"})]
    assert statuses(bench.run()) == {"bad": "failed", "tell": "completed", "never": "skipped"}


def test_it_goes_there_when_the_last_attempt_has_failed(bench: Bench) -> None:
    bench.automation(
        step("bad", "raise", retries={"count": 1, "backoff_seconds": 1}, on_failure="tell", next=None), step("tell")
    )
    bench.happen()
    assert called(bench) == ["bad"]
    bench.advance(5)
    assert called(bench) == ["bad", "bad", "tell"]


def test_a_failed_run_takes_the_automations_own_path_and_stays_failed(bench: Bench) -> None:
    bench.automation(
        step("bad", "raise", next=None), {"id": "nap", "delay": "1h"}, step("tell", "raise"), on_failure="nap"
    )
    bench.happen()
    assert bench.run()["status"] == "waiting"
    bench.restart()
    bench.advance(3600)
    run = bench.run()
    assert run["status"] == "failed"
    assert run["error"]["step_id"] == "bad", "the failure of what handles it is not what failed the run"
    assert called(bench) == ["bad", "tell"]


def test_a_run_that_works_does_not_take_it(bench: Bench) -> None:
    bench.automation(step("good", next=None), step("tell"), on_failure="tell")
    bench.happen()
    assert bench.run()["status"] == "completed"
    assert called(bench) == ["good"]


def test_a_run_that_handled_its_failure_goes_on_at_the_step_that_failed(bench: Bench) -> None:
    fails = [True]

    @bench.upshot.action("once")
    async def once(args: dict, context) -> None:
        if fails:
            fails.pop()
            raise RuntimeError("it broke")

    bench.automation(step("bad", "once"), step("after", next=None), step("tell"), on_failure="tell")
    bench.happen()
    assert bench.run()["status"] == "failed"
    (letter,) = bench.upshot.dead_letters.page("default").items
    bench.upshot.dead_letters.retry("default", letter["id"])
    bench.settle()
    assert bench.run()["status"] == "completed"
    assert called(bench) == ["tell", "after"]


def test_a_branch_that_fails_goes_along_the_path_of_its_step(bench: Bench) -> None:
    bench.automation(
        {"id": "both", "parallel": ["bad", "good"], "next": "after"},
        step("bad", "raise", on_failure="mend", next="after"),
        step("mend", next="after"),
        step("good"),
        step("after"),
    )
    bench.happen()
    assert bench.run()["status"] == "partial"
    assert called(bench)[-1] == "after"
    assert "mend" in called(bench)


def test_a_parallel_step_that_fails_goes_along_its_path(bench: Bench) -> None:
    bench.automation(
        {"id": "both", "parallel": ["bad", "nap"], "next": "after", "on_failure": "mend"},
        step("bad", "raise", next="after"),
        {"id": "nap", "delay": "1h"},
        step("after", next=None),
        step("mend"),
    )
    bench.happen()
    assert bench.run()["status"] == "partial"
    assert called(bench) == ["bad", "mend"]
    assert statuses(bench.run())["nap"] == "cancelled"


def test_a_step_at_most_once_is_done_once(bench: Bench) -> None:
    bench.automation(step("mail", delivery="at_most_once"), step("after"))
    bench.happen()
    assert bench.run()["status"] == "completed"
    (mail, _) = bench.run()["steps"]
    assert [attempt["status"] for attempt in mail["attempts"]] == ["completed"]


@pytest.mark.parametrize(("more", "status"), [({}, "failed"), ({"on_error": "continue"}, "partial")])
def test_what_was_begun_and_lost_is_unknown_and_not_done_again(bench: Bench, more: dict[str, Any], status: str) -> None:
    bench.automation({"id": "nap", "delay": "1h"}, step("mail", delivery="at_most_once", **more), step("after"))
    bench.happen()
    run_id = bench.run()["id"]

    with bench.upshot.database.writing() as connection:  # as a worker left it that vanished in the middle
        journal.begin(connection, [("default", run_id, "mail", 1)], bench.clock.now())
    bench.restart()
    bench.advance(3600)
    run = bench.run()
    assert run["status"] == status
    assert "mail" not in called(bench)
    assert statuses(run)["mail"] == "unknown"
    if status == "failed":
        assert run["error"]["code"] == "unknown"


def test_one_that_takes_too_long_is_unknown(bench: Bench) -> None:
    bench.automation(step("mail", "hang", delivery="at_most_once", timeout_seconds=0.05), step("after"))
    bench.happen()
    assert statuses(bench.run())["mail"] == "unknown"
    bench.advance(3600)
    assert called(bench) == ["mail"]


def retry(bench: Bench) -> dict[str, Any]:
    """Somebody retries the only run, which failed; how it stands then."""
    bench.upshot.runs.retry("default", bench.run()["id"])
    bench.settle()
    return bench.run()


def failing(bench: Bench, times: int, name: str = "flaky") -> None:
    """An action that fails so often, and works from then on."""
    left = [None] * times

    @bench.upshot.action(name)
    async def flaky(args: dict, context) -> None:
        bench.calls.append((context.step_id, args))
        if left:
            left.pop()
            raise RuntimeError("it broke")


def kept(run: dict[str, Any], step_id: str) -> dict[str, Any]:
    return next(step for step in run["steps"] if step["id"] == step_id)


def test_what_handled_a_failure_is_kept_and_not_done_again_when_a_retry_fails_or_works(bench: Bench) -> None:
    failing(bench, 3)
    bench.automation(
        step("first"),
        step("bad", "flaky"),
        step("after", next=None),
        step("sorry", delivery="at_most_once"),
        {"id": "nap", "delay": "1h"},
        step("tell", "raise_for_good"),
        on_failure="sorry",
    )
    bench.happen()
    bench.advance(3600)
    failed = bench.run()
    assert called(bench) == ["first", "bad", "sorry", "tell"]
    for _ in range(2):
        again = retry(bench)
        assert (again["status"], again["error"]["step_id"]) == ("failed", "bad")
        assert statuses(again)["tell"] == "failed"
        assert kept(again, "sorry") == kept(failed, "sorry")
    assert [attempt["attempt"] for attempt in kept(again, "bad")["attempts"]] == [1, 2, 3]
    assert called(bench) == ["first", "bad", "sorry", "tell", "bad", "bad"]
    run = retry(bench)
    assert run["status"] == "completed"
    assert called(bench)[-2:] == ["bad", "after"]
    for step_id in ("sorry", "nap", "tell"):
        assert kept(run, step_id) == kept(failed, step_id), "its trace is kept"


def test_what_a_failure_did_not_come_to_before_is_done_when_it_comes_again(bench: Bench) -> None:
    failing(bench, 2)
    failing(bench, 1, "broken")
    bench.automation(
        step("bad", "flaky", next=None),
        {"id": "both", "parallel": ["left", "nap"], "next": "list"},
        step("left", next=None),
        {"id": "nap", "delay": "1s", "next": None},
        {"id": "list", "for_each": ["a", "b", "c"], "action": "broken", "with": {"item": "{{ item }}"}},
        on_failure="both",
    )
    bench.happen()
    bench.advance(1)
    assert statuses(bench.run())["list"] == "failed"
    assert called(bench) == ["bad", "left", "list[0]"]
    run = retry(bench)
    assert run["status"] == "failed"
    assert called(bench) == ["bad", "left", "list[0]", "bad"]
    bench.restart()
    failing(bench, 0)
    assert retry(bench)["status"] == "completed"


def test_a_run_skips_past_a_failure_that_was_handled(bench: Bench) -> None:
    bench.automation(step("bad", "raise"), step("worse", "raise", next=None), step("sorry"), on_failure="sorry")
    bench.happen()
    bench.upshot.runs.skip("default", bench.run()["id"], step="bad")
    bench.settle()
    run = bench.run()
    assert (run["status"], run["error"]["step_id"]) == ("failed", "worse")
    assert called(bench) == ["bad", "sorry", "worse"]
    assert statuses(run) == {"sorry": "completed", "bad": "skipped", "worse": "failed"}


def test_a_run_made_of_one_that_failed_handles_its_own_failure(bench: Bench) -> None:
    bench.automation(step("good"), step("bad", "raise", next=None), step("sorry"), on_failure="sorry")
    bench.happen()
    failed = retry(bench)
    told = bench.upshot.runs.rerun("default", failed["id"], from_step="bad")
    bench.settle()
    assert told["kept"] == ["good"]
    assert told["repeats"] == ["bad", "sorry"]
    assert called(bench) == ["good", "bad", "sorry", "bad", "bad", "sorry"]


@pytest.mark.parametrize("action", ["raise", "hang"])
def test_a_retry_does_not_begin_a_step_at_most_once_again(bench: Bench, action: str) -> None:
    once = step("mail", action, delivery="at_most_once", timeout_seconds=0.05)
    bench.automation(once, step("after", next=None), step("sorry"), on_failure="sorry")
    bench.happen()
    for number in (2, 3):
        run = retry(bench)
        assert run["status"] == "failed"
        assert statuses(run)["mail"] == "unknown"
        assert [attempt["attempt"] for attempt in kept(run, "mail")["attempts"]] == list(range(1, number + 1))
    assert called(bench) == ["mail", "sorry"]
    bench.upshot.runs.skip("default", run["id"], step="mail")
    bench.settle()
    assert bench.run()["status"] == "completed"
    assert called(bench) == ["mail", "sorry", "after"]


def test_one_that_was_cancelled_in_flight_is_not_begun_again(bench: Bench) -> None:
    fails, is_begun = [True], asyncio.Event()

    @bench.upshot.action("send")
    async def send(args: dict, context) -> None:
        bench.calls.append((context.step_id, args))
        is_begun.set()
        await asyncio.Event().wait()

    @bench.upshot.action("fail_beside_mail")
    async def fail_beside_mail(args: dict, context) -> None:
        await is_begun.wait()
        if fails:
            fails.pop()
            raise RuntimeError("it broke")

    bench.automation(
        {"id": "both", "parallel": ["bad", "mail"], "next": "after"},
        step("bad", "fail_beside_mail", next=None),
        step("mail", "send", delivery="at_most_once", on_error="continue", next=None),
        step("after"),
    )
    bench.happen()
    assert statuses(bench.run())["mail"] == "cancelled"
    run = retry(bench)
    assert run["status"] == "partial"
    assert statuses(run)["mail"] == "unknown"
    assert called(bench) == ["mail", "after"]
