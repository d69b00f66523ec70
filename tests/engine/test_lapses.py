"""A worker that was away so long that its lease ran out, and is back."""

import asyncio

from tests.engine.conftest import Bench
from tests.engine.test_control_forks import until
from tests.engine.test_runs import step
from upshot.store import workers


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
