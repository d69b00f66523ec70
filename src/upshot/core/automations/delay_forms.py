"""Delays that end at a place in the calendar: a date and so long before or after it, a local time of day, opening hours.

An instant is found in three steps, each of which may be left out: so long from now, or `until` an instant, or so long
`before` or `after` one; then `at` a local time (on that day, when the day was said, else the next such time); then
`within` opening hours (at once inside them, else when they open next). A local time in a DST gap moves forward, an
ambiguous one is the first. `working` counts time that passes while it is open, from now or `after` an instant on.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, Final

from upshot.core.automations.fields import as_list, as_object
from upshot.core.errors import Problem, Refused
from upshot.core.local_time import day_of_week, to_instant, to_local, zone_of
from upshot.core.templates import has_template

ANCHORS: Final = ("until", "before", "after")
FORMS: Final = (*ANCHORS, "at", "working", "within", "zone")
"""The fields of a delay beside its units."""
WEEKDAYS: Final = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_WORKDAYS: Final = WEEKDAYS[1:6]
_LOOK_DAYS: Final = 15
_COUNTED_DAYS: Final = 3_700
"""Working time is looked for so many days ahead: a little longer than the longest delay."""
EXCEPTIONS_MAX: Final = 500
_MIDNIGHT: Final = time()


class Opening:
    """Opening hours: from one local time to another on some days of the week, but for some dates."""

    __slots__ = ("closed", "days", "end", "start")

    def __init__(self, days: frozenset[int], start: time, end: time, closed: frozenset[date] = frozenset()) -> None:
        self.days, self.start, self.end, self.closed = days, start, end, closed

    def on(self, local: datetime, days: int, zone: tzinfo) -> tuple[int, int] | None:
        """From when to when it is open so many days after this local time; from an instant to itself where it is closed. None
        beyond the calendar."""
        start = _instant(local, days, self.start, zone)
        end = _instant(local, days + (self.end == _MIDNIGHT), self.end, zone)
        if start is None or end is None:
            return None
        day = local + timedelta(days=days)
        is_open = day_of_week(day) in self.days and day.date() not in self.closed
        return (start, end) if is_open else (start, start)


def form_problems(fields: Mapping[str, Any], units: list[str], at: str) -> list[Problem]:
    """What is wrong with the calendar's part of a delay that has these units; placeholders are not judged."""
    problems: list[Problem] = []
    anchors = [name for name in ANCHORS if name in fields]
    if len(anchors) > 1:
        problems.append(Problem(at, f"holds both `{anchors[0]}` and `{anchors[1]}`; keep one", "bad_duration"))
    if anchors[:1] == ["until"] and units:
        problems.append(Problem(at, "holds both `until` and a duration; keep one", "bad_duration"))
    if "working" in fields:
        others = [name for name in (*units, "until", "before", "at") if name in fields]
        said = "does not go with `working`, which is counted from now or `after` an instant on"
        problems += [Problem(f"{at}.{name}", said, "bad_duration") for name in others]
        if "within" not in fields:
            problems.append(Problem(f"{at}.within", "is needed: the hours that are counted", "required"))
    elif anchors[:1] in (["before"], ["after"]) and not units:
        problems.append(Problem(at, f"says `{anchors[0]}` and not how long", "bad_duration"))
    if not anchors and not units and fields.keys() <= {"zone"}:
        problems.append(Problem(at, "says no time", "bad_duration"))
    for name, read in (("at", read_time), ("zone", read_zone), ("within", read_opening)):
        if name in fields and not (isinstance(fields[name], str) and has_template(fields[name])):
            try:
                read(fields[name], f"{at}.{name}")
            except Refused as refused:
                problems.extend(refused.problems)
    return problems


def read_time(value: Any, at: str) -> time:
    """A local time of day such as `"09:00"`.

    Raises:
        Refused: it is none.
    """
    try:
        read = time.fromisoformat(value) if isinstance(value, str) and ":" in value else None
    except ValueError:
        read = None
    if read is None or read.tzinfo is not None:
        raise Refused.at(at, f'must be a local time such as "09:00", not {value!r:.40}', "bad_time")
    return read


