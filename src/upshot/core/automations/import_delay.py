"""How long a delay is, in every understood spelling."""

import re
from typing import Any, Final

from upshot.core.automations.delay_forms import FORMS
from upshot.core.automations.durations import UNIT_NAMES, UNITS
from upshot.core.automations.fields import ABSENT, Fields, Findings, as_object

_WHOLE: Final = re.compile(r"[0-9]{1,12}")
_AMOUNTS: Final = ("value", "amount", "duration", "delay")
_UNIT_FIELDS: Final = ("unit", "duration_unit", "delay_unit", "units")
_SUFFIXED: Final = {f"{prefix}_{unit}": unit for prefix in ("delay", "duration", "wait") for unit in UNITS} | {
    "delay_ms": "milliseconds", "duration_ms": "milliseconds",
}  # fmt: skip


def read_delay(value: Any, path: str, findings: Findings) -> Any:
    """The canonical delay of a value: a text, or an object of units or `until`; what is none is left for validation."""
    if isinstance(value, str):
        if not _WHOLE.fullmatch(value):
            return value
        value = int(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        findings.note(path, "read as seconds")
        return {"seconds": value}
    given = as_object(value)
    if given is None:
        return value
    if all(name in UNITS or name in FORMS for name in given):
        return value
    fields = Fields(given, path, findings)
    delay = take_delay(fields, findings)
    fields.refuse_rest((*UNITS, *FORMS))
    return value if delay is ABSENT else delay


def take_delay(fields: Fields, findings: Findings) -> Any:
    """The delay in an object's own fields (`{"hours": 1}`, `{"duration": 2, "unit": "days"}`); ABSENT if none is."""
    until, _ = fields.take_first_set("until")
    if until is not ABSENT:
        return {"until": until}
    unit, unit_path = fields.take_first_set(*_UNIT_FIELDS)
    amounts: dict[str, Any] = {}
    for name in _AMOUNTS:
        if name not in fields:
            continue
        amount, path = fields.take_with_path(name)
        if unit is ABSENT:
            return read_delay(amount, path, findings)
        known = UNIT_NAMES.get(unit.lower()) if isinstance(unit, str) else None
        if known is None:
            findings.problem(unit_path, f"must be one of {', '.join(UNITS)}", "bad_duration")
            return {"seconds": 0}
        amounts[known] = amount
        break
    for name, known in [
        *_SUFFIXED.items(),
        *((unit, unit) for unit in UNITS),
        *((unit[:-1], unit) for unit in UNITS),
    ]:
        if name in fields:
            amounts[known] = fields.take(name)
    return amounts or ABSENT
