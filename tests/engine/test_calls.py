"""Steps that call another automation: awaited or not, ended well or badly, cancelled, retried, too deep."""

import asyncio
import threading
from typing import Any

import pytest

from tests.engine.conftest import Bench
from tests.engine.test_control_forks import until
from tests.engine.test_dead_letters import broken
from tests.engine.test_runs import statuses, step
from tests.engine.test_waits import rows
from upshot.store import calls

Run = dict[str, Any]


def callee(bench: Bench, *steps: dict[str, Any], name: str = "Settle", **more: Any) -> str:
    """An automation that starts by a call only; its id."""
    return bench.automation(*steps, name=name, trigger={"manual": True}, **more)


def call(automation_id: str, step_id: str = "settle", **more: Any) -> dict[str, Any]:
    return {"id": step_id, "call": automation_id, "with": {"number": "{{ number }}"}, **more}


def family(bench: Bench) -> tuple[Run, Run]:
    """The run that calls, and the one that it called."""
    parent, child = bench.runs()
    return parent, child


def shown(run: Run, step_id: str) -> dict[str, Any]:
    return next(one for one in run["steps"] if one["id"] == step_id)


def test_what_nobody_waits_for_is_started_once_and_left_alone(bench: Bench) -> None:
    settle = callee(bench, {"id": "nap", "delay": "1h"}, step("pay", arguments={"n": "{{ number }}"}))
    bench.automation({**call(settle), "await": False}, step("after"))
    event_id = bench.happen({"number": 7})
    parent, child = family(bench)
    assert (parent["status"], child["status"]) == ("completed", "waiting")
    assert shown(parent, "settle")["output"] == {"run_id": child["id"], "status": "pending"}
    assert shown(parent, "settle")["input"] == {"automation": settle, "data": {"number": 7}}
    assert (child["automation"]["id"], child["depth"]) == (settle, 1)
    assert child["cause"] == {"run_id": parent["id"], "step_id": "settle"}
    assert shown(parent, "settle")["called_run"] == {"id": child["id"], "status": "waiting"}
    assert [(link["event"]["id"], link["run_id"]) for link in child["path"]] == [(event_id, parent["id"])]
    bench.upshot.runs.cancel("default", child["id"])
    assert family(bench)[0]["status"] == "completed"
    assert broken(bench) == []


def test_a_run_sleeps_until_the_run_it_called_is_over(bench: Bench) -> None:
    settle = callee(bench, {"id": "nap", "delay": "40d"}, step("pay", arguments={"n": "{{ number }}"}))
    bench.automation(call(settle), step("after", arguments={"got": "{{ steps.settle.output.outputs.pay.noted.n }}"}))
    bench.happen({"number": 7})
    parent, child = family(bench)
    assert (parent["status"], child["status"]) == ("waiting", "waiting")
    assert statuses(parent) == {"settle": "waiting", "after": "pending"}
    assert broken(bench) == []
    bench.restart()
    bench.advance(40 * 86400)
    parent, child = family(bench)
    assert (parent["status"], child["status"]) == ("completed", "completed")
    assert [name for name, _ in bench.calls] == ["pay", "after"]
    assert bench.calls[1] == ("after", {"got": 7})
    output = shown(parent, "settle")["output"]
    assert (output["run_id"], output["status"]) == (child["id"], "completed")
    assert output["outputs"]["pay"]["noted"] == {"n": 7}
    assert (rows(bench, "waits"), rows(bench, "timers"), rows(bench, "active")) == (0, 0, 0)
    assert broken(bench) == []


