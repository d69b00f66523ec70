"""Release: what flow control held back goes on when its time has come: events that were gathered start their run, throttled
runs begin at their instant, and free places are given to those who wait for them.

All of it is found in the store by whoever looks first, so it does not matter which worker held it back or freed a place.
"""

from collections.abc import Callable, Collection

from sqlalchemy import Connection

from upshot.core.instants import SECOND
from upshot.engine.admit import Admission
from upshot.engine.process import Process
from upshot.store import flow, hints, throttled
from upshot.store.flow import Key

POLL_SECONDS = 1.0
BUSY_PAUSE_SECONDS = 0.05
WINDOWS_MAX, STARTS_MAX, PLACES_MAX = 50, 500, 100
"""How much of each one transaction takes."""


class Release:
    """The service that lets go on what flow control held back."""

    name = "release"

    def __init__(self, process: Process) -> None:
        self._process = process
        self.on_released: Callable[[], None] = lambda: None

    async def poll(self) -> float:
        """Let go what is due, never early."""
        process = self._process
        ahead = await process.reads.run(flow.ahead, PLACES_MAX)
        now = process.clock.now()
        if not ahead.places and (ahead.due_at is None or ahead.due_at > now):
            return POLL_SECONDS if ahead.due_at is None else min(POLL_SECONDS, (ahead.due_at - now) / SECOND)
        number = await process.commit.run_async(lambda c: release(c, ahead.places, process.clock.now()), "release")
        if not number:
            return BUSY_PAUSE_SECONDS  # another worker has them locked
        self.on_released()
        return 0.0


def release(connection: Connection, places: Collection[Key], now: int) -> int:
    """Start what is due and fill these places as far as they have room; how many of all of it there were."""
    admission = Admission(connection, now)
    windows = flow.due_windows(connection, now, WINDOWS_MAX)
    for state in windows:
        admission.adopt(state)
    begun, starts = throttled.due_starts(connection, now, STARTS_MAX)
    admission.begin_throttled(begun)
    filled = admission.fill(places)
    admission.end()
    number = len(windows) + starts + filled
    if number:
        hints.send(connection, hints.RUNS)
    return number