def read_zone(value: Any, at: str) -> tzinfo:
    """The zone of this name.

    Raises:
        Refused: there is none.
    """
    zone = zone_of(value) if isinstance(value, str) and value else None
    if zone is None:
        raise Refused.at(at, f'must be a time zone such as "Europe/Paris", not {value!r:.40}', "unknown_zone")
    return zone


def read_opening(value: Any, at: str) -> Opening:
    """Opening hours: `{"from", "to", "days"?, "except"?}`; from Monday to Friday if no days are said, but for these dates.

    Raises:
        Refused: it is none, or it never opens.
    """
    fields = as_object(value)
    if fields is None or not {"from", "to"} <= set(fields) <= {"from", "to", "days", "except"}:
        raise Refused.at(at, 'must be opening hours such as {"from": "09:00", "to": "17:00"}', "wrong_type")
    start, end = read_time(fields["from"], f"{at}.from"), read_time(fields["to"], f"{at}.to")
    if end <= start and end != _MIDNIGHT:
        raise Refused.at(f"{at}.to", "must be later than `from`; 00:00 is the end of the day", "bad_time")
    days = as_list(fields.get("days", list(_WORKDAYS)))
    if not days or not all(day in WEEKDAYS for day in days):
        raise Refused.at(f"{at}.days", f"must be a list of {', '.join(WEEKDAYS)}", "bad_option")
    return Opening(frozenset(WEEKDAYS.index(day) for day in days), start, end, _read_dates(fields, at))


def _read_dates(fields: Mapping[str, Any], at: str) -> frozenset[date]:
    listed = as_list(fields.get("except", []))
    said = f'must be a list of at most {EXCEPTIONS_MAX} dates such as ["2026-12-25"]'
    if listed is None or len(listed) > EXCEPTIONS_MAX:
        raise Refused.at(f"{at}.except", said, "wrong_type")
    found: set[date] = set()
    for index, one in enumerate(listed):
        try:
            found.add(date.fromisoformat(one))
        except (TypeError, ValueError) as error:
            raise Refused.at(
                f"{at}.except[{index}]", f"is no date such as 2026-12-25: {one!r:.40}", "bad_time"
            ) from error
    return frozenset(found)


def at_time(base: int, wanted: time, zone: tzinfo, *, is_day_said: bool) -> int | None:
    """This local time on the day of `base` or, when the day is open, the first one not before `base`."""
    local = to_local(base, zone)
    for days in range(1 if is_day_said else _LOOK_DAYS):
        found = _instant(local, days, wanted, zone)
        if found is not None and (is_day_said or found >= base):
            return found
    return None


def within(base: int, opening: Opening, zone: tzinfo) -> int | None:
    """The first instant not before `base` that lies in these opening hours."""
    local = to_local(base, zone)
    for days in range(_LOOK_DAYS + len(opening.closed)):
        hours = opening.on(local, days, zone) if local is not None else None
        if hours is None:
            return None
        if max(hours[0], base) < hours[1]:
            return max(hours[0], base)
    return None


def worked(base: int, length: int, opening: Opening, zone: tzinfo) -> int | None:
    """The instant by which it was open for so long (microseconds) since `base`; for no length, when it is open next."""
    if length <= 0:
        return within(base, opening, zone)
    local, left = to_local(base, zone), length
    for days in range(_COUNTED_DAYS):
        hours = opening.on(local, days, zone) if local is not None else None
        if hours is None:
            return None
        left -= max(hours[1] - max(hours[0], base), 0)
        if left <= 0:
            return hours[1] + left
    return None


def _instant(local: datetime | None, days: int, wanted: time, zone: tzinfo) -> int | None:
    try:
        return to_instant(datetime.combine((local + timedelta(days=days)).date(), wanted), zone) if local else None
    except OverflowError:
        return None