@pytest.mark.parametrize(
    ("last", "status"),
    [("note", "completed"), ("raise", "failed"), ("raise_for_good", "partial"), ("nap", "cancelled")],
)
def test_every_end_of_the_called_run_is_told(bench: Bench, last: str, status: str) -> None:
    on_error = {"on_error": "continue"} if status == "partial" else {}
    nap = {"id": "last", "delay": "90d"}
    settle = callee(bench, nap if last == "nap" else step("last", last, **on_error))
    worked = status in {"completed", "partial"}
    bench.automation(
        call(settle, on_failure="sorry", next="end"), step("sorry", next="end"), {"id": "end", "stop": True}
    )
    bench.happen({"number": 1})
    if last == "nap":
        bench.upshot.runs.cancel("default", family(bench)[1]["id"])
        bench.settle()
    parent, child = family(bench)
    told = shown(parent, "settle")
    assert (child["status"], parent["status"]) == (status, "completed" if worked else "partial")
    assert (told["status"], told["output"]["run_id"], told["output"]["status"]) == (
        "completed" if worked else "failed",
        child["id"],
        status,
    )
    assert (told["error"] or {}).get("code") == {"failed": "call_failed", "cancelled": "call_cancelled"}.get(status)
    if status == "failed":
        assert told["error"]["message"] == (
            f"Run {child['id']} of “Settle”, which it called, failed at step “last”: RuntimeError: it broke"
        )
    assert ("sorry" in [name for name, _ in bench.calls]) is not worked
    assert (rows(bench, "waits"), broken(bench)) == (0, [])


@pytest.mark.parametrize(
    ("late", "status", "after"),
    [({"on_timeout": "sorry"}, "completed", ["sorry"]), ({"on_timeout": None}, "completed", []), ({}, "failed", []),
     ({"on_error": "continue"}, "partial", ["sorry"])],
)  # fmt: skip
def test_a_called_run_that_is_not_over_in_time_goes_on(
    bench: Bench, late: dict[str, Any], status: str, after: list[str]
) -> None:
    settle = callee(bench, {"id": "nap", "delay": "9d"}, step("pay"))
    bench.automation(call(settle, timeout="3d", **late), step("sorry"))
    bench.happen({"number": 1})
    bench.restart()
    bench.advance(3 * 86400)
    parent, child = family(bench)
    assert (parent["status"], child["status"]) == (status, "waiting")
    assert (shown(parent, "settle")["kind"], shown(parent, "settle")["error"]["code"]) == ("call", "timeout")
    assert shown(parent, "settle")["called_run"] == {"id": child["id"], "status": "waiting"}
    bench.advance(6 * 86400)
    assert family(bench)[1]["status"] == "completed"
    assert [name for name, _ in bench.calls] == [*after, "pay"]
    assert (rows(bench, "waits"), rows(bench, "timers")) == (0, 0)
    assert broken(bench) == []


def test_a_cancel_goes_down_to_what_is_waited_for(bench: Bench) -> None:
    alone = callee(bench, {"id": "nap", "delay": "1d"}, name="alone")
    deep = callee(bench, {**call(alone, "let go"), "await": False}, {"id": "nap", "delay": "1d"}, name="deep")
    middle = callee(bench, call(deep), name="middle")
    bench.automation(call(middle), name="top")
    bench.happen({"number": 1})
    bench.upshot.runs.cancel("default", bench.runs()[0]["id"])
    bench.settle()
    ended = {run["automation"]["name"]: run["status"] for run in bench.runs()}
    assert ended == {"top": "cancelled", "middle": "cancelled", "deep": "cancelled", "alone": "waiting"}
    assert (rows(bench, "waits"), rows(bench, "timers"), broken(bench)) == (0, 1, [])


@pytest.mark.parametrize(("join", "slow"), [("any", "cancelled"), ("all", "waiting")])
def test_a_branch_takes_what_it_waits_for_with_it_unless_the_run_fails(bench: Bench, join: str, slow: str) -> None:
    ending = "note" if join == "any" else "raise"
    quick = callee(bench, step("pay", ending), name="quick")
    sleeper = callee(bench, {"id": "nap", "delay": "1d"}, step("late"), name="slow")
    bench.automation(
        {"id": "both", "parallel": ["quick", "slow"], "join": join, "next": "after"},
        call(quick, "quick", next=None),
        call(sleeper, "slow", next=None),
        step("after"),
    )
    bench.happen({"number": 1})
    found = {run["automation"]["name"]: run for run in bench.runs()}
    assert found["test"]["status"] == ("completed" if join == "any" else "failed")
    assert (statuses(found["test"])["slow"], found["slow"]["status"]) == ("cancelled", slow)
    assert rows(bench, "waits") == 0
    if join == "all":  # a retry finds the one where it is, and lets the other go on
        bench.upshot.runs.retry("default", found["test"]["id"])
        bench.advance(86400)
        again = {run["automation"]["name"]: run for run in bench.runs()}
        assert len(bench.runs()) == 3
        assert (again["slow"]["status"], again["quick"]["status"], again["test"]["status"]) == (
            "completed",
            "failed",
            "failed",
        )
    assert broken(bench) == []


