"""How long, and until when: what a delay may say, read strictly.

A duration is `"24h"`, `"1h30m"`, `"2d"`, ISO 8601 `"PT1H"`, `{"hours": 24}` or `{"days": 1, "hours": 2}`; an instant is
`{"until": "2026-12-01T09:00:00Z"}`; the calendar's part of a delay is in `delay_forms.py`. Hours and smaller are absolute;
days and larger are calendar steps in the tenant's zone (the same local time some days later: a time in a DST gap moves
forward, an ambiguous one is the first; month ends clamp). The years, months, weeks and days of one delay are taken before
its hours.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

import msgspec

from upshot.core.automations.delay_forms import (
    ANCHORS,
    FORMS,
    at_time,
    form_problems,
    read_opening,
    read_time,
    within,
    worked,
)
from upshot.core.automations.fields import as_object
from upshot.core.errors import Problem, Refused
from upshot.core.facts import Facts
from upshot.core.instants import DAY, EPOCH, HOUR, MINUTE, SECOND
from upshot.core.local_time import (
    add_days,
    add_months,
    to_instant,
    to_local,
    zone_or_utc,
)
from upshot.core.templates import has_template

FORMS_SET: Final = frozenset(FORMS)
DURATION_MAX: Final = 3_653 * DAY
"""Ten years, the longest delay (microseconds)."""

UNIT_NAMES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("y", "yr", "yrs", "year", "years"), "years"),
    **dict.fromkeys(("mo", "month", "months"), "months"),
    **dict.fromkeys(("w", "week", "weeks"), "weeks"),
    **dict.fromkeys(("d", "day", "days"), "days"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "hours"),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), "minutes"),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "seconds"),
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), "milliseconds"),
}
"""The spellings of a unit."""
UNITS: Final = (
    "years",
    "months",
    "weeks",
    "days",
    "hours",
    "minutes",
    "seconds",
    "milliseconds",
)
"""The units of a delay object, largest first."""

_FIXED: Final[Mapping[str, int]] = {
    "weeks": 7 * DAY, "days": DAY, "hours": HOUR, "minutes": MINUTE, "seconds": SECOND, "milliseconds": 1_000,
}  # fmt: skip
_CALENDAR: Final = frozenset({"years", "months", "weeks", "days"})
_NUMBER: Final = r"[0-9]{1,12}(?:\.[0-9]{1,6})?"
_PIECE: Final = re.compile(rf"\s*(?P<number>{_NUMBER})\s*(?P<unit>[A-Za-z]{{1,12}})\s*,?")
_ISO: Final = re.compile(
    rf"P(?:(?P<years>{_NUMBER})Y)?(?:(?P<months>{_NUMBER})M)?(?:(?P<weeks>{_NUMBER})W)?(?:(?P<days>{_NUMBER})D)?"
    rf"(?:T(?:(?P<hours>{_NUMBER})H)?(?:(?P<minutes>{_NUMBER})M)?(?:(?P<seconds>{_NUMBER})S)?)?"
)
_DECIMAL: Final = re.compile(rf"\s*{_NUMBER}\s*")


class Span(msgspec.Struct, frozen=True):
    """A duration: calendar months and days, then an absolute rest (microseconds)."""

    months: int = 0
    days: int = 0
    rest: int = 0

    @property
    def microseconds(self) -> int:
        """The nominal length: a day as 24 hours, a month as 30 days."""
        return (self.months * 30 + self.days) * DAY + self.rest


def parse(text: str, at: str = "") -> int:
    """The nominal microseconds of a duration such as `"24h"` or `"PT1H"`.

    Raises:
        Refused: no duration, or over ten years.
    """
    return read_span(text, at).microseconds


def read_span(delay: Any, at: str = "") -> Span:
    """The span of a duration as text or object.

    Raises:
        Refused: no duration, negative, or over ten years.
    """
    if isinstance(delay, str):
        amounts = _text_amounts(delay, at)
    elif isinstance(delay, dict):
        amounts = _object_amounts(cast("dict[str, Any]", delay), at)
    else:
        raise Refused.at(
            at,
            'a delay is a text such as "24h", or an object such as {"hours": 24}',
            "bad_duration",
        )
    span = _span(amounts, at)
    if span.microseconds > DURATION_MAX:
        raise Refused.at(at, "a delay is at most ten years", "bad_duration")
    return span


def due_at(delay: Any, facts: Facts, now: int, at: str = "delay") -> int:
    """The instant (microseconds UTC) at which a delay that begins `now` is over, never before `now`.

    `delay` is what its template rendered to: it is data, and no placeholder is looked for in it.

    Raises:
        Refused: no delay (an `until` without a value, a negative number), or over ten years away.
    """
    if isinstance(delay, dict) and not FORMS_SET.isdisjoint(cast("dict[str, Any]", delay)):
        return max(_form_due_at(cast("dict[str, Any]", delay), facts.zone, now, at), now)
    return add_span(now, read_span(delay, at), facts.zone)


def _form_due_at(fields: dict[str, Any], tenants_zone: str, now: int, at: str) -> int:
    units = {name: value for name, value in fields.items() if name in UNITS}
    problems = _unknown_fields(fields, at) or form_problems(fields, list(units), at)
    if problems:
        raise Refused(problems)
    name = str(fields["zone"]) if "zone" in fields else tenants_zone
    place = zone_or_utc(name)
    anchor = next((anchor for anchor in ANCHORS if anchor in fields), None)
    due: int | None = _read_instant(fields[anchor], name, f"{at}.{anchor}") if anchor is not None else now
    if units:
        due = (subtract_span if anchor == "before" else add_span)(due, read_span(units, at), name)
    if "at" in fields:
        wanted = read_time(fields["at"], f"{at}.at")
        due = at_time(due, wanted, place, is_day_said=anchor is not None)
    if "working" in fields and due is not None:
        length, opening = (
            read_working(fields["working"], f"{at}.working"),
            read_opening(fields["within"], f"{at}.within"),
        )
        due = worked(due, length, opening, place)
    elif "within" in fields and due is not None:
        due = within(max(due, now), read_opening(fields["within"], f"{at}.within"), place)
    if due is None or due - now > DURATION_MAX:
        raise Refused.at(f"{at}.{anchor}" if anchor else at, "is more than ten years away", "bad_duration")
    return due


def read_working(value: Any, at: str = "") -> int:
    """The length of counted working time (microseconds).

    Raises:
        Refused: no duration, or one in days and larger, which are as long as it is open.
    """
    span = read_span(value, at)
    if span.months or span.days:
        said = 'is counted in hours and smaller; three working days of eight hours are {"hours": 24}'
        raise Refused.at(at, said, "bad_duration")
    return span.rest


def subtract_span(instant: int, span: Span, zone: str) -> int:
    """The instant `span` before this one: calendar days in `zone`, then the absolute rest."""
    place = zone_or_utc(zone)
    local = to_local(instant, place)
    local = local and add_months(local, -span.months)
    local = local and add_days(local, -span.days)
    earlier = None if local is None else to_instant(local, place)
    if earlier is None:
        raise Refused.at("", "the delay begins before the calendar", "bad_duration")
    return (min(earlier, instant) if span.months or span.days else instant) - span.rest


def add_span(now: int, span: Span, zone: str) -> int:
    """The instant `span` after `now`: calendar days in `zone`, then the absolute rest."""
    if not span.months and not span.days:
        return now + span.rest
    place = zone_or_utc(zone)
    local = to_local(now, place)
    local = local and add_months(local, span.months)
    local = local and add_days(local, span.days)
    later = None if local is None else to_instant(local, place)
    if later is None:
        raise Refused.at("", "the delay ends beyond the calendar", "bad_duration")
    return max(later, now) + span.rest


def problems_of(delay: Any, at: str) -> list[Problem]:
    """What is wrong with a delay as its author wrote it; what a placeholder will give is not known yet."""
    if isinstance(delay, str) and has_template(delay):
        return []
    if isinstance(delay, dict):
        fields = cast("dict[str, Any]", delay)
        units = [name for name in fields if name in UNITS]
        problems = _unknown_fields(fields, at)
        if not FORMS_SET.isdisjoint(fields):
            problems = problems or form_problems(fields, units, at)
        if problems:
            return problems
        delay = {name: value for name, value in fields.items() if not (isinstance(value, str) and has_template(value))}
        if fields and not delay:
            return []
    try:
        if isinstance(delay, dict) and not FORMS_SET.isdisjoint(cast("dict[str, Any]", delay)):
            fields = cast("dict[str, Any]", delay)
            for name in ANCHORS:
                if name in fields:
                    _read_instant(fields[name], "UTC", f"{at}.{name}")
            if units := {name: value for name, value in fields.items() if name in UNITS}:
                read_span(units, at)
            if "working" in fields:
                _check_working(fields["working"], f"{at}.working")
        else:
            read_span(delay, at)
    except Refused as refused:
        return list(refused.problems)
    return []


def _check_working(value: Any, at: str) -> None:
    given = as_object(value)
    if given is not None:
        unknown = _unknown_fields(given, at, UNITS)
        if unknown:
            raise Refused(unknown)
        value = {name: one for name, one in given.items() if not (isinstance(one, str) and has_template(one))}
    if value != {} or not given:
        read_working(value, at)


def is_nothing(delay: Any) -> bool:
    """Whether a delay has no length, as far as that is written."""
    try:
        is_open = has_template(f"{delay}") or not FORMS_SET.isdisjoint(as_object(delay) or {})
        return not is_open and read_span(delay).microseconds == 0
    except Refused:
        return False


def limit_problems(delay: Any, at: str) -> list[Problem]:
    """What is wrong with a delay that is a time limit: as `problems_of`, and one of no length, which nothing could meet."""
    problems = problems_of(delay, at)
    if not problems and is_nothing(delay):
        problems.append(Problem(at, "must be longer than nothing; leave it out for no limit", "out_of_range"))
    return problems


def _unknown_fields(fields: dict[str, Any], at: str, known: tuple[str, ...] = (*UNITS, *FORMS)) -> list[Problem]:
    said = f"is not part of a delay; it takes {', '.join(known)}"
    unknown = [name for name in fields if name not in known]
    return [Problem(f"{at}.{name}", said, "unknown_field") for name in unknown]


def _text_amounts(text: str, at: str) -> dict[str, float]:
    if len(text) > 100 or not text.isascii():
        raise _no_duration(text, at)
    match = _ISO.fullmatch(text.strip().upper())
    if match and any(match.groupdict().values()):
        return {unit: float(number) for unit, number in match.groupdict().items() if number is not None}
    amounts: dict[str, float] = {}
    position = 0
    while piece := _PIECE.match(text, position):
        # "1M" is a minute to some and a month to others; only the long forms and lower case are read.
        unit = UNIT_NAMES.get(piece.group("unit") if len(piece.group("unit")) == 1 else piece.group("unit").lower())
        if unit is None or unit in amounts:
            raise _no_duration(text, at)
        amounts[unit] = float(piece.group("number"))
        position = piece.end()
    if not amounts or text[position:].strip():
        raise _no_duration(text, at)
    return amounts


def _object_amounts(fields: dict[str, Any], at: str) -> dict[str, float]:
    if not fields:
        raise Refused.at(at, 'an empty delay; say how long, as {"hours": 24}', "bad_duration")
    amounts: dict[str, float] = {}
    for name, value in fields.items():
        if name not in UNITS:
            raise Refused.at(
                f"{at}.{name}",
                f"is not part of a delay; it takes {', '.join(UNITS)} or until",
                "unknown_field",
            )
        amount = float(value) if isinstance(value, str) and _DECIMAL.fullmatch(value) else value
        if isinstance(amount, bool) or not isinstance(amount, int | float) or not math.isfinite(amount):
            shown = "nothing" if value is None else f"{value!r:.40}"
            raise Refused.at(f"{at}.{name}", f"must be a number, not {shown}", "wrong_type")
        if amount < 0:
            raise Refused.at(f"{at}.{name}", "must not be negative", "bad_duration")
        amounts[name] = amount
    return amounts


def _span(amounts: dict[str, float], at: str) -> Span:
    months = days = rest = 0
    for unit, amount in amounts.items():
        if amount > 1e13:
            raise Refused.at(at, "a delay is at most ten years", "bad_duration")
        if unit in _CALENDAR and amount == int(amount):
            months += int(amount) * {"years": 12, "months": 1}.get(unit, 0)
            days += int(amount) * {"weeks": 7, "days": 1}.get(unit, 0)
        elif unit in _FIXED:
            rest += round(amount * _FIXED[unit])
        else:
            raise Refused.at(at, f"{unit} must be whole", "bad_duration")
    return Span(months, days, rest)


def _read_instant(value: Any, zone: str, at: str) -> int:
    if not isinstance(value, str) or not value or len(value) > 40:
        shown = "nothing" if value is None else f"{value!r:.40}"
        raise Refused.at(
            at,
            f'must be an instant such as "2026-12-01T09:00:00Z", not {shown}',
            "bad_instant",
        )
    try:
        instant = datetime.fromisoformat(value)
        return _microseconds(instant if instant.tzinfo else instant.replace(tzinfo=zone_or_utc(zone)))
    except (ValueError, OverflowError) as error:
        raise Refused.at(at, f'{value!r} is no instant such as "2026-12-01T09:00:00Z"', "bad_instant") from error


def _microseconds(instant: datetime) -> int:
    return (instant.astimezone(UTC) - EPOCH) // timedelta(microseconds=1)


def _no_duration(text: str, at: str) -> Refused:
    return Refused.at(
        at,
        f'{text!r:.60} is no duration; write it as "24h", "1h30m", "2d" or "PT1H"',
        "bad_duration",
    )
