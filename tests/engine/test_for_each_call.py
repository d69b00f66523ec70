"""A run of another automation for each item of a list."""

from typing import Any

import pytest

from tests.engine.conftest import Bench
from tests.engine.test_calls import callee, shown
from tests.engine.test_dead_letters import broken
from tests.engine.test_for_each import items
from tests.engine.test_runs import statuses, step
from tests.engine.test_waits import rows
from upshot.engine import fork
from upshot.store import journal

Run = dict[str, Any]


def each(automation_id: str, **more: Any) -> dict[str, Any]:
    data = {"sku": "{{ item.sku }}", "at": "{{ index }}"}
    return {"id": "each", "for_each": "{{ items }}", "call": automation_id, "with": data, **more}


def family(bench: Bench) -> tuple[Run, list[Run]]:
    """The run that calls, and those that it called, by the place of their items."""
    runs = {run["id"]: run for run in bench.runs()}
    (parent,) = [run for run in runs.values() if not run["depth"]]
    called = [run for run in runs.values() if run["depth"] == 1]
    assert all(run["cause"]["run_id"] == parent["id"] for run in called)
    return parent, sorted(called, key=lambda run: int(run["cause"]["step_id"][5:-1]))


def test_each_item_has_a_run_of_its_own_and_what_they_gave_is_collected_in_order(bench: Bench) -> None:
    pack = callee(bench, {"id": "nap", "delay": "1h"}, step("pack", arguments={"sku": "{{ sku }}", "at": "{{ at }}"}))
    after = {"all": "{{ steps.each.output.results }}", "count": "{{ steps.each.output.count }}"}
    bench.automation(each(pack, concurrency=2), step("after", arguments=after))
    bench.happen(items(5))
    parent, called = family(bench)
    assert (parent["status"], [run["status"] for run in called]) == ("waiting", ["waiting"] * 2)
    assert statuses(parent)["each[1]"] == "waiting"
    assert shown(parent, "each[1]")["called_run"] == {"id": called[1]["id"], "status": "waiting"}
    bench.restart()
    for _ in range(3):  # two at once, an hour each
        bench.advance(3600)
    parent, called = family(bench)
    assert (parent["status"], [run["status"] for run in called]) == ("completed", ["completed"] * 5)
    packed = sorted((call["at"], call["sku"]) for name, call in bench.calls if name == "pack")
    assert packed == [(at, f"s{at}") for at in range(5)]
    assert shown(parent, "each[3]")["input"] == {"automation": pack, "data": {"sku": "s3", "at": 3}}
    assert shown(parent, "each[3]")["called_run"] == {"id": called[3]["id"], "status": "completed"}
    given = bench.calls[-1][1]
    assert given["count"] == 5
    assert [(one["run_id"], one["status"]) for one in given["all"]] == [(run["id"], "completed") for run in called]
    assert [one["outputs"]["pack"]["noted"]["at"] for one in given["all"]] == list(range(5))
    assert {(run["depth"], run["root_id"], len(run["path"])) for run in called} == {(1, parent["event"]["id"], 1)}
    assert (rows(bench, "waits"), rows(bench, "timers"), rows(bench, "active"), broken(bench)) == (0, 0, 0, [])


def test_an_empty_list_and_what_is_no_list_call_nobody(bench: Bench) -> None:
    pack = callee(bench, step("pack"))
    bench.automation(each(pack, limit=2, on_failure="sorry", next=None), step("sorry"))
    for given in ([], "a text", [{"sku": "a"}] * 3):
        bench.happen({"items": given})
    found = bench.runs()
    assert [run["status"] for run in found] == ["completed", "partial", "partial"]
    assert [(shown(run, "each")["error"] or {}).get("code") for run in found] == [None, "not_a_list", "too_many"]
    assert len(bench.calls) == 2


def test_a_called_run_that_fails_fails_it_and_a_retry_goes_on_with_that_item_alone(bench: Bench) -> None:
    pack = callee(
        bench,
        {
            "id": "bad?",
            "branch": {"field": "at", "operator": "equals", "value": 1},
            "if_true": "break",
            "if_false": "nap",
        },
        step("break", "raise_until", arguments={"attempt": 2}, next=None),
        {"id": "nap", "delay": "1h"},
        step("pack"),
    )
    bench.automation(each(pack, concurrency=3), step("after", arguments={"all": "{{ steps.each.output.results }}"}))
    bench.happen(items(4))
    parent, called = family(bench)
    assert (parent["status"], [run["status"] for run in called]) == ("failed", ["waiting", "failed", "waiting"])
    assert (parent["error"]["code"], parent["error"]["step_id"]) == ("call_failed", "each[1]")
    assert (shown(parent, "each")["status"], shown(parent, "each[0]")["status"]) == ("failed", "cancelled")
    assert rows(bench, "waits") == 0
    bench.advance(3600)  # those that it let go of go on, and are found
    bench.upshot.runs.retry("default", parent["id"])
    bench.settle()
    bench.advance(3600)
    parent, called = family(bench)
    assert (parent["status"], [run["status"] for run in called]) == ("completed", ["completed"] * 4)
    names = [name for name, _ in bench.calls]
    assert (names.count("break"), names.count("pack"), names[-1]) == (2, 3, "after")
    assert [one["run_id"] for one in bench.calls[-1][1]["all"]] == [run["id"] for run in called]
    assert (rows(bench, "waits"), broken(bench)) == (0, [])