def test_a_run_that_ends_in_the_commit_that_lets_go_of_it_has_ended(bench: Bench) -> None:
    """The end of the called run and the outcome by which nobody waits for it any more are kept in one transaction."""
    inside, door = list[str](), asyncio.Event()

    @bench.upshot.action("hold")
    async def hold(_args: dict, context: Any) -> None:  # type: ignore[type-arg] - an action may take plain arguments
        inside.append(context.step_id)
        await door.wait()

    settle = callee(bench, step("pay", "hold"))
    both = {"id": "both", "parallel": ["settle", "quick"], "join": "any", "next": "after"}
    bench.automation(both, call(settle, next=None), step("quick", "hold", next=None), step("after"))
    bench.upshot.emit("test/happened", {"number": 1})
    commit, loop = bench.upshot.commit, bench.upshot.engine.loop
    assert loop is not None
    until(lambda: sorted(inside) == ["pay", "quick"], "both are held")
    is_held, may_go_on = threading.Event(), threading.Event()
    writer = threading.Thread(target=commit.run, args=(lambda _: (is_held.set(), may_go_on.wait(30)),))
    writer.start()
    assert is_held.wait(30)
    loop.call_soon_threadsafe(door.set)

    def are_outcomes_pending() -> bool:
        with commit._wake:
            waiting = [piece for line in commit._pending._lines.values() for piece in line.pieces]
        return sum(piece.kind.name == "record" for piece in waiting) == 2

    until(are_outcomes_pending, "both outcomes are known")
    may_go_on.set()
    writer.join()
    bench.settle()
    parent, child = family(bench)
    assert (child["status"], statuses(child)) == ("completed", {"pay": "completed"})
    assert statuses(parent) == {"both": "completed", "settle": "cancelled", "quick": "completed", "after": "completed"}
    counted = bench.upshot.stats.get("default")["runs"]
    assert {status: number for status, number in counted.items() if number} == {"completed": 2}
    assert (rows(bench, "waits"), broken(bench)) == (0, [])


def test_a_retry_lets_the_called_run_go_on_where_it_failed(bench: Bench) -> None:
    settle = callee(bench, step("first"), step("pay", "raise_until", arguments={"attempt": 2}))
    bench.automation(step("before"), call(settle), step("after"))
    bench.happen({"number": 1})
    parent, child = family(bench)
    assert (parent["status"], child["status"]) == ("failed", "failed")
    bench.upshot.runs.retry("default", parent["id"])
    bench.settle()
    parent, child = family(bench)
    assert (parent["status"], child["status"]) == ("completed", "completed")
    assert [name for name, _ in bench.calls] == ["before", "first", "pay", "pay", "after"]
    told = shown(parent, "settle")
    assert [attempt["status"] for attempt in told["attempts"]] == ["failed", "completed"]
    assert (rows(bench, "waits"), broken(bench)) == (0, [])


def test_a_retry_takes_what_the_called_run_came_to_meanwhile(bench: Bench) -> None:
    settle = callee(bench, step("pay", "raise_until", arguments={"attempt": 2}))
    bench.automation(call(settle), step("after"))
    bench.happen({"number": 1})
    bench.happen({"number": 2})
    parents = [run for run in bench.runs() if not run["depth"]]
    children = {run["cause"]["run_id"]: run for run in bench.runs() if run["depth"]}
    assert {run["status"] for run in bench.runs()} == {"failed"}
    bench.upshot.runs.retry("default", children[parents[0]["id"]]["id"])
    bench.settle()
    assert bench.upshot.runs.get("default", parents[0]["id"])["status"] == "failed"
    for parent in parents:
        bench.upshot.runs.retry("default", parent["id"])
        bench.settle()
    assert {run["status"] for run in bench.runs()} == {"completed"}
    assert sorted(name for name, _ in bench.calls) == ["after", "after", "pay", "pay", "pay", "pay"]


