"""Steps that go round in a run: each round is kept under ids of its own, and everything that is done to runs knows them."""

from pathlib import Path
from typing import Any

import pytest

from tests.engine.conftest import Bench
from tests.engine.test_runs import statuses, step
from upshot import Conflict, Refused

DAY = 86_400
HEAR: dict[str, Any] = {
    "id": "hear",
    "wait_for_event": "paid",
    "timeout": "3d",
    "on_timeout": "remind",
    "next": "thank",
}
REMIND = step("remind", arguments={"before": "{{ steps.remind.output.noted.before | default: 'nothing' }}!"})


def kept(run: dict[str, Any]) -> list[str]:
    return [one["id"] for one in run["steps"] if one["status"] not in {"pending", "skipped"}]


def test_a_reminder_goes_round_until_it_is_paid(bench: Bench) -> None:
    bench.automation(REMIND, HEAR, step("thank", arguments={"said": "{{ steps.remind.output.noted.before }}"}))
    bench.happen()
    for _ in range(2):
        bench.advance(3 * DAY)
        bench.restart()
    assert bench.run()["status"] == "waiting"
    assert bench.run()["current_step"] == "hear:3"
    bench.emit("paid", {})
    run = bench.run()
    assert run["status"] == "completed"
    assert [step_id for step_id, _ in bench.calls] == ["remind", "remind:2", "remind:3", "thank"]
    assert [args["before"] for _, args in bench.calls[:3]] == ["nothing!", "nothing!!", "nothing!!!"]
    assert bench.calls[-1][1] == {"said": "nothing!!!"}, "what is read is of the latest round"
    assert kept(run) == ["remind", "hear", "remind:2", "hear:2", "remind:3", "hear:3", "thank"]
    assert statuses(run)["hear:2"] == "failed"
    keys = {one["attempts"][-1]["idempotency_key"] for one in run["steps"]}
    assert len(keys) == len(run["steps"])
    last = run["steps"][4]
    assert (last["step_id"], last["round"], last["item"]) == ("remind", 3, None)


def test_an_event_that_met_one_round_meets_no_other(bench: Bench) -> None:
    bench.automation(step("remind", arguments={}), {"id": "hear", "wait_for_event": "said", "next": "remind"})
    bench.happen()
    for number in range(3):
        bench.emit("said", {"n": number})
    assert bench.run()["current_step"] == "hear:4"
    bench.restart()
    assert bench.run()["current_step"] == "hear:4"
    heard = [one["output"] for one in bench.run()["steps"] if one["kind"] == "wait_for_event"]
    assert heard == [{"n": 0}, {"n": 1}, {"n": 2}, None]


FORKED: list[dict[str, Any]] = [
    {"id": "fork", "parallel": ["list", "nap"], "join": "all", "next": "again?"},
    {
        "id": "list",
        "for_each": ["a", "b"],
        "action": "note",
        "with": {"item": "{{ item }}"},
        "concurrency": 2,
        "next": None,
    },
    {"id": "nap", "delay": "1h", "next": None},
    {"id": "again?", "delay": "1h"},
    {
        "id": "enough",
        "branch": {"field": "now.hour", "operator": "greater_than", "value": 11},
        "if_true": "end",
        "if_false": "fork",
    },
    step("end", arguments={"items": "{{ steps.list.output.results }}"}),
]


def test_branches_and_lists_go_round_too(bench: Bench) -> None:
    bench.automation(*FORKED)
    bench.happen()
    for _ in range(5):
        bench.advance(3600)
        bench.restart()
    assert bench.run()["status"] == "completed"
    assert sorted(step_id for step_id, _ in bench.calls) == sorted(
        ["end", *(f"list{at}[{item}]" for at in ("", ":2") for item in (0, 1))]
    )
    assert [one["noted"] for one in bench.calls[-1][1]["items"]] == [{"item": "a"}, {"item": "b"}]
    shown = {one["id"]: (one["step_id"], one["round"], one["item"]) for one in bench.run()["steps"]}
    assert shown["list:2[1]"] == ("list", 2, 1)
    assert {"fork:2", "nap:2", "list:2[]", "list:2", "enough:2"} <= set(shown)


def test_what_fails_in_a_later_round_is_retried_or_skipped_there(bench: Bench) -> None:
    failing: list[int] = []

    @bench.upshot.action("third")
    async def third(args: dict, context) -> None:
        bench.calls.append((context.step_id, args))
        if context.step_id == "try:3" and len(failing) < 2:
            failing.append(context.attempt)
            raise RuntimeError("it broke")

    bench.automation(step("try", "third", arguments={}), {"id": "nap", "delay": "1d", "next": "try"})
    bench.happen()
    bench.advance(DAY)
    bench.advance(DAY)
    assert (bench.run()["status"], bench.run()["error"]["step_id"]) == ("failed", "try:3")
    run_id = bench.run()["id"]
    bench.upshot.runs.retry("default", run_id)
    bench.settle()
    assert (bench.run()["status"], failing) == ("failed", [1, 2])
    with pytest.raises(Conflict, match="stands at 'try:3', not at 'try'"):
        bench.upshot.runs.skip("default", run_id, step="try")
    bench.upshot.runs.skip("default", run_id, step="try:3", output={"n": 3})
    bench.settle()
    assert bench.run()["current_step"] == "nap:3"
    bench.upshot.runs.skip("default", run_id)
    bench.settle()
    assert bench.calls[-1][0] == "try:4"


