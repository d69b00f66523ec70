"""What each operator on dates means: from an operand to a test of a value."""

import operator as python_operator
import re
from collections.abc import Callable
from datetime import tzinfo
from functools import lru_cache
from typing import Any, Final, cast

from upshot.core.conditions import moments
from upshot.core.conditions.model import Check, Options
from upshot.core.conditions.moments import Moment, Window, compare, read_moment
from upshot.core.conditions.operands import BadOperand, Relative, within_calendar
from upshot.core.facts import Facts
from upshot.core.local_time import day_of_week, zone_or_utc

_INSTANT_ORDERINGS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "before": python_operator.lt,
    "after": python_operator.gt,
    "on_or_before": python_operator.le,
    "on_or_after": python_operator.ge,
}
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])\Z|24:00\Z")
_WEEKDAYS: Final = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_PAIR: Final = 2
_ABBREVIATED: Final = 3

Resolve = Callable[[Facts, tzinfo], Moment | None]


def reads_as_date(operand: Any, options: Options) -> bool:
    """Whether this literal names a date."""
    return read_moment(operand, zone_or_utc(options.tz or "UTC"), epoch=options.type == "datetime") is not None


def _zone(options: Options) -> Callable[[Facts], tzinfo]:
    if options.tz:
        fixed = zone_or_utc(options.tz)
        return lambda _facts: fixed
    return lambda facts: zone_or_utc(facts.zone)


def _resolver(operand: Any, options: Options) -> Resolve:
    if isinstance(operand, Relative):
        return lambda facts, zone: operand.resolve(facts, zone, options.week_start)
    if not reads_as_date(operand, options):
        message = 'needs a date such as 2026-11-21, 2026-11-21T09:00:00Z, "today", {"ref": path} or a relative date'
        raise BadOperand(message)
    epoch = options.type == "datetime"

    @lru_cache(maxsize=8)
    def read_in(zone: tzinfo) -> Moment | None:
        return read_moment(operand, zone, epoch=epoch)

    return lambda _facts, zone: read_in(zone)


def _moments_test(operand: Any, options: Options, meets: Callable[[Moment, Moment], bool]) -> Check:
    resolve, zone_in = _resolver(operand, options), _zone(options)
    epoch = options.type == "datetime"

    def test(value: Any, facts: Facts) -> bool:
        zone = zone_in(facts)
        mine = read_moment(value, zone, epoch=epoch)
        if mine is None:
            return False
        theirs = resolve(facts, zone)
        return theirs is not None and meets(mine, theirs)

    return Check(test, "date")


def moment_test(operand: Any, options: Options, ordering: Callable[[Any, Any], bool]) -> Check:
    """The value and the operand are dates in this order. Days without a time compare by local day."""
    return _moments_test(operand, options, lambda mine, theirs: ordering(compare(mine, theirs), 0))


def instant_ordering(name: str) -> Callable[[Any, Options], Check]:
    """`before`, `after`, `on_or_before`, `on_or_after`."""
    return lambda operand, options: moment_test(operand, options, _INSTANT_ORDERINGS[name])


def on_day(operand: Any, options: Options) -> Check:
    """The same local calendar day."""
    return _moments_test(operand, options, lambda mine, theirs: mine.day == theirs.day)


def same_day_of_year(operand: Any, options: Options) -> Check:
    """The same month and day; 29 February is 28 February in a common year."""
    return _moments_test(operand, options, moments.same_day_of_year)


def within(name: str, count: int, unit: str, options: Options) -> Check:
    """`within_last`, `within_next`, `more_than_ago`, `more_than_ahead`: against a window that moves with `now`."""
    window_of = moments.last if name in ("within_last", "more_than_ago") else moments.ahead
    meets: Callable[[Moment, Window], bool]
    if name == "more_than_ago":
        meets = _is_before
    elif name == "more_than_ahead":
        meets = _is_after
    else:
        meets = _is_inside
    zone_in = _zone(options)
    epoch = options.type == "datetime"

    def test(value: Any, facts: Facts) -> bool:
        zone = zone_in(facts)
        mine = read_moment(value, zone, epoch=epoch)
        if mine is None:
            return False
        return meets(mine, within_calendar(window_of(count, unit, facts.now, zone)))

    return Check(test, "date")


def _is_before(moment: Moment, window: Window) -> bool:
    return compare(moment, window.start) < 0


def _is_after(moment: Moment, window: Window) -> bool:
    return compare(moment, window.end) > 0


def _is_inside(moment: Moment, window: Window) -> bool:
    return not _is_before(moment, window) and not _is_after(moment, window)


def read_weekdays(value: Any) -> list[int]:
    """Days of the week, 0 for Sunday, from numbers or English names.

    Raises:
        BadOperand: something else is among them, or there are none.
    """
    items = cast("list[Any]", value) if isinstance(value, list) else [value]
    days: list[int] = []
    for item in items[:100]:
        day = _weekday(item)
        if day is None:
            raise BadOperand(f"{item!r} is not a day of the week; use 0 (Sunday) to 6, or names such as monday")
        days.append(day)
    if not days:
        message = "needs at least one day of the week"
        raise BadOperand(message)
    return sorted(set(days))


def _weekday(item: Any) -> int | None:
    if isinstance(item, int) and not isinstance(item, bool):
        return item if 0 <= item < len(_WEEKDAYS) else None
    if isinstance(item, str) and len(item) >= _ABBREVIATED:
        return next((number for number, name in enumerate(_WEEKDAYS) if name.startswith(item.strip().lower())), None)
    return None


def weekday_in(days: list[int], options: Options) -> Check:
    """The local day of the week is one of these."""
    wanted, zone_in = frozenset(days), _zone(options)
    epoch = options.type == "datetime"

    def test(value: Any, facts: Facts) -> bool:
        moment = read_moment(value, zone_in(facts), epoch=epoch)
        return moment is not None and day_of_week(moment.local) in wanted

    return Check(test, "date")


def read_times(value: Any) -> list[str]:
    """Two local times of day, `["09:00", "17:00"]`.

    Raises:
        BadOperand: not two different times.
    """
    items = cast("list[Any]", value) if isinstance(value, list) else []
    if len(items) != _PAIR or not all(isinstance(item, str) and _TIME.match(item) for item in items):
        message = 'needs two times of day such as ["09:00", "17:00"]'
        raise BadOperand(message)
    if items[0] == items[1]:
        message = "the two times are the same, so nothing lies between them"
        raise BadOperand(message)
    return items


def time_between(times: list[str], options: Options) -> Check:
    """The local time of day is from the first time, included, to the second, not included; it may pass midnight."""
    (start, end), zone_in = times, _zone(options)
    epoch = options.type == "datetime"

    def test(value: Any, facts: Facts) -> bool:
        moment = read_moment(value, zone_in(facts), epoch=epoch)
        if moment is None or moment.instant is None:
            return False
        time = moment.local.strftime("%H:%M")
        return start <= time < end if start < end else (time >= start or time < end)

    return Check(test, "date")
