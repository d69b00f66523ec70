"""What people do to runs that stand at several places: each control holds, lets go or takes up all of them."""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from tests.engine.conftest import Bench
from upshot import Conflict, Refused

DAY = 86_400
WAIT_SECONDS = 30


class Gates:
    """An action whose steps wait until a test opens each of them."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.calls: list[str] = []
        self._entered: defaultdict[str, threading.Event] = defaultdict(threading.Event)
        self._open: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.declare()

    def declare(self) -> None:
        """Give the bench's present application the action."""

        @self._bench.upshot.action("gate")
        async def gate(args: dict, context) -> str:  # type: ignore[type-arg] - an action may take plain arguments
            del args
            self.calls.append(context.step_id)
            self._entered[context.step_id].set()
            await self._open[context.step_id].wait()
            return "through"

    def entered(self, *step_ids: str) -> None:
        """Wait until these steps are in flight."""
        for step_id in step_ids:
            assert self._entered[step_id].wait(WAIT_SECONDS)

    def open(self, step_id: str) -> None:
        """Let this step end."""
        loop = self._bench.upshot.engine.loop
        assert loop is not None
        loop.call_soon_threadsafe(self._open[step_id].set)


@pytest.fixture
def gates(bench: Bench) -> Gates:
    return Gates(bench)


def gate(step_id: str, **more: Any) -> dict[str, Any]:
    return {"id": step_id, "action": "gate", "with": {}, **more}


def note(step_id: str, **more: Any) -> dict[str, Any]:
    return {"id": step_id, "action": "note", "with": {}, **more}


def fork(*heads: str, **more: Any) -> dict[str, Any]:
    return {"id": "fork", "parallel": list(heads), "next": "end", **more}