def test_a_cancelled_run_is_not_called_again(bench: Bench) -> None:
    settle = callee(bench, {"id": "nap", "delay": "1d"})
    bench.automation(call(settle), step("after"))
    bench.happen({"number": 1})
    parent, child = family(bench)
    bench.upshot.runs.cancel("default", child["id"])
    bench.settle()
    bench.upshot.runs.retry("default", parent["id"])
    bench.settle()
    parent = family(bench)[0]
    assert (parent["status"], parent["error"]["code"]) == ("failed", "call_cancelled")
    told = bench.upshot.runs.rerun("default", parent["id"], from_step="settle")
    assert told["repeats"] == ["settle"]
    bench.settle()
    bench.advance(86400)
    again = bench.upshot.runs.get("default", told["run_id"])
    assert again["status"] == "completed"
    assert shown(again, "settle")["called_run"]["id"] != child["id"]
    assert len(bench.runs()) == 4


def test_an_event_that_cancels_reaches_whoever_waits_and_whatever_is_waited_for(bench: Bench) -> None:
    cancelled = [{"event": "test/stopped", "match": {"number": "{{ number }}"}}]
    nap = {"id": "nap", "delay": "1d"}
    child_stops = callee(bench, nap, name="child stops", cancel_on=cancelled)
    goes_on = callee(bench, nap, name="goes on")
    bench.automation(call(child_stops, on_failure="sorry", next=None), step("sorry"), name="told")
    bench.automation(call(goes_on), name="parent stops", cancel_on=cancelled)
    bench.happen({"number": 1})
    bench.emit("test/stopped", {"number": 1})
    ended = {run["automation"]["name"]: run["status"] for run in bench.runs()}
    assert ended == {"told": "partial", "child stops": "cancelled", "parent stops": "cancelled", "goes on": "cancelled"}
    assert (rows(bench, "waits"), rows(bench, "timers"), broken(bench)) == (0, 0, [])


def test_what_cannot_be_called_fails_the_step(bench: Bench) -> None:
    settle = callee(bench, step("pay"))
    caller = bench.automation(
        call(settle, on_failure="sorry", next="end"), step("sorry", next="end"), {"id": "end", "stop": True}
    )
    bench.upshot.automations.pause("default", settle)
    bench.happen({"number": 1})
    bench.upshot.automations.pause("default", caller)
    bench.upshot.automations.archive("default", settle)
    bench.upshot.automations.activate("default", caller)
    bench.happen({"number": 2})
    bench.upshot.automations.pause("default", caller)
    bench.upshot.automations.delete("default", settle)
    bench.upshot.automations.activate("default", caller)
    bench.happen({"number": 3})
    found = bench.runs()
    assert [run["status"] for run in found] == ["partial"] * 3
    errors = [shown(run, "settle")["error"] for run in found]
    assert {error["code"] for error in errors} == {"not_callable"}
    assert [error["message"].split(" “Settle” ")[1][:12] for error in errors] == [
        "is paused; i",
        "is archived;",
        "was deleted.",
    ]
    assert [shown(run, "settle")["called_run"] for run in found] == [None] * 3


def test_what_nobody_would_wait_for_and_cannot_be_called_fails_the_step_too(bench: Bench) -> None:
    settle = callee(bench, step("pay"))
    bench.automation({**call(settle), "await": False, "on_failure": "sorry", "next": None}, step("sorry"))
    bench.upshot.automations.pause("default", settle)
    bench.happen({"number": 1})
    assert (bench.run()["status"], shown(bench.run(), "settle")["error"]["code"]) == ("partial", "not_callable")
    assert (bench.calls, broken(bench)) == ([("sorry", {})], [])


