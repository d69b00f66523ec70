"""What people do to runs: pause, resume, retry, cancel, one or many; and that what was committed first wins."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from tests.engine.conftest import Bench
from upshot import Conflict, NotFound, Refused
from upshot.core.invariants import Snapshot, violations
from upshot.store.schema import active, events, runs, steps, timers, unmatched

DAY = 86_400
NOTE = {"id": "note", "action": "note", "with": {}}
NAP = {"id": "nap", "delay": "1d"}


class Gate:
    """An action that waits until a test opens it."""

    def __init__(self, bench: Bench) -> None:
        self.calls: list[str] = []
        self._entered, self._open = threading.Event(), asyncio.Event()
        self._bench = bench

        @bench.upshot.action("gate")
        async def gate(args: dict, context) -> str:  # type: ignore[type-arg] - an action may take plain arguments
            del args
            self.calls.append(context.idempotency_key)
            self._entered.set()
            await self._open.wait()
            return "through"

    def entered(self) -> None:
        """Wait until the step is in flight."""
        assert self._entered.wait(20)

    def open(self) -> None:
        """Let the step end, and all that follows now."""
        loop = self._bench.upshot.engine.loop
        assert loop is not None
        loop.call_soon_threadsafe(self._open.set)
        self._bench.settle()


@pytest.fixture
def gate(bench: Bench) -> Gate:
    return Gate(bench)


@pytest.fixture(autouse=True)
def whole(bench: Bench) -> Iterator[None]:
    """After each test the invariants hold, and the counts are those of the rows."""
    yield
    tables = (events, unmatched, runs, active, steps, timers)
    with bench.upshot.database.reading() as connection:
        kept = [[dict(row) for row in connection.execute(t.select()).mappings()] for t in tables]
    assert violations(Snapshot(*kept)) == []
    counted = bench.upshot.stats.get("default")["runs"]
    stood = [run["status"] for run in kept[2] if not run["test"]]
    assert {status: number for status, number in counted.items() if number} == {s: stood.count(s) for s in set(stood)}


def the(bench: Bench) -> tuple[str, str]:
    """The only run's id and status."""
    run = bench.run()
    return run["id"], run["status"]


def kept(bench: Bench) -> list[tuple[str, str]]:
    """The steps of the only run."""
    return [(step["id"], step["status"]) for step in bench.run()["steps"]]


def audited(bench: Bench, action: str) -> list[Any]:
    entries = bench.upshot.audit.page("default", noun="run", limit=200).items
    return [(entry["before"], entry["after"]) for entry in entries if entry["action"] == action]


def test_a_delay_that_comes_due_while_its_run_is_paused_acts_when_it_is_resumed(bench: Bench) -> None:
    bench.automation(NAP, NOTE)
    bench.happen()
    run_id, _ = the(bench)
    bench.upshot.runs.pause("default", run_id, actor="ann")
    assert the(bench)[1] == "paused"
    bench.advance(3 * DAY)
    assert (the(bench)[1], bench.calls) == ("paused", [])
    assert kept(bench) == [("nap", "waiting"), ("note", "pending")]
    bench.upshot.runs.resume("default", run_id, actor="ann")
    bench.settle()
    assert (the(bench)[1], [step for step, _ in bench.calls]) == ("completed", ["note"])
    assert audited(bench, "pause") == [({"status": "waiting"}, {"status": "paused"})]
    assert audited(bench, "resume") == [({"status": "paused"}, {"status": "pending"})]


@pytest.mark.parametrize("restarts", [False, True])
def test_a_delay_that_is_not_over_goes_on_to_its_instant(bench: Bench, restarts: bool) -> None:
    bench.automation(NAP, NOTE)
    bench.happen()
    run_id, _ = the(bench)
    bench.advance(DAY / 4)
    bench.upshot.runs.pause("default", run_id)
    if restarts:
        bench.restart()
    bench.advance(DAY / 4)
    bench.upshot.runs.resume("default", run_id)
    bench.settle()
    assert the(bench)[1] == "waiting"
    bench.advance(DAY / 2 - 1)
    assert the(bench)[1] == "waiting", "never early"
    bench.advance(1)
    assert (the(bench)[1], [step for step, _ in bench.calls]) == ("completed", ["note"])


