"""Steps that wait for an event: met by what comes, by what had come already, or by nothing in time."""

from typing import Any

import pytest

from tests.engine.conftest import Bench
from tests.engine.test_dead_letters import broken
from tests.engine.test_runs import statuses, step


def wait(step_id: str = "reply", **more: Any) -> dict[str, Any]:
    return {"id": step_id, "wait_for_event": "test/replied", "match": {"number": "{{ number }}"}, **more}


def reply(bench: Bench, number: Any, **more: Any) -> str:
    return bench.emit("test/replied", {"number": number, **more})


def rows(bench: Bench, table: str) -> int:
    with bench.upshot.database.reading() as connection:
        return connection.exec_driver_sql(f"SELECT count(*) FROM upshot_{table}").scalar_one()


def test_a_run_waits_for_the_event_that_matches(bench: Bench) -> None:
    bench.automation(wait(), step("after", arguments={"said": "{{ steps.reply.output.said }}"}))
    bench.happen({"number": 1})
    bench.happen({"number": 2})
    reply(bench, 3, said="nobody asked")
    assert [run["status"] for run in bench.runs()] == ["waiting", "waiting"]
    assert broken(bench) == []
    bench.restart()
    bench.advance(40 * 86400)
    event_id = reply(bench, 2, said="yes")
    assert sorted(run["status"] for run in bench.runs()) == ["completed", "waiting"]
    assert bench.calls == [("after", {"said": "yes"})]
    (done,) = [run for run in bench.runs() if run["status"] == "completed"]
    told = next(one for one in done["steps"] if one["id"] == "reply")
    assert (told["kind"], told["output"]["said"]) == ("wait_for_event", "yes")
    assert told["input"] == {"event": "test/replied", "event_id": event_id}
    reply(bench, 1.0, said="late")
    assert [run["status"] for run in bench.runs()] == ["completed", "completed"]
    assert (rows(bench, "waits"), rows(bench, "timers")) == (0, 0)
    assert broken(bench) == []


def test_what_came_before_the_wait_began_counts_once(bench: Bench) -> None:
    @bench.upshot.action("asks_and_is_answered")
    def asks_and_is_answered(args: dict, context) -> None:
        for said in ("first", "second"):
            bench.upshot.emit("test/replied", {"number": args["number"], "said": said})

    bench.emit("test/replied", {"number": 7, "said": "before the run"})
    bench.automation(
        step("ask", "asks_and_is_answered", arguments={"number": "{{ number }}"}),
        {"id": "nap", "delay": "1h"},
        wait("one"),
        wait("two"),
        wait("three", timeout="1h", on_timeout="last", next=None),
        step("last", arguments={"said": "{{ steps.one.output.said }} {{ steps.two.output.said }}"}),
    )
    bench.happen({"number": 7})
    bench.advance(3600)
    assert statuses(bench.run()) == {
        "ask": "completed", "nap": "completed", "one": "completed", "two": "completed", "three": "waiting", "last": "pending",
    }  # fmt: skip
    bench.advance(3600)
    assert bench.run()["status"] == "completed"
    assert bench.calls == [("last", {"said": "first second"})]


def test_those_whom_one_event_wakes_read_it_together(bench: Bench) -> None:
    bench.automation(wait())
    for _ in range(100):
        bench.happen({"number": 1})
    reads: list[int] = []
    bench.upshot.engine.process.reads.on_read = reads.append
    reply(bench, 1, said="to all")
    assert {run["status"] for run in bench.runs()} == {"completed"}
    assert len(reads) < 50


@pytest.mark.parametrize(
    ("late", "status", "after"),
    [({"on_timeout": "sorry"}, "completed", ["sorry"]), ({"on_timeout": None}, "completed", []), ({}, "failed", []),
     ({"on_failure": "sorry"}, "partial", ["sorry"])],
)  # fmt: skip
def test_what_does_not_come_in_time(bench: Bench, late: dict[str, Any], status: str, after: list[str]) -> None:
    bench.automation(
        wait(timeout="3d", **late),
        {
            "id": "ways",
            "branch": {"field": "number", "operator": "equals", "value": 0},
            "if_true": "sorry",
            "if_false": "end",
        },
        step("sorry", next="end"),
        {"id": "end", "stop": True},
    )
    bench.happen({"number": 1})
    bench.restart()
    bench.advance(3 * 86400)
    run = bench.run()
    assert run["status"] == status
    assert next(one for one in run["steps"] if one["id"] == "reply")["error"]["code"] == "timeout"
    assert [step_id for step_id, _ in bench.calls] == after
    reply(bench, 1)
    assert (rows(bench, "waits"), rows(bench, "timers")) == (0, 0)


def test_several_waits_of_one_run_are_open_at_once(bench: Bench) -> None:
    bench.automation(
        {"id": "both", "parallel": ["a", "b", "c"], "join": 2, "next": "after"},
        wait("a", match={"number": "{{ number }}", "who": "a"}, next=None),
        wait("b", match={"number": "{{ number }}", "who": "b"}, next=None, timeout="9d"),
        wait("c", match={"number": "{{ number }}", "who": "c"}, next=None),
        step("after", arguments={"who": "{{ steps.a.output.who }}{{ steps.b.output.who }}"}),
    )
    bench.happen({"number": 1})
    assert (bench.run()["status"], rows(bench, "waits")) == ("waiting", 3)
    reply(bench, 1, who="a")
    assert statuses(bench.run())["a"] == "completed"
    assert (bench.run()["status"], rows(bench, "waits")) == ("waiting", 2)
    bench.restart()
    reply(bench, 1, who="b")
    assert bench.run()["status"] == "completed"
    assert statuses(bench.run())["c"] == "cancelled"
    assert bench.calls == [("after", {"who": "ab"})]
    assert (rows(bench, "waits"), rows(bench, "timers")) == (0, 0)


def test_a_branch_goes_on_while_another_waits(bench: Bench) -> None:
    @bench.upshot.action("answers")
    async def answers(args: dict, context) -> None:
        await bench.upshot.emit_async("test/replied", {"number": args["number"]})

    bench.automation(
        {"id": "both", "parallel": ["reply", "ask"], "next": None},
        wait(next=None),
        step("ask", "answers", arguments={"number": "{{ number }}"}, next=None),
    )
    for number in range(5):
        bench.happen({"number": number})
    bench.advance(2)
    assert [run["status"] for run in bench.runs()] == ["completed"] * 5


def test_one_event_meets_many_and_a_value_that_is_not_there_fails(bench: Bench) -> None:
    bench.automation({"id": "any", "wait_for_event": "test/replied"})
    bench.automation(wait(match={"number": "{{ nothing }}"}))
    for number in range(3):
        bench.happen({"number": number})
    reply(bench, 5)
    found = bench.runs()
    assert sorted(run["status"] for run in found) == ["completed"] * 3 + ["failed"] * 3
    assert {run["error"]["code"] for run in found if run["error"]} == {"never_matches"}


def test_a_cancelled_run_waits_no_more(bench: Bench) -> None:
    bench.automation(wait(timeout="1d"))
    bench.happen({"number": 1})
    bench.upshot.runs.cancel("default", bench.run()["id"])
    assert (rows(bench, "waits"), rows(bench, "timers")) == (0, 0)
    reply(bench, 1)
    assert bench.run()["status"] == "cancelled"
    assert broken(bench) == []
