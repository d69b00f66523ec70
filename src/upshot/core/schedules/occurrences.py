"""The instants of a schedule: its local times in a zone, with its own answer for those that do not exist or exist twice."""

import zlib
from datetime import datetime, timedelta, tzinfo
from typing import Final

from upshot.core.instants import DAY, EPOCH, HOUR, SECOND
from upshot.core.local_time import to_instant, to_local
from upshot.core.schedules.model import Fold, Gap, Once, Recurring, Schedule
from upshot.core.schedules.walls import walls

_MICROSECOND: Final = timedelta(microseconds=1)
_LOOKED_BACK: Final = (HOUR, DAY, 32 * DAY, 366 * DAY)


def instants_of(wall: datetime, zone: tzinfo, gap: Gap, fold: Fold) -> tuple[int, ...]:
    """The instants (microseconds UTC) that a local time means in a zone: none, one or two."""
    if to_instant(wall, zone) is None:
        return ()
    before, after = (wall.replace(tzinfo=zone, fold=side).utcoffset() or timedelta() for side in (0, 1))
    early, late = ((wall.replace(tzinfo=EPOCH.tzinfo) - offset - EPOCH) // _MICROSECOND for offset in (before, after))
    if before == after:
        return (early,)
    if before > after:
        return {"first": (early,), "second": (late,), "both": (early, late)}[fold]
    if gap == "skip":
        return ()
    return (early,) if gap == "forward" else (_change_between(late, early, zone),)


def is_in_gap(wall: datetime, zone: tzinfo) -> bool:
    """Whether the clocks of a zone skip this local time."""
    return not instants_of(wall, zone, "skip", "first")


def next_after(schedule: Schedule, after: int, zone: tzinfo) -> int | None:
    """The first occurrence later than `after`; None when there is no more."""
    when = schedule.when
    if isinstance(when, Once) and isinstance(when.at, int):
        return when.at if when.at > after else None
    local = to_local(after, zone)
    if local is None:
        return None
    span = _shift_near(after, zone)
    found: int | None = None
    last_wall: datetime | None = None
    try:
        for wall in walls(when, local - span):
            if last_wall is not None and wall > last_wall:
                break
            for instant in instants_of(wall, zone, schedule.gap, schedule.fold):
                if instant > after and (found is None or instant < found):
                    found = instant
            if found is not None and last_wall is None:  # a later local time may be an earlier instant
                last_wall = wall + max(span, _shift_near(found, zone))
    except (OverflowError, ValueError):  # the end of the calendar
        return found
    if isinstance(when, Recurring) and when.until is not None and found is not None and found > when.until:
        return None
    return found


def latest_until(schedule: Schedule, first: int, until: int, zone: tzinfo) -> int:
    """The last occurrence of those from `first`, which is one, to `until`. It looks back from `until`, so that a long
    time of many occurrences costs no more than a short one."""
    for width in _LOOKED_BACK:
        start = until - width
        if start <= first:
            break
        latest = None
        at = next_after(schedule, start, zone)
        while at is not None and at <= until:
            latest, at = at, next_after(schedule, at, zone)
        if latest is not None:
            return latest
    latest, at = first, next_after(schedule, first, zone)
    while at is not None and at <= until:
        latest, at = at, next_after(schedule, at, zone)
    return latest


def due_at(schedule: Schedule, occurrence: int, seed: str) -> int:
    """When an occurrence is started: up to `jitter_seconds` later, always the same for one occurrence and seed."""
    if not schedule.jitter_seconds:
        return occurrence
    spread = schedule.jitter_seconds * SECOND
    return occurrence + zlib.crc32(f"{seed}:{occurrence}".encode()) * spread // 2**32


def _shift_near(instant: int, zone: tzinfo) -> timedelta:
    """By how much the clocks of a zone are moved within a day of an instant."""
    offsets = [_offset_at(instant + days * DAY, zone) for days in (-1, 0, 1)]
    return max(offsets) - min(offsets)


def _offset_at(instant: int, zone: tzinfo) -> timedelta:
    return (EPOCH + timedelta(microseconds=instant)).astimezone(zone).utcoffset() or timedelta()


def _change_between(low: int, high: int, zone: tzinfo) -> int:
    """The instant, to the second, at which the clocks are moved between these two."""
    before = _offset_at(low, zone)
    while high - low > SECOND:
        middle = low + (high - low) // (2 * SECOND) * SECOND
        middle = middle if middle > low else low + SECOND
        if _offset_at(middle, zone) == before:
            low = middle
        else:
            high = middle
    return high
