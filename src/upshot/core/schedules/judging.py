"""What can only be said of a schedule at an instant: a local time that its zone skips, and one that is never due again."""

from datetime import datetime

from upshot.core.errors import Problem
from upshot.core.local_time import zone_or_utc
from upshot.core.schedules.model import Once, Schedule
from upshot.core.schedules.occurrences import is_in_gap, next_after

SHOWN = 10


def problems_now(schedule: Schedule, now: int, tenant_zone: str, at: str) -> list[Problem]:
    """Why this schedule cannot be of use from `now` on."""
    name = schedule.zone or tenant_zone
    zone, when = zone_or_utc(name), schedule.when
    if isinstance(when, Once) and isinstance(when.at, datetime) and is_in_gap(when.at, zone):
        said = f"{when.at.isoformat(' ', 'minutes')} does not exist in {name}: the clocks skip it; name another time"
        return [Problem(f"{at}.run_at", said, "impossible_time")]
    if next_after(schedule, now, zone) is not None:
        return []
    kind = next(iter(name for name in ("run_at", "rrule", "cron") if name in schedule.document), "")
    said = "is never due again: it lies in the past" if kind == "run_at" else "is never due again"
    return [Problem(f"{at}.{kind}" if kind else at, said, "never_due")]


def upcoming(schedule: Schedule, now: int, tenant_zone: str, number: int = SHOWN) -> list[int]:
    """The next occurrences."""
    zone, found = zone_or_utc(schedule.zone or tenant_zone), list[int]()
    at = next_after(schedule, now, zone)
    while at is not None and len(found) < number:
        found.append(at)
        at = next_after(schedule, at, zone)
    return found
