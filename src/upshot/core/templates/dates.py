"""The `date` filter: an instant or a day as text, in the tenant's zone, by an allow-list of directives.

The C library's `strftime` is not used: it knows field widths (`%1000000d`) and differs between platforms.
"""

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from upshot.core.templates.errors import RenderFailure
from upshot.core.templates.values import to_text

FORMAT_CHARACTERS_MAX: Final = 200

_DAYS: Final = (
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
)
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DIRECTIVE: Final = re.compile(r"%(-?.)")


def _offset(at: datetime) -> str:
    return at.strftime("%z") if at.tzinfo else ""


DIRECTIVES: Final[Mapping[str, Callable[[datetime], str]]] = {
    "a": lambda at: _DAYS[at.weekday()][:3],
    "A": lambda at: _DAYS[at.weekday()],
    "b": lambda at: _MONTHS[at.month - 1][:3],
    "B": lambda at: _MONTHS[at.month - 1],
    "d": lambda at: f"{at.day:02}",
    "-d": lambda at: str(at.day),
    "e": lambda at: f"{at.day:2}",
    "D": lambda at: f"{at.month:02}/{at.day:02}/{at.year % 100:02}",
    "F": lambda at: f"{at.year:04}-{at.month:02}-{at.day:02}",
    "H": lambda at: f"{at.hour:02}",
    "-H": lambda at: str(at.hour),
    "I": lambda at: f"{at.hour % 12 or 12:02}",
    "-I": lambda at: str(at.hour % 12 or 12),
    "l": lambda at: f"{at.hour % 12 or 12:2}",
    "j": lambda at: f"{at.timetuple().tm_yday:03}",
    "m": lambda at: f"{at.month:02}",
    "-m": lambda at: str(at.month),
    "M": lambda at: f"{at.minute:02}",
    "p": lambda at: "AM" if at.hour < 12 else "PM",
    "P": lambda at: "am" if at.hour < 12 else "pm",
    "R": lambda at: f"{at.hour:02}:{at.minute:02}",
    "s": lambda at: str(math.floor(at.timestamp())),
    "S": lambda at: f"{at.second:02}",
    "T": lambda at: f"{at.hour:02}:{at.minute:02}:{at.second:02}",
    "u": lambda at: str(at.isoweekday()),
    "V": lambda at: f"{at.isocalendar().week:02}",
    "w": lambda at: str(at.isoweekday() % 7),
    "y": lambda at: f"{at.year % 100:02}",
    "Y": lambda at: f"{at.year:04}",
    "z": _offset,
    "Z": lambda at: at.tzname() or "",
    "%": lambda _: "%",
}
"""What may stand after `%` in a pattern, and how it is written."""


def format_date(value: Any, pattern: Any = "%Y-%m-%d", zone_name: Any = None, *, zone: str = "UTC") -> str:
    """The instant or day by the pattern, in the named zone or else the tenant's; nothing gives nothing.

    Takes RFC 3339 and ISO 8601 texts, and whole numbers as seconds since 1970.
    """
    if value is None or value == "":
        return ""
    pattern = to_text(pattern)
    if len(pattern) > FORMAT_CHARACTERS_MAX:
        raise RenderFailure(f"a date pattern has at most {FORMAT_CHARACTERS_MAX} characters")
    at = _instant(value, _zone(to_text(zone_name) or zone))
    return _DIRECTIVE.sub(lambda match: _part(match.group(1), at), pattern)


def _part(directive: str, at: datetime) -> str:
    part = DIRECTIVES.get(directive)
    if part is None:
        raise RenderFailure(f"'date' does not know %{directive}")
    return part(at)


def _instant(value: Any, zone: ZoneInfo) -> datetime:
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC).astimezone(zone)
        if isinstance(value, str) and len(value) <= 40:
            if len(value) == len("2026-11-21"):
                day = date.fromisoformat(value)
                return datetime(day.year, day.month, day.day, tzinfo=zone)
            at = datetime.fromisoformat(value)
            return at.astimezone(zone) if at.tzinfo else at.replace(tzinfo=zone)
    except (ValueError, OverflowError, OSError) as error:
        raise RenderFailure(f"'date' cannot read {value!r:.50} as an instant or a day") from error
    raise RenderFailure(f"'date' cannot read {value!r:.50} as an instant or a day")


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise RenderFailure(f"there is no time zone {name!r:.50}") from error
