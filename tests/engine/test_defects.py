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
from upshot.sdk.actions import EmitEvent


def step(step_id: str, action: str = "note", **more: Any) -> dict[str, Any]:
    return {"id": step_id, "action": action, "with": more.pop("arguments", {}), **more}


def deep(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"x": 1}
    for _ in range(levels - 1):
        value = {"x": value}
    return value


# --- events are matched, whatever became of their giver ---------------------------------------------------------------------


def test_an_event_emitted_before_the_engine_starts_is_matched_when_it_does(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "upshot.db")
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


def test_one_tenants_unreadable_definitions_do_not_hold_up_another(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "upshot.db")
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


# --- whatever an action does is its step's outcome --------------------------------------------------------------------------


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


@pytest.mark.parametrize("kind", ["async", "plain", "store"])
@pytest.mark.parametrize(
    "error",
    [SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError(), StopIteration(1), GeneratorExit(), Unspeakable()],
    ids=lambda error: type(error).__name__,
)
def test_no_exception_of_an_action_escapes_its_step(bench: Bench, kind: str, error: BaseException) -> None:
    times: list[int] = []

    async def asynchronous(args: dict, context) -> None:  # type: ignore[type-arg] - an action may take plain arguments
        times.append(1)
        raise error

    def plain(args: dict, context) -> None:  # type: ignore[type-arg] - as above
        times.append(1)
        raise error

    if kind == "async":
        bench.upshot.action("odd")(asynchronous)
    else:
        bench.upshot.action("odd", kind="store" if kind == "store" else "effect")(plain)
    bench.automation(step("bad", "odd", timeout_seconds=5))
    bench.happen()
    assert bench.run()["status"] == "failed"
    assert bench.run()["error"]["code"] == "raised"
    assert times == [1]


def test_a_timeout_inside_an_action_is_not_taken_for_the_steps(bench: Bench) -> None:
    @bench.upshot.action("dial")
    async def dial(args: dict) -> None:
        raise TimeoutError("no answer from the exchange")

    bench.automation(step("bad", "dial"))
    bench.happen()
    assert "no answer" in bench.run()["error"]["message"]


@pytest.mark.parametrize("line", ["a\x00b", "\udc80"], ids=["nul", "surrogate"])
def test_whatever_an_action_logs_is_kept_as_far_as_it_can_be(bench: Bench, line: str) -> None:
    @bench.upshot.action("log_odd")
    async def log_odd(args: dict, context) -> None:
        bench.calls.append((context.step_id, args))
        context.log(line, text=line, number=float("nan"), big=2**70, **{line: 1})

    bench.automation(step("one", "log_odd"))
    bench.happen()
    assert bench.run()["status"] == "completed"
    assert len(bench.calls) == 1


@pytest.mark.parametrize("kind", ["async", "plain"])
def test_an_action_that_changes_its_arguments_changes_nothing_else(bench: Bench, kind: str) -> None:
    seen: list[Any] = []

    def change(args: dict) -> None:
        seen.append((list(args["constant"]), dict(args["person"])))
        args["constant"].append("changed")
        args["person"]["name"] = "changed"

    async def change_async(args: dict) -> None:
        change(args)

    bench.upshot.action("change")(change if kind == "plain" else change_async)
    arguments = {"constant": ["as written"], "person": "{{ person }}"}
    constant = {"constant": ["as written"], "person": {"name": "Ada"}}
    bench.automation(
        step("one", "change", arguments=arguments),
        step("two", "change", arguments=arguments),
        step("three", "change", arguments=constant),
    )
    bench.automation(step("one", "change", arguments=arguments))
    bench.happen({"person": {"name": "Ada"}})
    bench.happen({"person": {"name": "Ada"}})
    assert seen == [(["as written"], {"name": "Ada"})] * 8


def test_an_output_that_is_changed_later_stays_as_it_was_kept(bench: Bench) -> None:
    shared: dict[str, Any] = {"n": 1}

    @bench.upshot.action("share")
    async def share(args: dict) -> dict[str, Any]:
        return shared

    @bench.upshot.action("spoil")
    async def spoil(args: dict) -> None:
        shared["n"] = 2

    bench.automation(
        step("one", "share"), step("two", "spoil"), step("three", arguments={"n": "{{ steps.one.output.n }}"})
    )
    bench.happen()
    assert bench.calls == [("three", {"n": 1})]


