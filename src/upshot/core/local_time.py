"""Local time: instants in a zone and back, with the design's answers for gaps, folds and month ends.

A local time inside a DST gap moves forward; an ambiguous one is the first of the two. A month too short for the day
takes its last day. Nothing here raises on dates out of range: the answer is None.
"""

from calendar import monthrange
from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from upshot.core.instants import EPOCH, to_text

_NAIVE_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - local wall time, on purpose
_MICROSECOND: Final = timedelta(microseconds=1)
_MONTHS_IN_YEAR: Final = 12
_WEEKDAYS: Final = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")


@lru_cache(maxsize=512)
def zone_of(name: str) -> tzinfo | None:
    """The zone of this IANA name; None when there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def zone_or_utc(name: str) -> tzinfo:
    """The zone of this IANA name, or UTC."""
    return zone_of(name) or UTC


def to_local(instant: int, zone: tzinfo) -> datetime | None:
    """The wall time (naive) in a zone at an instant in microseconds UTC."""
    try:
        return (EPOCH + timedelta(microseconds=instant)).astimezone(zone).replace(tzinfo=None)
    except (OverflowError, ValueError):
        return None


def to_instant(local: datetime, zone: tzinfo) -> int | None:
    """The instant of a naive wall time in a zone: forward out of a gap, the first of a fold."""
    try:
        offset = local.replace(tzinfo=zone, fold=0).utcoffset() or timedelta()
    except (OverflowError, ValueError):
        return None
    return (local - _NAIVE_EPOCH - offset) // _MICROSECOND


def add_months(local: datetime, months: int) -> datetime | None:
    """The same day and time so many months later, or the last day of a month too short for it."""
    year, month = divmod(local.year * _MONTHS_IN_YEAR + local.month - 1 + months, _MONTHS_IN_YEAR)
    if not MINYEAR <= year <= MAXYEAR:
        return None
    return local.replace(year=year, month=month + 1, day=min(local.day, monthrange(year, month + 1)[1]))


def add_days(local: datetime, days: int) -> datetime | None:
    """The same wall time so many days later."""
    try:
        return local + timedelta(days=days)
    except OverflowError:
        return None


def day_of_week(local: datetime) -> int:
    """0 for Sunday to 6 for Saturday."""
    return local.isoweekday() % 7


@lru_cache(maxsize=64)
def now_facts(now: int, zone: str) -> MappingProxyType[str, Any] | dict[str, Any]:
    """What `now.` offers at this instant in this zone. Shared between callers: read only."""
    local = to_local(now, zone_or_utc(zone))
    if local is None:
        return {}
    weekday = day_of_week(local)
    return {
        "iso": to_text(now),
        "date": local.date().isoformat(),
        "time": local.strftime("%H:%M"),
        "year": local.year,
        "month": local.month,
        "day": local.day,
        "hour": local.hour,
        "minute": local.minute,
        "day_of_week": weekday,
        "weekday": _WEEKDAYS[weekday],
        "zone": zone,
    }
