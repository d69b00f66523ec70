"""What each control decides about one event, from what was kept for its key. Instants and lengths are microseconds."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from upshot.core.flow.model import Ask

BATCH_BYTES_MAX: Final = 1 << 20
"""A batch starts when its events' data are this large together, whatever its size."""


def free_again_at(ask: Ask, last: int | None, now: int) -> int | None:
    """Of a key that may start once for each period, and last did at `last`: when it may again; None when it may now."""
    if last is None or now >= last + ask.period:
        return None
    return last + ask.period


def used_up_until(ask: Ask, starts: Sequence[int], now: int) -> int | None:
    """When a key whose latest starts are these, in order, may start again under a limit of `number` in any `period`; None when
    it may now."""
    if len(starts) < ask.number or starts[-ask.number] + ask.period <= now:
        return None
    return starts[-ask.number] + ask.period


def start_at(ask: Ask, starts: Sequence[int], now: int) -> int:
    """When the next run of a key may start so that no `period` holds more than `number` starts and none overtakes another.
    `starts` are the latest ones, in order, some of them perhaps yet to come."""
    at = max(now, starts[-1]) if starts else now
    if len(starts) >= ask.number:
        at = max(at, starts[-ask.number] + ask.period)
    return at


def kept_starts(ask: Ask, starts: Sequence[int], at: int) -> list[int]:
    """The starts to keep once there is one more: those that can still matter, in order also when clocks disagree."""
    return sorted([*starts, at])[-ask.number :]


class Starts(msgspec.Struct, frozen=True):
    """The latest starts of a throttled key, in order, some perhaps yet to come, and the rule that they were told by."""

    number: int
    period: int
    at: list[int]

    def is_of(self, ask: Ask) -> bool:
        """Whether they were told by this rule."""
        return (self.number, self.period) == (ask.number, ask.period)


def next_start(ask: Ask, starts: Starts | None, now: int) -> tuple[int, Starts]:
    """When the next run of a throttled key may start, and the starts with it."""
    kept = starts.at if starts is not None else []
    at = start_at(ask, kept, now)
    return at, Starts(ask.number, ask.period, kept_starts(ask, kept, at))


def told_again(ask: Ask, starts: Starts, waiting: Sequence[int], now: int) -> tuple[list[int], Starts]:
    """The instants of the runs that wait for these, in their order, by a new rule; and the starts with them.

    Of the starts that have been, some are told only by what waits: each waited for the end of a period that one of them began.
    """
    been = [at for at in starts.at if at <= now]
    been += [min(at - starts.period, now) for at in waiting[: starts.number]]
    told = Starts(ask.number, ask.period, sorted(been)[-starts.number :])
    instants: list[int] = []
    for _ in waiting:
        at, told = next_start(ask, told, now)
        instants.append(at)
    return instants, told


class Window(msgspec.Struct, frozen=True):
    """Events that were gathered and have started nothing yet. `run` is what the last of them will start, as the engine keeps
    it; `bytes` is how large their data are."""

    id: str
    first_at: int
    due_at: int
    run: dict[str, Any]
    count: int = 1
    bytes: int = 0


def joined(ask: Ask, window: Window | None, new_id: str, run: dict[str, Any], size: int, now: int) -> Window:
    """The window with one more event, or a new one. A debounce is due when nothing came for `period`, at the latest `most`
    after its first event; a batch `period` after its first."""
    first_at = now if window is None else window.first_at
    due_at = first_at + ask.period
    if ask.control == "debounce":
        due_at = min(now + ask.period, first_at + ask.most) if ask.most else now + ask.period
    if window is None:
        return Window(new_id, first_at, due_at, run, 1, size)
    return Window(window.id, first_at, due_at, run, window.count + 1, window.bytes + size)


def is_full(ask: Ask, window: Window) -> bool:
    """Whether a batch waits no longer."""
    return ask.control == "batch" and (window.count >= ask.number or window.bytes >= BATCH_BYTES_MAX)
