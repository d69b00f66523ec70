"""Events that cancel runs under way, wherever these stand."""

from typing import Any

from tests.engine.conftest import Bench
from tests.engine.test_control import Gate
from tests.engine.test_control_forks import until
from tests.engine.test_dead_letters import broken
from tests.engine.test_runs import statuses, step
from tests.engine.test_waits import rows
from upshot.engine.cancel import RUNS_MAX

CANCEL = [{"event": "test/cancelled", "match": {"number": "{{ number }}"}}]
NAP = {"id": "nap", "delay": "30d"}


def cancel(bench: Bench, number: Any, **more: Any) -> str:
    return bench.emit("test/cancelled", {"number": number}, **more)


def left_over(bench: Bench) -> list[int]:
    return [rows(bench, table) for table in ("waits", "timers", "cancelling", "active")]


def test_an_event_cancels_the_runs_it_matches(bench: Bench) -> None:
    bench.automation(NAP, step("after"), cancel_on=CANCEL)
    bench.automation(NAP)
    for number in (1, 2):
        bench.happen({"number": number})
    cancel(bench, 3)
    assert [run["status"] for run in bench.runs()] == ["waiting"] * 4
    bench.restart()
    bench.advance(20 * 86400)
    event_id = cancel(bench, 2, id="the host's")
    found = [run for run in bench.runs() if run["status"] == "cancelled"]
    assert [(run["status"], statuses(run)) for run in found] == [
        ("cancelled", {"nap": "cancelled", "after": "skipped"})
    ]
    reason = {
        "code": "cancelled_by_event",
        "message": "Cancelled by the event test/cancelled.",
        "event": {"id": "the host's", "name": "test/cancelled"},
    }
    assert found[0]["reason"] == reason
    shown = bench.upshot.events.get("default", event_id)
    assert [run["id"] for run in shown["cancelled_runs"]] == [found[0]["id"]]
    bench.advance(20 * 86400)
    assert sorted(run["status"] for run in bench.runs()) == ["cancelled", *["completed"] * 3]
    assert [step_id for step_id, _ in bench.calls] == ["after"]
    assert (left_over(bench), broken(bench)) == ([0, 0, 0, 0], [])


def test_what_came_before_the_runs_own_event_does_not_count(bench: Bench) -> None:
    bench.automation(NAP, cancel_on=CANCEL)
    cancel(bench, 1)
    bench.happen({"number": 1})
    assert bench.run()["status"] == "waiting"
    bench.restart()
    bench.advance(1)
    assert bench.run()["status"] == "waiting"


def test_events_given_together_cancel_those_before_them(bench: Bench) -> None:
    bench.automation(step("slow"), NAP, cancel_on=CANCEL)
    given = [
        {"name": "test/cancelled", "data": {"number": 1}},
        {"name": "test/happened", "data": {"number": 1}},
        {"name": "test/happened", "data": {"number": 2}},
        {"name": "test/cancelled", "data": {"number": 2}},
    ]
    bench.upshot.emit_many(given)
    bench.settle()
    assert [run["status"] for run in bench.runs()] == ["waiting", "cancelled"]


def test_a_newer_run_of_the_same_thing_cancels_the_older(bench: Bench) -> None:
    bench.automation(NAP, cancel_on=[{"event": "test/happened", "match": "number"}])
    first, second, other = (bench.happen({"number": number}) for number in (1, 1, 2))
    told = {run["event"]["id"]: run["status"] for run in bench.runs()}
    assert told == {first: "cancelled", second: "waiting", other: "waiting"}


def test_paused_held_and_throttled_runs_are_cancelled(bench: Bench) -> None:
    bench.automation(NAP, cancel_on=CANCEL, flow={"concurrency": {"limit": 1}})
    bench.automation(NAP, cancel_on=CANCEL, flow={"throttle": {"limit": 1, "per": "1h"}})
    for number in (1, 2, 3):
        bench.happen({"number": number})
    by_status: dict[str, list[dict[str, Any]]] = {}
    for run in bench.runs():
        by_status.setdefault(run["status"], []).append(run)
    assert {status: len(found) for status, found in by_status.items()} == {"waiting": 2, "pending": 4}
    for run in by_status["waiting"]:
        bench.upshot.runs.pause("default", run["id"])
    bench.restart()
    cancel(bench, 3)
    cancel(bench, 1)
    counted = [run["status"] for run in bench.runs()]
    assert sorted(counted) == ["cancelled"] * 4 + ["pending", "waiting"]  # the place that was freed is taken
    bench.advance(3600)
    assert sorted(run["status"] for run in bench.runs()) == ["cancelled"] * 4 + ["waiting"] * 2
    assert broken(bench) == []


def test_what_was_gathered_starts_and_is_cancelled_at_once(bench: Bench) -> None:
    bench.automation(step("never"), cancel_on=CANCEL, flow={"debounce": {"for": "1h"}})
    bench.happen({"number": 1})
    cancel(bench, 1)
    assert bench.runs() == []
    bench.advance(3600)
    assert (bench.run()["status"], bench.calls) == ("cancelled", [])