def test_those_that_fail_are_passed_over_where_it_says_so(bench: Bench) -> None:
    odd = {
        "id": "odd?",
        "branch": {"field": "at", "operator": "in", "value": [1, 3]},
        "if_true": "break",
        "if_false": None,
    }
    pack = callee(bench, odd, step("break", "raise"))
    bench.automation(
        each(pack, concurrency=2, on_error="continue"), step("after", arguments={"got": "{{ steps.each.output }}"})
    )
    bench.happen(items(5))
    parent, called = family(bench)
    assert (parent["status"], [run["status"] for run in called]) == (
        "partial",
        ["completed", "failed", "completed", "failed", "completed"],
    )
    assert shown(parent, "each[3]")["error"]["code"] == "call_failed"
    got = bench.calls[-1][1]["got"]
    assert (got["count"], got["failed"]) == (5, 2)
    told = [(one or {}).get("status") for one in got["results"]]
    assert told == ["completed", "failed", "completed", "failed", "completed"], "a failed one still tells its run"
    assert broken(bench) == []


@pytest.mark.parametrize("on_error", ["stop", "continue"])
def test_each_item_has_its_own_time(bench: Bench, on_error: str) -> None:
    pack = callee(bench, {"id": "nap", "delay": {"hours": "{{ at }}"}}, step("pack"))
    bench.automation(
        each(pack, concurrency=3, timeout={"minutes": "{{ item.minutes }}"}, on_error=on_error), step("after")
    )
    bench.happen({"items": [{"sku": "a", "minutes": 30}, {"sku": "b", "minutes": 90}, {"sku": "c", "minutes": 90}]})
    bench.restart()
    bench.advance(3600)
    bench.advance(1800)
    parent, called = family(bench)
    assert [run["status"] for run in called] == ["completed", "completed", "waiting"], "a run that is late goes on"
    assert parent["status"] == ("failed" if on_error == "stop" else "partial")
    assert (shown(parent, "each[2]")["status"], shown(parent, "each[2]")["error"]["code"]) == ("failed", "timeout")
    bench.advance(1800)
    assert [run["status"] for run in family(bench)[1]] == ["completed"] * 3
    assert (rows(bench, "waits"), rows(bench, "timers"), broken(bench)) == (0, 0, [])


def test_a_cancel_goes_down_to_all_that_live_and_no_other_is_called(bench: Bench) -> None:
    pack = callee(bench, {"id": "nap", "delay": {"hours": "{{ at }}"}}, step("pack"))
    bench.automation(each(pack, concurrency=3))
    bench.happen(items(6))
    bench.upshot.runs.cancel("default", family(bench)[0]["id"])
    bench.settle()
    parent, called = family(bench)
    assert (parent["status"], [run["status"] for run in called]) == ("cancelled", ["completed"] + ["cancelled"] * 3)
    assert (rows(bench, "waits"), rows(bench, "timers"), rows(bench, "active"), broken(bench)) == (0, 0, 0, [])


def test_one_that_fails_where_the_run_goes_on_takes_the_others_with_it(bench: Bench) -> None:
    nap = {"id": "nap", "delay": "1h", "next": None}
    bad = {
        "id": "bad?",
        "branch": {"field": "at", "operator": "equals", "value": 2},
        "if_true": "break",
        "if_false": "nap",
    }
    pack = callee(bench, bad, nap, step("break", "raise"))
    bench.automation(each(pack, concurrency=3, on_failure="sorry", next=None), step("sorry"))
    bench.happen(items(6))
    parent, called = family(bench)
    assert (parent["status"], [run["status"] for run in called]) == ("partial", ["cancelled", "cancelled", "failed"])
    assert [name for name, _ in bench.calls] == ["break", "sorry"]
    assert (rows(bench, "waits"), rows(bench, "active"), broken(bench)) == (0, 0, [])


