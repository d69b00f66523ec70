"""One action for each item of a list."""

import asyncio
from typing import Any

import pytest

from tests.engine.conftest import Bench
from tests.engine.test_runs import statuses, step


def each(action: str = "note", **more: Any) -> dict[str, Any]:
    arguments = more.pop("arguments", {"sku": "{{ item.sku }}", "at": "{{ index }}"})
    return {"id": "each", "for_each": more.pop("items", "{{ items }}"), "action": action, "with": arguments, **more}


def items(count: int) -> dict[str, Any]:
    return {"items": [{"sku": f"s{number}"} for number in range(count)]}


def test_each_item_is_done_in_order_and_the_outputs_are_collected(bench: Bench) -> None:
    bench.automation(
        each(),
        step("after", arguments={"all": "{{ steps.each.output.results }}", "count": "{{ steps.each.output.count }}"}),
    )
    bench.happen(items(3))
    assert bench.run()["status"] == "completed"
    assert [call for call in bench.calls if call[0] != "after"] == [
        (f"each[{at}]", {"sku": f"s{at}", "at": at}) for at in range(3)
    ]
    after = bench.calls[-1][1]
    assert after["count"] == 3
    assert [result["noted"]["sku"] for result in after["all"]] == ["s0", "s1", "s2"]
    assert len({result["key"] for result in after["all"]}) == 3, "each item has a key of its own"


def test_an_empty_list_is_done_at_once(bench: Bench) -> None:
    bench.automation(each(), step("after", arguments={"all": "{{ steps.each.output.results }}"}))
    bench.happen({"items": []})
    assert bench.calls == [("after", {"all": []})]


def test_no_more_than_so_many_are_done_at_once(bench: Bench) -> None:
    present, most = [0], [0]

    @bench.upshot.action("count")
    async def count(args: dict, context) -> int:
        present[0] += 1
        most[0] = max(most[0], present[0])
        for _ in range(5):
            await asyncio.sleep(0)
        present[0] -= 1
        return args["at"]

    bench.automation(each("count", concurrency=4))
    bench.happen(items(12))
    assert bench.run()["status"] == "completed"
    assert most == [4]


@pytest.mark.parametrize(
    ("given", "code"), [("a text", "not_a_list"), (None, "not_a_list"), ({"a": 1}, "not_a_list"), ([1] * 6, "too_many")]
)
def test_what_is_no_list_or_too_long_fails_the_step_and_says_so(bench: Bench, given: Any, code: str) -> None:
    bench.automation(each(arguments={}, limit=5), step("after"))
    bench.happen({"items": given})
    run = bench.run()
    assert run["status"] == "failed"
    assert run["error"]["code"] == code
    assert bench.calls == []


def test_an_item_that_fails_fails_it_and_the_others_are_cancelled(bench: Bench) -> None:
    bench.automation(each("raise", concurrency=2, on_failure="mend"), step("after", next=None), step("mend"))
    bench.happen(items(5))
    assert bench.run()["status"] == "partial"
    assert statuses(bench.run())["each"] == "failed"
    assert [step_id for step_id, _ in bench.calls][-1] == "mend"


def test_items_that_fail_may_be_passed_over(bench: Bench) -> None:
    bench.automation(
        each("raise", on_error="continue"), step("after", arguments={"n": "{{ steps.each.output.failed }}"})
    )
    bench.happen(items(3))
    assert bench.run()["status"] == "partial"
    assert bench.calls[-1] == ("after", {"n": 3})


def test_an_item_is_tried_again_and_a_restart_goes_on_where_it_was(bench: Bench) -> None:
    bench.automation(
        each("raise_until", arguments={"attempt": 2}, concurrency=2, retries={"count": 2, "backoff_seconds": 60}),
        step("after", arguments={"all": "{{ steps.each.output.results }}"}),
    )
    bench.happen(items(3))
    assert bench.run()["status"] == "waiting"
    bench.restart()
    for _ in range(4):
        bench.advance(100)
    assert bench.run()["status"] == "completed"
    assert bench.calls[-1] == ("after", {"all": [2, 2, 2]})


def test_in_a_branch_it_is_cancelled_like_any_step(bench: Bench) -> None:
    bench.automation(
        {"id": "both", "parallel": ["each", "quick"], "join": "any", "next": "after"},
        each("hang", concurrency=2, next="after"),
        step("quick"),
        step("after"),
    )
    bench.happen(items(4))
    run = bench.run()
    assert run["status"] == "completed"
    assert {s["status"] for s in run["steps"] if s["id"].startswith("each")} <= {"cancelled", "completed"}


def test_of_a_long_list_only_the_first_items_are_shown(bench: Bench) -> None:
    bench.automation(each(arguments={}, concurrency=100))
    bench.happen({"items": list(range(150))})
    run = bench.run()
    assert run["status"] == "completed"
    shown = [s["id"] for s in run["steps"]]
    assert len(shown) == 101
    assert (shown[0], shown[-1]) == ("each[]", "each")
    (whole,) = [s["output"] for s in run["steps"] if s["id"] == "each"]
    assert whole == {"count": 150, "failed": 0}


def test_a_failed_item_is_retried_and_the_others_are_not_repeated(bench: Bench) -> None:
    fails = [True]

    @bench.upshot.action("second_once")
    async def second_once(args: dict, context) -> int:
        bench.calls.append((context.step_id, args))
        if args["at"] == 1 and fails:
            fails.pop()
            raise RuntimeError("it broke")
        return args["at"]

    bench.automation(each("second_once"), step("after", arguments={"all": "{{ steps.each.output.results }}"}))
    bench.happen(items(3))
    assert bench.run()["status"] == "failed"
    (letter,) = bench.upshot.dead_letters.page("default").items
    bench.upshot.dead_letters.retry("default", letter["id"])
    bench.settle()
    assert bench.run()["status"] == "completed"
    assert [step_id for step_id, _ in bench.calls] == ["each[0]", "each[1]", "each[1]", "each[2]", "after"]
    assert bench.calls[-1] == ("after", {"all": [0, 1, 2]})
