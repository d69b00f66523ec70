"""What broke the engine once, each through the public surface: nothing an action, a host or the store does may lose work,
double it, or leave a run that nobody drives."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tests.engine.conftest import Bench
from upshot import ActionError
from upshot.core.errors import Busy
from upshot.sdk.actions import ChangeEntity, CreateEntity, DeleteEntity, EmitEvent, PatchEntity


def step(step_id: str, action: str = "note", **more: Any) -> dict[str, Any]:
    return {"id": step_id, "action": action, "with": more.pop("arguments", {}), **more}


def deep(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"x": 1}
    for _ in range(levels - 1):
        value = {"x": value}
    return value


# --- events are matched, whatever became of their giver ---------------------------------------------------------------------


def test_an_event_emitted_before_the_engine_starts_is_matched_when_it_does(url: str) -> None:
    bench = Bench(url)
    bench.upshot.migrate()
    bench.automation(step("one"))
    bench.upshot.emit("test/happened", {})
    with bench:
        bench.settle()
        assert bench.run()["status"] == "completed"


def test_an_event_whose_giver_went_away_is_matched(bench: Bench) -> None:
    bench.automation(step("one"))
    bench.emit("test/other", {})

    async def give_and_leave() -> None:
        giving = asyncio.ensure_future(bench.upshot.emit_async("test/happened", {}))
        await asyncio.sleep(0)
        giving.cancel()

    loop = bench.upshot.engine.loop
    assert loop is not None
    asyncio.run_coroutine_threadsafe(give_and_leave(), loop).result()
    bench.upshot.commit.run(lambda _: None)
    bench.advance(1)
    assert bench.run()["status"] == "completed"


def test_one_tenants_unreadable_definitions_do_not_hold_up_another(url: str) -> None:
    bench = Bench(url)
    bench.upshot.migrate()
    bench.upshot.tenants.create("broken", name="Broken")
    bench.automation(step("one"))
    bench.upshot.emit("test/happened", {}, tenant="broken")
    bench.upshot.emit("test/happened", {})
    insert = (
        "INSERT INTO upshot_event_types (tenant_id, name, title, description, schema, on_invalid, created_at, updated_at)"
        " VALUES ('broken', 'x', 'x', '', '{\"type\": 5}', 'warn', 0, 0)"
    )
    bench.upshot.commit.run(lambda c: c.execute(text(insert)))
    bench.upshot.stop()
    bench.upshot = bench.open()
    with bench:
        bench.settle()
        assert bench.run()["status"] == "completed"


def test_one_id_twice_in_a_batch_and_in_two_tenants(bench: Bench) -> None:
    bench.upshot.tenants.create("other", name="Other")
    bench.automation(step("one"))
    one = {"id": "a", "name": "test/happened", "data": {}}
    assert bench.upshot.emit_many([one, one]) == ["a", "a"]
    bench.upshot.emit_many([one], tenant="other")
    bench.settle()
    assert len(bench.runs()) == 1
    assert len(bench.events("test/happened")) == len(bench.events("test/happened", tenant="other")) == 1


# --- depth ------------------------------------------------------------------------------------------------------------------


def test_the_deepest_data_can_be_branched_on(bench: Bench) -> None:
    condition = {"field": "x", "operator": "exists"}
    bench.automation(
        {"id": "look", "branch": condition, "if_true": "one", "if_false": None}, step("one"), condition=condition
    )
    bench.happen(deep(63))
    assert bench.run()["status"] == "completed"
    assert len(bench.calls) == 1


def test_the_deepest_entity_can_be_changed_and_matched(bench: Bench) -> None:
    condition = {"field": "entity.name", "operator": "equals", "value": "Ada"}
    bench.automation(step("one"), trigger={"event": "patient.created"}, condition=condition)
    bench.automation(
        step("make", "create_entity", arguments={"type": "patient", "fields": {"name": "Ada", "x": "{{ x }}"}})
    )
    bench.happen(deep(62))
    assert [run["status"] for run in bench.runs()] == ["completed", "completed"]


# --- time -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delay", ["0s", {"seconds": 0}, {"until": "2020-01-01T00:00:00Z"}])
def test_a_delay_of_nothing_goes_on_at_once(bench: Bench, delay: Any) -> None:
    bench.automation({"id": "nap", "delay": delay}, {"id": "again", "delay": delay}, step("one"))
    bench.happen()
    assert bench.run()["status"] == "completed"


@pytest.mark.parametrize("wait", [1e308, -1, "soon", None, True, [], {"a": 1}, 10**18, "9" * 50])
def test_a_delay_that_cannot_be_read_fails_its_step(bench: Bench, wait: Any) -> None:
    bench.automation({"id": "nap", "delay": {"seconds": "{{ wait }}"}}, step("one"))
    bench.happen({"wait": wait})
    run = bench.run()
    assert (run["status"], run["error"]["step_id"]) == ("failed", "nap")


def test_a_short_delay_ends_when_it_is_over_and_not_before(bench: Bench) -> None:
    bench.automation({"id": "nap", "delay": {"milliseconds": 250}}, step("one"))
    bench.happen()
    bench.advance(0.249)
    assert bench.calls == []
    bench.advance(0.001)
    assert len(bench.calls) == 1


# --- what a process lacks, and the store's bad days ---------------------------------------------------------------------------


def test_a_run_waits_for_its_action_however_often_the_engine_starts(bench: Bench) -> None:
    @bench.upshot.action("deployed_later")
    async def deployed_later(args: dict) -> None:
        pass

    bench.automation(step("one", "deployed_later"), step("two"))
    bench.automation({"id": "nap", "delay": "1h"}, step("three", "deployed_later"))
    bench.restart()  # the new process does not declare it
    bench.happen()
    for _ in range(8):
        bench.restart()
    assert [run["status"] for run in bench.runs()] == ["waiting", "waiting"]
    bench.advance(3600)
    assert [run["status"] for run in bench.runs()] == ["waiting", "waiting"]
    for _ in range(30):
        bench.advance(60)
    (waiting,) = [s for s in bench.runs()[0]["steps"] if s["id"] == "one"]
    assert len(waiting["attempts"]) < 12
    bench.upshot.action("deployed_later")(deployed_later)
    bench.advance(60)
    assert [run["status"] for run in bench.runs()] == ["completed", "completed"]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_full_disk_is_busy_and_forgets_no_effect(bench: Bench) -> None:
    times: list[int] = []

    def bound(pages: int) -> None:
        bench.upshot.commit.run(lambda c: c.exec_driver_sql(f"PRAGMA max_page_count = {pages}").all())

    @bench.upshot.action("fill_up")
    def fill_up(args: dict) -> str:
        times.append(1)
        bound(1)  # SQLite takes the present size when that is more
        try:
            bench.upshot.emit("test/other", {"text": "x" * 200_000})
        except Busy:
            pass
        else:
            raise AssertionError("the disk is not full")
        loop = bench.upshot.engine.loop
        assert loop is not None
        loop.call_soon_threadsafe(loop.call_later, 0.3, lambda: bench.upshot.commit.give(LIFT, None))
        return "x" * 200_000

    class Lift:
        name = "change"

        def tenant_of(self, work: Any) -> str:
            return ""

        def write(self, connection: Any, work: Any, now: int) -> list[None]:
            connection.exec_driver_sql("PRAGMA max_page_count = 1000000").all()
            return [None for _ in work]

    LIFT = Lift()  # noqa: N806 - a kind of work
    bench.automation(step("first", "fill_up"), step("second"), trigger={"event": "test/full"})
    bench.upshot.emit("test/full", {})
    bench.settle()
    assert times == [1]
    assert bench.run()["status"] == "completed"


def test_a_start_that_fails_lets_go_of_the_file(tmp_path: Path) -> None:
    bench = Bench(f"sqlite:///{tmp_path}/upshot.db")
    with pytest.raises(Exception, match="no such table"):
        bench.upshot.start()
    with Bench(f"sqlite:///{tmp_path}/upshot.db") as other:
        other.automation(step("one"))
        other.happen()
        assert other.run()["status"] == "completed"
    bench.upshot.close()


def test_an_outbox_row_waits_for_its_suspended_tenant(bench: Bench) -> None:
    bench.upshot.tenants.create("paused", name="Paused")
    bench.upshot.commit.run(
        lambda c: bench.upshot.emit("test/happened", {}, tenant="paused", connection=c.connection.driver_connection)
    )
    bench.upshot.tenants.change("paused", status="suspended")
    for _ in range(15):
        bench.advance(4000)
        bench.advance(1)
    bench.upshot.tenants.change("paused", status="active")
    bench.advance(4000)
    bench.advance(1)
    assert bench.upshot.outbox.counts("paused") == {"pending": 0, "published": 1, "failed": 0}


# --- several things at once -------------------------------------------------------------------------------------------------


def test_a_store_action_with_several_operations_does_all_or_none(bench: Bench) -> None:
    @bench.upshot.action("several", kind="store")
    def several(args: dict) -> list[Any]:
        return [
            ChangeEntity(CreateEntity("note", args["id"], {"n": 1})),
            EmitEvent("test/between", {"n": 2}),
            ChangeEntity(PatchEntity("note", args["id"], {"n": 3})),
            ChangeEntity(DeleteEntity("note", args["gone"])),
        ]

    bench.upshot.entities.create("default", "note", id="old", fields={})
    bench.automation(step("one", "several", arguments={"id": "{{ id }}", "gone": "{{ gone }}"}))
    bench.happen({"id": "a", "gone": "old"})
    bench.happen({"id": "b", "gone": "missing"})
    assert [run["status"] for run in bench.runs()] == ["completed", "failed"]
    (note,) = bench.entities("note")
    assert (note["id"], note["fields"]) == ("a", {"n": 3})
    assert [len(bench.events(name)) for name in ("test/between", "note.updated", "note.deleted")] == [1, 1, 1]


ODD: Any = (5, [])


@pytest.mark.parametrize(
    "operation", [CreateEntity("note", ODD[0], {}), CreateEntity("note", "x", ODD[1]), "junk", None]
)
def test_a_store_operation_that_is_none_hurts_only_its_step(bench: Bench, operation: Any) -> None:
    @bench.upshot.action("odd_operation", kind="store")
    def odd_operation(args: dict) -> ChangeEntity:
        bench.calls.append(("odd", {}))
        return ChangeEntity(operation)

    bench.automation(step("one", "odd_operation"))
    bench.automation(step("two", "create_entity", arguments={"type": "fine", "fields": {}}))
    bench.happen()
    assert sorted(run["status"] for run in bench.runs()) == ["completed", "failed"]
    assert bench.calls == [("odd", {})]


def test_a_cancel_in_the_middle_of_a_step_wins_and_is_counted_once(bench: Bench) -> None:
    @bench.upshot.action("cancel_me")
    def cancel_me(args: dict, context) -> None:
        bench.upshot.runs.cancel("default", context.run_id)
        if args["raises"]:
            raise ActionError("after all")

    retries = {"count": 3, "backoff_seconds": 1}
    bench.automation(step("one", "cancel_me", arguments={"raises": "{{ raises }}"}, retries=retries), step("two"))
    bench.happen({"raises": False})
    bench.happen({"raises": True})
    bench.advance(60)
    assert [run["status"] for run in bench.runs()] == ["cancelled", "cancelled"]
    assert bench.calls == []
    assert {k: n for k, n in bench.upshot.stats.get("default")["runs"].items() if n} == {"cancelled": 2}
    assert bench.upshot.engine.process.metrics.stale_writes == 0, "nobody else held them"


def test_what_is_refused_because_another_worker_took_the_run_over_is_counted(bench: Bench) -> None:
    taken = text("UPDATE upshot_active SET worker_id = 'another', epoch = epoch + 1 WHERE run_id = :run")

    @bench.upshot.action("stand_still")
    def stand_still(args: dict, context) -> None:
        bench.upshot.commit.run(lambda connection: connection.execute(taken, {"run": context.run_id}))

    bench.automation(step("one", "stand_still"), step("two"))
    bench.happen()
    assert bench.upshot.engine.process.metrics.stale_writes == 1
    assert bench.calls == []


def test_attempts_that_failed_and_are_tried_again_are_counted(bench: Bench) -> None:
    retries = {"count": 3, "backoff_seconds": 1}
    bench.automation(step("one", "raise_until", arguments={"attempt": 3}, retries=retries))
    bench.happen()
    bench.advance(60)
    bench.advance(60)
    assert bench.run()["status"] == "completed"
    assert bench.upshot.engine.process.metrics.retries.total() == 2


@pytest.mark.parametrize("ending", ["pause", "archive", "delete"])
def test_a_sleeping_run_goes_on_when_its_automation_is_stopped(bench: Bench, ending: str) -> None:
    automation_id = bench.automation({"id": "nap", "delay": "1h"}, step("after"))
    bench.happen()
    getattr(bench.upshot.automations, ending)("default", automation_id)
    bench.happen()
    bench.restart()
    bench.advance(3600)
    assert [run["status"] for run in bench.runs()] == ["completed"]
