"""For whom a schedule is: each entity of a type, or those one of whose dates lies so many days before or after the day."""

from collections.abc import Callable
from datetime import date, timedelta, tzinfo
from typing import Any, Final, cast

import msgspec

from upshot.core.entities import FIELD_NAME_MAX, check_key
from upshot.core.errors import Refused
from upshot.core.instants import from_text
from upshot.core.local_time import to_local
from upshot.core.segments import name_problems

DAYS_MAX: Final = 3_650
_FORM: Final = (
    'is the type of an entity, or an object like {"type": "member", "before": {"field": "renews_on", "days": 7}}, or '
    '{"segment": "VIP"}'
)

Add = Callable[[str, str, str], None]


class Each(msgspec.Struct, frozen=True):
    """Entities of a type, or of a segment, which tells it. With a `field`, those for whom the day lies `days` days after
    the date in it (before: negative)."""

    type: str
    field: str = ""
    days: int = 0
    segment: str = ""

    def anchor_of(self, day: date) -> date:
        """The date that the field holds of those who are meant on this day."""
        return day - timedelta(days=self.days)


def read_each(value: Any, add: Add) -> Each | None:
    """For whom; or None, and what is wrong is added at its path."""
    fields = cast("dict[str, Any]", value) if isinstance(value, dict) else {"type": value}
    type_ = fields.get("type")
    sides = [side for side in ("before", "after") if side in fields]
    others = [str(name) for name in fields if name not in ("type", "segment", "before", "after")]
    for name in others:
        add(f"each.{name}", "is not known here; known are: type, segment, before, after", "unknown_field")
    segment = ""
    if "segment" in fields:
        segment, type_ = _read_segment(fields, add), "any"
        if segment is None:
            return None
    if not isinstance(type_, str) or check_key(type_, "any"):
        add("each" if not isinstance(value, dict) else "each.type", _FORM, "bad_type")
        return None
    if len(sides) > 1:
        add("each", "is counted before a date or after one, not both", "bad_schedule")
        return None
    type_ = "" if segment else type_
    if others or not sides:
        return None if others else Each(type_, segment=segment)
    dated = _read_dated(type_, sides[0], fields[sides[0]], add)
    return msgspec.structs.replace(dated, segment=segment) if dated is not None else None


def _read_segment(fields: dict[str, Any], add: Add) -> str | None:
    """The name of the segment; None, and what is wrong is added, where it is none."""
    if "type" in fields:
        add("each.type", "does not stand beside `segment`, whose entities are of one type", "unknown_field")
    elif problems := name_problems(fields["segment"], "each.segment"):
        add(problems[0].path, problems[0].message, problems[0].code)
    else:
        return cast("str", fields["segment"])
    return None


def _read_dated(type_: str, side: str, value: Any, add: Add) -> Each | None:
    given = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    field, days = given.get("field"), given.get("days")
    is_field = isinstance(field, str) and 0 < len(field) <= FIELD_NAME_MAX
    is_number = isinstance(days, int) and not isinstance(days, bool) and 0 <= days <= DAYS_MAX
    if not is_field:
        add(f"each.{side}.field", "names the field of the entity that holds the date", "required")
    if not is_number:
        add(f"each.{side}.days", f"is a whole number from 0 to {DAYS_MAX:,}", "out_of_range")
    for name in given:
        if name not in ("field", "days"):
            add(f"each.{side}.{name}", "is not known here; known are: field, days", "unknown_field")
    if not (is_field and is_number) or len(given) > 2:
        return None
    return Each(type_, cast("str", field), -cast("int", days) if side == "before" else cast("int", days))


def local_date(value: Any, zone: tzinfo) -> date | None:
    """The day that a field's value means in a zone: a date is itself, an instant the local day it lies on; else None."""
    if not isinstance(value, str):
        return None
    try:
        if len(value) <= len("2027-01-01"):
            return date.fromisoformat(value)
        local = to_local(from_text(value), zone)
    except (ValueError, Refused):
        return _date_of_naive(value)
    return local.date() if local is not None else None


def _date_of_naive(value: str) -> date | None:
    try:
        return date.fromisoformat(value[:10]) if value[10:11] in {"T", " "} else None
    except ValueError:
        return None