def statuses(bench: Bench) -> dict[str, str]:
    return {step["id"]: step["status"] for step in bench.run()["steps"]}


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait for this with a long deadline."""
    stop = threading.Event()
    for _ in range(WAIT_SECONDS * 50):
        if holds():
            return
        stop.wait(0.02)
    pytest.fail(f"{what} did not happen within {WAIT_SECONDS} s")


def begin(bench: Bench) -> str:
    bench.upshot.emit("test/happened", {})
    until(lambda: len(bench.runs()) == 1, "the run")
    return bench.run()["id"]


def test_what_is_in_flight_is_kept_and_nothing_more_begins_in_any_branch(bench: Bench, gates: Gates) -> None:
    bench.automation(
        fork("a", "b", "nap"), gate("a"), note("after a", next="end"), gate("b", next="end"),
        {"id": "nap", "delay": "1d"}, note("after nap", next="end"), note("end"),
    )  # fmt: skip
    run_id = begin(bench)
    gates.entered("a", "b")
    bench.upshot.runs.pause("default", run_id)
    gates.open("a")
    until(lambda: statuses(bench)["a"] == "completed", "the first step in flight")
    assert (bench.run()["status"], bench.calls) == ("paused", [])
    gates.open("b")
    until(lambda: statuses(bench)["b"] == "completed", "the second step in flight")
    bench.settle()
    bench.advance(3 * DAY)
    assert statuses(bench)["nap"] == "waiting", "a delay that comes due while its run is paused does nothing"
    assert (bench.run()["status"], bench.calls) == ("paused", [])
    bench.upshot.runs.resume("default", run_id)
    bench.settle()
    assert (bench.run()["status"], gates.calls) == ("completed", ["a", "b"])
    assert sorted(step for step, _ in bench.calls) == ["after a", "after nap", "end"]


def test_over_a_restart_a_paused_run_keeps_all_its_places(bench: Bench) -> None:
    bench.automation(
        fork("nap", "try"), {"id": "nap", "delay": "1d", "next": "end"},
        {"id": "try", "action": "raise_until", "with": {"attempt": 2}, "retries": {"count": 3, "backoff_seconds": 60},
         "next": "end"},
        note("end"),
    )  # fmt: skip
    bench.happen()
    run_id = bench.run()["id"]
    bench.upshot.runs.pause("default", run_id)
    bench.restart()
    bench.advance(DAY / 2)
    assert (statuses(bench)["try"], [step for step, _ in bench.calls]) == ("waiting", ["try"])
    bench.upshot.runs.resume("default", run_id)
    bench.settle()
    assert (bench.run()["status"], statuses(bench)["try"]) == ("waiting", "completed"), "the retry was due"
    bench.advance(DAY / 2 - 1)
    assert bench.run()["status"] == "waiting", "the delay goes on to its own instant"
    bench.advance(1)
    assert bench.run()["status"] == "completed"


def test_a_timeout_that_comes_due_while_the_run_is_paused_cancels_nothing_in_flight(bench: Bench, gates: Gates) -> None:
    bench.automation(
        fork("a", "b", "nap", timeout="1h", on_timeout="late"),
        gate("a", next="end"), gate("b"), note("after b", next="end"),
        {"id": "nap", "delay": "1d", "next": "end"}, note("end", next=None), note("late"),
    )  # fmt: skip
    run_id = begin(bench)
    gates.entered("a", "b")
    bench.upshot.runs.pause("default", run_id)
    gates.open("a")
    until(lambda: statuses(bench)["a"] == "completed", "the first step in flight")
    loop = bench.upshot.engine.loop
    assert loop is not None
    bench.clock.advance(7200)
    loop.call_soon_threadsafe(bench.upshot.engine.wake)
    gates.open("b")
    until(lambda: statuses(bench)["b"] == "completed", "the second step in flight")
    bench.settle()
    assert (bench.run()["status"], statuses(bench)["fork"]) == ("paused", "waiting")
    bench.upshot.runs.resume("default", run_id)
    bench.settle()
    assert (bench.run()["status"], statuses(bench)["fork"], statuses(bench)["late"]) == (
        "completed",
        "failed",
        "completed",
    )


def test_resumed_while_a_step_is_in_flight_the_other_places_do_not_wait_for_it(bench: Bench, gates: Gates) -> None:
    bench.automation(fork("a", "b"), gate("a"), note("after a", next="end"), gate("b", next="end"), note("end"))
    run_id = begin(bench)
    gates.entered("a", "b")
    bench.upshot.runs.pause("default", run_id)
    gates.open("a")
    until(lambda: statuses(bench)["a"] == "completed", "the first step in flight")
    bench.upshot.runs.resume("default", run_id)
    assert bench.run()["status"] == "running"
    until(lambda: statuses(bench)["after a"] == "completed", "the other branch going on")
    gates.open("b")
    until(lambda: bench.run()["status"] == "completed", "the end")
    assert gates.calls == ["a", "b"]


def test_items_in_flight_end_and_no_further_item_begins(bench: Bench, gates: Gates) -> None:
    each = {"id": "each", "for_each": [1, 2, 3, 4], "action": "gate", "with": {}, "concurrency": 2}
    bench.automation(each, note("end"))
    run_id = begin(bench)
    gates.entered("each[0]", "each[1]")
    bench.upshot.runs.pause("default", run_id)
    for step_id in ("each[0]", "each[1]"):
        gates.open(step_id)
    until(lambda: statuses(bench).get("each[1]") == statuses(bench).get("each[0]") == "completed", "the items")
    bench.settle()
    assert (bench.run()["status"], sorted(gates.calls)) == ("paused", ["each[0]", "each[1]"])
    for step_id in ("each[2]", "each[3]"):
        gates.open(step_id)
    bench.upshot.runs.resume("default", run_id)
    until(lambda: bench.run()["status"] == "completed", "the end")
    assert sorted(gates.calls) == [f"each[{index}]" for index in range(4)], "none was done twice"


def test_a_paused_run_of_several_places_is_cancelled(bench: Bench, gates: Gates) -> None:
    bench.automation(fork("a", "nap"), gate("a", next="end"), {"id": "nap", "delay": "1d", "next": "end"}, note("end"))
    run_id = begin(bench)
    gates.entered("a")
    bench.upshot.runs.pause("default", run_id)
    bench.upshot.runs.cancel("default", run_id)
    gates.open("a")
    bench.settle()
    bench.advance(2 * DAY)
    assert (bench.run()["status"], bench.calls) == ("cancelled", [])


# --- past a step --------------------------------------------------------------------------------------------------------


def forked(bench: Bench, **more: Any) -> str:
    """A run that sleeps in two branches; its id."""
    bench.automation(
        fork("nap", "rest", **more),
        {"id": "nap", "delay": "1d"}, note("after nap", next="end", **{"with": {"got": "{{ steps.nap.output.by }}"}}),
        {"id": "rest", "delay": "2d", "next": "end"},
        note("end"),
    )  # fmt: skip
    bench.happen()
    return bench.run()["id"]


def test_of_several_places_the_one_to_skip_is_named(bench: Bench) -> None:
    run_id = forked(bench)
    with pytest.raises(Conflict, match=r"stands at several steps, 'fork', 'nap', 'rest': say which one in `step`"):
        bench.upshot.runs.skip("default", run_id)
    with pytest.raises(Conflict, match="not at 'end'"):
        bench.upshot.runs.skip("default", run_id, step="end")
    bench.upshot.runs.skip("default", run_id, step="nap", output={"by": "hand"})
    bench.settle()
    assert bench.calls == [("after nap", {"got": "hand"})]
    assert (statuses(bench)["nap"], statuses(bench)["rest"], bench.run()["status"]) == ("skipped", "waiting", "waiting")
    bench.upshot.runs.skip("default", run_id)  # only one place is left
    bench.settle()
    assert (bench.run()["status"], bench.calls[-1][0]) == ("completed", "end")
    bench.advance(3 * DAY)
    assert len(bench.calls) == 2, "no timer is left"


def test_a_step_in_a_branch_whose_skipping_meets_the_join_closes_the_others(bench: Bench) -> None:
    run_id = forked(bench, join="any")
    bench.upshot.runs.skip("default", run_id, step="rest")
    bench.settle()
    assert (bench.run()["status"], statuses(bench)["nap"]) == ("completed", "cancelled")
    bench.advance(3 * DAY)
    assert [step for step, _ in bench.calls] == ["end"]


def test_a_parallel_step_is_skipped_with_all_that_is_open_inside(bench: Bench) -> None:
    run_id = forked(bench)
    bench.upshot.runs.skip("default", run_id, step="fork")
    bench.settle()
    assert (bench.run()["status"], [step for step, _ in bench.calls]) == ("completed", ["end"])
    assert [statuses(bench)[step] for step in ("fork", "nap", "rest", "after nap")] == [
        "skipped", "cancelled", "cancelled", "skipped",
    ]  # fmt: skip
    bench.advance(3 * DAY)
    assert len(bench.calls) == 1


EACH: dict[str, Any] = {
    "id": "each", "for_each": [1, 2, 3], "action": "raise", "with": {}, "concurrency": 3,
    "retries": {"count": 1, "backoff_seconds": 600}, "next": "end",
}  # fmt: skip
READ_EACH = {"id": "end", "action": "note", "with": {"got": "{{ steps.each.output.count }}"}}


def test_items_are_skipped_one_by_one_or_the_whole_list(bench: Bench) -> None:
    bench.automation(EACH, READ_EACH)
    bench.happen()
    run_id = bench.run()["id"]
    with pytest.raises(Conflict, match="several steps"):
        bench.upshot.runs.skip("default", run_id)
    bench.upshot.runs.skip("default", run_id, step="each[1]", output="mine")
    bench.settle()
    assert (bench.run()["status"], statuses(bench)["each[1]"]) == ("waiting", "skipped")
    bench.upshot.runs.skip("default", run_id, step="each", output={"count": "a few"})
    bench.settle()
    assert (bench.run()["status"], bench.calls[-1]) == ("completed", ("end", {"got": "a few"}))


def test_the_list_of_a_for_each_and_a_lot_are_skipped_only_with_what_they_give(bench: Bench, gates: Gates) -> None:
    split = {"id": "lot", "split": [{"weight": 1, "next": "each"}, {"weight": 1, "next": None}]}
    each = {"id": "each", "for_each": "{{ missing }}", "action": "note", "with": {"got": "{{ item }}"}}
    bench.automation(gate("gate"), split, each)
    run_id = begin(bench)
    gates.entered("gate")
    bench.upshot.runs.pause("default", run_id)
    gates.open("gate")
    until(lambda: statuses(bench)["lot"] == "ready", "the lot")
    for output in (None, {"path": True}, {"path": 2}, {"path": -1}):
        with pytest.raises(Refused, match="for this split"):
            bench.upshot.runs.skip("default", run_id, output=output)
    bench.upshot.runs.skip("default", run_id, output={"path": 0})
    for output in (None, [1], {"items": 1}):
        with pytest.raises(Refused, match="for the list of a for_each"):
            bench.upshot.runs.skip("default", run_id, step="each[]", output=output)
    bench.upshot.runs.skip("default", run_id, step="each[]", output={"items": ["x", "y"]})
    bench.upshot.runs.resume("default", run_id)
    bench.settle()
    assert (bench.run()["status"], [args["got"] for _, args in bench.calls]) == ("completed", ["x", "y"])


@pytest.mark.parametrize("step", [None, "try"])
def test_the_step_in_a_branch_that_failed_a_run_is_skipped(bench: Bench, step: str | None) -> None:
    bench.automation(
        fork("nap", "try"), {"id": "nap", "delay": "1d", "next": "end"},
        {"id": "try", "action": "raise", "with": {}, "next": "end"}, note("end"),
    )  # fmt: skip
    bench.happen()
    run_id = bench.run()["id"]
    assert bench.run()["status"] == "failed"
    bench.upshot.runs.skip("default", run_id, step=step)
    bench.settle()
    assert (bench.run()["status"], statuses(bench)["nap"]) == ("waiting", "waiting"), "the other branch goes on"
    bench.advance(DAY)
    assert (bench.run()["status"], statuses(bench)["try"]) == ("completed", "skipped")


# --- again --------------------------------------------------------------------------------------------------------------

BRANCHED = (
    fork("a", "b"), note("a"), note("after a", next="end"), note("b", next="end"), note("end"),
)  # fmt: skip


def again(bench: Bench, from_step: str | None, **more: Any) -> tuple[dict[str, Any], list[str]]:
    """Run the first run again; what was told, and the steps performed."""
    before = len(bench.calls)
    first = min(run["id"] for run in bench.runs())
    told = bench.upshot.runs.rerun("default", first, from_step=from_step, **more)
    bench.settle()
    assert bench.upshot.runs.get("default", told["run_id"])["status"] == "completed"
    return told, [step for step, _ in bench.calls[before:]]


def test_a_run_is_run_again_from_a_step_inside_a_branch(bench: Bench) -> None:
    bench.automation(*BRANCHED)
    bench.happen()
    kept = [step["id"] for step in bench.run()["steps"]]
    before = kept[: kept.index("after a")]
    told, done = again(bench, "after a")
    assert (told["kept"], sorted(told["repeats"])) == (before, sorted(done))
    assert "a" not in done
    assert done[-1] == "end"


def test_from_a_parallel_step_all_that_is_inside_is_done_again(bench: Bench) -> None:
    bench.automation(note("first"), *BRANCHED)
    bench.happen()
    told, done = again(bench, "fork")
    assert (told["kept"], sorted(told["repeats"]), sorted(done)) == (
        ["first"], ["a", "after a", "b", "end"], ["a", "after a", "b", "end"],
    )  # fmt: skip


def test_from_a_list_or_one_of_its_items(bench: Bench) -> None:
    each = {"id": "each", "for_each": [1, 2, 3], "action": "note", "with": {}, "concurrency": 1}
    bench.automation(note("first"), each, note("end"))
    bench.happen()
    told, done = again(bench, "each")
    assert (told["kept"], told["repeats"]) == (["first"], ["each", "end"])
    assert done == ["each[0]", "each[1]", "each[2]", "end"]
    told, done = again(bench, "each[1]")
    assert (told["kept"], told["repeats"]) == (["first", "each[]", "each[0]"], ["each[1]", "each[2]", "end"])
    assert done == ["each[1]", "each[2]", "end"]


def test_not_from_a_step_that_was_cancelled_with_its_branch(bench: Bench) -> None:
    bench.automation(fork("nap", "b", join="any"), {"id": "nap", "delay": "1d", "next": "end"},
                     note("b", next="end"), note("end"))  # fmt: skip
    bench.happen()
    with pytest.raises(Refused, match="was cancelled, since the steps around it ended without it"):
        bench.upshot.runs.rerun("default", bench.run()["id"], from_step="nap")
    assert len(bench.runs()) == 1


def test_from_where_a_cancelled_run_stood(bench: Bench) -> None:
    run_id = forked(bench)
    bench.upshot.runs.cancel("default", run_id)
    told = bench.upshot.runs.rerun("default", run_id, from_step="nap")
    bench.settle()
    assert told["repeats"] == []
    bench.advance(2 * DAY)
    assert bench.upshot.runs.get("default", told["run_id"])["status"] == "completed"


def test_another_version_must_come_to_the_step_by_what_was_kept(bench: Bench) -> None:
    automation = bench.automation(
        note("first"), {"id": "lot", "split": [{"weight": 1, "next": "end"}] * 2}, note("end")
    )
    bench.happen()
    document = bench.upshot.automations.draft("default", automation)
    document["steps"][1] = note("lot")  # of another kind
    bench.upshot.automations.save("default", automation, document)
    with pytest.raises(Refused, match="version 2 does not come to this step"):
        bench.upshot.runs.rerun("default", bench.run()["id"], from_step="end")
    told, done = again(bench, "lot")
    assert (told["kept"], done) == (["first"], ["lot", "end"])
