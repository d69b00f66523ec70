"""Housekeep: the slow work that keeps the rest quick and honest: old counts are folded together, definitions that another
process changed are forgotten, what is held in nobody's name is freed."""

from collections.abc import Callable

from upshot.core.instants import MINUTE, SECOND
from upshot.engine.letters import settle as settle_letters
from upshot.engine.process import Process
from upshot.store import counts, flow, workers

POLL_SECONDS = 2.0
ROUND = MINUTE
"""How often the slowest of it is done (microseconds)."""
CLOCKS_APART_MAX = 60 * MINUTE
"""Keys of flow control are forgotten so much later than they are needed (microseconds): a worker whose clock is behind by less
counts with them still."""


class Housekeep:
    """The service that tidies up."""

    name = "housekeep"

    def __init__(self, process: Process) -> None:
        self._process = process
        self._next_round_at = 0
        self.on_freed: Callable[[], None] = lambda: None

    async def poll(self) -> float:
        """Do what is due."""
        process = self._process
        await process.definitions.refresh()
        await settle_letters(process)
        now = process.clock.now()
        if now >= self._next_round_at:
            self._next_round_at = now + ROUND
            await process.commit.run_async(lambda c: counts.roll_up(c, now - 10 * 60 * SECOND))
            await process.commit.run_async(lambda c: flow.forget(c, now - CLOCKS_APART_MAX))
            if await process.commit.run_async(workers.free_unowned):
                self.on_freed()
        return POLL_SECONDS
