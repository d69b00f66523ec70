"""The local times that a schedule means, in their order, before any zone has a say."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from cronsim import CronSim
from dateutil.rrule import rrulestr

from upshot.core.local_time import add_months
from upshot.core.schedules.model import LAST_DAY, Cron, Daily, Monthly, Once, Recurring, Weekly, When

_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)
_BLOCK = 100
"""So many intervals at once are left out at the beginning of a rule."""


def walls(when: When, start: datetime) -> Iterator[datetime]:
    """The local times (naive) from `start` on, ascending. It may go on for ever."""
    match when:
        case Cron(expression):
            yield from CronSim(expression, start if start.microsecond else start - _SECOND)
        case Daily(at):
            yield from (wall for day in _days(start) for wall in _times(day, at) if wall >= start)
        case Weekly(on, at):
            days = (day for day in _days(start) if day.weekday() in on)
            yield from (wall for day in days for wall in _times(day, at) if wall >= start)
        case Monthly(on, at):
            yield from (wall for day in _month_days(start, on) for wall in _times(day, at) if wall >= start)
        case Recurring(rule, starts):
            yield from _rule(rule, starts, start).xafter(start, inc=True)
        case Once(at):
            if isinstance(at, datetime) and at >= start:
                yield at


def _rule(text: str, starts: datetime, start: datetime) -> Any:
    """The rule from a time on that is not long before `start`: it is looked through from its beginning each time."""
    parts = dict(part.split("=", 1) for part in text.split(";"))
    days = {"DAILY": 1, "WEEKLY": 7}.get(parts["FREQ"])
    if days is not None and "COUNT" not in parts:
        block = days * int(parts.get("INTERVAL", "1")) * _DAY * _BLOCK
        starts += max((start - starts) // block, 0) * block
    return _compiled(text, starts)


@lru_cache(maxsize=1024)
def _compiled(text: str, starts: datetime) -> Any:
    return rrulestr(text, dtstart=starts)


def _days(start: datetime) -> Iterator[date]:
    day = start.date()
    while day < date.max:
        yield day
        day += _DAY


def _month_days(start: datetime, on: tuple[int, ...]) -> Iterator[date]:
    first: datetime | None = datetime(start.year, start.month, 1)  # noqa: DTZ001 - local wall time, on purpose
    while first is not None:
        following = add_months(first, 1)
        last = 31 if following is None else (following - _DAY).day
        for day in sorted({last if day == LAST_DAY else min(day, last) for day in on}):
            yield date(first.year, first.month, day)
        first = following


def _times(day: date, at: tuple[time, ...]) -> Iterator[datetime]:
    return (datetime.combine(day, moment) for moment in at)
