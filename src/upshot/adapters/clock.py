"""The one file that reads real time and real randomness."""

import os
import time
from typing import Protocol


class Clock(Protocol):
    """Where `now` comes from."""

    def now(self) -> int:
        """Microseconds since 1970-01-01 UTC."""
        ...


class SystemClock:
    """The machine's clock, kept from running backwards: while the wall clock stands behind what was said before, time goes
    on at half its pace, until the wall clock has caught up."""

    __slots__ = ("_latest", "_latest_ticks")

    def __init__(self) -> None:
        self._latest = 0
        self._latest_ticks = 0

    def now(self) -> int:
        """Microseconds since 1970-01-01 UTC, never less than an earlier answer of this process."""
        moment, ticks = time.time_ns() // 1000, time.monotonic_ns() // 1000
        if moment < self._latest:
            moment = self._latest + (ticks - self._latest_ticks) // 2
            if moment == self._latest:
                return moment
        self._latest, self._latest_ticks = moment, ticks
        return moment


class _Ids:
    """The last instant an id was made for; two ids of one process never share it."""

    latest = 0


def new_id(now: int) -> str:
    """A UUID version 7 (RFC 9562): 48 bits of milliseconds, 12 bits of the microseconds within, 62 random bits.

    Ids made by one process sort in the order they were made.
    """
    moment = now if now > _Ids.latest else _Ids.latest + 1
    _Ids.latest = moment
    milliseconds, microseconds = divmod(moment, 1000)
    fraction = (microseconds << 12) // 1000
    random_bits = int.from_bytes(os.urandom(8)) & 0x3FFF_FFFF_FFFF_FFFF
    number = (milliseconds << 80) | (0x7 << 76) | (fraction << 64) | (0x2 << 62) | random_bits
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
