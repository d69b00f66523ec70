"""A step that was let go of in the very moment in which it would begin does not begin."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.engine.conftest import Bench
from tests.engine.test_calls import call, callee
from tests.engine.test_control_forks import WAIT_SECONDS, Gates, fork, gate, gates, note, statuses, until
from tests.engine.test_dead_letters import broken
from tests.engine.test_waits import rows

__all__ = ["gates"]


@contextmanager
def nothing_written(bench: Bench) -> Iterator[None]:
    """The writer is busy inside: what is given to it waits for the end."""
    is_busy, may_end = threading.Event(), threading.Event()

    def busy(_connection: object) -> None:
        is_busy.set()
        assert may_end.wait(WAIT_SECONDS)

    thread = threading.Thread(target=bench.upshot.engine.process.commit.run, args=(busy,))
    thread.start()
    try:
        assert is_busy.wait(WAIT_SECONDS)
        yield
    finally:
        may_end.set()
        thread.join()


def time_out_while_the_step_before_is_kept(bench: Bench, gates: Gates, inner: dict[str, Any]) -> None:
    """A run whose parallel step times out while the outcome of `a` is on its way into the store, so that `inner` begins from
    that outcome when the timeout is about to be kept."""
    bench.automation(
        fork("a", "nap", timeout="30s", on_timeout="late"), gate("a"), {**inner, "next": "end"},
        {"id": "nap", "delay": "2d"}, note("end", next=None), {"id": "late", "delay": "1d"},
    )  # fmt: skip
    bench.upshot.emit("test/happened", {"number": 1})
    gates.entered("a")
    engine = bench.upshot.engine
    assert engine.loop is not None
    (driven,) = engine.run.forks.values()
    until(lambda: "fork" in driven._run.timers, "the timer of the timeout")
    with nothing_written(bench):
        gates.open("a")
        until(lambda: not driven._flying, "the end of the step")
        bench.clock.advance(30)
        engine.loop.call_soon_threadsafe(engine.wake)
        until(lambda: driven._due == ["fork"], "the timeout")
    bench.settle()


def test_a_call_of_a_step_that_was_let_go_of_starts_no_run(bench: Bench, gates: Gates) -> None:
    settle = callee(bench, note("pay"))
    time_out_while_the_step_before_is_kept(bench, gates, call(settle, "inner"))
    assert statuses(bench) == {
        "fork": "failed", "a": "completed", "inner": "cancelled", "nap": "cancelled", "end": "pending", "late": "waiting",
    }  # fmt: skip
    assert (bench.calls, rows(bench, "waits"), broken(bench)) == ([], 0, [])


def test_a_wait_of_a_step_that_was_let_go_of_is_met_by_nothing(bench: Bench, gates: Gates) -> None:
    inner = {"id": "inner", "wait_for_event": "test/paid", "match": {"number": "{{ number }}"}, "timeout": "1h"}
    time_out_while_the_step_before_is_kept(bench, gates, inner)
    assert (rows(bench, "waits"), rows(bench, "timers")) == (0, 1), "only the way after the timeout waits"
    bench.emit("test/paid", {"number": 1})
    bench.advance(3600)
    assert statuses(bench)["inner"] == "cancelled"
    assert broken(bench) == []