def test_a_paused_run_stays_paused_over_a_restart(bench: Bench) -> None:
    bench.automation(NAP, NOTE)
    bench.happen()
    run_id, _ = the(bench)
    bench.upshot.runs.pause("default", run_id)
    bench.restart()
    bench.advance(2 * DAY)
    bench.restart()
    assert the(bench)[1] == "paused"
    bench.upshot.runs.resume("default", run_id)
    bench.settle()
    assert the(bench)[1] == "completed"


def test_a_step_in_flight_ends_and_is_kept_and_no_further_one_starts(bench: Bench, gate: Gate) -> None:
    bench.automation({"id": "gate", "action": "gate", "with": {}}, NOTE)
    bench.upshot.emit("test/happened", {})
    gate.entered()
    run_id, _ = the(bench)
    bench.upshot.runs.pause("default", run_id)
    assert kept(bench) == [("gate", "running"), ("note", "pending")]
    gate.open()
    assert (the(bench)[1], kept(bench)) == ("paused", [("gate", "completed"), ("note", "ready")])
    bench.advance(60)
    assert (the(bench)[1], bench.calls) == ("paused", [])
    bench.upshot.runs.resume("default", run_id)
    bench.settle()
    assert (the(bench)[1], len(gate.calls), len(bench.calls)) == ("completed", 1, 1)


def test_resumed_before_the_step_ended_it_was_never_away(bench: Bench, gate: Gate) -> None:
    bench.automation({"id": "gate", "action": "gate", "with": {}}, NOTE)
    bench.upshot.emit("test/happened", {})
    gate.entered()
    run_id, _ = the(bench)
    bench.upshot.runs.pause("default", run_id)
    bench.upshot.runs.resume("default", run_id)
    assert the(bench)[1] == "running"
    gate.open()
    assert (the(bench)[1], len(gate.calls), len(bench.calls)) == ("completed", 1, 1)


def test_a_run_that_is_paused_in_its_last_step_ends_with_it(bench: Bench, gate: Gate) -> None:
    bench.automation({"id": "gate", "action": "gate", "with": {}})
    bench.upshot.emit("test/happened", {})
    gate.entered()
    run_id, _ = the(bench)
    bench.upshot.runs.pause("default", run_id)
    gate.open()
    assert the(bench)[1] == "completed"
    with pytest.raises(Conflict, match="completed"):
        bench.upshot.runs.resume("default", run_id)


def test_a_run_that_is_paused_before_it_sleeps_sleeps_paused(bench: Bench, gate: Gate) -> None:
    bench.automation({"id": "gate", "action": "gate", "with": {}}, NAP, NOTE)
    bench.upshot.emit("test/happened", {})
    gate.entered()
    run_id, _ = the(bench)
    bench.upshot.runs.pause("default", run_id)
    gate.open()
    bench.advance(2 * DAY)
    assert the(bench)[1] == "paused"
    bench.upshot.runs.resume("default", run_id)
    bench.settle()
    assert the(bench)[1] == "waiting", "its delay begins when the run comes to it"
    bench.advance(DAY)
    assert the(bench)[1] == "completed"


def test_a_failed_attempt_in_flight_waits_for_its_next_one_paused(bench: Bench) -> None:
    bench.automation({"id": "try", "action": "raise_until", "with": {"attempt": 2}, "on_error": "retry", "retries": 3})
    bench.happen()
    run_id, status = the(bench)
    assert status == "waiting"
    bench.upshot.runs.pause("default", run_id)
    bench.advance(DAY)
    assert (the(bench)[1], len(bench.calls)) == ("paused", 1)
    bench.upshot.runs.resume("default", run_id)
    bench.settle()
    assert (the(bench)[1], len(bench.calls)) == ("completed", 2)


def test_a_paused_run_is_cancelled(bench: Bench, gate: Gate) -> None:
    bench.automation({"id": "gate", "action": "gate", "with": {}}, NOTE)
    bench.upshot.emit("test/happened", {})
    gate.entered()
    run_id, _ = the(bench)
    bench.upshot.runs.pause("default", run_id)
    bench.upshot.runs.cancel("default", run_id)
    gate.open()
    assert (the(bench)[1], bench.calls) == ("cancelled", [])
    assert audited(bench, "cancel") == [({"status": "paused"}, {"status": "cancelled"})]


