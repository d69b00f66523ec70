"""The one file that reads real time and real randomness."""

import os
import struct
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Protocol

from upshot.store.forks import belongs_to_one_process


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


def ticks() -> int:
    """Microseconds of a clock that nobody sets; only differences mean anything."""
    return time.monotonic_ns() // 1000


class ServerClock:
    """The database server's clock, by which leases and timers are judged when several machines share one database: this
    machine's monotonic clock plus an offset. Until the first measurement it is the machine's own.

    The server's time was at least what it answered when the answer arrived, so what is said here is never ahead of it (no
    timer fires early), and behind by at most the shortest round trip that was measured.
    """

    __slots__ = ("_latest", "_measured", "_offset", "_width", "skew")

    SAMPLES = 3
    DRIFT = 5_000
    """Two clocks drift apart by at most one part in so many; a measurement becomes less certain by as much."""

    def __init__(self) -> None:
        self._offset = time.time_ns() // 1000 - ticks()
        self._latest = self._width = self._measured = 0
        self.skew: int | None = None
        """How far the machine's wall clock stood before the server's when last measured (microseconds)."""

    def now(self) -> int:
        """Microseconds since 1970-01-01 UTC by the server's clock, never less than an earlier answer of this process."""
        moment = ticks() + self._offset
        self._latest = max(moment, self._latest)
        return self._latest

    def measure(self, ask: Callable[[], int]) -> None:
        """Ask the server for its time a few times, and keep the offset when that is more certain than what is known, or shows
        that the server's clock was set."""
        width, offset, after = min(_sample(ask) for _ in range(self.SAMPLES))
        if self.skew is None:  # what was said until now was the machine's opinion
            self._latest = 0
        known_width = self._width + (after - self._measured) // self.DRIFT
        was_set = offset > self._offset + known_width or offset + width < self._offset
        if self.skew is None or was_set or width <= known_width:
            self._offset, self._width, self._measured = offset, width, after
        self.skew = time.time_ns() // 1000 - after - offset


def _sample(ask: Callable[[], int]) -> tuple[int, int, int]:
    """How long the answer took, the least the offset can be, and when it arrived (microseconds)."""
    before = ticks()
    answered = ask()
    after = ticks()
    return after - before, answered - after, after


class _RandomBytes:
    """Random bytes of the operating system, eight at a time. They are asked for in bulk: a thread that makes a system call
    hands the interpreter over, and waits until it has it again, for each id."""

    def __init__(self) -> None:
        self.begin_anew()
        belongs_to_one_process(self)

    def begin_anew(self) -> None:
        """A fork must not make its parent's ids."""
        self._left: Iterator[tuple[bytes]] = iter(())

    def __call__(self) -> bytes:
        while (taken := next(self._left, None)) is None:  # of several threads, each takes its own
            self._left = struct.iter_unpack("8s", os.urandom(4096))
        return taken[0]


class _Ids:
    """The last instant an id was made for (two ids of one process never share it), and where their random bits come from."""

    def __init__(self) -> None:
        self.latest = 0
        self.random: Callable[[], bytes] = _RandomBytes()


_ids = _Ids()


def id_at(now: int) -> str:
    """A text below every id made at `now` or later, and above those made a millisecond earlier."""
    text = f"{max(now, 0) // 1000:012x}"
    return f"{text[:8]}-{text[8:12]}"


def new_id(now: int) -> str:
    """A UUID version 7 (RFC 9562): 48 bits of milliseconds, 12 bits of the microseconds within, 62 random bits.

    Ids made by one process sort in the order they were made.
    """
    moment = now if now > _ids.latest else _ids.latest + 1
    _ids.latest = moment
    milliseconds, microseconds = divmod(moment, 1000)
    fraction = (microseconds << 12) // 1000
    random_bits = int.from_bytes(_ids.random()) & 0x3FFF_FFFF_FFFF_FFFF
    number = (milliseconds << 80) | (0x7 << 76) | (fraction << 64) | (0x2 << 62) | random_bits
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


@contextmanager
def ids_from(random: Callable[[int], bytes]) -> Generator[None]:
    """Inside, ids are made of these random bytes and of no instant before: a simulation makes the same ones again. For one
    thread."""
    before = _ids.latest, _ids.random
    _ids.latest, _ids.random = 0, lambda: random(8)
    try:
        yield
    finally:
        (_ids.latest, _ids.random) = before
