"""Whatever an action does is the outcome of its step: it never stops the engine, is never performed again for it, and hurts
no other run."""

import asyncio
from typing import Any

import pydantic
import pytest

from tests.engine.conftest import Bench
from upshot import ActionError
from upshot.sdk.actions import EmitEvent


def step(step_id: str, action: str = "note", **more: Any) -> dict[str, Any]:
    return {"id": step_id, "action": action, "with": more.pop("arguments", {}), **more}


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
