"""Stretches: long work on the event loop, done a little at a time.

A call of a thousand events is some ten milliseconds of work, which the next step of every other tenant's run would wait for.
Turns are counted and not timed, so that the simulator's are the same for the same seed.
"""

import asyncio

EVENTS = 10
"""Events dealt with before others have their turn: about a millisecond of work."""
STEPS = 2_000
"""Steps of conditions before others have their turn: about a millisecond of work, too."""


class Stretch:
    """What one task has done since others had their turn."""

    __slots__ = ("_done",)

    def __init__(self) -> None:
        self._done = 0

    async def rest_after(self, steps: int = 0) -> None:
        """One more event is dealt with, with so many steps of conditions: let others have their turn, if it is theirs."""
        self._done += STEPS // EVENTS + steps
        if self._done >= STEPS:
            self._done = 0
            await asyncio.sleep(0)
