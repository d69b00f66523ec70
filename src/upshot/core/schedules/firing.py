"""What becomes of a schedule that is due: which occurrences start now, what is skipped and why, and when it is due next."""

from datetime import tzinfo
from typing import Final, Literal

import msgspec

from upshot.core.instants import HOUR, MINUTE, SECOND
from upshot.core.schedules.model import Schedule
from upshot.core.schedules.occurrences import due_at, latest_until, next_after

GRACE: Final = MINUTE
"""An occurrence that could not be started for longer than this (microseconds) counts as missed."""
LOOK_AGAIN: Final = 2 * SECOND
"""How soon a queued occurrence looks again whether the run before is over (microseconds)."""
BATCH_MAX: Final = 100
"""How many occurrences of one schedule start at once, when all that were missed do."""

Why = Literal["missed", "overlap"]


class Firing(msgspec.Struct, frozen=True):
    """What happens now. `starts` are occurrences; `occurrence_at` is the one that comes next (None: there is no more), looked
    at again at `due_at`; `skipped_at` is the last one that was skipped. With `cancels` the run before is cancelled first."""

    starts: tuple[int, ...]
    occurrence_at: int | None
    due_at: int | None
    skipped_at: int | None = None
    skipped_why: Why | None = None
    cancels: bool = False


def decide(schedule: Schedule, occurrence: int, now: int, zone: tzinfo, seed: str, *, is_running: bool) -> Firing:
    """What happens to a schedule whose next `occurrence` is due. `is_running`: the run of the one before is not over."""
    if schedule.catch_up == "all":
        return _all(schedule, occurrence, now, zone, seed, is_running=is_running)
    spread = schedule.jitter_seconds * SECOND
    latest = latest_until(schedule, occurrence, max(now - spread, occurrence), zone)
    kept_for = GRACE if schedule.catch_up == "none" else schedule.catch_up_hours * HOUR
    if now - latest > kept_for + spread:
        return _moved(schedule, (), latest, zone, seed, latest, "missed")
    if is_running and schedule.overlap == "queue":
        return Firing((), occurrence, now + LOOK_AGAIN)
    if is_running and schedule.overlap == "skip":
        return _moved(schedule, (), latest, zone, seed, latest, "overlap")
    missed = latest != occurrence
    firing = _moved(
        schedule, (latest,), latest, zone, seed, occurrence if missed else None, "missed" if missed else None
    )
    return msgspec.structs.replace(firing, cancels=is_running and schedule.overlap == "cancel")


def _all(schedule: Schedule, first: int, now: int, zone: tzinfo, seed: str, *, is_running: bool) -> Firing:
    oldest = now - schedule.catch_up_hours * HOUR - schedule.jitter_seconds * SECOND
    if first < oldest:
        return _moved(schedule, (), oldest - 1, zone, seed, first, "missed")
    if is_running and schedule.overlap == "queue":
        return Firing((), first, now + LOOK_AGAIN)
    if is_running and schedule.overlap == "skip":
        return _moved(schedule, (), first, zone, seed, first, "overlap")
    number = BATCH_MAX if schedule.overlap == "allow" and schedule.each is None else 1
    starts, at = [first], next_after(schedule, first, zone)
    while at is not None and at <= now and len(starts) < number:
        starts.append(at)
        at = next_after(schedule, at, zone)
    firing = _moved(schedule, tuple(starts), starts[-1], zone, seed, None, None)
    return msgspec.structs.replace(firing, cancels=is_running and schedule.overlap == "cancel")


def _moved(
    schedule: Schedule,
    starts: tuple[int, ...],
    past: int,
    zone: tzinfo,
    seed: str,
    skipped_at: int | None,
    why: Why | None,
) -> Firing:
    """On to the first occurrence after `past`."""
    following = next_after(schedule, past, zone)
    due = None if following is None else due_at(schedule, following, seed)
    return Firing(starts, following, due, skipped_at, why)