def test_what_nobody_waits_for_is_started_for_each_item_and_left_alone(bench: Bench) -> None:
    pack = callee(bench, {"id": "nap", "delay": "1h"}, step("pack"))
    bench.automation(
        {**each(pack, concurrency=4), "await": False},
        step("after", arguments={"all": "{{ steps.each.output.results }}"}),
    )
    bench.happen(items(9))
    parent, called = family(bench)
    assert (parent["status"], [run["status"] for run in called]) == ("completed", ["waiting"] * 9)
    assert bench.calls[-1][1]["all"] == [{"run_id": run["id"], "status": "pending"} for run in called]
    bench.advance(3600)
    assert {run["status"] for run in family(bench)[1]} == {"completed"}
    assert (rows(bench, "waits"), broken(bench)) == (0, [])


def test_people_pause_and_skip_a_list_that_waits(bench: Bench) -> None:
    pack = callee(bench, {"id": "nap", "delay": "1h"}, step("pack"))
    bench.automation(each(pack, concurrency=2), step("after", arguments={"all": "{{ steps.each.output.results }}"}))
    bench.happen(items(3))
    parent, called = family(bench)
    bench.upshot.runs.pause("default", parent["id"])
    bench.advance(3600)
    parent, called = family(bench)
    assert (parent["status"], [run["status"] for run in called]) == ("paused", ["completed"] * 2)
    bench.upshot.runs.resume("default", parent["id"])
    bench.settle()
    assert len(family(bench)[1]) == 3
    bench.upshot.runs.skip("default", parent["id"], step="each[2]", output={"by": "hand"})
    bench.settle()
    parent, called = family(bench)
    assert (parent["status"], called[2]["status"]) == ("completed", "waiting")
    assert bench.calls[-1][1]["all"][2] == {"by": "hand"}
    assert (rows(bench, "waits"), broken(bench)) == (0, [])


def test_lists_in_branches_in_a_circle_call_anew_in_each_round(bench: Bench) -> None:
    pack = callee(bench, {"id": "nap", "delay": "1h"}, step("pack"))
    bench.automation(
        {"id": "both", "parallel": ["each", "rest"], "next": "again?"},
        {**each(pack, concurrency=2), "next": None},
        {"id": "rest", "delay": "10m", "next": None},
        {"id": "again?", "branch": {"field": "run.id", "operator": "exists"}, "if_true": "sleep", "if_false": None},
        {"id": "sleep", "delay": "1d", "next": "both"},
    )
    bench.happen(items(2))
    bench.advance(600)
    bench.advance(3000)
    bench.advance(86400)
    bench.advance(600)
    bench.advance(3000)
    steps = [run["cause"]["step_id"] for run in bench.runs() if run["depth"]]
    assert sorted(steps) == ["each:2[0]", "each:2[1]", "each[0]", "each[1]"]
    assert broken(bench) == []


def test_a_caller_with_a_long_journal_is_not_read_again_for_each_run_that_ends(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fork, "LINGER_FROM", 5)
    monkeypatch.setattr(fork, "LINGER_SECONDS", 60.0)
    brought_back: list[str] = []
    load = journal.load

    def noted(connection: Any, keys: Any) -> Any:
        brought_back.extend(run_id for _, run_id in keys)
        return load(connection, keys)

    monkeypatch.setattr(journal, "load", noted)
    pack = callee(bench, step("pack"))
    bench.automation(each(pack, concurrency=2))
    bench.happen(items(40))
    parent, called = family(bench)
    assert (parent["status"], {run["status"] for run in called}, len(called)) == ("completed", {"completed"}, 40)
    assert brought_back.count(parent["id"]) <= 5
    assert broken(bench) == []


def test_a_run_that_stays_awake_for_those_it_called_sleeps_in_the_end_and_is_cancelled_at_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fork, "LINGER_FROM", 2)
    monkeypatch.setattr(fork, "LINGER_SECONDS", 0.05)
    nap = {"id": "nap", "delay": "1h"}
    pack = callee(
        bench,
        {
            "id": "late?",
            "branch": {"field": "at", "operator": "greater_than", "value": 5},
            "if_true": "nap",
            "if_false": None,
        },
        nap,
    )
    bench.automation(each(pack, concurrency=2))
    bench.happen(items(9))
    parent, called = family(bench)
    assert (parent["status"], len(called)) == ("waiting", 8)
    bench.advance(3600)
    assert (family(bench)[0]["status"], len(family(bench)[1])) == ("waiting", 9)
    bench.upshot.runs.cancel("default", parent["id"])
    bench.settle()
    parent, called = family(bench)
    assert (parent["status"], called[8]["status"]) == ("cancelled", "cancelled")
    assert (rows(bench, "waits"), rows(bench, "active"), broken(bench)) == (0, 0, [])