@pytest.mark.parametrize("output", [{1: 2}, {"a": (1,)}, {"x": float("inf")}, {"n": "\x00"}, {"big": "x" * 300_000}])
def test_an_output_that_cannot_be_kept_fails_its_step_once(bench: Bench, output: Any) -> None:
    @bench.upshot.action("give")
    async def give(args: dict) -> Any:
        bench.calls.append(("give", {}))
        return output

    bench.automation(step("one", "give"))
    bench.happen()
    assert bench.run()["status"] == "failed"
    assert bench.run()["error"]["code"] == "bad_output"
    assert len(bench.calls) == 1


@pytest.mark.parametrize("seconds", [float("inf"), float("nan"), 1e300, -5.0, "soon"])
def test_a_senseless_retry_after_does_not_break_the_retry(bench: Bench, seconds: Any) -> None:
    @bench.upshot.action("later")
    async def later(args: dict, context) -> None:
        bench.calls.append((context.step_id, args))
        raise ActionError("later", retry_after_seconds=seconds)

    bench.automation(step("one", "later", retries={"count": 1, "backoff_seconds": 1}))
    bench.happen()
    assert bench.run()["status"] == "waiting"
    assert len(bench.calls) == 1
    assert bench.upshot.runs.page("default").items[0]["waiting_until"] is not None


def test_a_validator_that_breaks_fails_its_step(bench: Bench) -> None:
    import pydantic

    class Arguments(pydantic.BaseModel):
        n: int

        @pydantic.field_validator("n")
        @classmethod
        def broken(cls, value: int) -> int:
            raise KeyError(value)

    @bench.upshot.action("typed")
    async def typed(args: Arguments) -> None:
        pass

    typed.__annotations__["args"] = Arguments
    bench.automation(step("one", "typed", arguments={"n": "{{ n }}"}))
    bench.happen({"n": 1})
    assert bench.run()["status"] == "failed"
    assert bench.run()["error"]["step_id"] == "one"


@pytest.mark.parametrize("data", [{"t": "\x00"}, {"t": float("nan")}, {"t": {1, 2}}])
def test_an_event_that_cannot_be_kept_fails_the_step_that_emits_it(bench: Bench, data: dict[str, Any]) -> None:
    @bench.upshot.action("tell", kind="store")
    def tell(args: dict) -> EmitEvent:
        bench.calls.append(("tell", {}))
        return EmitEvent("test/second", data)

    bench.automation(step("one", "tell"))
    bench.happen()
    assert bench.run()["status"] == "failed"
    assert bench.run()["error"]["code"] == "bad_output"
    assert len(bench.calls) == 1


def test_what_a_test_run_causes_is_a_test_too(bench: Bench) -> None:
    automation_id = bench.automation(step("tell", "emit_event", arguments={"name": "test/second", "data": {}}))
    bench.automation(step("heard"), trigger={"event": "test/second"})
    bench.upshot.runs.start_by_hand("default", automation_id, {}, test=True)
    bench.settle()
    assert [run["test"] for run in bench.runs()] == [True, True]


def test_an_action_may_emit_in_its_body(bench: Bench) -> None:
    @bench.upshot.action("emit_async")
    async def emit_async(args: dict) -> None:
        await bench.upshot.emit_async("test/second", {})

    @bench.upshot.action("emit_plain")
    def emit_plain(args: dict) -> None:
        bench.upshot.emit("test/second", {})

    bench.automation(step("one", "emit_async"), step("two", "emit_plain"))
    bench.automation(step("heard"), trigger={"event": "test/second"})
    bench.happen()
    assert [run["status"] for run in bench.runs()] == ["completed"] * 3


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
    bench = Bench(tmp_path / "upshot.db")
    with pytest.raises(Exception, match="no such table"):
        bench.upshot.start()
    with Bench(tmp_path / "upshot.db") as other:
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
