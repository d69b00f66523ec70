"""Operands beside plain values: another path (`{"ref": "order.total"}`) and relative dates.

A relative date is a base, then offsets, then a snap: `{"mode": "relative", "base": "now", "offset": -7, "unit": "day",
"snap": "start_of_day"}`. `base` is `now`, `today` (a day without a time), `event_time`, `{"ref": path}` or a date.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Final, TypeVar, cast

from upshot.core.conditions import moments
from upshot.core.conditions.moments import Moment
from upshot.core.conditions.spellings import snake_case
from upshot.core.facts import Facts, Path
from upshot.core.local_time import zone_of, zone_or_utc
from upshot.core.work import Undecided

WEEK_STARTS: Final = {"monday": 1, "tuesday": 2, "wednesday": 3, "thursday": 4, "friday": 5, "saturday": 6, "sunday": 7}
OFFSET_MAX: Final = 1_000_000
_OFFSETS_MAX: Final = 8
_SNAPS: Final = frozenset(
    f"{edge}_of_{unit}" for edge in ("start", "end") for unit in ("day", "week", "month", "quarter", "year")
)
_RELATIVE_KEYS: Final = frozenset(
    {"mode", "base", "anchor", "offset", "offsets", "unit", "snap", "tz", "week_start", "ref"}
)
_WORDS: Final[dict[str, dict[str, Any]]] = {
    "now": {"mode": "relative", "base": "now"},
    "today": {"mode": "relative", "base": "today"},
    "tomorrow": {"mode": "relative", "base": "today", "offset": 1, "unit": "day"},
    "yesterday": {"mode": "relative", "base": "today", "offset": -1, "unit": "day"},
}
_DURATION_TEXT = re.compile(r"\s*([0-9]{1,7})\s*([a-zA-Z]+)\s*\Z")
_UNIT_SPELLINGS: Final = {
    **{spelling: unit for unit in moments.UNITS for spelling in (unit, f"{unit}s")},
    "m": "minute", "min": "minute", "mins": "minute", "h": "hour", "hr": "hour", "hrs": "hour",
    "d": "day", "w": "week", "y": "year",
}  # fmt: skip

Found = TypeVar("Found")
PathOf = Callable[[str, str], Path]
"""Compiles a path written at a place; raises Refused."""


class BadOperand(Exception):
    """This operator cannot use this operand. `key` is the part of the operand at fault."""

    def __init__(self, message: str, *, key: str = "", code: str = "bad_value") -> None:
        super().__init__(message)
        self.message, self.key, self.code = message, key, code


@dataclass(frozen=True)
class Relative:
    """A relative date. `resolve` gives its moment, or None when its base has none."""

    base: str | Path
    offsets: tuple[tuple[int, str], ...]
    snap: str | None
    tz: str | None
    week_start: int | None

    def resolve(self, facts: Facts, zone: tzinfo, week_start: int) -> Moment | None:
        """The moment, with calendar arithmetic in the operand's own zone if it has one, else in `zone`.

        Raises:
            Undecided: it is beyond the calendar, which has the years 1 to 9999.
        """
        zone = zone_or_utc(self.tz) if self.tz else zone
        moment = self._base_moment(facts, zone)
        if moment is None:
            return None
        for count, unit in self.offsets:
            moment = within_calendar(moments.moved(moment, count, unit, zone))
        if self.snap:
            moment = within_calendar(moments.snapped(moment, self.snap, self.week_start or week_start, zone))
        return moment

    def _base_moment(self, facts: Facts, zone: tzinfo) -> Moment | None:
        if isinstance(self.base, Path):
            return moments.read_moment(self.base.read(facts), zone)
        match self.base:
            case "now":
                return moments.at_instant(facts.now, zone)
            case "today":
                return moments.today(facts.now, zone)
            case "event_time":
                return moments.read_moment(facts.event.get("ts"), zone)
            case text:
                return moments.read_moment(text, zone)


def within_calendar(found: Found | None) -> Found:
    """What date arithmetic found.

    Raises:
        Undecided: nothing, since the calendar ends before.
    """
    if found is None:
        message = "the date it compares with is beyond the years 1 to 9999"
        raise Undecided("out_of_range", message)
    return found


def is_ref(value: Any) -> bool:
    """Whether an operand is `{"ref": path}` and nothing more."""
    return isinstance(value, dict) and set(cast("dict[str, Any]", value)) == {"ref"}


def relative_document(value: Any, *, of_date: bool) -> dict[str, Any] | None:
    """The relative date a value writes, if it is one. Words such as `today` count only where a date is expected."""
    if isinstance(value, str):
        return _WORDS.get(value.strip().lower()) if of_date else None
    if not isinstance(value, dict):
        return None
    keys = {snake_case(str(key)): item for key, item in cast("dict[str, Any]", value).items()}
    if keys.get("mode") == "relative" or (of_date and set(keys) != {"ref"} and ({"base", "anchor", "ref"} & set(keys))):
        return keys
    return None


def read_relative(keys: dict[str, Any], path_of: PathOf, at: str) -> tuple[dict[str, Any], Relative]:
    """The canonical document of a relative date, and its compiled form.

    Raises:
        BadOperand: a part is unknown or wrong.
        Refused: a path in it is wrong.
    """
    for key in keys:
        if key not in _RELATIVE_KEYS:
            raise BadOperand(f"{key!r} is not part of a relative date", key=key, code="unknown_field")
    if keys.get("mode", "relative") != "relative":
        raise BadOperand('the mode of a relative date is "relative"', key="mode")
    base_document, base = _read_base(keys, path_of, at)
    offsets = _read_offsets(keys)
    snap = _read_snap(keys.get("snap"))
    tz = read_zone(keys.get("tz"))
    week_start = read_week_start(keys.get("week_start"))
    document: dict[str, Any] = {"mode": "relative", "base": base_document}
    if len(offsets) == 1:
        document |= {"offset": offsets[0][0], "unit": offsets[0][1]}
    elif offsets:
        document["offsets"] = [{"n": count, "unit": unit} for count, unit in offsets]
    document |= {key: value for key, value in (("snap", snap), ("tz", tz)) if value}
    if week_start:
        document["week_start"] = str(keys["week_start"]).lower()
    return document, Relative(base, offsets, snap, tz, week_start)


def _read_base(keys: dict[str, Any], path_of: PathOf, at: str) -> tuple[Any, str | Path]:
    base = keys.get("base", keys.get("anchor", {"ref": keys["ref"]} if "ref" in keys else "now"))
    if is_ref(base):
        path = path_of(base["ref"], f"{at}.base.ref" if "ref" not in keys else f"{at}.ref")
        return {"ref": path.text}, path
    if isinstance(base, str):
        name = snake_case(base)
        if name in ("now", "today", "event_time"):
            return name, name
        if moments.read_moment(base, zone_or_utc("UTC")) is not None:
            return base, base
    raise BadOperand('the base is "now", "today", "event_time", {"ref": path} or a date', key="base")


def _read_offsets(keys: dict[str, Any]) -> tuple[tuple[int, str], ...]:
    written = keys.get("offsets", keys.get("offset"))
    if written is None:
        return ()
    if isinstance(written, int) and not isinstance(written, bool):
        written = {"n": written, "unit": keys.get("unit", "day")}
    items = cast("list[Any]", written) if isinstance(written, list) else [written]
    if len(items) > _OFFSETS_MAX:
        raise BadOperand(f"at most {_OFFSETS_MAX} offsets", key="offsets")
    return tuple(_read_steps(item, "offset", minimum=-OFFSET_MAX) for item in items)


def _read_snap(snap: Any) -> str | None:
    if snap is None:
        return None
    name = snake_case(snap) if isinstance(snap, str) else ""
    if name not in _SNAPS:
        raise BadOperand(
            'a snap is "start_of_day", "end_of_month" and the like (day, week, month, quarter, year)', key="snap"
        )
    return name


def read_zone(tz: Any) -> str | None:
    """A zone's name, checked.

    Raises:
        BadOperand: there is no such zone.
    """
    if tz is None:
        return None
    if not isinstance(tz, str) or zone_of(tz) is None:
        raise BadOperand(f"{tz!r} is not a time zone; use a name such as Europe/Berlin", key="tz", code="unknown_zone")
    return tz


def read_week_start(week_start: Any) -> int | None:
    """The first day of the week, 1 for Monday to 7 for Sunday.

    Raises:
        BadOperand: not the name of a day.
    """
    if week_start is None:
        return None
    day = WEEK_STARTS.get(week_start.lower()) if isinstance(week_start, str) else None
    if day is None:
        raise BadOperand(f"{week_start!r} is not a day; use monday or sunday", key="week_start")
    return day


def read_duration(value: Any) -> tuple[int, str]:
    """`{"n": 7, "unit": "day"}` or `"7 days"`.

    Raises:
        BadOperand: not a whole number, 1 or more, of a known unit.
    """
    if isinstance(value, str):
        found = _DURATION_TEXT.match(value)
        if found is None:
            raise BadOperand('write a duration as {"n": 7, "unit": "day"} or "7 days"')
        value = {"n": int(found[1]), "unit": found[2]}
    return _read_steps(value, "duration", minimum=1)


def _read_steps(value: Any, what: str, *, minimum: int) -> tuple[int, str]:
    if not isinstance(value, dict):
        raise BadOperand(f'write the {what} as {{"n": 7, "unit": "day"}}')
    keys = cast("dict[str, Any]", value)
    unknown = set(keys) - {"n", "amount", "unit"}
    if unknown:
        raise BadOperand(f"{min(unknown)!r} is not part of a {what}", key=min(unknown), code="unknown_field")
    count = keys.get("n", keys.get("amount"))
    if not isinstance(count, int) or isinstance(count, bool) or not minimum <= count <= OFFSET_MAX:
        raise BadOperand(f"the {what} is a whole number from {minimum} to {OFFSET_MAX}", key="n")
    unit = keys.get("unit")
    name = _UNIT_SPELLINGS.get(unit.lower()) if isinstance(unit, str) else None
    if name is None:
        raise BadOperand(f"{unit!r} is not a unit; use one of {', '.join(moments.UNITS)}", key="unit")
    return count, name
