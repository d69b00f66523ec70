"""RFC 5545 recurrence rules, as far as they are of days: what is looked up by the hour is cron's."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from dateutil.rrule import rrulestr

from upshot.core.errors import Refused
from upshot.core.instants import from_text
from upshot.core.schedules.model import Recurring

RULE_CHARACTERS_MAX: Final = 500
COUNT_MAX: Final = 10_000
INTERVAL_MAX: Final = 1_000
TIMES_A_DAY_MAX: Final = 24
STARTS_MIN: Final = 2000

_FREQUENCIES: Final = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_PARTS: Final = ("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYMONTH", "BYHOUR", "BYMINUTE")
_CALENDAR_PARTS: Final = ("BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS")
"""Parts for rules by the month or year."""
_UNTIL_UTC: Final = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z")

Add = Callable[[str, str, str], None]


def read_recurring(value: Any, starts: Any, add: Add) -> Recurring | None:
    """The rule, with its first local time; or None, and what is wrong is added."""
    first = _read_starts(starts, add)
    if not isinstance(value, str) or not value.strip() or len(value) > RULE_CHARACTERS_MAX:
        add("rrule", "is a rule like FREQ=MONTHLY;BYDAY=1MO", "bad_rule")
        return None
    text = value.strip().upper().removeprefix("RRULE:")
    parts = dict(part.split("=", 1) for part in text.split(";") if "=" in part)
    if len(parts) != len(text.split(";")):
        add("rrule", "is made of NAME=value parts with a ; between, each name once", "bad_rule")
        return None
    told = _part_problem(parts)
    if told is not None or first is None:
        if told is not None:
            add("rrule", told, "bad_rule")
        return None
    return _made(parts, first, add)


def _made(parts: dict[str, str], first: datetime, add: Add) -> Recurring | None:
    until: int | None = None
    utc = _UNTIL_UTC.fullmatch(parts.get("UNTIL", ""))
    try:
        if utc is not None:  # an instant: the rule itself knows local times only
            year, month, day, hour, minute, second = utc.groups()
            until = from_text(f"{year}-{month}-{day}T{hour}:{minute}:{second}Z")
        text = ";".join(f"{name}={part}" for name, part in parts.items() if name != "UNTIL" or utc is None)
        rule = rrulestr(text, dtstart=first)
        if rule.after(first, inc=True) is None:
            add("rrule", "never comes: no day of the calendar is like that", "never_due")
            return None
    except (ValueError, TypeError, Refused) as error:
        add("rrule", f"cannot be read: {error}", "bad_rule")
        return None
    return Recurring(text, first, until)


def _part_problem(parts: dict[str, str]) -> str | None:
    """What of the rule is not taken, in words."""
    frequency = parts.get("FREQ")
    if frequency not in _FREQUENCIES:
        return f"FREQ is one of {', '.join(_FREQUENCIES)}; for every so many hours or minutes, use cron"
    allowed = _PARTS + (_CALENDAR_PARTS if frequency in {"MONTHLY", "YEARLY"} else ())
    for name in parts:
        if name not in allowed:
            return f"{name} is not taken with FREQ={frequency}; known are {', '.join(allowed)}"
    for name, most in (("COUNT", COUNT_MAX), ("INTERVAL", INTERVAL_MAX)):
        if name in parts and not (parts[name].isdecimal() and len(parts[name]) < 9 and 1 <= int(parts[name]) <= most):
            return f"{name} is a number from 1 to {most:,}"
    times = len(parts.get("BYHOUR", "0").split(",")) * len(parts.get("BYMINUTE", "0").split(","))
    if times > TIMES_A_DAY_MAX:
        return f"comes {times} times a day; at most {TIMES_A_DAY_MAX}: for more, use cron"
    return None


def _read_starts(value: Any, add: Add) -> datetime | None:
    try:
        first = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        first = None
    if first is None or first.tzinfo is not None or not STARTS_MIN <= first.year <= 9000:
        said = f"is the local time a rule counts from, {STARTS_MIN} or later, like 2027-01-04T09:00"
        add("starts", said, "required" if value is None else "bad_instant")
        return None
    return first.replace(microsecond=0)
