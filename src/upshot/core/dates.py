"""The dates among an entity's fields, as they are indexed: those with a date near a day are found without reading all."""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d([T ].{4,30})?")
NEAR: Final = timedelta(days=1)
"""By how much the indexed day of an instant may differ from its day in some zone."""


def days_of(fields: Mapping[str, Any]) -> dict[str, str]:
    """The day (`2027-03-01`; of an instant, the one in UTC) of every top-level field that holds a date or an instant."""
    found: dict[str, str] = {}
    for name, value in fields.items():
        if isinstance(value, str) and _DATE.fullmatch(value) and (day := _day(value)) is not None:
            found[name] = day
    return found


def _day(value: str) -> str | None:
    try:
        moment = datetime.fromisoformat(value)
        offset = moment.utcoffset()
        day: date = moment.date() if offset is None else (moment.replace(tzinfo=None) - offset).date()
    except (ValueError, OverflowError):
        return None
    return day.isoformat()