def test_a_run_is_run_again_from_a_round(bench: Bench) -> None:
    bench.automation(step("try"), {"id": "nap", "delay": "1d", "next": "try"})
    bench.happen()
    bench.advance(DAY)
    bench.advance(DAY)
    run_id = bench.run()["id"]
    bench.upshot.runs.cancel("default", run_id)
    bench.settle()
    told = bench.upshot.runs.rerun("default", run_id, from_step="try:2", dry_run=True)
    assert (told["kept"], told["repeats"]) == (["try", "nap"], ["try:2", "try:3"])
    again = bench.upshot.runs.rerun("default", run_id, from_step="try:2")
    bench.settle()
    run = bench.upshot.runs.get("default", again["run_id"])
    assert (run["current_step"], kept(run)) == ("nap:2", ["try", "nap", "try:2", "nap:2"])
    with pytest.raises(Refused, match="never came"):
        bench.upshot.runs.rerun("default", run_id, from_step="try:9")


def test_runs_in_a_later_round_go_on_on_another_version(bench: Bench) -> None:
    nap = {"id": "nap", "delay": "1d", "next": "try"}
    automation_id = bench.automation(step("try", arguments={}), nap)
    bench.happen()
    bench.advance(DAY)
    document = {"name": "test", "trigger": {"event": "test/happened"}, "status": "active"}
    changed = [step("try", arguments={"new": True}), {**nap, "note": "the same"}]
    bench.upshot.automations.save("default", automation_id, {**document, "steps": changed})
    told = bench.upshot.automations.publish("default", automation_id, runs="move")["runs_in_flight"]
    assert (told["done"], told["reasons"]) == (1, [])
    bench.advance(DAY)
    assert bench.calls[-1] == ("try:3", {"new": True})


def test_what_is_done_at_most_once_is_done_once_in_each_round(bench: Bench) -> None:
    bench.automation(step("try", arguments={}, delivery="at_most_once"), {"id": "nap", "delay": "1d", "next": "try"})
    bench.happen()
    bench.advance(DAY)
    bench.restart()
    bench.advance(DAY)
    assert [step_id for step_id, _ in bench.calls] == ["try", "try:2", "try:3"]


def test_a_circle_that_never_waits_ends_as_a_failed_step(tmp_path: Path) -> None:
    with Bench(f"sqlite:///{tmp_path}/upshot.db") as bench:
        goes_round_too_often(bench)


def goes_round_too_often(bench: Bench) -> None:
    bench.automation(
        step("a", arguments={}, on_error="continue"), {"id": "b", "delay": {"seconds": "{{ zero }}"}, "next": "a"}
    )
    bench.happen({"zero": 0})
    run = bench.run()
    assert (run["status"], run["error"]["code"], run["error"]["step_id"]) == ("failed", "too_many_rounds", "a:1001")
    assert len(bench.calls) == 1_000
    shown = [one["id"] for one in run["steps"]]
    assert "a:1000" in shown
    assert len(shown) < 200
    assert bench.upshot.runs.retry("default", run["id"]) is None
    bench.settle()
    assert bench.run()["error"]["code"] == "too_many_rounds"


def test_each_round_calls_anew_and_is_given_what_the_latest_round_of_the_other_gave(bench: Bench) -> None:
    count = step("count", arguments={"n": "{{ steps.count.output.noted.n | default: 0 | plus: 1 }}"})
    again = {"field": "steps.count.output.noted.n", "operator": "less_than", "value": 2}
    called = bench.upshot.automations.create(
        "default",
        {
            "name": "counted",
            "trigger": {"manual": True},
            "status": "active",
            "steps": [
                count,
                {"id": "rest", "delay": "1h"},
                {"id": "again?", "branch": again, "if_true": "count", "if_false": None},
            ],
        },
    )["id"]
    bench.automation({"id": "ask", "call": called, "with": {}}, {"id": "nap", "delay": "1d", "next": "ask"})
    bench.happen()
    for _ in range(2):
        bench.advance(3600)
        bench.advance(3600)
        bench.restart()
        bench.advance(DAY)
    caller = next(run for run in bench.runs() if run["automation"]["name"] == "test")
    asked = [one for one in caller["steps"] if one["step_id"] == "ask"]
    assert [one["id"] for one in asked] == ["ask", "ask:2", "ask:3"]
    assert [one["output"]["outputs"]["count"]["noted"]["n"] for one in asked[:2]] == [2, 2]
    assert set(asked[0]["output"]["outputs"]) == {"count"}
    assert len({one["output"]["run_id"] for one in asked[:2]}) == 2
    assert asked[2]["status"] == "waiting"