def test_a_failed_run_is_retried_under_the_same_key_and_its_letter_goes_with_it(bench: Bench) -> None:
    bench.automation(
        NOTE, {"id": "try", "action": "raise_until", "with": {"attempt": 3}, "on_error": "stop"}, {**NOTE, "id": "end"}
    )
    bench.happen()
    run_id, _ = the(bench)
    for status in ("failed", "completed"):
        bench.upshot.runs.retry("default", run_id)
        bench.settle()
        assert the(bench)[1] == status
    bench.advance(60)
    assert [step for step, _ in bench.calls] == ["note", "try", "try", "try", "end"], "what was kept is not done again"
    tries = next(step for step in bench.run()["steps"] if step["id"] == "try")["attempts"]
    assert {attempt["idempotency_key"] for attempt in tries} == {f"{run_id}:try"}
    assert [letter["status"] for letter in bench.upshot.dead_letters.page("default").items] == ["resolved"]
    assert audited(bench, "retry") == [({"status": "failed"}, {"status": "pending"})] * 2


def test_a_failed_test_run_which_has_no_letter_is_retried(bench: Bench) -> None:
    automation = bench.automation({"id": "try", "action": "raise_until", "with": {"attempt": 3}, "on_error": "stop"})
    bench.upshot.runs.start_by_hand("default", automation, {}, test=True)
    bench.settle()
    run_id, _ = the(bench)
    for status in ("failed", "completed"):
        bench.advance(1)
        bench.upshot.runs.retry("default", run_id)
        bench.settle()
        assert the(bench)[1] == status
    assert bench.upshot.dead_letters.page("default").items == []
    bench.upshot.commit.run(lambda c: c.execute(text("DELETE FROM upshot_counts")))  # tests' failures are not counted
    bench.upshot.commit.run(lambda c: c.execute(text("UPDATE upshot_runs SET test = 1")))