def test_an_end_that_is_kept_before_the_time_is_over_counts(bench: Bench) -> None:
    settle = callee(bench, {"id": "nap", "delay": "9d"})
    bench.automation(call(settle, timeout="1h"), step("after", arguments={"how": "{{ steps.settle.output.status }}"}))
    bench.happen({"number": 1})
    bench.upshot.stop()
    with bench.upshot.database.writing() as connection:  # as by a process that died before it told anybody
        calls.end(connection, [("default", family(bench)[1]["id"])], "partial")
    bench.clock.advance(7200)
    bench.restart()
    bench.advance(1)
    assert family(bench)[0]["status"] == "completed"
    assert bench.calls == [("after", {"how": "partial"})]
    assert rows(bench, "waits") == 0


def test_a_chain_of_calls_that_is_too_long_ends_with_a_failed_step(bench: Bench) -> None:
    own = bench.automation(step("only"))
    document = {"name": "test", "trigger": {"event": "test/happened"}, "status": "active"}
    bench.upshot.automations.save("default", own, {**document, "steps": [{**call(own, "again"), "await": False}]})
    bench.happen({"number": 1})
    found = bench.runs()
    assert [run["depth"] for run in found] == list(range(17))
    assert [run["status"] for run in found] == ["completed"] * 16 + ["failed"]
    assert found[-1]["error"]["code"] == "loop_stopped"
    assert broken(bench) == []


def test_what_the_caller_is_about_and_that_it_is_a_test_is_handed_on(bench: Bench) -> None:
    bench.upshot.entities.create("default", "order", id="o1", fields={"total": 5})
    settle = callee(bench, step("pay", arguments={"total": "{{ entity.total }}", "n": "{{ number }}"}))
    caller = bench.automation({**call(settle), "with": {"number": "{{ entity.total }}"}})
    bench.upshot.runs.start_by_hand("default", caller, {}, test=True, entity={"type": "order", "id": "o1"})
    bench.settle()
    parent, child = family(bench)
    assert [run["status"] for run in (parent, child)] == ["completed"] * 2
    assert (child["test"], child["entity"]) == (True, {"type": "order", "id": "o1"})
    assert bench.calls == [("pay", {"total": 5, "n": 5})]
    explained = bench.upshot.events.explain("default", child["event"]["id"])["automations"]
    assert [(one["automation_id"], one["outcome"], one["run_id"]) for one in explained] == [
        (settle, "started", child["id"])
    ]


def test_people_pause_skip_and_limit_a_run_that_waits_for_another(bench: Bench) -> None:
    settle = callee(bench, {"id": "nap", "delay": "1d"})
    bench.automation(call(settle), step("after"), timeout="30d")
    bench.automation(call(settle), step("after"), timeout="1h", name="limited")
    bench.happen({"number": 1})
    bench.happen({"number": 2})
    parents = [run for run in bench.runs() if not run["depth"] and run["automation"]["name"] == "test"]
    bench.upshot.runs.pause("default", parents[0]["id"])
    bench.upshot.runs.skip("default", parents[1]["id"], step="settle", output={"status": "by hand"})
    bench.advance(86400)
    found = {run["id"]: run for run in bench.runs()}
    assert {run["status"] for run in found.values() if run["depth"]} == {"completed"}
    assert [found[run["id"]]["status"] for run in parents] == ["paused", "completed"]
    assert [run["status"] for run in found.values() if run["automation"]["name"] == "limited"] == ["failed"] * 2
    bench.upshot.runs.resume("default", parents[0]["id"])
    bench.settle()
    assert bench.upshot.runs.get("default", parents[0]["id"])["status"] == "completed"
    assert (rows(bench, "waits"), rows(bench, "active"), broken(bench)) == (0, 0, [])


def test_data_that_cannot_be_filled_in_fails_the_step(bench: Bench) -> None:
    settle = callee(bench, step("pay"))
    large = {"text": "{{ text }}{{ text }}{{ text }}"}
    bench.automation({**call(settle), "with": large}, name="awaited")
    bench.automation({**call(settle), "with": large, "await": False}, name="not awaited")
    bench.happen({"text": "x" * 100_000})
    assert {(run["status"], run["error"]["code"]) for run in bench.runs()} == {("failed", "bad_call")}
    assert len(bench.runs()) == 2
