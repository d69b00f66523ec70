"""A schedule in the spellings of other systems, made canonical: `trigger.schedule`, `cron`, `runAt`, `timezone` and so on."""

from typing import Any, Final

from upshot.core.automations.fields import ABSENT, Fields, Findings, as_object, snake

NAMES: Final = ("schedule", "cron", "run_at", "recurrence", "rrule")
"""Under which a schedule may stand in a trigger or a document."""

_MEANT: Final = {
    "timezone": "zone", "time_zone": "zone", "tz": "zone", "expression": "cron", "cron_expression": "cron",
    "recurrence": "rrule", "rule": "rrule", "misfire": "catch_up", "start": "starts", "dtstart": "starts",
}  # fmt: skip
_KINDS: Final = frozenset({"type", "kind"})


def read_schedule_fields(fields: Fields, findings: Findings, *, is_wanted: bool = False) -> dict[str, Any] | None:
    """The canonical schedule that these fields hold; None when they hold none (and none `is_wanted`)."""
    value, path = fields.take_first_set(*NAMES)
    if value is ABSENT and is_wanted and "config" in fields:
        value, path = fields.take_first_set("config")
    if value is ABSENT and not is_wanted:
        return None
    given = as_object(value)
    if given is None:
        kind = _MEANT.get(name := snake(path.rpartition(".")[2]), name)
        given = {} if value is ABSENT else {"cron" if kind == "schedule" else kind: value}
        if kind == "schedule" and value is not ABSENT:
            findings.note(path, 'read as "schedule": {"cron": ...}')
        for name in given:
            findings.came_from(f"trigger.schedule.{name}", path)
    findings.came_from("trigger.schedule", path)
    canonical = _renamed(given, path, findings)
    zone, zone_path = fields.take_first_set("zone", "timezone", "time_zone", "tz")
    if zone is not ABSENT:
        canonical.setdefault("zone", zone)
        findings.came_from("trigger.schedule.zone", zone_path)
    starts, starts_path = fields.take_first_set("starts", "start", "dtstart")
    if starts is not ABSENT:
        canonical.setdefault("starts", starts)
        findings.came_from("trigger.schedule.starts", starts_path)
    return canonical


def _renamed(given: dict[str, Any], path: str, findings: Findings) -> dict[str, Any]:
    canonical: dict[str, Any] = {}
    for written, value in given.items():
        name = _MEANT.get(snake(written), snake(written))
        if value is None or name in _KINDS:
            continue
        if name != written:
            findings.note(f"{path}.{written}", f"read as `{name}`")
            findings.came_from(f"trigger.schedule.{name}", f"{path}.{written}")
        if name in canonical:
            findings.problem(f"{path}.{written}", f"says the same as `{name}`", "unknown_field")
        else:
            canonical[name] = value
    return canonical
