"""A worker that was away so long that its lease ran out, and is back."""

import asyncio
import threading
from typing import Any

from sqlalchemy import event, text

from tests.engine.conftest import Bench
from tests.engine.test_control_forks import until
from tests.engine.test_runs import step
from upshot import Upshot
from upshot.store import workers
from upshot.testing import VirtualClock


def test_a_run_whose_hold_was_lost_and_that_is_claimed_again_here_is_driven_once(bench: Bench) -> None:
    begun: list[int] = []
    let_go: list[int] = []
    gate = asyncio.Event()

    @bench.upshot.action("hold")
    async def hold(args: dict, context) -> None:  # type: ignore[type-arg] - an action may take plain arguments
        begun.append(context.attempt)
        try:
            await gate.wait()
        except asyncio.CancelledError:
            let_go.append(context.attempt)
            raise

    bench.automation(step("one", "hold"), step("two"))
    bench.upshot.emit("test/happened", {})
    until(lambda: len(begun) == 1, "the step")
    bench.upshot.commit.run(lambda c: workers.free(c, [worker.id for worker in workers.every(c)]))  # as a peer would
    until(lambda: len(begun) == 2, "the step, claimed again")
    until(lambda: len(let_go) == 1, "the end of what was under way")
    loop = bench.upshot.engine.loop
    assert loop is not None
    loop.call_soon_threadsafe(gate.set)
    bench.settle()
    assert (bench.run()["status"], len(begun), len(bench.calls)) == ("completed", 2, 1)


def timers(bench: Bench) -> int:
    with bench.upshot.database.reading() as connection:
        return connection.execute(text("SELECT count(*) FROM upshot_timers")).scalar_one()


def test_a_run_is_not_brought_back_while_the_answer_that_it_was_made_is_on_its_way(bench: Bench) -> None:
    bench.automation({"id": "nap", "delay": "30d"}, step("one"))
    bench.happen()
    engine, key = bench.upshot.engine, ("default", bench.run()["id"])
    assert not engine.run.on_the_way, "whatever was made is driven by now"
    held = "UPDATE upshot_active SET parked = 0, worker_id = :worker"
    engine.run.on_the_way.add(key)
    with bench.upshot.database.writing() as connection:
        connection.execute(text("DELETE FROM upshot_timers"))
        connection.execute(text(held), {"worker": engine.process.worker_id})
    for _ in range(4):
        bench.advance(10)
    assert timers(bench) == 0, "it was driven before its answer came"
    engine.run.on_the_way.discard(key)
    for _ in range(4):
        bench.advance(10)
    assert timers(bench) == 1


class Watched(Bench):
    """An Upshot whose host has its statements watched by something that fails at the first beat of its thread, and no more."""

    def __init__(self, url: str) -> None:
        self.beats = 0
        super().__init__(url)

    def _open(self, url: str, clock: VirtualClock) -> Upshot:
        upshot = super()._open(url, clock)
        event.listen(upshot.database.engine, "before_cursor_execute", self._watch)
        return upshot

    def _watch(self, *_about: Any) -> None:
        if threading.current_thread().name == "upshot-heartbeat":
            self.beats += 1
            if self.beats == 1:
                raise RuntimeError("the host's instrumentation broke")


def test_a_beat_that_fails_for_whatever_reason_is_followed_by_another(url: str) -> None:
    with Watched(url) as bench:
        bench.automation(step("one"))
        bench.advance(3_600)  # the lease has run out: a step waits for the next beat
        bench.happen()
        assert bench.beats > 1
        assert bench.run()["status"] == "completed"