@pytest.mark.parametrize(
    ("action", "why"),
    [
        ("pause", "completed already"),
        ("cancel", "completed already"),
        ("resume", "only a paused run"),
        ("retry", "only a failed run"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason(bench: Bench, action: str, why: str) -> None:
    bench.automation(NOTE)
    bench.happen()
    act = getattr(bench.upshot.runs, action)
    with pytest.raises(Conflict, match=why):
        act("default", the(bench)[0])
    with pytest.raises(NotFound):
        act("default", "nothing")
    assert audited(bench, action) == []


# --- past a step, and again -------------------------------------------------------------------------------------------------

READ = {"id": "read", "action": "note", "with": {"got": "{{ steps.try.output.id }}"}}
FAILS = {"id": "try", "action": "raise", "with": {}, "on_error": "stop"}


def test_a_failed_step_is_skipped_with_an_output_that_later_steps_read(bench: Bench) -> None:
    bench.automation(NOTE, FAILS, READ)
    bench.happen()
    run_id, _ = the(bench)
    bench.upshot.runs.skip("default", run_id, step="try", output={"id": "by hand"}, actor="ann")
    bench.settle()
    bench.advance(60)
    assert kept(bench) == [("note", "completed"), ("try", "skipped"), ("read", "completed")]
    assert (the(bench)[1], bench.calls[-1]) == ("completed", ("read", {"got": "by hand"}))
    assert [step for step, _ in bench.calls] == ["note", "try", "read"]
    assert [letter["status"] for letter in bench.upshot.dead_letters.page("default").items] == ["resolved"]
    after = {"step": "try", "output": {"id": "by hand"}}
    assert audited(bench, "skip") == [({"status": "failed"}, after)]


@pytest.mark.parametrize("restarts", [False, True])
def test_a_delay_is_skipped(bench: Bench, restarts: bool) -> None:
    bench.automation(NAP, NOTE)
    bench.happen()
    if restarts:
        bench.restart()
    bench.upshot.runs.skip("default", the(bench)[0])
    bench.settle()
    assert (the(bench)[1], kept(bench)) == ("completed", [("nap", "skipped"), ("note", "completed")])
    bench.advance(2 * DAY)
    assert len(bench.calls) == 1, "its timer is gone"


def test_the_next_step_of_a_paused_run_is_skipped_and_it_stays_paused(bench: Bench, gate: Gate) -> None:
    bench.automation({"id": "gate", "action": "gate", "with": {}}, {**NOTE, "id": "try"}, READ)
    bench.upshot.emit("test/happened", {})
    gate.entered()
    run_id, _ = the(bench)
    with pytest.raises(Conflict, match="pause it first"):
        bench.upshot.runs.skip("default", run_id)
    bench.upshot.runs.pause("default", run_id)
    with pytest.raises(Conflict, match="wait until the steps in flight have ended"):
        bench.upshot.runs.skip("default", run_id)
    gate.open()
    with pytest.raises(Conflict, match="stands at 'try', not at 'read'"):
        bench.upshot.runs.skip("default", run_id, step="read")
    bench.upshot.runs.skip("default", run_id, output={"id": 7})
    bench.settle()
    assert (the(bench)[1], bench.calls) == ("paused", [])
    bench.upshot.runs.resume("default", run_id)
    bench.settle()
    assert (the(bench)[1], bench.calls) == ("completed", [("read", {"got": 7})])


def test_a_branch_is_skipped_only_with_its_answer(bench: Bench, gate: Gate) -> None:
    branch = {"id": "paid?", "branch": {"field": "paid", "operator": "equals", "value": True}, "if_true": "yes"}
    bench.automation({"id": "gate", "action": "gate", "with": {}}, branch, {**NOTE, "id": "yes"})
    bench.upshot.emit("test/happened", {})
    gate.entered()
    run_id, _ = the(bench)
    bench.upshot.runs.pause("default", run_id)
    gate.open()
    for output in (None, True, {"result": 1}):
        with pytest.raises(Refused, match="for a branch"):
            bench.upshot.runs.skip("default", run_id, output=output)
    bench.upshot.runs.skip("default", run_id, output={"result": True})
    bench.upshot.runs.resume("default", run_id)
    bench.settle()
    assert [step for step, _ in bench.calls] == ["yes"]


def test_what_is_over_is_not_skipped(bench: Bench) -> None:
    bench.automation(NOTE)
    bench.happen()
    with pytest.raises(Conflict, match="it is completed"):
        bench.upshot.runs.skip("default", the(bench)[0])
    with pytest.raises(NotFound):
        bench.upshot.runs.skip("default", "nothing")


def test_a_run_is_run_again_from_a_step_and_says_what_happens_again(bench: Bench) -> None:
    bench.automation(NOTE, {**NOTE, "id": "try"}, READ)
    bench.happen({"a": 1})
    run_id, _ = the(bench)
    dry = bench.upshot.runs.rerun("default", run_id, from_step="try", dry_run=True)
    assert dry == {"run_id": None, "event_id": None, "version": 1, "kept": ["note"], "repeats": ["try", "read"]}
    assert len(bench.runs()) == 1
    told = bench.upshot.runs.rerun("default", run_id, from_step="try", actor="ann")
    bench.settle()
    assert told == {**dry, "run_id": told["run_id"], "event_id": told["event_id"]}
    again = bench.upshot.runs.get("default", told["run_id"])
    assert (again["status"], [step["id"] for step in again["steps"]]) == ("completed", ["note", "try", "read"])
    assert [step for step, _ in bench.calls] == ["note", "try", "read", "try", "read"]
    keys = [step["attempts"][0]["idempotency_key"] for step in again["steps"]]
    assert keys == [f"{told['run_id']}:{step}" for step in ("note", "try", "read")]
    event = bench.upshot.events.get("default", told["event_id"])
    assert (event["data"], event["cause"]) == ({"a": 1}, {"run_id": run_id, "step_id": None})
    assert audited(bench, "rerun") == [(None, told)]


def test_a_run_is_run_again_on_the_live_version_or_on_its_own(bench: Bench) -> None:
    automation = bench.automation(NOTE, FAILS)
    bench.happen()
    run_id, _ = the(bench)
    document = bench.upshot.automations.draft("default", automation)
    document["steps"] = [{**NOTE, "with": {"new": True}}, {**NOTE, "id": "try"}]
    bench.upshot.automations.save("default", automation, document)
    on_live = bench.upshot.runs.rerun("default", run_id)
    bench.settle()
    assert (on_live["version"], on_live["kept"], on_live["repeats"]) == (2, [], ["note", "try"])
    assert bench.calls[2:] == [("note", {"new": True}), ("try", {})]
    from_there = bench.upshot.runs.rerun("default", run_id, from_step="try")
    bench.settle()
    assert (from_there["kept"], bench.calls[4:]) == (["note"], [("try", {})])
    on_same = bench.upshot.runs.rerun("default", run_id, version="same", from_step="try")
    bench.settle()
    assert (on_same["version"], bench.upshot.runs.get("default", on_same["run_id"])["status"]) == (1, "failed")


def test_a_run_is_not_run_again_from_where_it_never_was(bench: Bench) -> None:
    automation = bench.automation(NOTE, {**NOTE, "id": "try"}, READ)
    bench.happen()
    run_id, _ = the(bench)
    with pytest.raises(Refused, match="never came to a step"):
        bench.upshot.runs.rerun("default", run_id, from_step="nowhere")
    document = bench.upshot.automations.draft("default", automation)
    document["steps"].insert(1, {**NOTE, "id": "between"})
    bench.upshot.automations.save("default", automation, document)
    with pytest.raises(Refused, match="version 2 does not come to this step"):
        bench.upshot.runs.rerun("default", run_id, from_step="try")
    with pytest.raises(NotFound):
        bench.upshot.runs.rerun("default", "nothing")
    assert len(bench.runs()) == 1


def test_a_run_that_is_under_way_is_not_run_again(bench: Bench) -> None:
    bench.automation(NAP)
    bench.happen()
    with pytest.raises(Conflict, match="Cancel it first"):
        bench.upshot.runs.rerun("default", the(bench)[0])


# --- many ---------------------------------------------------------------------------------------------------------------


def test_runs_that_a_filter_names_are_paused_resumed_and_cancelled(bench: Bench) -> None:
    one, other = bench.automation(NAP, NOTE, name="one"), bench.automation(NAP, name="other")
    for _ in range(3):
        bench.happen()
    dry = bench.upshot.runs.bulk("default", "pause", automation=one)
    assert (dry.count, dry.done, dry.left) == (3, 0, 3)
    assert {run["status"] for run in bench.runs()} == {"waiting"}
    did = bench.upshot.runs.bulk("default", "pause", automation=one, dry_run=False, actor="ann")
    assert (did.count, did.done, did.refused, did.left, did.next) == (3, 3, 0, 0, None)
    assert [run["status"] for run in bench.runs(automation=one)] == ["paused"] * 3
    assert [run["status"] for run in bench.runs(automation=other)] == ["waiting"] * 3
    ((before, after),) = audited(bench, "bulk_pause")
    assert (set(before["status"].values()), after) == ({"waiting"}, {"count": 3, "filter": {"automation": one}})
    bench.advance(2 * DAY)
    assert [step for step, _ in bench.calls] == []
    assert bench.upshot.runs.bulk("default", "resume", dry_run=False).done == 3
    bench.settle()
    assert len(bench.calls) == 3
    assert bench.upshot.runs.bulk("default", "cancel", dry_run=False).count == 0, "all are over"


def test_a_batch_is_one_transaction_and_the_next_begins_after_it(bench: Bench) -> None:
    bench.automation(NAP)
    for _ in range(5):
        bench.happen()
    place: str | None = ""
    until: str | None = None
    done: list[int] = []
    while place is not None:
        did = bench.upshot.runs.bulk("default", "cancel", dry_run=False, limit=2, until=until, after=place)
        place, until = did.next, did.until
        done.append(did.done)
        bench.advance(1)
        bench.happen()  # what starts meanwhile is left out
    assert done == [2, 2, 1]
    assert [run["status"] for run in bench.runs()] == ["cancelled"] * 5 + ["waiting"] * 3
    assert len(audited(bench, "bulk_cancel")) == 3


def test_failed_runs_are_retried_in_bulk(bench: Bench) -> None:
    bench.automation({"id": "try", "action": "raise_until", "with": {"attempt": 2}, "on_error": "stop"})
    for number in range(3):
        bench.happen(id=f"e{number}")
    assert bench.upshot.runs.bulk("default", "retry", event="e1").count == 1
    assert bench.upshot.runs.bulk("default", "retry", event="test/happened", status="failed", dry_run=False).done == 3
    bench.settle()
    assert {run["status"] for run in bench.runs()} == {"completed"}


def test_an_automation_is_paused_with_what_is_under_way_if_asked(bench: Bench) -> None:
    automation = bench.automation(NAP, NOTE)
    bench.happen()
    bench.upshot.automations.pause("default", automation)
    assert the(bench)[1] == "waiting", "what is under way goes on"
    told = bench.upshot.automations.pause("default", automation, and_runs=True)
    assert (told["status"], the(bench)[1]) == ("paused", "paused")
    bench.happen()
    bench.advance(2 * DAY)
    assert (the(bench)[1], bench.calls) == ("paused", [])


def test_of_another_tenant_nothing_is_touched(bench: Bench) -> None:
    bench.automation(NAP)
    bench.happen()
    bench.upshot.tenants.ensure("other")
    assert bench.upshot.runs.bulk("other", "cancel", dry_run=False).count == 0
    with pytest.raises(NotFound):
        bench.upshot.runs.pause("other", the(bench)[0])
    assert the(bench)[1] == "waiting"
