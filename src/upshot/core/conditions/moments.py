"""Dates as conditions see them: an instant, or a whole day without a time. Nothing raises; beyond the calendar is None.

When either of two dates is a day without a time they compare by local calendar day, else by instant.
"""

import re
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Final, NamedTuple

from upshot.core.instants import HOUR, MINUTE
from upshot.core.local_time import add_days, add_months, to_instant, to_local

_DAY_TEXT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_INSTANT_TEXT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?([Zz]|[+-][0-9]{2}:?[0-9]{2})?\Z"
)
_NAIVE_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - local wall time, on purpose
_MICROSECOND: Final = timedelta(microseconds=1)
_MILLISECOND: Final = 1000
_INSTANT_MAX: Final = 253_402_300_799_999_999

UNITS: Final = ("minute", "hour", "day", "week", "month", "quarter", "year")
_ROLLING: Final = {"minute": MINUTE, "hour": HOUR}
_DAYS: Final = {"day": 1, "week": 7}
_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}
_ENDS_AFTER: Final = {
    "day": ("day", 1),
    "week": ("day", 7),
    "month": ("month", 1),
    "quarter": ("month", 3),
    "year": ("month", 12),
}


class Moment(NamedTuple):
    """Microseconds UTC, and the local wall time; a day without a time has no `instant` and `local` is its midnight."""

    instant: int | None
    local: datetime

    @property
    def day(self) -> int:
        """The local day as a number that grows by one each day."""
        return self.local.toordinal()


def read_moment(value: Any, zone: tzinfo, *, epoch: bool = False) -> Moment | None:
    """The date a JSON value names: RFC 3339, a date alone, a naive date and time in `zone`; milliseconds if `epoch`."""
    if value.__class__ is str:
        return _read_text(value, zone)
    if epoch and value.__class__ is int and abs(value) <= _INSTANT_MAX // _MILLISECOND:
        return at_instant(value * _MILLISECOND, zone)
    return None


def _read_text(text: str, zone: tzinfo) -> Moment | None:
    try:
        if _DAY_TEXT.match(text):
            return Moment(None, datetime.fromisoformat(text))
        if not _INSTANT_TEXT.match(text):
            return None
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    if moment.tzinfo is None:
        return at_local(moment, zone)
    offset = moment.utcoffset() or timedelta()
    return at_instant((moment.replace(tzinfo=None) - _NAIVE_EPOCH - offset) // _MICROSECOND, zone)


def at_instant(instant: int, zone: tzinfo) -> Moment | None:
    """The moment at microseconds UTC; None beyond the calendar."""
    local = to_local(instant, zone)
    return None if local is None else Moment(instant, local)


def at_local(local: datetime, zone: tzinfo) -> Moment | None:
    """The moment of a wall time; None beyond the calendar."""
    instant = to_instant(local, zone)
    return None if instant is None else at_instant(instant, zone)


def compare(one: Moment, other: Moment) -> int:
    """Negative, zero or positive as `one` is before, the same as or after `other`."""
    if one.instant is None or other.instant is None:
        return one.day - other.day
    return one.instant - other.instant


def moved(moment: Moment, count: int, unit: str, zone: tzinfo) -> Moment | None:
    """So many units later. Days and larger are calendar steps in `zone`; hours and minutes are exact durations."""
    if unit in _ROLLING:
        start = to_instant(moment.local, zone) if moment.instant is None else moment.instant
        return None if start is None else at_instant(start + count * _ROLLING[unit], zone)
    add, size = (add_days, _DAYS[unit]) if unit in _DAYS else (add_months, _MONTHS[unit])
    local = add(moment.local, count * size)
    if local is None:
        return None
    return Moment(None, local) if moment.instant is None else at_local(local, zone)


def snapped(moment: Moment, snap: str, week_start: int, zone: tzinfo) -> Moment | None:
    """The first or last microsecond (day, of a day without a time) of what `start_of_...` or `end_of_...` names."""
    edge, _, unit = snap.partition("_of_")
    local = _start(moment.local, unit, week_start)
    if edge == "start":
        return Moment(None, local) if moment.instant is None else at_local(local, zone)
    kind, count = _ENDS_AFTER[unit]
    after = add_days(local, count) if kind == "day" else add_months(local, count)
    if after is None:
        return None
    if moment.instant is None:
        return Moment(None, after - timedelta(days=1))
    end = to_instant(after, zone)
    return None if end is None else at_instant(end - 1, zone)


def _start(local: datetime, unit: str, week_start: int) -> datetime:
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    match unit:
        case "week":
            back = (midnight.isoweekday() - week_start) % 7
            return midnight - timedelta(days=min(back, midnight.toordinal() - 1))
        case "month":
            return midnight.replace(day=1)
        case "quarter":
            return midnight.replace(month=(midnight.month - 1) // 3 * 3 + 1, day=1)
        case "year":
            return midnight.replace(month=1, day=1)
        case _:
            return midnight


class Window(NamedTuple):
    """Two ends, both within."""

    start: Moment
    end: Moment


def last(count: int, unit: str, now: int, zone: tzinfo) -> Window | None:
    """Whole local days up to and with today, which is day one; for hours and minutes the rolling time up to now."""
    here = at_instant(now, zone)
    if here is None:
        return None
    if unit in _ROLLING:
        start = at_instant(now - count * _ROLLING[unit], zone)
        return None if start is None else Window(start, here)
    today = _today(here)
    before = moved(today, -count, unit, zone)
    start = moved(before, 1, "day", zone) if before else None
    return None if start is None else Window(start, today)


def ahead(count: int, unit: str, now: int, zone: tzinfo) -> Window | None:
    """Whole local days from today, which is day one; for hours and minutes the rolling time from now."""
    here = at_instant(now, zone)
    if here is None:
        return None
    if unit in _ROLLING:
        end = at_instant(now + count * _ROLLING[unit], zone)
        return None if end is None else Window(here, end)
    today = _today(here)
    after = moved(today, count, unit, zone)
    end = moved(after, -1, "day", zone) if after else None
    return None if end is None else Window(today, end)


def _today(here: Moment) -> Moment:
    return Moment(None, _start(here.local, "day", 1))


def same_day_of_year(one: Moment, other: Moment) -> bool:
    """Whether `one`, moved into the year of `other`, is its day; 29 February becomes the 28th in a common year."""
    moved_day = add_months(one.local, (other.local.year - one.local.year) * 12)
    return moved_day is not None and moved_day.date() == other.local.date()


def today(now: int, zone: tzinfo) -> Moment | None:
    """The local day, without a time."""
    here = at_instant(now, zone)
    return None if here is None else _today(here)


def is_day_text(text: str) -> bool:
    """Whether a text is a date alone, of the calendar."""
    if not _DAY_TEXT.match(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