def test_a_step_in_flight_is_dropped_and_no_other_begins(bench: Bench) -> None:
    gate = Gate(bench)
    bench.automation(
        {"id": "both", "parallel": ["slow", "doze"], "next": None},
        step("slow", "gate", next=None),
        {"id": "doze", "delay": "2d"},
        step("after", next=None),
        cancel_on=CANCEL,
    )
    bench.upshot.emit("test/happened", {"number": 1})
    gate.entered()
    bench.upshot.emit("test/cancelled", {"number": 1})
    until(lambda: bench.run()["status"] == "cancelled", "the run is cancelled")
    gate.open()
    assert (statuses(bench.run())["slow"], bench.calls) == ("cancelled", [])
    assert (left_over(bench), broken(bench)) == ([0, 0, 0, 0], [])


def test_a_run_that_is_retried_or_run_again_is_cancelled_too(bench: Bench) -> None:
    bench.automation(step("fails", "raise"), cancel_on=CANCEL)
    bench.happen({"number": 1})
    first = bench.run()["id"]
    cancel(bench, 1)
    assert bench.run()["status"] == "failed"
    bench.upshot.runs.retry("default", first)
    bench.settle()
    assert bench.run()["status"] == "cancelled"  # what it is about was cancelled meanwhile
    again = bench.upshot.runs.rerun("default", first)["run_id"]
    bench.settle()
    assert bench.upshot.runs.get("default", again)["status"] == "failed"


def test_a_run_that_moves_to_another_version_is_cancelled_by_what_that_one_says(bench: Bench) -> None:
    automation = bench.automation(NAP, cancel_on=CANCEL)
    for number in (1, 2):
        bench.happen({"number": number})
    document = bench.upshot.automations.export("default", automation)
    other = [{"event": "test/gone", "match": {"number": "{{ number }}"}}]
    bench.upshot.automations.save("default", automation, {**document, "cancel_on": other, "status": None})
    bench.upshot.automations.publish("default", automation, runs="move")
    cancel(bench, 1)
    assert [run["status"] for run in bench.runs()] == ["waiting", "waiting"]
    bench.emit("test/gone", {"number": 1})
    assert [run["status"] for run in bench.runs()] == ["cancelled", "waiting"]
    assert broken(bench) == []


def test_a_value_that_is_not_there_cancels_nothing(bench: Bench) -> None:
    bench.automation(NAP, cancel_on=[{"event": "test/cancelled", "match": {"number": "{{ nothing }}"}}])
    bench.happen({"number": 1})
    bench.emit("test/cancelled", {"number": None})
    bench.emit("test/cancelled")
    assert (bench.run()["status"], rows(bench, "waits")) == ("waiting", 0)


def test_a_test_cancels_tests_only(bench: Bench) -> None:
    automation = bench.automation(NAP, cancel_on=[{"event": "test/cancelled"}])
    bench.happen()
    bench.upshot.runs.start_by_hand("default", automation, {}, test=True)
    bench.settle()
    bench.upshot.events.accept("default", [{"name": "test/cancelled", "data": {}}], test=True)
    bench.settle()
    assert {run["test"]: run["status"] for run in bench.runs()} == {False: "waiting", True: "cancelled"}


def test_many_are_cancelled_in_batches(bench: Bench) -> None:
    bench.automation(NAP, cancel_on=[{"event": "test/cancelled", "match": {"all": "yes"}}])
    number = 2 * RUNS_MAX + 7
    bench.upshot.emit_many([{"name": "test/happened", "data": {"number": each}} for each in range(number)])
    bench.settle()
    cancelled: list[int] = []
    bench.upshot.engine.cancel.on_cancelled = lambda _tenant_id, _run_id: cancelled.append(1)
    event_id = bench.emit("test/cancelled", {"all": "yes"})
    assert len(cancelled) == number
    assert bench.upshot.stats.get("default")["runs"]["cancelled"] == number
    assert len(bench.upshot.events.get("default", event_id)["cancelled_runs"]) == 200
    assert (left_over(bench), broken(bench)) == ([0, 0, 0, 0], [])


def test_a_run_that_was_called_and_is_waited_for_is_cancelled_too(bench: Bench) -> None:
    called = bench.automation(NAP, trigger={"manual": True})
    bench.automation({"id": "call", "call": called}, step("after"), cancel_on=CANCEL)
    bench.happen({"number": 1})
    bench.settle()
    assert [run["status"] for run in bench.runs()] == ["waiting", "waiting"]
    cancel(bench, 1)
    told = {run["automation"]["id"]: (run["status"], run["reason"] and run["reason"]["code"]) for run in bench.runs()}
    assert told.pop(called) == ("cancelled", None)
    assert list(told.values()) == [("cancelled", "cancelled_by_event")]
    assert (left_over(bench), bench.calls, broken(bench)) == ([0, 0, 0, 0], [], [])
